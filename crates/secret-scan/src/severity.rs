//! The severity of a published secret.

use serde::{Deserialize, Serialize};

/// The severity of a finding, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schemars", schemars(rename = "Severity"))]
pub enum SecretSeverity {
    /// Worth a look: a file that often contains a secret, or a secret in a place for tests and documentation.
    Low,
    /// Probably a secret, but its form alone does not prove it, or something else protects it.
    Medium,
    /// A secret with a form that nothing else has.
    High,
}

impl SecretSeverity {
    /// Returns the severity as a word: `low`, `medium` or `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl std::fmt::Display for SecretSeverity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
