//! The problems that a plan carries: what its reader has to know, and what blocks it.

use serde::{Deserialize, Serialize};

/// A problem that was found while a plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedProblem {
    /// The effect of the problem.
    pub severity: ProblemSeverity,
    /// The code, which `explain` describes.
    pub code: String,
    /// The message that says what is wrong.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The effect of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemSeverity {
    /// The plan can be applied all the same.
    Warning,
    /// The plan is blocked.
    Error,
}
