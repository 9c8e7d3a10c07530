//! Decisions about forward tags while others publish too. They are made again from what the registry holds now, with the
//! rules that the plan carries.
//!
//! A registry has no compare-and-swap. The result is right all the same, because every run puts the tag of its own version
//! before any floating tag, and lists the tags again after each put of a floating tag, including the puts that correct it
//! for another run. Of several runs at once, in any interleaving, the one that puts last therefore sees the versions of the
//! others, and gives the tag to the highest (docs/adr/0007-two-at-once.md).

use super::options::ApplyOptions;
use super::prepared::Prepared;
use crate::model::forward::{Descent, Held, OnUnknown, PlannedForward, PlannedLine, newer};
use crate::model::plan::Change;
use crate::model::standing::{ShownVersion, StandingVersion, VersionEvidence};
use crate::model::version::ReleaseVersion;
use crate::standing::{StandingQuestion, TagDigests};
use oci_registry::{Digest, RegistryError, TagListing};

/// The decision about a forward tag.
pub(super) enum ForwardVerdict {
    /// It moves, with the reason if it does not name what the plan says.
    Moves(Option<String>),
    /// It stays, with the reason: something newer has it, or should have it.
    Stays(String),
    /// It is unknown whether it would move forward, with the rule for this case and the reason.
    Unknown(OnUnknown, String),
    /// It names something that neither the plan nor another release explains.
    Unexplained,
}

/// Lists the tags of a repository if one of `changes` is decided by them.
pub(super) async fn listing(
    it: &Prepared<'_>,
    changes: impl IntoIterator<Item = &Change>,
) -> Result<Option<TagListing>, RegistryError> {
    let by_version = |change: &Change| matches!(change.forward, Some(PlannedForward::Version(_)));
    if changes.into_iter().any(by_version) { it.repository.list_tags().await.map(Some) } else { Ok(None) }
}

/// Returns the version in `listing` that `change` must not take its tag from.
pub(super) fn newest(
    it: &Prepared<'_>,
    change: &Change,
    listing: Option<&TagListing>,
    options: &ApplyOptions<'_>,
) -> Option<Held> {
    let Some(PlannedForward::Version(line)) = &change.forward else { return None };
    let tags = listing.map(TagListing::tags).unwrap_or_default();
    let held = options.lineage.held(line, &it.planned.resource, &change.tag, tags);
    newer(&held, &line.version).cloned()
}

/// Decides about the tag of `change`, which names `found`. `listing` is at least as recent as `found`.
pub(super) async fn judge(
    it: &Prepared<'_>,
    change: &Change,
    found: Option<&Digest>,
    listing: Option<&TagListing>,
    options: &ApplyOptions<'_>,
) -> Result<ForwardVerdict, RegistryError> {
    let as_planned = found == change.present();
    match (&change.forward, found) {
        (Some(PlannedForward::Version(line)), _) => {
            let tags = listing.map(TagListing::tags).unwrap_or_default();
            let is_withdrawn = |version: &ReleaseVersion| {
                options.lineage.is_withdrawn(line, &it.planned.resource, &change.tag, version, tags)
            };
            if is_withdrawn(&line.version) {
                return Ok(ForwardVerdict::Stays(format!("kept: {} was withdrawn meanwhile", line.version)));
            }
            if let Some(newest) = newest(it, change, listing, options) {
                return Ok(ForwardVerdict::Stays(overtaken(&newest)));
            }
            match found {
                _ if as_planned => Ok(ForwardVerdict::Moves(None)),
                Some(found) => {
                    let Some(listing) = listing else { return Ok(ForwardVerdict::Unexplained) };
                    Ok(match standing(it, change, line, found, listing, options).await? {
                        StandingVersion::Shown(ShownVersion { version, by })
                            if version > line.version && !is_withdrawn(&version) =>
                        {
                            ForwardVerdict::Stays(format!(
                                "kept: it was moved meanwhile to {version}, which is newer, as {by} shows"
                            ))
                        }
                        StandingVersion::Shown(ShownVersion {
                            by: VersionEvidence::VersionTag { tag },
                            ..
                        }) => ForwardVerdict::Moves(Some(format!("{tag} was published meanwhile"))),
                        // Nobody that knows this configuration put it there.
                        StandingVersion::Shown(_) | StandingVersion::Unknown(_) => {
                            ForwardVerdict::Unexplained
                        }
                    })
                }
                None => Ok(ForwardVerdict::Unexplained),
            }
        }
        (Some(PlannedForward::Commit(commit)), Some(found)) if !as_planned => {
            let unknown = |why: String| Ok(ForwardVerdict::Unknown(commit.on_unknown, why));
            let Some(revision) = oci_registry::revision(it.repository.as_ref(), found).await? else {
                return unknown("an image that does not say its commit was published meanwhile".to_owned());
            };
            let Some(own) = commit.revision.clone() else {
                return unknown("the commit being published is not known".to_owned());
            };
            let (lineage, old) = (options.lineage.clone(), revision.clone());
            let descent = tokio::task::spawn_blocking(move || lineage.descent(&old, &own)).await;
            let short: String = revision.chars().take(7).collect();
            Ok(match descent {
                Ok(Descent::Descendant) => ForwardVerdict::Moves(Some(format!(
                    "commit {short}, which is older, was published meanwhile"
                ))),
                Ok(Descent::Older) => ForwardVerdict::Stays(format!(
                    "kept: commit {short}, which is newer, was published meanwhile"
                )),
                Ok(Descent::Unknown(why)) => ForwardVerdict::Unknown(
                    commit.on_unknown,
                    format!("commit {short} was published meanwhile, and {why}"),
                ),
                Ok(Descent::Diverged) | Err(_) => ForwardVerdict::Unexplained,
            })
        }
        _ if as_planned => Ok(ForwardVerdict::Moves(None)),
        _ => Ok(ForwardVerdict::Unexplained),
    }
}

/// The reason in words if a higher version has the tag.
pub(super) fn overtaken(newest: &Held) -> String {
    format!("kept: {}, which is newer, was published meanwhile", newest.tag)
}

/// Whether `found` is a version of the line of `change`.
pub(super) async fn is_of_line(
    it: &Prepared<'_>,
    change: &Change,
    found: &Digest,
    listing: Option<&TagListing>,
    options: &ApplyOptions<'_>,
) -> Result<bool, RegistryError> {
    let Some(PlannedForward::Version(line)) = &change.forward else { return Ok(false) };
    let Some(listing) = listing else { return Ok(false) };
    let standing = standing(it, change, line, found, listing, options).await?;
    let declared = |shown: &ShownVersion| matches!(shown.by, VersionEvidence::VersionTag { .. });
    Ok(matches!(standing, StandingVersion::Shown(shown) if declared(&shown)))
}

/// Returns the version of the image `found`, which the tag of `change` names.
async fn standing(
    it: &Prepared<'_>,
    change: &Change,
    line: &PlannedLine,
    found: &Digest,
    listing: &TagListing,
    options: &ApplyOptions<'_>,
) -> Result<StandingVersion, RegistryError> {
    let candidates = options.lineage.candidates(line, &it.planned.resource, &change.tag, listing.tags());
    let question = StandingQuestion {
        repository: it.repository.as_ref(),
        listing,
        candidates: &candidates,
        others: &line.other_readers,
        own: &line.version,
    };
    question.ask(found, &mut TagDigests::new()).await
}
