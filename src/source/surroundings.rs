//! What opening a source needs besides its declaration: the folder, the environment, and a way to registries.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;
use crate::model::remote::RemoteReference;
use crate::model::{Descriptor, Digest, RawManifest, Referrer, TagOrDigest};

/// Looks up an environment variable.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What opening a source needs besides its declaration.
#[derive(Clone)]
pub struct Surroundings {
    /// The folder that relative paths start at.
    pub folder: PathBuf,
    /// The environment of the process.
    pub environment: Variables,
    /// How registries are read.
    pub reach: Arc<dyn Reach>,
}

impl Surroundings {
    /// Those of sources that are files: no environment, and no way to any registry.
    pub fn local(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), environment: Arc::new(|_| None), reach: Arc::new(Unreachable) }
    }
}

/// Opens repositories of registries to read from. Synchronous, like all of this room: who implements it waits for the
/// network, so sources of registries are only used on threads that may block.
pub trait Reach: Send + Sync {
    /// The repository of `image`.
    fn repository(&self, image: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError>;
}

/// A repository of a registry, to read from.
pub trait RemoteRepository: Send + Sync {
    /// The manifest at a tag or digest, its digest verified; `None` where there is none.
    fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError>;
    /// Which of `blobs` are not there.
    fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError>;
    /// The bytes of a blob, not verified.
    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError>;
    /// What refers to `subject`: by naming it, or by a tag of cosign's.
    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError>;
}

/// No registry.
struct Unreachable;

impl Reach for Unreachable {
    fn repository(&self, image: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError> {
        Err(SourceError::Unsupported {
            reason: format!("`docker://{image}` cannot be read: no registry is available here"),
            help: "publish from a file or a directory".to_owned(),
        })
    }
}
