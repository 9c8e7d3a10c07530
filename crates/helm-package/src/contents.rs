//! The bytes of a chart's files while it is packaged: in memory at first, and in an unnamed file once they are many.
//!
//! Each file is read once, so the bytes that are checked are those that are packaged, whatever happens to the directory meanwhile.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::{SpooledData, SpooledTempFile};

/// How many bytes are held in memory.
const IN_MEMORY: usize = 8 * 1024 * 1024;
/// The largest file that a chart may have, in bytes (Helm, `MaxDecompressedFileSize`).
pub(super) const MAX_FILE: u64 = 5 * 1024 * 1024;
/// The most bytes that all files of a chart may have together (Helm, `MaxDecompressedChartSize`).
pub(super) const MAX_CHART: u64 = 100 * 1024 * 1024;
/// The most files that a chart may have, those of its dependencies included.
pub(super) const MAX_FILES: usize = 20_000;

/// Files by name; the parts of a name are separated by `/`.
pub(super) type Files = BTreeMap<String, Held>;

/// The position of a file in [`Contents`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    start: u64,
    pub(super) length: u64,
}

/// All files of a chart and its dependencies.
pub(super) struct Contents {
    spool: SpooledTempFile,
    length: u64,
    count: usize,
}

/// Why a file was refused.
pub(super) enum Refused {
    /// It is larger than the limit for a file.
    File,
    /// With it, the chart is larger than the limit.
    Chart,
    /// There are too many files.
    Count,
    /// It could not be read, or could not be held.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Refused {
    /// Returns the reason, to follow the name of the file.
    pub(super) fn reason(&self) -> String {
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

impl Contents {
    pub(super) fn new() -> Self {
        Self { spool: SpooledTempFile::new(IN_MEMORY), length: 0, count: 0 }
    }

    /// Adds a file. A byte order mark at its start is left out, as Helm does.
    pub(super) fn add(&mut self, reader: impl Read) -> Result<Held, Refused> {
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(Refused::Count);
        }
        let mut bytes = Vec::new();
        reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(Refused::File);
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let held = Held { start: self.length, length: bytes.len() as u64 };
        self.length += held.length;
        if self.length > MAX_CHART {
            return Err(Refused::Chart);
        }
        self.spool.seek(SeekFrom::Start(held.start))?;
        self.spool.write_all(bytes)?;
        Ok(held)
    }

    /// Returns the bytes of a file: at most [`MAX_FILE`].
    pub(super) fn read(&mut self, held: Held) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.spool.seek(SeekFrom::Start(held.start))?;
        (&mut self.spool).take(held.length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Bytes that are written once and then read from many places.
pub(super) struct Spool {
    inner: SpooledTempFile,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self { inner: SpooledTempFile::new(IN_MEMORY) }
    }

    /// Returns the bytes that were written.
    pub(super) fn finish(self) -> Written {
        match self.inner.into_inner() {
            SpooledData::InMemory(bytes) => Written::Memory(bytes.into_inner()),
            SpooledData::OnDisk(file) => Written::File(file),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes that can be read from any position.
pub(super) enum Written {
    Memory(Vec<u8>),
    File(std::fs::File),
}

impl Written {
    /// Reads some bytes at `offset`, and returns 0 at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
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
