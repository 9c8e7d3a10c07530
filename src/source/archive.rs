//! The files of an image layout in a tar file, read in place.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::SourceError;
use super::layout::{File, Files};
use super::positioned::{PositionedFile, Section};
use super::tar_index::{self, Entry, Index, IndexError};

/// A tar file, indexed once.
pub(super) struct Archive {
    file: Arc<PositionedFile>,
    index: Index,
}

impl Archive {
    /// Opens and indexes the tar file at `path`.
    pub(super) fn open(path: PathBuf) -> Result<Self, SourceError> {
        let place = format!("`{}`", path.display());
        // Asked before it is opened: opening a pipe would wait for ever.
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(metadata) => {
                let help = if metadata.is_dir() {
                    format!("a layout in a directory is `oci:{}`", path.display())
                } else {
                    "write the image to a regular file first".to_owned()
                };
                return Err(SourceError::NotALayout { path, reason: "it is not a file".to_owned(), help });
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(SourceError::Missing { path });
            }
            Err(error) => return Err(SourceError::io(place, error)),
        }
        let file = PositionedFile::open(path).map_err(|error| SourceError::io(&place, error))?;
        refuse_compressed(&file)?;
        let index = tar_index::index(&file).map_err(|error| match error {
            IndexError::Damaged(reason) => SourceError::malformed(format!("archive {place}"), reason),
            IndexError::Io(error) => SourceError::io(place, error),
        })?;
        Ok(Self { file: Arc::new(file), index })
    }
}

/// Says so where the file is compressed: it cannot be read by seeking.
fn refuse_compressed(file: &PositionedFile) -> Result<(), SourceError> {
    const KNOWN: [(&[u8], &str, &str); 4] = [
        (&[0x1f, 0x8b], "gzip", "gunzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd"),
        (b"BZh", "bzip2", "bunzip2"),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz", "unxz"),
    ];
    let mut start = [0; 6];
    let filled = file
        .fill_at(&mut start, 0)
        .map_err(|error| SourceError::io(file.path().display().to_string(), error))?;
    let start = start.get(..filled).unwrap_or_default();
    let Some((_, format, program)) = KNOWN.iter().find(|(magic, ..)| start.starts_with(magic)) else {
        return Ok(());
    };
    let path = file.path().display();
    Err(SourceError::Unsupported {
        reason: format!(
            "archive `{path}` is compressed with {format}, so its blobs cannot be read by seeking"
        ),
        help: format!("decompress it first (`{program}`); the layers in it are compressed already"),
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

    fn open(&self, name: &str) -> Result<Option<File>, SourceError> {
        match self.index.files.get(name) {
            None if !self.index.complete => Err(SourceError::malformed(
                format!("archive `{}`", self.file.path().display()),
                format!("it has no `{name}`, and ends without an end marker: the file is cut off"),
            )),
            None => Ok(None),
            Some(Entry::File { offset, length }) => {
                let section = Section::new(Arc::clone(&self.file), *offset, *length);
                Ok(Some(File { size: *length, reader: Box::new(section) }))
            }
            Some(entry) => {
                let what = if *entry == Entry::Link { "link to another file" } else { "sparse file" };
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
