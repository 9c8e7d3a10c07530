//! Temporary files without a name. They are gone when the program ends, however it ends.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::SourceError;

/// The folder in which temporary files are made.
#[derive(Debug, Clone)]
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// The folder at the path `named`, or the system's own.
    pub(super) fn named(named: Option<String>) -> Self {
        let named = named.filter(|folder| !folder.is_empty());
        Self(named.map_or_else(std::env::temp_dir, PathBuf::from))
    }

    /// Creates a new file for writing and reading.
    pub(super) fn file(&self) -> Result<File, SourceError> {
        tempfile::tempfile_in(&self.0).map_err(|error| self.failed(error))
    }

    /// The error for a file in the folder that could not be written.
    pub(super) fn failed(&self, cause: io::Error) -> SourceError {
        SourceError::Temporary { folder: self.0.clone(), cause }
    }
}
