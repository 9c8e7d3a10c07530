//! Files of charts that findings point into.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use oci_registry::mask;

/// The text of a file in a chart. Anything in it that looks like a credential is masked, because the lines around a finding are
/// shown.
#[derive(PartialEq, Eq)]
pub struct ChartFile {
    /// The name that people use for it: `charts/broker/Chart.yaml`.
    pub name: String,
    /// The path, if the file is not inside a package.
    pub path: Option<PathBuf>,
    /// The whole text, as long as the file.
    pub text: String,
}

impl ChartFile {
    /// Returns the file with credentials masked.
    pub(crate) fn masked(name: &str, path: Option<PathBuf>, text: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), path, text: mask::mask_by_text(text.to_owned()) })
    }
}

impl fmt::Debug for ChartFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChartFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A range of bytes in a file of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpan {
    /// The file.
    pub file: Arc<ChartFile>,
    /// The range of bytes in its text.
    pub bytes: Range<usize>,
}

impl FileSpan {
    /// Returns the span of `bytes` in `file`.
    pub(crate) fn new(file: &Arc<ChartFile>, bytes: Range<usize>) -> Self {
        Self { file: Arc::clone(file), bytes }
    }

    /// Returns the span of a line of `file`, counted from 1, without its end; the end of the file if it has fewer lines.
    pub(crate) fn of_line(file: &Arc<ChartFile>, line: usize) -> Self {
        let before: usize = file.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let length = file.text.get(before..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        Self::new(file, before..before + length)
    }

    /// Returns the line and column of the first byte, both from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let text = &self.file.text;
        let before = text.get(..self.bytes.start).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        (line, last_line.chars().count() + 1)
    }
}
