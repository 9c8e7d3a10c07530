//! The record of one apply: the plan, its outcome, and the problems. If kept, it shows which references to deploy by and what
//! the floating tags named before.

use serde::{Deserialize, Serialize};

use super::outcome::{ChangeOutcome, ChangeResult, Outcome};
use super::plan::{Change, Plan, PlannedRepository};

/// The version of the record format. Older programs refuse a newer major version; a minor version only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// The record of one apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Record {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// Whether everything is as planned.
    pub success: bool,
    /// The outcome: every change with before, after and result, and the digest reference of each repository.
    pub outcome: Outcome,
    /// The problems that occurred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<RecordedProblem>,
    /// The plan that was applied.
    pub plan: Plan,
}

/// A problem, as it was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordedProblem {
    /// The code, which `explain` describes.
    pub code: String,
    /// The message that says what happened.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Record {
    /// Returns this record with the changes in `earlier` that an earlier run of the same command made, so that it knows the
    /// whole way back. A record of anything else adds nothing.
    #[must_use]
    pub fn taking_over(mut self, earlier: &Self) -> Self {
        if !self.plan.is_of_same_run(&earlier.plan) {
            return self;
        }
        for old in earlier.outcome.changes.iter().filter(|old| old.result.may_have_changed()) {
            match self.outcome.changes.iter_mut().find(|new| new.address == old.address) {
                Some(new) => new.take_over(old),
                None => self.adopt(old, earlier),
            }
        }
        self
    }

    /// Adds a change that only `earlier` has. It comes from a run with other targets, or from a prune, which does not plan removed
    /// tags again.
    fn adopt(&mut self, old: &ChangeOutcome, earlier: &Self) {
        let has = |change: &&Change| change.address == old.address;
        let mut planned = earlier.plan.repositories.iter();
        let Some((repository, change)) = planned.find_map(|it| Some((it, it.changes.iter().find(has)?)))
        else {
            return;
        };
        match self.plan.repositories.iter_mut().find(|it| it.address == repository.address) {
            // The address means another repository by now.
            Some(here) if here.name != repository.name => return,
            Some(here) => here.changes.push(change.clone()),
            // The references to deploy by come from this run alone, because an image may have another name by now.
            None => {
                let Some(endpoint) = earlier.plan.registries.get(&repository.registry) else { return };
                self.plan.registries.insert(repository.registry.clone(), endpoint.clone());
                self.plan.repositories.push(PlannedRepository {
                    changes: vec![change.clone()],
                    orphans: Vec::new(),
                    signatures: Vec::new(),
                    untagged: None,
                    visibility: None,
                    ..repository.clone()
                });
            }
        }
        self.outcome.changes.push(old.clone());
    }
}

impl Plan {
    /// Whether both plans come from the same command, run twice, perhaps with other targets.
    fn is_of_same_run(&self, earlier: &Self) -> bool {
        let as_here = |(name, endpoint)| self.registries.get(name).is_none_or(|here| here == endpoint);
        self.kind == earlier.kind && self.title == earlier.title && earlier.registries.iter().all(as_here)
    }
}

impl ChangeOutcome {
    /// Takes over the way back from `old`, the same change in an earlier run.
    fn take_over(&mut self, old: &Self) {
        let digest = |target: &Option<super::plan::TagTarget>| target.as_ref().map(|it| it.digest.clone());
        let (before, after) = (digest(&old.before), digest(&old.after));
        if digest(&self.after) != after || before == after {
            return;
        }
        let result = match (self.result, old.result) {
            // If a removed tag had to be removed again, somebody put it in between. A rollback must restore that later digest.
            // If this run put a tag back, it names what this run found.
            (ChangeResult::Removed | ChangeResult::Restored, _) => return,
            (ChangeResult::Created | ChangeResult::Moved | ChangeResult::Failed, _) => self.result,
            // The tag is in place, so the change that failed was made after all.
            (ChangeResult::Unchanged, ChangeResult::Failed) => match (&before, &after) {
                (None, _) => ChangeResult::Created,
                (Some(_), Some(_)) => ChangeResult::Moved,
                (Some(_), None) => ChangeResult::Removed,
            },
            (
                ChangeResult::Unchanged | ChangeResult::Kept | ChangeResult::Skipped | ChangeResult::Stale,
                old,
            ) => old,
        };
        if result != self.result {
            self.detail = old.detail.clone().filter(|_| result == old.result);
        }
        self.result = result;
        self.before.clone_from(&old.before);
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
