//! Diagnostics as text in four formats: for people, as JSON, as commands of GitHub Actions, and as SARIF.
//!
//! Nothing here prints: each function returns the text, and the caller writes it to the right stream.

mod github;
mod human;
mod json;
mod planned;
mod sarif;
mod snippet;

pub use github::github;
pub use human::{Style, human};
pub use json::{json, member};
pub use planned::{planned, planned_warnings};
pub use sarif::sarif;

use crate::diagnostic::Diagnostic;

/// The format of diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosticFormat {
    /// For people.
    Human(Style),
    /// One JSON document.
    Json,
    /// Commands of GitHub Actions, which become annotations.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

/// Returns the diagnostics as text that ends in a newline, or an empty text if there is nothing to say in that format.
pub fn render(diagnostics: &[Diagnostic], format: DiagnosticFormat) -> String {
    match format {
        DiagnosticFormat::Human(style) => human(diagnostics, style),
        DiagnosticFormat::Json => json(diagnostics),
        DiagnosticFormat::Github => github(diagnostics),
        DiagnosticFormat::Sarif => sarif(diagnostics),
    }
}

#[cfg(test)]
mod tests;
