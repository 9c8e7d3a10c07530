//! The ways in which a lockstep check compares values, and the values that agree.

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

/// A value that is as its check expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreeingValue {
    /// The file, relative to the folder of the configuration.
    pub file: String,
    /// The key in it.
    pub key: String,
    /// The value, shortened.
    pub value: String,
}
