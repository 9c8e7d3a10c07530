//! The registry in a directory, which hands out its repositories.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::repository::DirectoryRepository;
use crate::reference::RepositoryName;
use crate::repository::{Registry, Repository};

/// A registry in a directory.
pub(crate) struct DirectoryRegistry {
    root: PathBuf,
    writers: Arc<Semaphore>,
}

impl DirectoryRegistry {
    /// Returns the registry at `root`, which need not exist. At most `parallelism` blobs are written at a time.
    pub(crate) fn new(root: PathBuf, parallelism: usize) -> Self {
        Self { root, writers: Arc::new(Semaphore::new(parallelism.clamp(1, 1024))) }
    }
}

impl Registry for DirectoryRegistry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        Arc::new(DirectoryRepository::new(self.root.clone(), name.clone(), Arc::clone(&self.writers)))
    }
}
