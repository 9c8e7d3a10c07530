//! Texts that people wrote, and ranges of bytes in them: a diagnostic points into a file, an environment variable or a flag.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A text that a person wrote and a diagnostic can point into.
#[derive(PartialEq, Eq)]
pub struct SourceText {
    /// The name that people use for it: `publish.toml`, ``environment variable `BROKKR_PUBLISH_VARS__A` ``, `--set`.
    pub name: String,
    /// The path, if the text is a file.
    pub file: Option<PathBuf>,
    /// The whole text.
    pub text: String,
}

impl SourceText {
    /// Returns the line and column of the byte at `offset`, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceText").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A range of bytes in a [`SourceText`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The text.
    pub source: Arc<SourceText>,
    /// The range of bytes in the text.
    pub span: Range<usize>,
}

impl Location {
    /// Returns the line and column of the first byte, both from 1.
    pub fn position(&self) -> (usize, usize) {
        self.source.position(self.span.start)
    }
}
