//! The files of an image layout in a directory.
//!
//! Symbolic links are followed, as skopeo does, because builders link blobs from a cache. This is safe, because the bytes are
//! verified wherever they come from.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::SourceError;
use super::layout::{Files, LayoutFile};
use super::source_path::SourcePath;

/// A directory.
pub(super) struct Directory {
    path: SourcePath,
}

impl Directory {
    /// Opens the directory at `path`.
    pub(super) fn open(path: SourcePath) -> Result<Self, SourceError> {
        match fs::metadata(path.full()) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { path }),
            Ok(_) => Err(SourceError::NotALayout {
                reason: "it is not a directory".to_owned(),
                help: format!("for a layout in a tar file, write `oci-archive:{path}`"),
                path: path.written().to_owned(),
            }),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(SourceError::Missing { path: path.written().to_owned() })
            }
            Err(error) => Err(SourceError::io(format!("`{path}`"), error)),
        }
    }
}

impl Files for Directory {
    fn path(&self) -> PathBuf {
        self.path.written().to_owned()
    }

    fn transport(&self) -> &'static str {
        "oci"
    }

    fn locate(&self, name: &str) -> String {
        format!("`{}`", self.path.join(name))
    }

    fn open(&self, name: &str) -> Result<Option<LayoutFile>, SourceError> {
        let path = self.path.full().join(name);
        // The type is checked first, because opening a pipe would wait forever.
        let size = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(SourceError::malformed(self.locate(name), "it is not a regular file")),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(SourceError::io(self.locate(name), error)),
        };
        let file = fs::File::open(&path).map_err(|error| SourceError::io(self.locate(name), error))?;
        Ok(Some(LayoutFile { size, reader: Box::new(file) }))
    }
}
