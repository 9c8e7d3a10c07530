//! The record of one apply: the plan, what became of it, and what went wrong. Kept, it says what to deploy by and what
//! the floating tags were.

use serde::{Deserialize, Serialize};

use super::outcome::{ChangeOutcome, ChangeResult, Outcome};
use super::plan::{Change, Plan, PlannedRepository};

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

impl Record {
    /// This record, with the way back that `earlier` knows: what a run of the same plan changed before. A record of
    /// something else gives it nothing.
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

    /// Takes in a change that only `earlier` has: of a run with other targets, or of a prune, which does not plan again
    /// what is gone.
    fn adopt(&mut self, old: &ChangeOutcome, earlier: &Self) {
        let has = |change: &&Change| change.address == old.address;
        let mut planned = earlier.plan.repositories.iter();
        let Some((repository, change)) = planned.find_map(|it| Some((it, it.changes.iter().find(has)?)))
        else {
            return;
        };
        match self.plan.repositories.iter_mut().find(|it| it.address == repository.address) {
            // It is about something else by now.
            Some(here) if here.name != repository.name => return,
            Some(here) => here.changes.push(change.clone()),
            // The references to deploy by are those of the run alone: an image may have another name by now.
            None => {
                let Some(endpoint) = earlier.plan.registries.get(&repository.registry) else { return };
                self.plan.registries.insert(repository.registry.clone(), endpoint.clone());
                self.plan.repositories.push(PlannedRepository {
                    changes: vec![change.clone()],
                    orphans: Vec::new(),
                    visibility: None,
                    ..repository.clone()
                });
            }
        }
        self.outcome.changes.push(old.clone());
    }
}

impl Plan {
    /// Whether the two are of one command that was given twice, perhaps with other targets.
    fn is_of_same_run(&self, earlier: &Self) -> bool {
        let as_here = |(name, endpoint)| self.registries.get(name).is_none_or(|here| here == endpoint);
        self.kind == earlier.kind && self.title == earlier.title && earlier.registries.iter().all(as_here)
    }
}

impl ChangeOutcome {
    /// Takes over what `old`, the same change in an earlier run, knows of the way back.
    fn take_over(&mut self, old: &Self) {
        let digest = |target: &Option<super::plan::TagTarget>| target.as_ref().map(|it| it.digest.clone());
        let (before, after) = (digest(&old.before), digest(&old.after));
        if digest(&self.after) != after || before == after {
            return;
        }
        let result = match (self.result, old.result) {
            // A tag that was removed and had to be removed again was put by somebody in between: that is what comes back.
            (ChangeResult::Removed, _) => return,
            (ChangeResult::Created | ChangeResult::Moved | ChangeResult::Failed, _) => self.result,
            // It is in place, so what failed was done all the same.
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
