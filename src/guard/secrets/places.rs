//! What the path of a file says: whether it is a secret by its name, and whether it is of tests or documentation.

use super::found::Match;
use super::rule::{Find, Rule};
use crate::model::{Digest, Severity};

/// The first rule about names that `path` falls under.
pub(super) fn named(rules: &[Rule], path: &str) -> Option<Match> {
    let lower = path.trim_start_matches("./").trim_matches('/').to_ascii_lowercase();
    let rule = rules.iter().find(|rule| match rule.find {
        Find::Name(name) => name.files.iter().any(|pattern| ends_with(&lower, pattern)),
        _ => false,
    })?;
    let severity = if of_examples(path) { Severity::Low } else { rule.severity };
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(Match {
        rule: rule.id,
        severity,
        line: None,
        redacted: name.chars().take(80).collect(),
        fingerprint: Digest::of(path.as_bytes()),
    })
}

/// Whether the last parts of `path` are those of `pattern`.
pub(super) fn ends_with(path: &str, pattern: &str) -> bool {
    path.strip_suffix(pattern).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Whether `path` is where tests, examples and documentation lie, whose secrets are rarely any.
pub(super) fn of_examples(path: &str) -> bool {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    path.starts_with("usr/share/")
}
