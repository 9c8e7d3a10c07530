//! How a lockstep check compares.

use serde::{Deserialize, Serialize};

/// How a value is held against what it should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// As texts, character by character.
    #[default]
    Exact,
    /// As semantic versions, by MAJOR.MINOR.PATCH alone.
    Core,
}
