//! Registries that a run may leave out, such as mirrors: `required = false` in `[registries.NAME]`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::problem::PlannedProblem;

/// The registries of a plan that a run may leave out, and what it left out of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OptionalRegistries {
    /// The names of the registries.
    pub names: BTreeSet<String>,
    /// The repositories that could not be asked when the plan was made. The plan has no changes for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

impl OptionalRegistries {
    /// Whether every registry is required.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.left_out.is_empty()
    }
}

/// A part of a release that a registry did not get, although the run succeeded. The next run catches up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// The name of the registry.
    pub registry: String,
    /// The problem that prevented it.
    pub problem: PlannedProblem,
}
