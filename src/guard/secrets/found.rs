//! What is found, without the secret itself.

use serde::Serialize;

use crate::model::{Digest, Severity};

/// A secret that was found. It holds no more of the value than a person needs to recognize it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The id of the rule.
    pub rule: &'static str,
    /// How bad it is, after the place and the value were weighed.
    pub severity: Severity,
    /// The line that the value begins in, from 1. None in binary data, in names and in environment variables.
    pub line: Option<u64>,
    /// The value, shortened beyond use: `ghp_… (40 characters)`.
    pub redacted: String,
    /// The SHA-256 of the value, by which it can be allowed without being told.
    pub fingerprint: Digest,
}

/// At most the first four characters of `value`, and never more than a quarter of it; then its length.
pub(super) fn redacted(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let length = text.chars().count();
    let shown = text.chars().take((length / 4).min(4));
    let shown: String = shown.map(|it| if it.is_ascii_graphic() { it } else { '?' }).collect();
    format!("{shown}… ({length} characters)")
}
