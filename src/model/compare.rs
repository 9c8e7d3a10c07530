//! The ways in which a lockstep check compares values.

use serde::{Deserialize, Serialize};

/// The way to compare a value with the expected one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// As texts, character by character.
    #[default]
    Exact,
    /// As semantic versions, by MAJOR.MINOR.PATCH alone.
    Core,
}
