//! The match of a rule, without the secret itself.

use serde::Serialize;

use crate::severity::SecretSeverity;
use oci_registry::Digest;

/// A secret that was found. It contains only as much of the value as a person needs to recognize it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The ID of the rule.
    pub rule: &'static str,
    /// The severity, after the place and the value were taken into account.
    pub severity: SecretSeverity,
    /// The line in which the value begins, from 1. `None` in binary data, names and environment variables.
    pub line: Option<u64>,
    /// The value, shortened beyond use: `ghp_… (40 characters)`.
    pub redacted: String,
    /// The SHA-256 of the value, by which it can be allowed without revealing it, unless it is [guessable](Self::guessable).
    pub fingerprint: Digest,
    /// Whether the value could be guessed from its fingerprint, because no machine generated it. Such a fingerprint must not be shown.
    pub guessable: bool,
}

/// Returns at most the first four characters of `value`, and never more than a quarter of it, followed by its length.
pub(crate) fn redacted(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let length = text.chars().count();
    let shown = text.chars().take((length / 4).min(4));
    let shown: String = shown.map(|it| if it.is_ascii_graphic() { it } else { '?' }).collect();
    format!("{shown}… ({length} characters)")
}
