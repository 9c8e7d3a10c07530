//! The interface of a source: [`Source`].

use std::io::Read;

use oci_registry::{Descriptor, Digest, Referrer, RepositoryName};

use super::error::SourceError;

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
    /// Opens a manifest of any media type. The type of a referrer may not show that it is a manifest.
    fn open_manifest(&self, manifest: &Descriptor) -> Result<BlobReader, SourceError> {
        self.open(manifest)
    }
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
    fn origin(&self, _blob: &Digest) -> Option<BlobOrigin> {
        None
    }
}

/// A repository that holds a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobOrigin {
    /// The host within which blobs can be mounted: [`oci_registry::RegistryLocation::host`].
    pub host: String,
    /// The repository.
    pub repository: RepositoryName,
}
