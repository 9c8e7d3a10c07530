//! The bytes of a chart's files while it is packaged: in memory at first, and in an unnamed file once they are many.
//!
//! Each file is read once, so the bytes that are checked are those that are packaged, whatever happens to the directory meanwhile.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::{SpooledData, SpooledTempFile};

/// How many bytes are held in memory.
const IN_MEMORY: usize = 8 * 1024 * 1024;
/// The largest file that a chart may have, in bytes (Helm, `MaxDecompressedFileSize`).
pub(crate) const MAX_FILE: u64 = 5 * 1024 * 1024;
/// The most bytes that all files of a chart may have together (Helm, `MaxDecompressedChartSize`).
pub(crate) const MAX_CHART: u64 = 100 * 1024 * 1024;
/// The most files that a chart may have, those of its dependencies included.
pub(crate) const MAX_FILES: usize = 20_000;

/// Files by name; the parts of a name are separated by `/`.
pub(crate) type ChartFiles = BTreeMap<String, StoredFile>;

/// The position of a file in [`FileStore`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredFile {
    start: u64,
    pub(crate) length: u64,
}

/// All files of a chart and its dependencies.
pub(crate) struct FileStore {
    spool: SpooledTempFile,
    length: u64,
    count: usize,
}

/// Why a file was refused.
pub(crate) enum StoreError {
    /// It is larger than the limit for a file.
    File,
    /// With it, the chart is larger than the limit.
    Chart,
    /// There are too many files.
    Count,
    /// It could not be read, or could not be held.
    Io(io::Error),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl StoreError {
    /// Returns the reason, to follow the name of the file.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::File => format!("is larger than {} MiB, the most that Helm loads", MAX_FILE >> 20),
            Self::Chart => {
                format!("makes the chart larger than {} MiB, the most that Helm loads", MAX_CHART >> 20)
            }
            Self::Count => format!("brings the chart to more than {MAX_FILES} files"),
            Self::Io(error) => format!("cannot be read: {error}"),
        }
    }
}

impl FileStore {
    pub(crate) fn new() -> Self {
        Self { spool: SpooledTempFile::new(IN_MEMORY), length: 0, count: 0 }
    }

    /// Adds a file. A byte order mark at its start is left out, as Helm does.
    pub(crate) fn add(&mut self, reader: impl Read) -> Result<StoredFile, StoreError> {
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(StoreError::Count);
        }
        let mut bytes = Vec::new();
        reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(StoreError::File);
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let held = StoredFile { start: self.length, length: bytes.len() as u64 };
        self.length += held.length;
        if self.length > MAX_CHART {
            return Err(StoreError::Chart);
        }
        self.spool.seek(SeekFrom::Start(held.start))?;
        self.spool.write_all(bytes)?;
        Ok(held)
    }

    /// Returns the bytes of a file: at most [`MAX_FILE`].
    pub(crate) fn read(&mut self, held: StoredFile) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.spool.seek(SeekFrom::Start(held.start))?;
        (&mut self.spool).take(held.length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Bytes that are written once and then read from many places.
pub(crate) struct PackageBuffer {
    inner: SpooledTempFile,
}

impl PackageBuffer {
    pub(crate) fn new() -> Self {
        Self { inner: SpooledTempFile::new(IN_MEMORY) }
    }

    /// Returns the bytes that were written.
    pub(crate) fn finish(self) -> PackageBytes {
        match self.inner.into_inner() {
            SpooledData::InMemory(bytes) => PackageBytes::Memory(bytes.into_inner()),
            SpooledData::OnDisk(file) => PackageBytes::File(file),
        }
    }
}

impl Write for PackageBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes that can be read from any position.
pub(crate) enum PackageBytes {
    Memory(Vec<u8>),
    File(std::fs::File),
}

impl PackageBytes {
    /// Reads some bytes at `offset`, and returns 0 at the end.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes.get(start..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                for (to, from) in buffer.iter_mut().zip(rest) {
                    *to = *from;
                }
                Ok(count)
            }
            #[cfg(unix)]
            Self::File(file) => std::os::unix::fs::FileExt::read_at(file, buffer, offset),
            #[cfg(windows)]
            Self::File(file) => std::os::windows::fs::FileExt::seek_read(file, buffer, offset),
        }
    }
}
