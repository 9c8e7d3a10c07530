//! Finds a declared chart, and reads it: a directory or a package.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use crate::directory::read_directory;
use crate::error::ChartError;
use crate::file_store::FileStore;
use crate::finding::ChartFindings;
use crate::hidden::HiddenFiles;
use crate::load::{ChartOrigin, LoadedChart, load_chart};
use crate::unpack::{MAX_ARCHIVE, unpack};
use oci_content::SourceError;
use oci_registry::{Digest, Digester};

/// The path of a declared chart.
pub(crate) struct ChartPath {
    pub(crate) path: PathBuf,
    /// The name of the chart in messages: its path relative to the working directory.
    pub(crate) shown: String,
    /// Whether it is a package, not a directory.
    pub(crate) packaged: bool,
}

/// A chart that was read, and the bytes of its files.
pub(crate) struct ReadChart {
    pub(crate) chart: LoadedChart,
    pub(crate) contents: FileStore,
    /// The parts of the chart that `.helmignore` leaves out.
    pub(crate) hidden: HiddenFiles,
    /// The digest and size of the package, if it is one.
    pub(crate) package: Option<(Digest, u64)>,
}

impl ChartPath {
    /// Finds the chart at `path`, relative to `folder`. Messages name it relative to `shown`.
    pub(crate) fn find(folder: &Path, shown: &Path, path: &str) -> Result<Self, ChartError> {
        let joined = folder.join(path);
        let shown: PathBuf = shown.join(path).components().filter(|it| *it != Component::CurDir).collect();
        let shown = shown.display().to_string();
        match fs::metadata(&joined) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { path: joined, shown, packaged: false }),
            Ok(metadata) if metadata.is_file() => Ok(Self { path: joined, shown, packaged: true }),
            Ok(_) => Err(ChartError::Source(SourceError::Unsupported {
                reason: format!("`{shown}` is neither a directory nor a file"),
                help: "name the directory of a chart, or a packaged chart (`.tgz`)".to_owned(),
            })),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(ChartError::Missing { path: shown })
            }
            Err(error) => Err(SourceError::io(format!("`{shown}`"), error).into()),
        }
    }
}

/// Reads a chart. `folder` is the folder that links may lead into. `None` if nothing can be said of the chart beyond the findings.
pub(crate) fn read_chart(
    location: &ChartPath,
    folder: &Path,
    findings: &mut ChartFindings,
) -> Result<Option<ReadChart>, SourceError> {
    if location.packaged {
        return read_package(location, findings);
    }
    let mut contents = FileStore::new();
    let shown = location.shown.as_str();
    let (files, hidden) = read_directory(&location.path, shown, folder, &mut contents, findings);
    if files.is_empty() && findings.any_error() {
        return Ok(None);
    }
    let origin = ChartOrigin { shown, folder: Some(&location.path) };
    let chart = load_chart(files, &hidden, origin, &mut contents, findings);
    Ok(chart.map(|chart| ReadChart { chart, contents, hidden, package: None }))
}

fn read_package(
    location: &ChartPath,
    findings: &mut ChartFindings,
) -> Result<Option<ReadChart>, SourceError> {
    let mut contents = FileStore::new();
    let shown = location.shown.as_str();
    let unreadable = |error| SourceError::io(format!("`{shown}`"), error);
    let file = File::open(&location.path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > MAX_ARCHIVE {
        let help = "check that it is a packaged chart";
        findings.error(None, format!("`{shown}` is larger than any chart that Helm loads"), help);
        return Ok(None);
    }
    let mut file = DigestingReader { inner: file, digester: Digester::sha256(), size: 0 };
    let unpacked = match unpack(&mut file, &mut contents) {
        Ok(unpacked) => unpacked,
        Err(error) => {
            let help = "package the chart again (`helm package`), or name its directory; if it was copied here, \
                        compare checksums";
            findings.error(None, format!("`{shown}` {}", error.reason), help);
            return Ok(None);
        }
    };
    let inner = format!("{shown}/{}", unpacked.folder);
    let origin = ChartOrigin { shown: &inner, folder: None };
    let hidden = HiddenFiles::default();
    let chart = load_chart(unpacked.files, &hidden, origin, &mut contents, findings);
    let package = Some((file.digester.finish(), file.size));
    Ok(chart.map(|chart| ReadChart { chart, contents, hidden, package }))
}

/// Passes bytes on and computes their digest.
struct DigestingReader<R> {
    inner: R,
    digester: Digester,
    size: u64,
}

impl<R: Read> Read for DigestingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digester.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }
}
