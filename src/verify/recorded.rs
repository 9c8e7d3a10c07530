//! The tags in records of applies: an immutable tag keeps its digest, and a floating one has that digest or a later
//! one.

use super::expected::{
    DeclaredRepository, Demand, Expected, ExpectedRepository, ExpectedTag, Later, RecordedTag,
};
use crate::model::Mutability;
use crate::model::forward::PlannedForward;
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Change, TagTarget};
use crate::model::record::Record;
use crate::model::standing::stated_version;
use crate::model::verification::{Unverified, UnverifiedKind};
use crate::model::version::ReleaseVersion;

/// Adds the tags that `record`, read from the file `name`, has in repositories of `expected`. `all` are the
/// repositories of the whole configuration: a repository that is none of them cannot be verified, and one that is not in `expected` was
/// not requested.
pub fn add_record(expected: &mut Expected, all: &[DeclaredRepository], name: &str, record: &Record) {
    for planned in &record.plan.repositories {
        let is_it = |declared: &DeclaredRepository| {
            declared.name == planned.name && declared.resource == planned.resource
        };
        if !all.iter().any(is_it) {
            expected.unverified.push(Unverified {
                resource: planned.resource.clone(),
                kind: UnverifiedKind::Record,
                name: name.to_owned(),
                why: format!("`publish.toml` does not declare it in `{}`", planned.name),
                versions: Vec::new(),
            });
        }
        let Some(here) = expected.repositories.iter_mut().find(|it| is_it(&it.declared)) else { continue };
        for change in &planned.changes {
            let outcome = record.outcome.changes.iter().find(|outcome| outcome.address == change.address);
            let Some(target) = outcome.and_then(|outcome| standing(outcome.result, change)) else { continue };
            let later = later(here, change, target);
            if is_withdrawn(here, change, target) {
                continue;
            }
            let version = target_version(here, target);
            here.recorded.push(RecordedTag {
                record: name.to_owned(),
                tag: change.tag.clone(),
                digest: target.digest.clone(),
                later,
            });
            here.tags.entry(change.tag.clone()).or_insert_with(|| ExpectedTag {
                rule: change.rule.clone(),
                mutability: change.mutability,
                version,
                demand: Demand::Recorded,
            });
        }
    }
}

/// The target of a tag after a change.
fn standing(result: ChangeResult, change: &Change) -> Option<&TagTarget> {
    match result {
        ChangeResult::Created | ChangeResult::Moved | ChangeResult::Unchanged => change.after.as_ref(),
        // A floating tag that was kept may have been kept because of something put after the plan was made.
        ChangeResult::Kept if change.mutability == Mutability::Immutable => change.before.as_ref(),
        ChangeResult::Kept
        | ChangeResult::Removed
        | ChangeResult::Skipped
        | ChangeResult::Failed
        | ChangeResult::Stale
        | ChangeResult::Restored => None,
    }
}

/// The version of a target, as the project writes versions.
fn target_version(here: &ExpectedRepository, target: &TagTarget) -> Option<ReleaseVersion> {
    stated_version(target.version.as_ref()?, &here.other_readers)
}

/// Returns what may have replaced a tag since.
fn later(here: &ExpectedRepository, change: &Change, target: &TagTarget) -> Later {
    match change.mutability {
        Mutability::Immutable => Later::Nothing,
        Mutability::Mutable => Later::Anything,
        Mutability::Forward => {
            let version = target_version(here, target);
            match (&change.forward, version) {
                (Some(PlannedForward::Version(line)), None) => Later::Version(line.version.clone()),
                (Some(PlannedForward::Commit(_)), _) | (None, None) => Later::Commit(target.revision.clone()),
                (_, Some(version)) => Later::Version(version),
            }
        }
    }
}

/// Whether a change belongs to a version that is withdrawn: its tags may be anywhere, or gone.
fn is_withdrawn(here: &ExpectedRepository, change: &Change, target: &TagTarget) -> bool {
    let stated = target_version(here, target);
    let read = || here.other_readers.iter().find_map(|reader| reader.read(&change.tag));
    stated.or_else(read).is_some_and(|version| here.withdrawn.contains(&version))
}
