//! The findings about a chart. Each has a place in a file, and they are collected so that all are reported at once.

use std::fmt;

use crate::chart_file::FileSpan;

/// How many errors, and how many warnings, are kept. If a chart has more, they have one cause.
const MAX_FINDINGS: usize = 50;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingSeverity {
    /// Helm accepts it, although it was hardly meant.
    Warning,
    /// Helm would not package or load the chart.
    Error,
}

/// The part of a chart that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingConcern {
    /// The chart's own files.
    Chart,
    /// Dependencies that are missing under `charts/`, or are not the right ones.
    Dependencies,
}

/// One problem of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFinding {
    /// The part of the chart that it is about.
    pub concern: FindingConcern,
    /// How bad it is.
    pub severity: FindingSeverity,
    /// The problem, without control characters.
    pub message: String,
    /// The bytes in a file of the chart, if there are any.
    pub span: Option<FileSpan>,
    /// The help: what to do about it.
    pub help: String,
}

impl ChartFinding {
    /// Whether Helm would not package or load the chart.
    pub fn is_error(&self) -> bool {
        self.severity == FindingSeverity::Error
    }
}

impl fmt::Display for ChartFinding {
    /// Writes `file:line:column: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            let (line, column) = span.line_and_column();
            write!(f, "{}:{line}:{column}: ", span.file.name)?;
        }
        f.write_str(&self.message)
    }
}

/// Collects the findings about a chart.
#[derive(Default)]
pub(crate) struct ChartFindings {
    list: Vec<ChartFinding>,
}

impl ChartFindings {
    /// Adds an error: something that no version of Helm would package or load.
    pub(crate) fn error(&mut self, span: Option<FileSpan>, message: impl Into<String>, help: &str) {
        self.add(FindingConcern::Chart, FindingSeverity::Error, span, &message.into(), help);
    }

    /// Adds an error about dependencies that are missing under `charts/` or are not the right ones.
    pub(crate) fn dependency(&mut self, span: Option<FileSpan>, message: impl Into<String>, help: &str) {
        self.add(FindingConcern::Dependencies, FindingSeverity::Error, span, &message.into(), help);
    }

    /// Adds a warning: something that Helm accepts, although it was hardly meant.
    pub(crate) fn warning(&mut self, span: Option<FileSpan>, message: impl Into<String>, help: &str) {
        self.add(FindingConcern::Chart, FindingSeverity::Warning, span, &message.into(), help);
    }

    fn add(
        &mut self,
        concern: FindingConcern,
        severity: FindingSeverity,
        span: Option<FileSpan>,
        message: &str,
        help: &str,
    ) {
        let alike = self.list.iter().filter(|known| known.severity == severity).count();
        if alike >= MAX_FINDINGS {
            return;
        }
        let (message, help) = (printable(message), printable(help));
        // A file that is left out may be missed in two places.
        if !self.list.iter().any(|known| known.message == message && known.span == span) {
            self.list.push(ChartFinding { concern, severity, message, span, help });
        }
    }

    /// Takes over the errors of `other`.
    pub(crate) fn take_errors(&mut self, other: Self) {
        let known = self.list.iter().filter(|known| known.is_error()).count();
        let left = MAX_FINDINGS.saturating_sub(known);
        self.list.extend(other.list.into_iter().filter(ChartFinding::is_error).take(left));
    }

    /// Whether there is an error.
    pub(crate) fn any_error(&self) -> bool {
        self.list.iter().any(ChartFinding::is_error)
    }

    /// Returns all findings.
    pub(crate) fn into_list(self) -> Vec<ChartFinding> {
        self.list
    }
}

/// Returns `text` with control characters escaped, because names come from files that others wrote.
fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}
