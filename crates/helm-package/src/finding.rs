//! The findings about a chart. Each has a place in a file, and they are collected so that all are reported at once.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use oci_registry::mask;

use crate::text::{Place, SourceText};

/// How many errors, and how many warnings, are kept. If a chart has more, they have one cause.
const MAX_FINDINGS: usize = 50;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Helm accepts it, although it was hardly meant.
    Warning,
    /// Helm would not package or load the chart.
    Error,
}

/// The part of a chart that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The chart's own files.
    Chart,
    /// Dependencies that are missing under `charts/`, or are not the right ones.
    Dependencies,
}

/// One problem of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The part of the chart that it is about.
    pub concern: Concern,
    /// How bad it is.
    pub severity: Severity,
    /// The problem, without control characters.
    pub message: String,
    /// The place in a file of the chart, if there is one.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    /// Whether Helm would not package or load the chart.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    /// Writes `file:line:column: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            let (line, column) = place.position();
            write!(f, "{}:{line}:{column}: ", place.source.name)?;
        }
        f.write_str(&self.message)
    }
}

/// Collects the findings about a chart.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds an error: something that no version of Helm would package or load.
    pub(super) fn error(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Concern::Chart, Severity::Error, place, &message.into(), help);
    }

    /// Adds an error about dependencies that are missing under `charts/` or are not the right ones.
    pub(super) fn dependency(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Concern::Dependencies, Severity::Error, place, &message.into(), help);
    }

    /// Adds a warning: something that Helm accepts, although it was hardly meant.
    pub(super) fn warning(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Concern::Chart, Severity::Warning, place, &message.into(), help);
    }

    fn add(&mut self, concern: Concern, severity: Severity, place: Option<Place>, message: &str, help: &str) {
        let alike = self.list.iter().filter(|known| known.severity == severity).count();
        if alike < MAX_FINDINGS {
            let (message, help) = (printable(message), printable(help));
            self.list.push(Finding { concern, severity, message, place, help });
        }
    }

    /// Takes over the errors of `other`.
    pub(super) fn take_errors(&mut self, other: Self) {
        let known = self.list.iter().filter(|known| known.is_error()).count();
        let left = MAX_FINDINGS.saturating_sub(known);
        self.list.extend(other.list.into_iter().filter(Finding::is_error).take(left));
    }

    /// Whether there is an error.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(Finding::is_error)
    }

    /// Returns all findings.
    pub(super) fn into_list(self) -> Vec<Finding> {
        self.list
    }
}

/// Returns `text` with control characters escaped, because names come from files that others wrote.
fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Returns a text that findings point into. Anything in it that looks like a credential is masked, because the lines around a
/// place are shown.
pub(super) fn source_text(name: &str, file: Option<PathBuf>, text: &str) -> Arc<SourceText> {
    Arc::new(SourceText { name: name.to_owned(), file, text: mask::mask_by_text(text.to_owned()) })
}

/// Returns the place of `span` in `source`.
pub(super) fn place(source: &Arc<SourceText>, span: Range<usize>) -> Place {
    Place { source: Arc::clone(source), span }
}
