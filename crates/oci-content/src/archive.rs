//! The files of an image layout in a tar file, read in place.

use std::fs::{self, File as SystemFile};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::SourceError;
use super::compression::Compression;
use super::layout::{Files, LayoutFile};
use super::positioned::{PositionedFile, Section};
use super::source_path::SourcePath;
use super::tar_index::{self, IndexedEntry, IndexedNames, TarIndex, TarIndexError};

/// A tar file, indexed once.
pub(super) struct Archive {
    file: Arc<PositionedFile>,
    index: TarIndex,
}

impl Archive {
    /// Opens and indexes the tar file at `path`.
    pub(super) fn open(path: &SourcePath) -> Result<Self, SourceError> {
        let file = open_file(path)?;
        refuse_compressed(&file)?;
        let index = indexed(&file, IndexedNames::Layout)?;
        Ok(Self { file: Arc::new(file), index })
    }
}

/// Opens the regular file at `path`. Messages about it show the path as written.
pub(super) fn open_file(path: &SourcePath) -> Result<PositionedFile, SourceError> {
    let io = |error| SourceError::io(format!("`{path}`"), error);
    // The type is checked first, because opening a pipe would wait forever.
    match fs::metadata(path.full()) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(metadata) => {
            let help = if metadata.is_dir() {
                format!("for a layout in a directory, write `oci:{path}`")
            } else {
                "write the image to a regular file first".to_owned()
            };
            let path = path.written().to_owned();
            return Err(SourceError::NotALayout { path, reason: "it is not a file".to_owned(), help });
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(SourceError::Missing { path: path.written().to_owned() });
        }
        Err(error) => return Err(io(error)),
    }
    let file = SystemFile::open(path.full()).map_err(io)?;
    PositionedFile::of(file, path.written().to_owned()).map_err(io)
}

/// Indexes a tar file.
pub(super) fn indexed(file: &PositionedFile, names: IndexedNames) -> Result<TarIndex, SourceError> {
    let place = format!("`{}`", file.path().display());
    tar_index::index(file, names).map_err(|error| match error {
        TarIndexError::Damaged(reason) => SourceError::malformed(format!("archive {place}"), reason),
        TarIndexError::Io(error) => SourceError::io(place, error),
    })
}

/// Refuses a compressed file, because it cannot be read by seeking.
fn refuse_compressed(file: &PositionedFile) -> Result<(), SourceError> {
    let Some(compression) = Compression::of(file, 0, file.length())? else { return Ok(()) };
    Err(SourceError::Unsupported {
        reason: format!(
            "archive `{}` is compressed with {}, so its blobs cannot be read by seeking",
            file.path().display(),
            compression.name()
        ),
        help: format!(
            "decompress it first (`{}`); the layers in it are compressed already",
            compression.program()
        ),
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
