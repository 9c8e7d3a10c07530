//! The surroundings of a source: the folder, the environment, the registries, and the content that was opened before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::confines::{Confines, OutsideFile};
use super::opened_content::OpenedContent;
use super::registries::SourceRegistries;
use super::temporary::TemporaryFolder;

/// Looks up an environment variable.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Everything that opening a source needs besides its spec.
#[derive(Clone)]
pub struct Surroundings {
    /// The folder that relative paths start at.
    pub folder: PathBuf,
    /// The folders that files may be read from.
    pub confines: Confines,
    /// The environment of the process.
    pub environment: Variables,
    /// The registries that images are read from; `None` if there are none.
    pub registries: Option<SourceRegistries>,
    /// The content that sources with the same value opened before.
    pub content: Arc<OpenedContent>,
}

impl Surroundings {
    /// The surroundings of sources that are files: no environment, no registry, and nothing opened before.
    pub fn local(folder: &Path) -> Self {
        let content = Arc::new(OpenedContent::default());
        Self {
            folder: folder.to_owned(),
            confines: Confines::default(),
            environment: Arc::new(|_| None),
            registries: None,
            content,
        }
    }

    /// Checks that the file or folder `written`, relative to the folder, may be read.
    ///
    /// # Errors
    ///
    /// [`OutsideFile`] if it may not.
    pub fn check(&self, written: &str) -> Result<(), OutsideFile> {
        self.confines.check(&self.folder, written)
    }

    /// The folder in which temporary files are made: the one that `TMPDIR` names, or the system's own.
    pub(super) fn temporary_folder(&self) -> TemporaryFolder {
        TemporaryFolder::named((self.environment)("TMPDIR"))
    }
}
