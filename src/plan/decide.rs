//! What is to be done with one tag, and why: every rule of mutability in one place.

use crate::desired::{Basis, DesiredTag};
use crate::model::plan::{Action, Reason};
use crate::model::{Digest, Mutability, OnConflict};
use crate::observed::{Descent, ObservedRepository, ObservedTag};

/// Decides about `tag`, which should name `root`.
pub(super) fn decide(tag: &DesiredTag, root: &Digest, observed: &ObservedRepository) -> (Action, Reason) {
    let present = observed.tags.get(&tag.tag);
    if present.is_some_and(|present| present.digest == *root) {
        return (Action::NoOp, Reason::AlreadyThere);
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
        // A missing tag is no exception: a backport must not create the `latest` that nobody made yet.
        Basis::Release(line) => match observed.lines.get(&tag.tag).and_then(|held| held.last()) {
            Some(highest) if highest.version > line.version => (
                Action::Keep,
                Reason::NewerVersion { version: highest.version.to_string(), tag: highest.tag.clone() },
            ),
            _ => move_or_create(present, Reason::HighestVersion),
        },
        Basis::Commit(_) => match present {
            None => (Action::Create, Reason::New),
            Some(present) => match (&present.descent, &present.revision) {
                (Some(Descent::Yes), _) => (Action::Move, Reason::Descendant),
                (Some(Descent::No), Some(revision)) => {
                    (Action::Keep, Reason::NotDescendant { revision: revision.clone() })
                }
                (Some(Descent::Unknown(why)), _) => {
                    (Action::Move, Reason::UnknownAncestry { why: why.clone() })
                }
                (Some(Descent::No) | None, _) => {
                    let why = "the present image does not say which commit it was built from".to_owned();
                    (Action::Move, Reason::UnknownAncestry { why })
                }
            },
        },
    }
}
