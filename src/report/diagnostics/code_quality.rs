//! Diagnostics as a Code Quality report of GitLab, which merge requests show beside the lines (GitLab's "Code Quality report format").

use std::collections::HashMap;

use serde_json::{Value, json};

use super::repository_path::repository_path;
use crate::diagnostic::Diagnostic;
use crate::report::clean;
use oci_registry::Digest;

/// One issue of the report.
pub struct FoundIssue {
    /// The name of the check, such as a code.
    pub check: String,
    /// `info`, `minor`, `major`, `critical` or `blocker`.
    pub severity: &'static str,
    /// The message.
    pub description: String,
    /// The file, from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// Returns the report. A diagnostic that points into no file is shown at the beginning of `publish.toml`.
pub fn code_quality(diagnostics: &[Diagnostic]) -> String {
    let issues = diagnostics.iter().map(|diagnostic| {
        let label = diagnostic.labels.iter().find(|label| label.place.source.file.is_some());
        let (path, line) = match label {
            Some(label) => (repository_path(&label.place.source), label.place.position().0),
            None => ("publish.toml".to_owned(), 1),
        };
        FoundIssue {
            check: diagnostic.code.to_string(),
            severity: if diagnostic.is_error() { "major" } else { "minor" },
            description: described(diagnostic),
            path,
            line,
        }
    });
    clean::json(&format!("{:#}\n", json!(code_quality_of(issues))))
}

/// Returns the message, the text at the place, and the help, one per line.
pub(super) fn described(diagnostic: &Diagnostic) -> String {
    let label = diagnostic.labels.first().map(|label| label.text.clone()).filter(|text| !text.is_empty());
    let help = diagnostic.help.as_ref().map(|help| format!("help: {help}"));
    [Some(diagnostic.message.clone()), label, help].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Returns issues as JSON. A fingerprint stays the same if the line moves; equal issues of a file are numbered.
pub fn code_quality_of(issues: impl Iterator<Item = FoundIssue>) -> Vec<Value> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let issue = |issue: FoundIssue| {
        let identity = format!("{}\n{}\n{}", issue.check, issue.path, issue.description);
        let count = seen.entry(identity.clone()).or_default();
        *count += 1;
        let fingerprint = Digest::of(format!("{identity}\n{count}").as_bytes());
        json!({
            "description": issue.description,
            "check_name": issue.check,
            "fingerprint": fingerprint.hex(),
            "severity": issue.severity,
            "location": { "path": issue.path, "lines": { "begin": issue.line } },
        })
    };
    issues.map(issue).collect()
}
