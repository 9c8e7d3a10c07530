//! Forward tags while others publish too: decided again by what the registry holds now, with the rules that the plan
//! carries.
//!
//! A registry has no compare-and-swap. What holds all the same: every run puts its version's own tag before any floating
//! one, and after its puts of a floating one, those that set it right for another included, lists the tags again. So of
//! runs at once, in any interleaving, the one that puts last sees the others' versions, and gives the tag to the highest
//! (docs/adr/0007-two-at-once.md).

use futures_util::future::join_all;

use super::Options;
use super::check::{Prepared, digest_at};
use crate::model::forward::{Descent, Held, OnUnknown, PlannedForward, PlannedLine, newer};
use crate::model::plan::Change;
use crate::model::{Digest, ResourceId, Tag};
use crate::registry::{self, RegistryError};

/// Answers what a plan alone cannot: it takes templates and git. Asked only about tags that are about to move.
pub trait Judge: Send + Sync {
    /// The versions of `line` among `tags`, lowest first: the line of the tag `tag` of `resource`.
    fn held(&self, line: &PlannedLine, resource: &ResourceId, tag: &Tag, tags: &[Tag]) -> Vec<Held>;

    /// How commit `new` stands to commit `old`. Blocks.
    fn descent(&self, old: &str, new: &str) -> Descent;
}

/// What is to become of a forward tag.
pub(super) enum Verdict {
    /// It moves; and why, where it does not name what was planned.
    Moves(Option<String>),
    /// It stays, and why: something newer has it, or is to have it.
    Stays(String),
    /// Whether it moves forward cannot be known, and why; the rule says what happens then.
    Unknown(OnUnknown, String),
    /// It names something that neither the plan nor another release explains.
    Unexplained,
}

/// The tags of a repository, where one of `changes` is decided by them; empty where none is.
pub(super) async fn listing(
    it: &Prepared<'_>,
    changes: impl IntoIterator<Item = &Change>,
) -> Result<Vec<Tag>, RegistryError> {
    let by_version = |change: &Change| matches!(change.forward, Some(PlannedForward::Version(_)));
    if changes.into_iter().any(by_version) { it.repository.list_tags().await } else { Ok(Vec::new()) }
}

/// The version among `listing` that `change` must not take its tag from.
pub(super) fn newest(
    it: &Prepared<'_>,
    change: &Change,
    listing: &[Tag],
    options: &Options<'_>,
) -> Option<Held> {
    let Some(PlannedForward::Version(line)) = &change.forward else { return None };
    let held = options.judge.held(line, &it.planned.resource, &change.tag, listing);
    newer(&held, &line.version).cloned()
}

/// Decides about the tag of `change`, which names `found`. `listing` is at least as new as `found`.
pub(super) async fn judge(
    it: &Prepared<'_>,
    change: &Change,
    found: Option<&Digest>,
    listing: &[Tag],
    options: &Options<'_>,
) -> Result<Verdict, RegistryError> {
    let as_planned = found == change.present();
    match (&change.forward, found) {
        (Some(PlannedForward::Version(line)), _) => {
            if let Some(newest) = newest(it, change, listing, options) {
                return Ok(Verdict::Stays(overtaken(&newest)));
            }
            match found {
                _ if as_planned => Ok(Verdict::Moves(None)),
                Some(found) => {
                    let older = version_of(it, change, line, found, listing, options).await?;
                    let moves = |tag| Verdict::Moves(Some(format!("{tag} was published meanwhile")));
                    Ok(older.map_or(Verdict::Unexplained, moves))
                }
                None => Ok(Verdict::Unexplained),
            }
        }
        (Some(PlannedForward::Commit(commit)), Some(found)) if !as_planned => {
            let unknown = |why: String| Ok(Verdict::Unknown(commit.on_unknown, why));
            let Some(revision) = registry::revision(it.repository.as_ref(), found).await? else {
                return unknown("an image that does not say its commit was published meanwhile".to_owned());
            };
            let Some(own) = commit.revision.clone() else {
                return unknown("the commit being published is not known".to_owned());
            };
            let (judge, old) = (options.judge.clone(), revision.clone());
            let descent = tokio::task::spawn_blocking(move || judge.descent(&old, &own)).await;
            let short: String = revision.chars().take(7).collect();
            Ok(match descent {
                Ok(Descent::Descendant) => {
                    Verdict::Moves(Some(format!("commit {short}, which is older, was published meanwhile")))
                }
                Ok(Descent::Older) => {
                    Verdict::Stays(format!("kept: commit {short}, which is newer, was published meanwhile"))
                }
                Ok(Descent::Unknown(why)) => Verdict::Unknown(
                    commit.on_unknown,
                    format!("commit {short} was published meanwhile, and {why}"),
                ),
                Ok(Descent::Diverged) | Err(_) => Verdict::Unexplained,
            })
        }
        _ if as_planned => Ok(Verdict::Moves(None)),
        _ => Ok(Verdict::Unexplained),
    }
}

/// In words: a higher version has the tag.
pub(super) fn overtaken(newest: &Held) -> String {
    format!("kept: {}, which is newer, was published meanwhile", newest.tag)
}

/// Whether `found` is a version of the line of `change`.
pub(super) async fn is_of_line(
    it: &Prepared<'_>,
    change: &Change,
    found: &Digest,
    listing: &[Tag],
    options: &Options<'_>,
) -> Result<bool, RegistryError> {
    let Some(PlannedForward::Version(line)) = &change.forward else { return Ok(false) };
    Ok(version_of(it, change, line, found, listing, options).await?.is_some())
}

/// The tag of the version of `line` that `found` is, as far as it is one of the highest.
async fn version_of(
    it: &Prepared<'_>,
    change: &Change,
    line: &PlannedLine,
    found: &Digest,
    listing: &[Tag],
    options: &Options<'_>,
) -> Result<Option<Tag>, RegistryError> {
    /// Of how many versions, the highest first, the digests are asked: those that may be published at once.
    const ASKED: usize = 32;
    let held = options.judge.held(line, &it.planned.resource, &change.tag, listing);
    let heads = held.iter().rev().take(ASKED).map(|held| async move {
        Ok::<_, RegistryError>((held, digest_at(it.repository.as_ref(), &held.tag).await?))
    });
    for head in join_all(heads).await {
        let (held, digest) = head?;
        if digest.as_ref() == Some(found) {
            return Ok(Some(held.tag.clone()));
        }
    }
    Ok(None)
}
