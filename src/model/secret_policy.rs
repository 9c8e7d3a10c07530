//! The policies of the search for secrets: the effect of a finding and of a file that was not searched.

use serde::{Deserialize, Serialize};

use secret_scan::SecretSeverity;

/// The effect of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretPolicy {
    /// A secret blocks the plan.
    Deny,
    /// A secret is reported, and let through.
    Warn,
    /// There is no search.
    Off,
}

impl SecretPolicy {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

/// The least severity of a finding that blocks a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockingSeverity {
    /// Findings of severity medium and high block.
    Medium,
    /// Only findings of severity high block.
    #[default]
    High,
}

impl BlockingSeverity {
    /// Whether a finding of `severity` blocks.
    pub fn blocks(self, severity: SecretSeverity) -> bool {
        let least = match self {
            Self::Medium => SecretSeverity::Medium,
            Self::High => SecretSeverity::High,
        };
        severity >= least
    }

    /// Whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The effect of a file that could not be searched to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnsearchedPolicy {
    /// It blocks the plan.
    Deny,
    /// It is reported, and let through.
    #[default]
    Warn,
}

impl UnsearchedPolicy {
    /// Whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The reason why content is sent to a repository without a search for secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NotSearched {
    /// The policy is `off`.
    PolicyOff {
        /// The origin of the policy: a file, an environment variable, or `--set`.
        from: String,
    },
    /// The repository is not public, and no policy is declared.
    NotPublic,
}
