//! Decides about one tag, with the reason. All rules of mutability are here.

use crate::desired::{Basis, DesiredTag};
use crate::model::forward::{Descent, OnUnknown, newer};
use crate::model::plan::{Action, Reason};
use crate::model::standing::{ShownVersion, StandingVersion, VersionEvidence};
use crate::model::version::ReleaseVersion;
use crate::model::{Mutability, OnConflict};
use crate::observed::{ObservedRepository, ObservedTag};
use oci_registry::Digest;

/// Decides about `tag`, which should name `root`.
pub(super) fn decide(tag: &DesiredTag, root: &Digest, observed: &ObservedRepository) -> (Action, Reason) {
    let present = observed.tags.get(&tag.tag);
    if present.is_some_and(|present| present.digest == *root) {
        return (Action::NoOp, in_place(tag, observed));
    }
    if let Some(version) = &observed.withdrawn {
        return (Action::Keep, Reason::Withdrawn { version: version.to_string() });
    }
    match tag.mutability {
        Mutability::Mutable => move_or_create(present, Reason::Mutable),
        Mutability::Immutable => match (present, tag.on_conflict) {
            (None, _) if observed.dangling.contains(&tag.tag) => (Action::Conflict, Reason::Dangling),
            (None, _) => (Action::Create, Reason::New),
            (Some(present), _) if observed.same_images.contains(&present.digest) => {
                (Action::Keep, Reason::SameImages)
            }
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
        Basis::Release(line) => match newer(observed.line(&tag.tag), &line.version) {
            Some(highest) => {
                let (version, tag) = (highest.version.to_string(), highest.tag.clone());
                (Action::Keep, Reason::NewerVersion { version, tag })
            }
            None => by_version(tag, &line.version, present, observed),
        },
        Basis::Commit(_) => match present {
            None => (Action::Create, Reason::New),
            Some(present) => by_descent(present, tag),
        },
    }
}

/// Decides about a tag of which the registry lists no higher version.
fn by_version(
    tag: &DesiredTag,
    own: &ReleaseVersion,
    present: Option<&ObservedTag>,
    observed: &ObservedRepository,
) -> (Action, Reason) {
    let gap = observed.gap.as_ref().map(ToString::to_string);
    let Some(present) = present else {
        if observed.dangling.contains(&tag.tag) {
            let why = "the registry lists it, but has no manifest for it";
            return unknown(tag, Action::Create, why.to_owned());
        }
        // A missing tag is no exception: a backport must not create a `latest` that nobody has made yet.
        if let Some(other) = observed.others.get(&tag.tag).filter(|other| other.version > *own) {
            let why = format!(
                "the tag {} looks like a newer version, which another publisher put there",
                other.tag
            );
            return unknown(tag, Action::Create, why);
        }
        return match gap {
            Some(why) => (Action::Create, Reason::NewInIncompleteList { why }),
            None => (Action::Create, Reason::New),
        };
    };
    match observed.standing.get(&present.digest) {
        Some(StandingVersion::Shown(ShownVersion { version, by })) => {
            let is_withdrawn = observed.is_withdrawn(tag, version);
            let (is_newer, version) = (version > own, version.to_string());
            match by {
                _ if is_withdrawn => (Action::Move, Reason::WithdrawnStanding { version }),
                _ if is_newer => (Action::Keep, Reason::NewerStanding { version, shown_by: by.clone() }),
                VersionEvidence::VersionTag { .. } => (Action::Move, Reason::HighestVersion),
                _ => (Action::Move, Reason::OlderStanding { version, shown_by: by.clone() }),
            }
        }
        Some(StandingVersion::Unknown(why)) => {
            let why = match gap {
                Some(gap) => format!("{why}, and the list of tags may lack some: {gap}"),
                None => why.clone(),
            };
            unknown(tag, Action::Move, why)
        }
        None => unknown(tag, Action::Move, "nobody asked which version it names".to_owned()),
    }
}

/// Decides about a forward tag of a release that names an unknown version.
fn unknown(tag: &DesiredTag, action: Action, why: String) -> (Action, Reason) {
    match tag.on_unknown {
        OnUnknown::Move => (action, Reason::UnknownVersion { why }),
        OnUnknown::Keep => (Action::Keep, Reason::UnknownVersionKept { why, setting: setting(tag) }),
        OnUnknown::Fail => refused(tag, why),
    }
}

/// Refuses to go on, because it is unknown whether a forward tag would move forward.
fn refused(tag: &DesiredTag, why: String) -> (Action, Reason) {
    (Action::Conflict, Reason::UnknownRefused { why, setting: setting(tag) })
}

/// The setting that moves a tag although it is unknown whether it moves forward.
fn setting(tag: &DesiredTag) -> String {
    format!("tags.{}.on_unknown=move", tag.rule)
}

fn by_descent(present: &ObservedTag, tag: &DesiredTag) -> (Action, Reason) {
    let revision = present.revision.clone().unwrap_or_default();
    let why = match &present.descent {
        Some(Descent::Descendant) => return (Action::Move, Reason::Descendant),
        Some(Descent::Older) => return (Action::Keep, Reason::OlderCommit { revision }),
        Some(Descent::Diverged) => return (Action::Keep, Reason::Diverged { revision }),
        Some(Descent::Unknown(why)) => why.clone(),
        None => "the present image does not say which commit it was built from".to_owned(),
    };
    match tag.on_unknown {
        OnUnknown::Move => (Action::Move, Reason::UnknownAncestry { why }),
        OnUnknown::Keep => (Action::Keep, Reason::UnknownAncestryKept { why }),
        OnUnknown::Fail => refused(tag, why),
    }
}
