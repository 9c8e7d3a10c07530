//! The files of a packaged chart, read as Helm reads them (`pkg/chart/loader/archive`). Anything that Helm would read differently from
//! other programs is refused: links, sparse files, the same name twice.
//!
//! Nothing is written to disk under a name from the archive, and no size that it declares is trusted.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use crate::file_names::refusal;
use crate::file_store::{ChartFiles, FileStore, MAX_CHART, MAX_FILES, StoreError};
use oci_content::{EntryKind, TarEntry, TarError, TarItem, TarReader};

/// The longest name or extended header that is read.
const MAX_METADATA: u64 = 1024 * 1024;
/// How many bytes the unpacked archive may have: the files, and headers of two blocks and padding for each.
pub(crate) const MAX_ARCHIVE: u64 = MAX_CHART + MAX_FILES as u64 * 2048;

/// Why an archive is not a chart.
pub(crate) struct UnpackError {
    /// The reason, to follow the name of the archive.
    pub(crate) reason: String,
}

fn unpack_error(reason: impl Into<String>) -> UnpackError {
    UnpackError { reason: reason.into() }
}

/// The result of unpacking.
pub(crate) struct UnpackedChart {
    /// The directory that contains all files.
    pub(crate) folder: String,
    /// The files, by their names in the directory.
    pub(crate) files: ChartFiles,
}

/// Reads the archive in `compressed`.
pub(crate) fn unpack(compressed: impl Read, contents: &mut FileStore) -> Result<UnpackedChart, UnpackError> {
    let reader = LimitedReader { inner: MultiGzDecoder::new(compressed), left: MAX_ARCHIVE };
    let mut unpack = ChartUnpacker { reader, contents, folder: None, files: ChartFiles::new() };
    let mut entries = TarReader::new(MAX_METADATA);
    while let Some(item) = entries.next_item(&mut unpack.reader)? {
        if let TarItem::Entry(entry) = item {
            unpack.keep(&entry)?;
        }
    }
    unpack.drain()?;
    match unpack.folder {
        Some(folder) if !unpack.files.is_empty() => Ok(UnpackedChart { folder, files: unpack.files }),
        _ => Err(unpack_error("holds no files")),
    }
}

/// Reads up to a limit, and fails beyond it.
struct LimitedReader<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it unpacks to more than {} MiB, the most that Helm loads",
                MAX_CHART >> 20
            ))
        })?;
        Ok(count)
    }
}

struct ChartUnpacker<'a, R> {
    reader: LimitedReader<R>,
    contents: &'a mut FileStore,
    folder: Option<String>,
    files: ChartFiles,
}

impl<R: Read> ChartUnpacker<'_, R> {
    fn keep(&mut self, entry: &TarEntry) -> Result<(), UnpackError> {
        let (name, size) = (entry.name.as_slice(), entry.size);
        let shown = String::from_utf8_lossy(name).into_owned();
        let refuse = |reason: &str| Err(unpack_error(format!("holds `{shown}`, which {reason}")));
        let Ok(name) = std::str::from_utf8(name) else { return refuse("has a name that is not UTF-8") };
        // Helm's loader cuts off the first part, whatever it is (helm.sh/helm v3, pkg/chart/loader/archive.go).
        if name.starts_with("./") {
            return refuse(
                "Helm cannot load: it must not begin with `./`; package the chart with `helm package`",
            );
        }
        if let Some(reason) = refusal(name) {
            return refuse(reason);
        }
        match entry.kind {
            _ if entry.is_sparse => return refuse("is a sparse file"),
            EntryKind::HardLink | EntryKind::SymbolicLink => return refuse("is a link"),
            EntryKind::Sparse => return refuse("is a sparse file"),
            EntryKind::Device => return refuse("is not a regular file"),
            EntryKind::Directory => return Ok(()), // Helm skips it
            _ => {}
        }
        let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let Some((folder, inner)) = parts.split_first().filter(|(_, inner)| !inner.is_empty()) else {
            return refuse("lies outside the chart's directory");
        };
        match &self.folder {
            None => self.folder = Some((*folder).to_owned()),
            Some(first) if first == folder => {}
            Some(first) => return refuse(&format!("lies outside the directory `{first}`")),
        }
        let mut reader = (&mut self.reader).take(size);
        let held = self.contents.add(&mut reader).map_err(|refused| match refused {
            StoreError::Io(error) => broken(&error),
            refused => unpack_error(format!("holds `{shown}`, which {}", refused.reason())),
        })?;
        if reader.limit() > 0 {
            return Err(unpack_error("is cut off"));
        }
        self.padding(entry.padding())?;
        if self.files.insert(inner.join("/"), held).is_some() {
            return Err(unpack_error(format!("holds `{shown}` twice")));
        }
        Ok(())
    }

    /// Skips the padding after contents.
    fn padding(&mut self, length: u64) -> Result<(), UnpackError> {
        let skipped = io::copy(&mut (&mut self.reader).take(length), &mut io::sink());
        match skipped {
            Ok(count) if count == length => Ok(()),
            Ok(_) => Err(unpack_error("is cut off")),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Reads to the end of the archive, which has the checksum.
    fn drain(&mut self) -> Result<(), UnpackError> {
        io::copy(&mut self.reader, &mut io::sink()).map_err(|error| broken(&error))?;
        Ok(())
    }
}

impl From<TarError> for UnpackError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Header { reason, .. } => unpack_error(format!("contains no tar file: {reason}")),
            TarError::Records { reason, .. } => unpack_error(format!("is damaged: {reason}")),
            TarError::Metadata { .. } => unpack_error("holds a name or extended header of more than 1 MiB"),
            TarError::CutOff { .. } => unpack_error("is cut off"),
            TarError::Io(error) => broken(&error),
            other => unpack_error(format!("is damaged: {other}")),
        }
    }
}

fn broken(error: &io::Error) -> UnpackError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => unpack_error("is cut off"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            unpack_error(format!("is not a gzip file, or is damaged: {error}"))
        }
        _ => unpack_error(format!("cannot be read: {error}")),
    }
}
