//! Reading several ranges of a file at the same time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is read at given positions, so that its readers share no cursor.
pub struct PositionedFile {
    path: PathBuf,
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<File>,
    length: u64,
}

impl PositionedFile {
    /// Opens the regular file at `path`.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        Self::of(File::open(&path)?, path)
    }

    /// Wraps an open file. It may no longer have a name, so `path` is only shown to people.
    pub fn of(file: File, path: PathBuf) -> io::Result<Self> {
        let length = file.metadata()?.len();
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { path, file, length })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads some bytes at `offset`, and returns their number; 0 at the end.
    #[cfg(unix)]
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    /// Reads some bytes at `offset`, and returns their number; 0 at the end.
    #[cfg(not(unix))]
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::Seek;
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(io::SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    /// Writes all of `bytes` at `offset`.
    #[cfg(unix)]
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, offset)
    }

    /// Writes all of `bytes` at `offset`.
    #[cfg(not(unix))]
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::io::{Seek, Write};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(io::SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    /// Fills `buffer` with the bytes from `offset` until the file ends, and returns their number.
    pub fn fill_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// A reader of one range of a [`PositionedFile`].
pub struct Section {
    file: Arc<PositionedFile>,
    position: u64,
    end: u64,
}

impl Section {
    /// A reader of the `length` bytes from `offset`.
    pub fn new(file: Arc<PositionedFile>, offset: u64, length: u64) -> Self {
        Self { file, position: offset, end: offset.saturating_add(length) }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.file.read_at(buffer.get_mut(..length).unwrap_or_default(), self.position)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

/// A range of a file that can be read any number of times.
#[derive(Clone)]
pub struct Extent {
    /// The file.
    pub file: Arc<PositionedFile>,
    /// The position of its first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl Extent {
    /// A reader of the range from its start.
    pub fn reader(&self) -> Section {
        Section::new(Arc::clone(&self.file), self.offset, self.length)
    }
}
