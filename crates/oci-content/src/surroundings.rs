//! The surroundings of a source: the folder, the environment, and the access to registries.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;
use oci_registry::remote::RemoteReference;
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, TagOrDigest};

/// Looks up an environment variable.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Everything that opening a source needs besides its declaration.
#[derive(Clone)]
pub struct Surroundings {
    /// The folder that relative paths start at.
    pub folder: PathBuf,
    /// The environment of the process.
    pub environment: Variables,
    /// The access to registries.
    pub reach: Arc<dyn Reach>,
}

impl Surroundings {
    /// The surroundings of sources that are files: no environment, and no access to any registry.
    pub fn local(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), environment: Arc::new(|_| None), reach: Arc::new(Unreachable) }
    }
}

/// Opens repositories of registries to read from. It is synchronous, like everything in this module: implementations wait
/// for the network, so sources of registries are only used on threads that may block.
pub trait Reach: Send + Sync {
    /// The repository of `image`.
    fn repository(&self, image: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError>;
}

/// A repository of a registry, to read from.
pub trait RemoteRepository: Send + Sync {
    /// The manifest at a tag or digest, its digest verified; `None` if there is none.
    fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError>;
    /// The digests of those of `blobs` that are missing.
    fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError>;
    /// The bytes of a blob, not verified.
    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError>;
    /// The referrers of `subject`: manifests that name it, or that cosign's tags link to it.
    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError>;
}

/// No access to any registry.
struct Unreachable;

impl Reach for Unreachable {
    fn repository(&self, image: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError> {
        Err(SourceError::Unsupported {
            reason: format!("`docker://{image}` cannot be read: no registry is available here"),
            help: "publish from a file or a directory".to_owned(),
        })
    }
}
