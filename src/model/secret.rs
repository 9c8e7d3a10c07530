//! How bad it is that a secret is published.

use serde::{Deserialize, Serialize};

/// How bad a finding is, the least first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth a look: a file that often holds a secret, or a secret at a place of tests and documentation.
    Low,
    /// Probably a secret, but its form alone does not prove it, or it is protected by something else.
    Medium,
    /// A secret, by a form that nothing else has.
    High,
}

impl Severity {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
