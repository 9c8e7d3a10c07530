//! Diagnostics as text, in four formats: for people, as JSON, as commands of GitHub Actions, as SARIF.
//!
//! Nothing here prints: each gives the text, and the caller writes it where it belongs.

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

/// How diagnostics are written.
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

/// The diagnostics as text that ends in a newline; empty where there is nothing to say in that format.
pub fn render(diagnostics: &[Diagnostic], format: Format) -> String {
    match format {
        Format::Human(style) => human(diagnostics, style),
        Format::Json => json(diagnostics),
        Format::Github => github(diagnostics),
        Format::Sarif => sarif(diagnostics),
    }
}

/// The severity as a word.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests;
