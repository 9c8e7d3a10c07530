//! Decisions about forward tags during an apply, made again with the templates that the plan carries and with git.

use std::path::{Path, PathBuf};

use crate::model::version::ReleaseVersion;

use crate::context::{self, Context};
use crate::desired::ReleaseLine;
use crate::model::forward::{Descent, Held, PlannedLine};
use crate::model::plan::Plan;
use crate::model::standing::VersionCandidate;
use crate::model::{EventName, ResourceId};
use oci_registry::Tag;

/// Answers questions about the lines of versions and the ancestry of commits, with the context of a plan. Asked only about tags
/// that are about to move.
#[derive(Clone)]
pub struct Lineage {
    context: Context,
    folder: PathBuf,
}

impl Lineage {
    /// Returns the answers for `plan`. Git is asked in `folder`.
    pub fn new(plan: &Plan, folder: &Path) -> Self {
        let context = serde_json::from_value(serde_json::Value::Object(plan.context.clone()));
        // Lines belong to releases, whose templates hardly use more than the version.
        let context = context.unwrap_or_else(|_| Context::new(EventName::Tag));
        Self { context, folder: folder.to_owned() }
    }

    /// Returns the versions of `line` among `tags`, lowest first. `line` is that of the tag `tag` of `resource`.
    pub(super) fn held(
        &self,
        line: &PlannedLine,
        resource: &ResourceId,
        tag: &Tag,
        tags: &[Tag],
    ) -> Vec<Held> {
        ReleaseLine::from_plan(line, &self.context, resource, tag).held(tags)
    }

    /// Whether `version` is withdrawn, by the plan or by one of `tags`.
    pub(super) fn is_withdrawn(
        &self,
        line: &PlannedLine,
        resource: &ResourceId,
        tag: &Tag,
        version: &ReleaseVersion,
        tags: &[Tag],
    ) -> bool {
        ReleaseLine::from_plan(line, &self.context, resource, tag).is_withdrawn(version, tags)
    }

    /// Returns the tags among `tags` that may show the version of the image that a forward tag names.
    pub(super) fn candidates(
        &self,
        line: &PlannedLine,
        resource: &ResourceId,
        tag: &Tag,
        tags: &[Tag],
    ) -> Vec<VersionCandidate> {
        ReleaseLine::from_plan(line, &self.context, resource, tag).candidates(tags)
    }

    /// Returns how commit `new` relates to commit `old`. Blocks.
    pub(super) fn descent(&self, old: &str, new: &str) -> Descent {
        context::descent(&self.folder, old, new)
    }
}
