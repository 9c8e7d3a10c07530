//! Registries in a directory: `oci:DIR`, with one OCI image layout per repository at `DIR/REPOSITORY/` (image-spec,
//! image-layout.md).
//!
//! A kill at any moment leaves a layout that can be read, and two processes do not corrupt each other's work: `draft`
//! writes files whole or not at all, and `lock` keeps other processes out while `index` changes. `layout` knows the
//! paths, `blobs` and `manifests` write the content, `referrers` lists the referrers of a manifest, `deletion` removes
//! content, `probe` checks whether these operations are possible, and `repository` implements the registry traits. All
//! modules except `repository` block, and run on threads that may.

mod blobs;
mod deletion;
mod draft;
mod index;
mod layout;
mod lock;
mod manifests;
mod probe;
mod referrers;
mod repository;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use repository::DirectoryRepository;
use tokio::sync::Semaphore;

use super::{DirectoryProblem, Registry, RegistryError, Repository};
use crate::RepositoryName;

/// A registry in a directory.
pub(super) struct DirectoryRegistry {
    root: PathBuf,
    writers: Arc<Semaphore>,
}

impl DirectoryRegistry {
    /// Returns the registry at `root`, which need not exist. At most `parallelism` blobs are written at a time.
    pub(super) fn new(root: PathBuf, parallelism: usize) -> Self {
        Self { root, writers: Arc::new(Semaphore::new(parallelism.clamp(1, 1024))) }
    }
}

impl Registry for DirectoryRegistry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        Arc::new(DirectoryRepository::new(self.root.clone(), name.clone(), Arc::clone(&self.writers)))
    }
}

/// Returns the error for what the operating system says about `path`.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn error(path: &Path, cause: io::Error) -> RegistryError {
    wrong(path, DirectoryProblem::of(&cause), cause.to_string())
}

/// Returns an error about the file or directory at `path`.
fn wrong(path: &Path, problem: DirectoryProblem, reason: impl Into<String>) -> RegistryError {
    RegistryError::Directory { path: path.to_owned(), reason: reason.into(), problem }
}
