//! Moving and removing tags. Each tag is read again just before: if it names what the plan says, it moves; if it already names
//! the wanted digest, it is left. Anything else stops everything, unless it is a forward tag and another release explains it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::forward::{self, ForwardVerdict};
use super::options::ApplyOptions;
use super::patience::patiently;
use super::prepared::Prepared;
use super::progress::Progress;
use super::removal::Removals;
use super::{orphans, read_back};
use crate::diagnostic::Diagnostic;
use crate::model::Mutability;
use crate::model::forward::OnUnknown;
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change, TagTarget};
use oci_registry::{Digest, RegistryError, TagListing, TagOrDigest};

/// Reads the lists of tags that decide about forward tags, one for each repository, before the first tag is put anywhere. A
/// list that cannot be read stops everything.
pub(super) async fn lists(prepared: &[Prepared<'_>]) -> Result<Vec<Option<TagListing>>, Vec<Diagnostic>> {
    let asked = prepared.iter().map(|it| async move {
        let changes = it.planned.changes.iter().filter(|change| change.action.is_change());
        forward::listing(it, changes).await.map_err(|error| it.failed(&error))
    });
    let (mut lists, mut problems) = (Vec::new(), Vec::new());
    for list in join_all(asked).await {
        match list {
            Ok(list) => lists.push(list),
            Err(diagnostic) => problems.push(diagnostic),
        }
    }
    if problems.is_empty() { Ok(lists) } else { Err(problems) }
}

/// A floating tag that this run put, or may have put.
#[derive(Debug, Clone)]
pub(super) struct TagPut {
    /// The position of its repository in `prepared`.
    pub repository: usize,
    /// The position of its change in the repository.
    pub change: usize,
    /// The digest that it named just before.
    pub before: Option<Digest>,
    /// Whether the registry confirmed that it took the tag.
    pub confirmed: bool,
}

/// The puts of tags of one apply.
pub(super) struct TagPuts<'a> {
    /// The repositories.
    pub prepared: &'a [Prepared<'a>],
    /// The tags of each of them when the first tag was about to be put, if anything depends on them.
    pub lists: &'a [Option<TagListing>],
    /// The inputs of the apply.
    pub options: &'a ApplyOptions<'a>,
    /// The outcome.
    pub progress: &'a Progress,
    floating: Mutex<Vec<TagPut>>,
}

impl<'a> TagPuts<'a> {
    /// Starts before the first put.
    pub fn new(
        prepared: &'a [Prepared<'a>],
        lists: &'a [Option<TagListing>],
        options: &'a ApplyOptions<'a>,
        progress: &'a Progress,
    ) -> Self {
        Self { prepared, lists, options, progress, floating: Mutex::default() }
    }

    /// Returns the floating tags that were put, or may have been, in the order of the puts.
    pub fn floating(&self) -> Vec<TagPut> {
        self.floating.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the tags of the changes that are `of_stage`, given with their repositories: repositories in parallel, the tags of one repository in order. Returns
    /// false if the person stopped it before all were tried.
    pub async fn put(
        &self,
        of_stage: impl Fn(&Prepared<'_>, &Change) -> bool + Copy,
    ) -> Result<bool, Vec<Diagnostic>> {
        let signals = &Signals::default();
        let repositories = self.prepared.iter().enumerate().map(|(repository, it)| async move {
            for (position, change) in it.planned.changes.iter().enumerate() {
                let puts = matches!(change.action, Action::Create | Action::Move);
                if !puts || !of_stage(it, change) {
                    continue;
                }
                if signals.ends(self.options) {
                    break;
                }
                if let Err(diagnostic) = self.put_one(repository, position, change).await {
                    signals.stop();
                    return Some(diagnostic);
                }
            }
            None
        });
        signals.result(join_all(repositories).await.into_iter().flatten().collect())
    }

    async fn put_one(&self, repository: usize, position: usize, change: &Change) -> Result<(), Diagnostic> {
        let (Some(it), options, progress) = (self.prepared.get(repository), self.options, self.progress)
        else {
            return Ok(());
        };
        let note = |result, detail: Option<String>| progress.change(it.position, position, result, detail);
        let failed = |diagnostic: Diagnostic| {
            note(ChangeResult::Failed, Some(diagnostic.message.clone()));
            diagnostic
        };
        let at_tag = |error: RegistryError| failed(it.failed_at(&change.tag, &error));
        let found = patiently(options, || it.present(change)).await.map_err(at_tag)?;
        if found.as_ref() == change.wanted() {
            note(ChangeResult::Unchanged, None);
            return Ok(());
        }
        let as_planned = found.as_ref() == change.present();
        let fresh;
        let listing = if as_planned {
            self.lists.get(repository).and_then(Option::as_ref)
        } else {
            // The release that moved the tag may be younger than the list.
            fresh = patiently(options, || forward::listing(it, [change])).await.map_err(at_tag)?;
            fresh.as_ref()
        };
        let judged = patiently(options, || forward::judge(it, change, found.as_ref(), listing, options));
        let detail = match judged.await.map_err(at_tag)? {
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
        let manifest = patiently(options, || it.manifest(wanted)).await.map_err(at_tag)?;
        let Some(manifest) = manifest else {
            return Err(failed(it.gone(change)));
        };
        if !as_planned {
            // This is noted before the put, because a put that fails may have reached the registry, and a rollback goes back to this.
            progress.found(it.position, position, found.clone().map(TagTarget::new));
        }
        let at = &TagOrDigest::Tag(change.tag.clone());
        let is_floating = change.mutability != Mutability::Immutable;
        let put = TagPut { repository, change: position, before: found, confirmed: false };
        let put = is_floating.then(|| self.begin(put));
        patiently(options, || it.repository.put_manifest(at, &manifest)).await.map_err(at_tag)?;
        match put {
            Some(put) => self.confirm(put),
            // If two runs create the same tag, both succeed. The one that lost must not go on to the floating tags.
            None => read_back::confirm(it, change).await.map_err(failed)?,
        }
        let created = change.action == Action::Create && as_planned;
        note(if created { ChangeResult::Created } else { ChangeResult::Moved }, detail);
        Ok(())
    }

    /// Notes that a floating tag is about to be put; returns its position.
    fn begin(&self, put: TagPut) -> usize {
        let mut floating = self.floating.lock().unwrap_or_else(PoisonError::into_inner);
        floating.push(put);
        floating.len() - 1
    }

    fn confirm(&self, position: usize) {
        let mut floating = self.floating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(put) = floating.get_mut(position) {
            put.confirmed = true;
        }
    }
}

/// Whether a stage goes on.
#[derive(Default)]
struct Signals {
    stopped: AtomicBool,
    interrupted: AtomicBool,
}

impl Signals {
    /// Lets no other repository begin another change.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether no other change may begin, because something failed or because the person wants to stop.
    fn ends(&self, options: &ApplyOptions<'_>) -> bool {
        if self.stopped.load(Ordering::SeqCst) {
            return true;
        }
        let cancelled = *options.cancel.borrow();
        self.interrupted.fetch_or(cancelled, Ordering::SeqCst);
        cancelled
    }

    /// Returns whether all changes of the stage were tried, or the problems.
    fn result(&self, problems: Vec<Diagnostic>) -> Result<bool, Vec<Diagnostic>> {
        if problems.is_empty() { Ok(!self.interrupted.load(Ordering::SeqCst)) } else { Err(problems) }
    }
}

/// Removes the tags that go, and then the manifests that only they reached: repositories in parallel. Returns false if the person
/// stopped it before all were tried.
pub(super) async fn remove(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<bool, Vec<Diagnostic>> {
    let signals = &Signals::default();
    let repositories = prepared.iter().map(|it| async move {
        let changes = it.planned.changes.iter().enumerate();
        let going = changes.filter(|(_, change)| change.action == Action::Remove);
        let (mut removals, mut any) = (Removals::new(it), false);
        for (position, change) in going {
            if signals.ends(options) {
                return None;
            }
            any = true;
            if let Err(diagnostic) = removals.remove(position, change, progress).await {
                signals.stop();
                return Some(diagnostic);
            }
        }
        if (!any && it.planned.orphans.is_empty()) || signals.ends(options) {
            return None;
        }
        match orphans::delete(&mut removals, options, progress).await {
            Ok(all) => {
                signals.interrupted.fetch_or(!all, Ordering::SeqCst);
                None
            }
            Err(diagnostic) => {
                signals.stop();
                Some(diagnostic)
            }
        }
    });
    signals.result(join_all(repositories).await.into_iter().flatten().collect())
}
