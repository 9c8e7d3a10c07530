//! The files of an image layout in a tar file, read in place, or from the standard input.

use std::path::PathBuf;
use std::sync::Arc;

use super::expand::{EXPANSION, expanded};
use super::input;
use super::layout::{Files, LayoutFile};
use super::positioned::{PositionedFile, Section};
use super::tar_index::{self, IndexedEntry, IndexedNames, TarIndex, TarIndexError};
use super::{SourceError, Surroundings};

/// A tar file, indexed once.
pub(super) struct Archive {
    file: Arc<PositionedFile>,
    index: TarIndex,
}

impl Archive {
    /// Opens and indexes the tar file that `path` names. If it is compressed as a whole, it is decompressed first.
    pub(super) fn open(path: &str, surroundings: &Surroundings) -> Result<Self, SourceError> {
        let file = input::archive(path, surroundings)?;
        let file = expanded(file, EXPANSION, &surroundings.temporary_folder())?;
        let index = indexed(&file, IndexedNames::Layout)?;
        Ok(Self { file, index })
    }
}

/// Indexes a tar file.
pub(super) fn indexed(file: &PositionedFile, names: IndexedNames) -> Result<TarIndex, SourceError> {
    let place = format!("`{}`", file.path().display());
    tar_index::index(file, names).map_err(|error| match error {
        TarIndexError::Damaged(reason) => SourceError::malformed(format!("archive {place}"), reason),
        TarIndexError::Io(error) => SourceError::io(place, error),
    })
}

impl Files for Archive {
    fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    fn transport(&self) -> &'static str {
        "oci-archive"
    }

    fn locate(&self, name: &str) -> String {
        format!("`{name}` in `{}`", self.file.path().display())
    }

    fn open(&self, name: &str) -> Result<Option<LayoutFile>, SourceError> {
        match self.index.files.get(name) {
            None if !self.index.complete => Err(SourceError::malformed(
                format!("archive `{}`", self.file.path().display()),
                format!("it has no `{name}`, and ends without an end marker: the file is cut off"),
            )),
            None => Ok(None),
            Some(IndexedEntry::File { offset, length }) => {
                let section = Section::new(Arc::clone(&self.file), *offset, *length);
                Ok(Some(LayoutFile { size: *length, reader: Box::new(section) }))
            }
            Some(entry) => {
                let what = match entry {
                    IndexedEntry::Sparse => "sparse file",
                    IndexedEntry::Special => "directory, device or pipe",
                    _ => "link to another file",
                };
                Err(SourceError::Unsupported {
                    reason: format!("{} is a {what}, which cannot be read in place", self.locate(name)),
                    help: "write the archive again with plain files, for example with `skopeo copy`, \
                           or unpack it and publish the directory with `oci:`"
                        .to_owned(),
                })
            }
        }
    }
}
