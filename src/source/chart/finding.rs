//! What is wrong with a chart: every finding at its place in a file, collected rather than told one by one.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, SourceText, mask};

/// How many errors, and how many warnings, are kept. A chart with more has one cause.
const MAX_FINDINGS: usize = 50;

/// Collects what is wrong with a chart.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Diagnostic>,
}

impl Findings {
    /// Something that no Helm would package or load.
    pub(super) fn error(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::error(Code::SourceChart, message.into()), place, help);
    }

    /// Dependencies that are not, or not rightly, under `charts/`.
    pub(super) fn dependency(&mut self, place: Option<Place>, message: impl Into<String>, help: &str) {
        self.add(Diagnostic::error(Code::SourceChartDependencies, message.into()), place, help);
    }

    /// Something that Helm takes, though it was hardly meant.
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

    /// Takes over what stops publishing.
    pub(super) fn take_errors(&mut self, other: Self) {
        let known = self.list.iter().filter(|known| known.is_error()).count();
        let left = MAX_FINDINGS.saturating_sub(known);
        self.list.extend(other.list.into_iter().filter(Diagnostic::is_error).take(left));
    }

    /// Whether something was found that stops publishing.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// All of them.
    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }
}

/// `text` with control characters escaped: names come from files that others wrote.
fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// A text that findings point into. What looks like a credential in it is masked, since the lines around a place are
/// shown.
pub(super) fn source_text(name: &str, file: Option<PathBuf>, text: &str) -> Arc<SourceText> {
    Arc::new(SourceText { name: name.to_owned(), file, text: mask::mask_by_text(text.to_owned()) })
}

/// The place of `span` in `source`.
pub(super) fn place(source: &Arc<SourceText>, span: Range<usize>) -> Place {
    Place { source: Arc::clone(source), span }
}
