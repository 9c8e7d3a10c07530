//! Diagnostics as text in six formats: for people, as JSON, as commands of GitHub Actions, as SARIF, as a report
//! of GitLab, and as `JUnit` XML.
//!
//! Nothing here prints: each function returns the text, and the caller writes it to the right stream.

mod code_quality;
mod gathered;
mod github;
mod human;
mod json;
mod junit;
mod planned;
mod repository_path;
mod sarif;
mod snippet;

pub use code_quality::{FoundIssue, code_quality, code_quality_of};
pub use github::{github, github_command};
pub use human::human;
pub use json::{json, member};
pub use junit::junit;
pub use planned::{planned, planned_warnings};
pub use repository_path::{repository_path, repository_path_of};
pub use sarif::sarif;

use super::Style;
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
    /// A Code Quality report of GitLab.
    CodeQuality,
}

/// Returns the diagnostics as text that ends in a newline, or an empty text if there is nothing to say in that format.
pub fn render(diagnostics: &[Diagnostic], format: DiagnosticFormat) -> String {
    match format {
        DiagnosticFormat::Human(style) => human(diagnostics, style),
        DiagnosticFormat::Json => json(diagnostics),
        DiagnosticFormat::Github => github(diagnostics),
        DiagnosticFormat::Sarif => sarif(diagnostics),
        DiagnosticFormat::CodeQuality => code_quality(diagnostics),
    }
}

#[cfg(test)]
mod tests;
