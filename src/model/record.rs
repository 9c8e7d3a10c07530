//! The record of one apply: the plan, what became of it, and what went wrong. Kept, it says what to deploy by and what
//! the floating tags were.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::plan::Plan;

/// What a record looks like: major versions are refused by older programs, minor ones only add fields.
pub const FORMAT_VERSION: &str = "1.0";

/// The record of one apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// Whether everything is as planned.
    pub success: bool,
    /// What was done: every change with before, after and result, and the digest reference of each repository.
    pub outcome: Outcome,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<RecordedProblem>,
    /// The plan that was applied.
    pub plan: Plan,
}

/// Something that went wrong, as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordedProblem {
    /// The code, which `explain` tells about.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}
