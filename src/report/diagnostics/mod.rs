//! Diagnostics as text in four formats: for people, as JSON, as commands of GitHub Actions, and as SARIF.
//!
//! Nothing here prints: each function returns the text, and the caller writes it to the right stream.

mod github;
mod human;
mod json;
mod sarif;
mod snippet;

pub use github::github;
pub use human::{Style, human};
pub use json::json;
pub use sarif::sarif;

use crate::diagnostic::{Diagnostic, Severity};

/// The format of diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
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
pub fn render(diagnostics: &[Diagnostic], format: Format) -> String {
    match format {
        Format::Human(style) => human(diagnostics, style),
        Format::Json => json(diagnostics),
        Format::Github => github(diagnostics),
        Format::Sarif => sarif(diagnostics),
    }
}

/// Returns the severity as a word.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests;
