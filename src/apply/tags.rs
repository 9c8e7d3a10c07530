//! Moving and removing tags. Each tag is read again just before: if it names what the plan says, it moves; if it already names
//! the wanted digest, it is left. Anything else stops everything, unless it is a forward tag and another release explains it.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::forward::{self, ForwardVerdict};
use super::options::Options;
use super::prepared::Prepared;
use super::progress::Progress;
use super::removal::Removals;
use super::{orphans, read_back};
use crate::diagnostic::Diagnostic;
use crate::model::Mutability;
use crate::model::forward::OnUnknown;
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change, TagTarget};
use oci_registry::RegistryError;
use oci_registry::{TagListing, TagOrDigest};

/// Carries out the changes that are `of_stage`: repositories in parallel, the tags of one repository in order, and removals
/// last. Returns false if the person stopped it before all were tried.
pub(super) async fn put(
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
    of_stage: impl Fn(&Change) -> bool + Copy,
) -> Result<bool, Vec<Diagnostic>> {
    let (stop, interrupted) = (AtomicBool::new(false), AtomicBool::new(false));
    let (stop, interrupted) = (&stop, &interrupted);
    let repositories = prepared.iter().map(|it| async move {
        let changes = it.planned.changes.iter().enumerate();
        let mut of_stage: Vec<(usize, &Change)> =
            changes.filter(|(_, change)| change.action.is_change() && of_stage(change)).collect();
        // The tags that stay are in place before anything is removed.
        of_stage.sort_by_key(|(_, change)| change.action == Action::Remove);
        let goes = of_stage.iter().any(|(_, change)| change.action == Action::Remove);
        let mut removals = Removals::new(it);
        let listing = match forward::listing(it, of_stage.iter().map(|(_, change)| *change)).await {
            Ok(listing) => listing,
            Err(error) => {
                stop.store(true, Ordering::SeqCst);
                return vec![it.failed(&error)];
            }
        };
        for (position, change) in of_stage {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            if *options.cancel.borrow() {
                interrupted.store(true, Ordering::SeqCst);
                break;
            }
            let done = match change.action {
                Action::Remove => removals.remove(position, change, progress).await,
                _ => put_one(it, position, change, listing.as_ref(), options, progress).await,
            };
            if let Err(diagnostic) = done {
                stop.store(true, Ordering::SeqCst);
                return vec![diagnostic];
            }
        }
        if !goes || stop.load(Ordering::SeqCst) || interrupted.load(Ordering::SeqCst) {
            return Vec::new();
        }
        match orphans::delete(&mut removals, options, progress).await {
            Ok(all) => {
                interrupted.fetch_or(!all, Ordering::SeqCst);
                Vec::new()
            }
            Err(diagnostic) => {
                stop.store(true, Ordering::SeqCst);
                vec![diagnostic]
            }
        }
    });
    let problems: Vec<Diagnostic> = join_all(repositories).await.into_iter().flatten().collect();
    if problems.is_empty() { Ok(!interrupted.load(Ordering::SeqCst)) } else { Err(problems) }
}

async fn put_one(
    it: &Prepared<'_>,
    position: usize,
    change: &Change,
    listing: Option<&TagListing>,
    options: &Options<'_>,
    progress: &Progress,
) -> Result<(), Diagnostic> {
    let note = |result, detail: Option<String>| progress.change(it.position, position, result, detail);
    let failed = |diagnostic: Diagnostic| {
        note(ChangeResult::Failed, Some(diagnostic.message.clone()));
        diagnostic
    };
    let at_tag = |error: RegistryError| failed(it.failed_at(&change.tag, &error));
    let found = it.present(change).await.map_err(at_tag)?;
    if found.as_ref() == change.wanted() {
        note(ChangeResult::Unchanged, None);
        return Ok(());
    }
    let as_planned = found.as_ref() == change.present();
    let fresh;
    let listing = if as_planned {
        listing
    } else {
        // The release that moved the tag may be younger than the list.
        fresh = forward::listing(it, [change]).await.map_err(at_tag)?;
        fresh.as_ref()
    };
    let detail = match forward::judge(it, change, found.as_ref(), listing, options).await.map_err(at_tag)? {
        ForwardVerdict::Moves(detail) => detail,
        ForwardVerdict::Unknown(OnUnknown::Move, why) => Some(format!("moved, possibly backward: {why}")),
        ForwardVerdict::Stays(detail) | ForwardVerdict::Unknown(OnUnknown::Keep, detail) => {
            if !as_planned {
                progress.found(it.position, position, found.map(TagTarget::new));
            }
            note(ChangeResult::Kept, Some(detail));
            return Ok(());
        }
        ForwardVerdict::Unknown(OnUnknown::Fail, _) | ForwardVerdict::Unexplained => {
            let diagnostic = it.stale(change, found.as_ref());
            progress.found(it.position, position, found.map(TagTarget::new));
            note(ChangeResult::Stale, Some(diagnostic.message.clone()));
            return Err(diagnostic);
        }
    };
    let Some(wanted) = change.wanted() else { return Ok(()) };
    let manifest = it.manifest(wanted).await.map_err(at_tag)?;
    let Some(manifest) = manifest else {
        return Err(failed(it.gone(change)));
    };
    if !as_planned {
        // This is noted before the put, because a put that fails may have reached the registry, and a rollback goes back to this.
        progress.found(it.position, position, found.map(TagTarget::new));
    }
    let at = TagOrDigest::Tag(change.tag.clone());
    it.repository.put_manifest(&at, &manifest).await.map_err(at_tag)?;
    if change.mutability == Mutability::Immutable {
        // If two runs create the same tag, both succeed. The one that lost must not go on to the floating tags.
        read_back::confirm(it, change).await.map_err(failed)?;
    }
    let created = change.action == Action::Create && as_planned;
    note(if created { ChangeResult::Created } else { ChangeResult::Moved }, detail);
    Ok(())
}
