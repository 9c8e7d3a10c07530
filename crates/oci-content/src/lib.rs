//! The sources of content: image layouts and archives of them, Docker's archives and engines, registries, indexes
//! assembled from all of these; Helm charts and artifacts.
//!
//! A [`Source`] has two required methods; the others have defaults. Everything here is synchronous, reads in
//! place, and verifies the bytes that it reads. [`publishable`] turns a declared source into exactly the content that is
//! published.
//!
//! In reading order: `layout` (an image layout, independent of the storage of its files), `directory` and `archive` (the
//! two storages; `tar_index` finds the files in a tar file), `docker_archive` and `daemon` (Docker's archives and
//! engines), `remote` (an image in a registry, reached through `surroundings`), `walk` (everything that a root
//! reaches), `assemble` (an index of several sources; `digests` lists those that were pushed by digest), `referrers`
//! (manifests that refer to the content), `rewrite` (selected platforms, added annotations and labels), `chart` (Helm
//! charts), `artifact` (files under an artifact type) and `publish` (the content to publish). The decision about what is
//! sent to which repository is made elsewhere.

use std::io::Read;
use std::sync::Arc;

use oci_registry::{Descriptor, Digest, Referrer, RepositoryName};

mod archive;
pub mod artifact;
mod artifact_spec;
pub mod assemble;
mod compression;
mod daemon;
mod digests;
mod directory;
mod docker_archive;
mod error;
mod image_spec;
mod images;
mod layout;
mod layout_referrers;
pub mod positioned;
mod publishable;
pub mod read;
mod reference;
pub mod referrers;
mod remote;
pub mod rewrite;
pub mod spec;
mod surroundings;
pub mod tar_header;
mod tar_index;
mod temporary;
pub mod verify;
mod walk;

pub use artifact_spec::{ArtifactFile, ArtifactSpec};
pub use error::{SourceError, described};
pub use image_spec::{AnnotationPlace, ImageSpec};
pub use publishable::{Publishable, open_artifact, open_image};
pub use referrers::Travelling;
pub use spec::{SourceSpec, SourceSpecError, TransportSpec};
pub use surroundings::{Reach, RemoteRepository, Surroundings, Variables};
pub use walk::{Content, walk};

#[cfg(test)]
use testkit::{chart as chart_fixture, image as fixture, raw_tar};

#[cfg(test)]
mod refusal;

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
#[path = "hostile_files_tests.rs"]
mod hostile_files_tests;

/// A reader of one blob. It returns an error instead of the end if digest or size differ from those of the
/// descriptor that it was opened with.
pub type BlobReader = Box<dyn Read + Send>;

/// Content that can be published: a root manifest and everything that it reaches. Only the first two methods are required;
/// a source that knows more overrides the others.
pub trait Source: Send + Sync {
    /// The manifest to publish.
    fn root(&self) -> Result<Descriptor, SourceError>;
    /// Opens a manifest or blob that the root reaches. A missing blob or a wrong size is an error at once; a wrong digest is
    /// an error when the blob has been read.
    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError>;
    /// Checks that blobs exist and have the declared size, without reading them.
    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        blobs.iter().try_for_each(|blob| self.open(blob).map(drop))
    }
    /// The referrers of a manifest that the root reaches, if the source knows any. Each can be opened, with everything that it
    /// reaches.
    fn referrers(&self, _subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        Ok(Vec::new())
    }
    /// The repository that already holds a blob, so that its registry can mount the blob elsewhere.
    fn origin(&self, _blob: &Digest) -> Option<Origin> {
        None
    }
}

/// A repository that holds a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The host within which blobs can be mounted: [`oci_registry::RegistryLocation::host`].
    pub host: String,
    /// The repository.
    pub repository: RepositoryName,
}

/// A source, and a spec that names exactly its present content.
pub struct Opened {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The opened spec, pinned: a name that could mean something else tomorrow is replaced by a digest.
    pub spec: SourceSpec,
}

/// Opens the source that `spec` names. A table of platforms, a list, and a folder of digests are assembled into an index.
///
/// # Errors
///
/// [`SourceError`] if it does not exist, cannot be published, or does not say which image is meant.
pub fn open(spec: &SourceSpec, surroundings: &Surroundings) -> Result<Opened, SourceError> {
    match spec {
        SourceSpec::One(transport) => {
            let (source, transport) = open_transport(transport, surroundings)?;
            Ok(Opened { source, spec: SourceSpec::One(transport) })
        }
        SourceSpec::Platforms(table) => {
            let (source, table) = assemble::assemble(table, surroundings)?;
            Ok(Opened { source: Arc::new(source), spec: SourceSpec::Platforms(table) })
        }
        SourceSpec::Several(list) => several(list, surroundings),
        SourceSpec::Digests(folder) => several(&digests::pushed(folder, &surroundings.folder)?, surroundings),
    }
}

/// Opens an index that is assembled from the images of several sources.
fn several(list: &[TransportSpec], surroundings: &Surroundings) -> Result<Opened, SourceError> {
    let (source, list) = assemble::assemble_several(list, surroundings)?;
    Ok(Opened { source: Arc::new(source), spec: SourceSpec::Several(list) })
}

/// A source, and its transport pinned.
type OpenedTransport = (Arc<dyn Source>, TransportSpec);

fn open_transport(spec: &TransportSpec, surroundings: &Surroundings) -> Result<OpenedTransport, SourceError> {
    let folder = &surroundings.folder;
    let source: Arc<dyn Source> = match spec {
        TransportSpec::Oci { path, reference } => {
            let files = directory::Directory::open(folder.join(path))?;
            Arc::new(layout::Layout::open(files, reference.as_deref())?)
        }
        TransportSpec::OciArchive { path, reference } => {
            let files = archive::Archive::open(folder.join(path))?;
            Arc::new(layout::Layout::open(files, reference.as_deref())?)
        }
        TransportSpec::DockerArchive { path, reference } => {
            let path = folder.join(path);
            Arc::new(docker_archive::DockerArchive::open(path, reference.as_deref(), surroundings)?)
        }
        // The spec is pinned, because another image may have the name tomorrow.
        TransportSpec::DockerDaemon { image } => return daemon::open(image, surroundings),
        TransportSpec::Docker(image) => {
            let (source, image) = remote::Remote::open(image, surroundings.reach.as_ref())?;
            return Ok((Arc::new(source), TransportSpec::Docker(image)));
        }
    };
    Ok((source, spec.clone()))
}
