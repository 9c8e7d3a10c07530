//! Decides about one tag, with the reason. All rules of mutability are here.

use crate::desired::{Basis, DesiredTag};
use crate::model::forward::{Descent, OnUnknown, newer};
use crate::model::plan::{Action, Reason};
use crate::model::{Mutability, OnConflict};
use crate::observed::{ObservedRepository, ObservedTag};
use oci_registry::Digest;

/// Decides about `tag`, which should name `root`.
pub(super) fn decide(tag: &DesiredTag, root: &Digest, observed: &ObservedRepository) -> (Action, Reason) {
    let present = observed.tags.get(&tag.tag);
    if present.is_some_and(|present| present.digest == *root) {
        return (Action::NoOp, in_place(tag, observed));
    }
    match tag.mutability {
        Mutability::Mutable => move_or_create(present, Reason::Mutable),
        Mutability::Immutable => match (present, tag.on_conflict) {
            (None, _) => (Action::Create, Reason::New),
            (Some(_), OnConflict::Fail) => (Action::Conflict, Reason::Immutable),
            (Some(_), OnConflict::Keep) => (Action::Keep, Reason::KeptFirst),
        },
        Mutability::Forward => forward(tag, present, observed),
    }
}

/// Returns the reason for a tag that already names the version being published. A higher version of its line is only
/// mentioned, because the tag may have been rolled back on purpose.
fn in_place(tag: &DesiredTag, observed: &ObservedRepository) -> Reason {
    let Basis::Release(line) = &tag.basis else { return Reason::AlreadyThere };
    match newer(observed.line(&tag.tag), &line.version) {
        Some(highest) => Reason::Behind { version: highest.version.to_string(), tag: highest.tag.clone() },
        None => Reason::AlreadyThere,
    }
}

fn move_or_create(present: Option<&ObservedTag>, reason: Reason) -> (Action, Reason) {
    match present {
        Some(_) => (Action::Move, reason),
        None => (Action::Create, Reason::New),
    }
}

fn forward(
    tag: &DesiredTag,
    present: Option<&ObservedTag>,
    observed: &ObservedRepository,
) -> (Action, Reason) {
    match &tag.basis {
        Basis::None => move_or_create(present, Reason::Mutable),
        Basis::Prerelease(version) => (Action::Keep, Reason::Prerelease { version: version.to_string() }),
        Basis::Release(line) if !line.can_be_read() => match present {
            Some(_) => (Action::Keep, Reason::UnknownLine),
            None => (Action::Create, Reason::New),
        },
        // A missing tag is no exception: a backport must not create a `latest` that nobody has made yet.
        Basis::Release(line) => match newer(observed.line(&tag.tag), &line.version) {
            Some(highest) => {
                let (version, tag) = (highest.version.to_string(), highest.tag.clone());
                (Action::Keep, Reason::NewerVersion { version, tag })
            }
            None => move_or_create(present, Reason::HighestVersion),
        },
        Basis::Commit(_) => match present {
            None => (Action::Create, Reason::New),
            Some(present) => by_descent(present, tag.on_unknown),
        },
    }
}

fn by_descent(present: &ObservedTag, on_unknown: OnUnknown) -> (Action, Reason) {
    let revision = present.revision.clone().unwrap_or_default();
    let why = match &present.descent {
        Some(Descent::Descendant) => return (Action::Move, Reason::Descendant),
        Some(Descent::Older) => return (Action::Keep, Reason::OlderCommit { revision }),
        Some(Descent::Diverged) => return (Action::Keep, Reason::Diverged { revision }),
        Some(Descent::Unknown(why)) => why.clone(),
        None => "the present image does not say which commit it was built from".to_owned(),
    };
    match on_unknown {
        OnUnknown::Move => (Action::Move, Reason::UnknownAncestry { why }),
        OnUnknown::Keep => (Action::Keep, Reason::UnknownAncestryKept { why }),
    }
}
