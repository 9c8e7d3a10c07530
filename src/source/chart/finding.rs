//! The findings about a chart. Each has a place in a file, and they are collected so that all are reported at once.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, SourceText, mask};

/// How many errors, and how many warnings, are kept. If a chart has more, they have one cause.
const MAX_FINDINGS: usize = 50;

/// Collects the findings about a chart.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
}

impl Findings {
    /// Adds an error: something that no version of Helm would package or load.
    pub(super) fn error(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::error(Code::SourceChart, message.into()), place, help);
    }

    /// Adds an error about dependencies that are missing under `charts/` or are not the right ones.
    pub(super) fn dependency(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::error(Code::SourceChartDependencies, message.into()), place, help);
    }

    /// Adds a warning: something that Helm accepts, although it was hardly meant.
    pub(super) fn warning(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::warning(Code::SourceChart, message.into()), place, help);
    }

    fn add(&mut self, diagnostic: Diagnostic, place: Option<Place>, help: &str) {
        let alike = self.list.iter().filter(|known| known.severity == diagnostic.severity).count();
        if alike < MAX_FINDINGS {
            let message = printable(&diagnostic.message);
            self.list.push(Diagnostic { message, ..diagnostic }.at_maybe(place, "").help(printable(help)));
        }
    }

    /// Takes over the errors of `other`.
    pub(super) fn take_errors(&mut self, other: Self) {
        let known = self.list.iter().filter(|known| known.is_error()).count();
        let left = MAX_FINDINGS.saturating_sub(known);
        self.list.extend(other.list.into_iter().filter(Diagnostic::is_error).take(left));
    }

    /// Whether there is an error.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Returns all findings.
    pub(super) fn into_list(self) -> Vec<Diagnostic> {
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
