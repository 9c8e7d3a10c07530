//! Decisions about forward tags during an apply, made again with the templates that the plan carries and with git.

use std::path::{Path, PathBuf};

use crate::apply::Judge;
use crate::context::{self, Context};
use crate::desired::ReleaseLine;
use crate::model::forward::{Descent, Held, PlannedLine};
use crate::model::plan::Plan;
use crate::model::{EventName, ResourceId};
use oci_registry::Tag;

/// Answers questions about forward tags with the context of a plan.
pub(super) struct PlanJudge {
    context: Context,
    folder: PathBuf,
}

impl PlanJudge {
    /// Returns a judge for `plan` that asks git in `folder`.
    pub fn new(plan: &Plan, folder: &Path) -> Self {
        let context = serde_json::from_value(serde_json::Value::Object(plan.context.clone()));
        // Lines belong to releases, whose templates hardly use more than the version.
        let context = context.unwrap_or_else(|_| Context::new(EventName::Tag));
        Self { context, folder: folder.to_owned() }
    }
}

impl Judge for PlanJudge {
    fn held(&self, line: &PlannedLine, resource: &ResourceId, tag: &Tag, tags: &[Tag]) -> Vec<Held> {
        ReleaseLine::from_plan(line, &self.context, resource, tag).held(tags)
    }

    fn descent(&self, old: &str, new: &str) -> Descent {
        context::descent(&self.folder, old, new)
    }
}
