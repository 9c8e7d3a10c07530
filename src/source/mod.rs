//! Where content comes from: image layouts and archives of them, Docker's archives and engines, registries, indexes
//! assembled from all those; Helm charts and artifacts.
//!
//! A [`Source`] has two methods; the rest derives from them. Everything here is synchronous, reads in
//! place, and verifies what it reads. [`publishable`] makes of a declared source exactly what is published.
//!
//! In reading order: `layout` (what a layout is, wherever its files lie), `directory` and `archive` (where
//! they lie; `tar_index` finds them in a tar file), `docker_archive` and `daemon` (what Docker writes, and
//! what it holds), `remote` (an image of a registry, by the way that `surroundings`
//! gives), `walk` (all that a root reaches), `assemble` (an index of several sources; `digests` lists those that
//! were pushed by digest), `referrers` (what refers to all that), `rewrite`,
//! `chart` (Helm charts), `artifact` (files under a type) and `publish` (what is published of it). What is sent where is not
//! decided here.

use std::io::Read;
use std::sync::Arc;

use crate::model::{Descriptor, Digest, Referrer, RepositoryName, SourceSpec, TransportSpec};

mod archive;
mod artifact;
mod assemble;
pub mod chart;
mod compression;
mod daemon;
mod digests;
mod directory;
mod docker_archive;
mod error;
mod images;
mod layout;
mod layout_referrers;
mod positioned;
mod publish;
mod read;
mod reference;
mod referrers;
mod remote;
mod rewrite;
mod surroundings;
mod tar_index;
mod temporary;
mod verify;
mod walk;

pub use error::SourceError;
pub use publish::{Published, publishable};
pub use referrers::Travelling;
pub use surroundings::{Reach, RemoteRepository, Surroundings, Variables};
pub use walk::{Content, walk};

#[cfg(test)]
use testkit::{chart as chart_fixture, image as fixture, raw_tar};

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
#[path = "hostile_files_tests.rs"]
mod hostile_files_tests;

/// Reads one blob. Returns an error instead of the end where digest or size are not those of the
/// descriptor it was opened with.
pub type BlobReader = Box<dyn Read + Send>;

/// Content that can be published: a root manifest and all that it reaches. The first two methods are all that a source must
/// have; where more is known of it, the others say so.
pub trait Source: Send + Sync {
    /// The manifest to publish.
    fn root(&self) -> Result<Descriptor, SourceError>;
    /// Opens a manifest or blob that the root reaches. Whether it is there, and of the right size, is known
    /// at once; its digest when it was read.
    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError>;
    /// Checks that blobs are there and of the declared size, without reading them.
    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        blobs.iter().try_for_each(|blob| self.open(blob).map(drop))
    }
    /// What refers to a manifest that the root reaches, as far as the source knows. Each can be opened, with all that it reaches.
    fn referrers(&self, _subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        Ok(Vec::new())
    }
    /// The repository that holds a blob already, from which its registry can mount it elsewhere.
    fn origin(&self, _blob: &Digest) -> Option<Origin> {
        None
    }
}

/// A repository that holds a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What blobs can be mounted within: [`crate::model::RegistryLocation::host`].
    pub host: String,
    /// The repository.
    pub repository: RepositoryName,
}

/// A source, and how to name exactly what it holds now.
pub struct Opened {
    /// The source.
    pub source: Arc<dyn Source>,
    /// What was opened, pinned: what could name something else tomorrow names a digest.
    pub spec: SourceSpec,
}

/// Opens what `spec` names. A table of platforms, a list, and a folder of digests are assembled into an index.
///
/// # Errors
///
/// [`SourceError`] where it is not there, is nothing that can be published, or does not say which image is meant.
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

/// An index assembled of the images of several sources.
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
        // Another image may have the name tomorrow.
        TransportSpec::DockerDaemon { image } => return daemon::open(image, surroundings),
        TransportSpec::Docker(image) => {
            let (source, image) = remote::Remote::open(image, surroundings.reach.as_ref())?;
            return Ok((Arc::new(source), TransportSpec::Docker(image)));
        }
    };
    Ok((source, spec.clone()))
}
