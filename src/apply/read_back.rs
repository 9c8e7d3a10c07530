//! Reading everything back, so that nothing is claimed that was not seen: every tag is read again after it was put or removed,
//! and visibility is proved by an anonymous pull.

use futures_util::future::join_all;

use super::forward::{self, ForwardVerdict};
use super::options::ApplyOptions;
use super::prepared::{Prepared, short};
use super::progress::Progress;
use super::visibility::Settled;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Visibility;
use crate::model::outcome::{ChangeResult, VisibilityOutcome};
use crate::model::plan::{Action, Change, ObservedVisibility, PlannedRepository};
use crate::model::visibility::{as_declared, seen_words};
use crate::visibility::{self, VisibilityProbe, VisibilityReading};
use oci_registry::{Digest, RegistryLocation, TagListing, TagOrDigest};
use oci_registry::{READ_PAUSES, RegistryError};

/// The number of times that a forward tag is corrected after another run took it.
const REPAIRS: usize = 8;

/// The result of reading a tag back if nothing is wrong.
enum TagReadBack {
    /// It names the wanted digest.
    AsWanted,
    /// Something newer has it, with the reason.
    Overtaken(String),
}

/// Reads back every tag that was put or removed. Tags that were kept are left out, because nothing was claimed about them.
pub(super) async fn tags(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let asked = prepared.iter().map(|it| async move {
        let changes = it.planned.changes.iter().enumerate();
        let put: Vec<(usize, &Change)> = changes
            .filter(|(position, change)| {
                change.action.is_change()
                    && progress.result(it.position, *position) != Some(ChangeResult::Kept)
            })
            .collect();
        // The list is read after the last put of this run. A run that puts later also lists later.
        let listing = forward::listing(it, put.iter().map(|(_, change)| *change)).await;
        let listing = &listing;
        let read = put.into_iter().map(|(position, change)| async move {
            let seen = match listing {
                Ok(listing) => {
                    let again = || progress.takes_together(it.position, position);
                    tag(it, change, listing.clone(), again, options).await
                }
                Err(error) => Err(it.failed_at(&change.tag, error)),
            };
            (position, seen)
        });
        (it, join_all(read).await)
    });
    let mut problems = Vec::new();
    for (it, read) in join_all(asked).await {
        for (position, seen) in read {
            match seen {
                Ok(TagReadBack::AsWanted) => {}
                Ok(TagReadBack::Overtaken(why)) => {
                    progress.change(it.position, position, ChangeResult::Kept, Some(why));
                }
                Err(diagnostic) => {
                    let detail = Some(diagnostic.message.clone());
                    progress.change(it.position, position, ChangeResult::Failed, detail);
                    problems.push(diagnostic);
                }
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Reads an immutable tag back.
pub(super) async fn confirm(it: &Prepared<'_>, change: &Change) -> Result<(), Diagnostic> {
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        let found = it.tag_digest(&change.tag).await;
        let found = found.map_err(|error| it.failed_at(&change.tag, &error))?;
        if found.as_ref() == change.wanted() {
            return Ok(());
        }
        match pauses.next().filter(|_| may_lag(change, found.as_ref())) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(differs_from_put(it, change, found.as_ref())),
        }
    }
}

/// Reads one tag back, with patience for reads that lag. A forward tag is corrected if an older release took it from this
/// one, or if this one took it from a newer one.
async fn tag(
    it: &Prepared<'_>,
    change: &Change,
    mut listing: Option<TagListing>,
    put_together: impl Fn() -> bool,
    options: &ApplyOptions<'_>,
) -> Result<TagReadBack, Diagnostic> {
    let failed = |error: RegistryError| it.failed_at(&change.tag, &error);
    let (mut pauses, mut repairs) = (READ_PAUSES.into_iter(), 0);
    // The digest that this run put last.
    let mut last = change.wanted().cloned();
    loop {
        let found = it.tag_digest(&change.tag).await.map_err(failed)?;
        let right = match forward::newest(it, change, listing.as_ref(), options) {
            Some(newest) => {
                let highest = it.tag_digest(&newest.tag).await.map_err(failed)?;
                if highest.is_none() || highest == found {
                    return Ok(TagReadBack::Overtaken(forward::overtaken(&newest)));
                }
                // This run took the tag after the other had it, or a third one did.
                let older = match &found {
                    Some(found) => forward::is_of_line(it, change, found, listing.as_ref(), options)
                        .await
                        .map_err(failed)?,
                    None => false,
                };
                highest.filter(|_| found == last || older)
            }
            None if found.as_ref() == change.wanted() => return Ok(TagReadBack::AsWanted),
            None => None,
        };
        let right = match right {
            Some(highest) => Some(highest),
            None if found.as_ref() == change.present() => None,
            None => {
                listing = forward::listing(it, [change]).await.map_err(failed)?;
                match forward::judge(it, change, found.as_ref(), listing.as_ref(), options)
                    .await
                    .map_err(failed)?
                {
                    ForwardVerdict::Stays(why)
                        if forward::newest(it, change, listing.as_ref(), options).is_none() =>
                    {
                        return Ok(TagReadBack::Overtaken(why));
                    }
                    ForwardVerdict::Moves(_) => change.wanted().cloned(),
                    // Two runs that cannot know would overwrite each other in turns.
                    ForwardVerdict::Stays(_) | ForwardVerdict::Unknown(..) | ForwardVerdict::Unexplained => {
                        None
                    }
                }
            }
        };
        if let Some(right) = right.filter(|_| repairs < REPAIRS) {
            repairs += 1;
            if let Some(manifest) = it.manifest(&right).await.map_err(failed)? {
                let at = TagOrDigest::Tag(change.tag.clone());
                it.repository.put_manifest(&at, &manifest).await.map_err(failed)?;
                last = Some(right);
                listing = forward::listing(it, [change]).await.map_err(failed)?;
                continue;
            }
        }
        // A registry may repeat a tag that it did not put. Alone it cannot be misunderstood.
        let is_left = found.as_ref() == change.present() && pauses.as_slice().len() < READ_PAUSES.len() - 1;
        if let Some(wanted) = change.wanted().filter(|_| is_left && put_together())
            && let Some(manifest) = it.manifest(wanted).await.map_err(failed)?
        {
            let at = TagOrDigest::Tag(change.tag.clone());
            it.repository.put_manifest(&at, &manifest).await.map_err(failed)?;
            listing = forward::listing(it, [change]).await.map_err(failed)?;
            continue;
        }
        match pauses.next().filter(|_| may_lag(change, found.as_ref())) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(differs_from_put(it, change, found.as_ref())),
        }
    }
}

/// Whether it is worth waiting because `found` may be what the registry had before. Anything else was put there by somebody,
/// except that another run may be about to correct a forward tag.
fn may_lag(change: &Change, found: Option<&Digest>) -> bool {
    found.is_none() || found == change.present() || change.forward.is_some()
}

fn differs_from_put(it: &Prepared<'_>, change: &Change, found: Option<&Digest>) -> Diagnostic {
    let was = match change.wanted() {
        Some(wanted) => format!("put as {}", wanted.short(12)),
        None => "removed".to_owned(),
    };
    let (name, tag) = (&it.planned.name, &change.tag);
    let message = format!("{name}:{tag} was {was}, but names {} when read back", short(found));
    Diagnostic::error(Code::ApplyReadBack, message)
        .help("somebody else may have moved the tag meanwhile: `brokkr-publish plan` shows what it names now")
}

/// Returns a digest that is known to be there. Only such a digest can be probed, because absent and private look alike.
fn standing(planned: &PlannedRepository) -> Option<&Digest> {
    let published = |change: &&Change| change.action.is_change() || change.action == Action::NoOp;
    match planned.changes.iter().find(published) {
        Some(change) => change.wanted(),
        None => planned.changes.iter().find_map(Change::present),
    }
}

/// The visibility of a repository, as an anonymous pull and the API of the registry show it.
struct SeenVisibility {
    observed: ObservedVisibility,
    reading: VisibilityReading,
}

/// Pulls without credentials, and asks the registry's API. Waits for answers that lag, if the visibility was just set, or if strangers
/// do not see the content that was just put.
async fn look(
    it: &Prepared<'_>,
    declared: Visibility,
    digest: &Digest,
    options: &ApplyOptions<'_>,
    was_set: bool,
) -> SeenVisibility {
    let provider = options.connections.visibility(it.endpoint);
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        let probe = async {
            match options.connections.stranger(it.endpoint, &it.planned.repository) {
                Ok(anonymous) => visibility::probe(anonymous.as_ref(), it.repository.as_ref(), digest).await,
                Err(error) => VisibilityProbe::unknown(error.to_string()),
            }
        };
        let reading = visibility::read(provider.as_ref(), &it.planned.repository);
        let (VisibilityProbe { observed, hidden, .. }, reading) = tokio::join!(probe, reading);
        match pauses.next().filter(|_| was_set || hidden) {
            Some(pause) if as_declared(declared, reading.visibility(), observed) == Some(false) => {
                tokio::time::sleep(pause).await;
            }
            _ => return SeenVisibility { observed, reading },
        }
    }
}

fn differs(it: &Prepared<'_>, declared: Visibility, seen: &SeenVisibility) -> Diagnostic {
    let message = format!(
        "{} is published, but it is {}, and `publish.toml` declares it {}",
        it.planned.name,
        seen_words(seen.reading.visibility(), seen.observed),
        declared.as_str()
    );
    let way_out =
        visibility::way_out(it.endpoint, &it.planned.repository, declared, &seen.reading, seen.observed);
    Diagnostic::error(Code::VisibilityDiffers, message).help(way_out)
}

/// Proves the visibility of every repository that declares one. A difference is an error with a way out: the content is in
/// place, but not everybody can pull it, or too many can. Failures to set it have already been reported.
pub(super) async fn visibility(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
    settled: &Settled,
) -> Result<(), Vec<Diagnostic>> {
    let declared = prepared.iter().filter_map(|it| {
        let declared = it.planned.visibility.as_ref()?;
        let digest =
            standing(it.planned).filter(|_| matches!(it.endpoint.url, RegistryLocation::Http { .. }))?;
        Some((it, declared, digest))
    });
    let asked = declared.map(|(it, planned, digest)| async move {
        let was_set = settled.from.contains_key(&it.position);
        (it, planned, look(it, planned.declared, digest, options, was_set).await)
    });
    let mut problems = Vec::new();
    for (it, planned, seen) in join_all(asked).await {
        let setting = seen.reading.visibility();
        let as_declared = as_declared(planned.declared, setting, seen.observed);
        let outcome = VisibilityOutcome {
            declared: planned.declared,
            observed: seen.observed,
            setting,
            set_from: settled.from.get(&it.position).copied(),
            as_declared: as_declared == Some(true),
        };
        progress.visibility(it.position, outcome, planned.settings_url.as_deref());
        // A visibility that could not be read is reported, but is not an error.
        if as_declared == Some(false) && !settled.failed.contains(&it.position) {
            problems.push(differs(it, planned.declared, &seen));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
