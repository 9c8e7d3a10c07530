//! Moving tags. Each tag is read again just before, unless a list of the tags shows that it is absent. If it already names the wanted
//! digest, it is left. If it names what the plan says, it moves. If a forward tag names something else that another release explains, it
//! is decided about again: it moves or stays. Anything else is an error, after which no further stage begins.

use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::forward::{self, ForwardVerdict};
use super::options::ApplyOptions;
use super::patience::patiently;
use super::prepared::Prepared;
use super::progress::Progress;
use super::read_back;
use super::signals::Signals;
use super::tag_lists::TagLists;
use crate::diagnostic::Diagnostic;
use crate::model::Mutability;
use crate::model::forward::OnUnknown;
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change, TagTarget};
use oci_registry::{Digest, RawManifest, RegistryError, TagOrDigest};

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

/// The decision about one tag.
pub(super) enum TagDecision {
    /// It names the wanted digest.
    AsWanted,
    /// It stays, which is noted.
    Kept,
    /// It is put now.
    Put(DueTag),
}

/// A tag that is put now.
pub(super) struct DueTag {
    /// The digest that it names.
    pub before: Option<Digest>,
    /// Whether that is as planned.
    pub as_planned: bool,
    /// The reason, if it is not as planned.
    pub detail: Option<String>,
    /// The manifest that it will name.
    pub manifest: RawManifest,
}

impl DueTag {
    /// Returns the record of its put.
    pub fn put(&self, repository: usize, change: usize) -> TagPut {
        TagPut { repository, change, before: self.before.clone(), confirmed: false }
    }
}

/// The puts of tags of one apply.
pub(super) struct TagPuts<'a> {
    /// The repositories.
    pub prepared: &'a [Prepared<'a>],
    /// The tags of each of them when the first tag was about to be put, if anything depends on them.
    pub lists: &'a TagLists,
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
        lists: &'a TagLists,
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
            let changes = it.planned.changes.iter().enumerate().filter(|(_, change)| {
                matches!(change.action, Action::Create | Action::Move) && of_stage(it, change)
            });
            let changes: Vec<(usize, &Change)> = changes.collect();
            if changes.is_empty() || signals.ends(self.options) {
                return None;
            }
            let together = match self.put_together(repository, &changes).await {
                Ok(together) => together,
                Err(diagnostic) => {
                    signals.stop();
                    return Some(diagnostic);
                }
            };
            for (position, change) in changes {
                if together.is_done(position) {
                    continue;
                }
                if signals.ends(self.options) {
                    break;
                }
                let sent = together.sent(position);
                if let Err(diagnostic) = self.put_one(repository, position, change, sent).await {
                    signals.stop();
                    return Some(diagnostic);
                }
            }
            None
        });
        signals.result(join_all(repositories).await.into_iter().flatten().collect())
    }

    /// Puts one tag. `sent` is the record of a put in one request with others, which the registry may have carried out.
    async fn put_one(
        &self,
        repository: usize,
        position: usize,
        change: &Change,
        sent: Option<usize>,
    ) -> Result<(), Diagnostic> {
        let Some(it) = self.prepared.get(repository) else { return Ok(()) };
        let due = match self.decide(repository, position, change).await? {
            TagDecision::Put(due) => due,
            TagDecision::AsWanted => {
                match sent {
                    Some(put) => {
                        self.confirm(put);
                        self.note_put(it, position, change, true, None);
                    }
                    None => self.progress.change(it.position, position, ChangeResult::Unchanged, None),
                }
                return Ok(());
            }
            TagDecision::Kept => return Ok(()),
        };
        let options = self.options;
        let failed = |diagnostic| self.failed(it, position, diagnostic);
        let at = &TagOrDigest::Tag(change.tag.clone());
        let is_floating = change.mutability != Mutability::Immutable;
        let put = match sent {
            Some(put) => Some(put),
            None => is_floating.then(|| self.begin(due.put(repository, position))),
        };
        patiently(options, || it.repository.put_manifest(at, &due.manifest))
            .await
            .map_err(|error| failed(it.failed_at(&change.tag, &error)))?;
        match put {
            Some(put) => self.confirm(put),
            // Nobody else knows the repository yet. If another run creates it at the same time, reading the tag back shows it.
            None if self.lists.is_new(repository) => {}
            // If two runs create the same tag, both succeed. The one that lost must not go on to the floating tags.
            None => read_back::confirm(it, change).await.map_err(failed)?,
        }
        self.note_put(it, position, change, due.as_planned, due.detail);
        Ok(())
    }

    /// Reads a tag, and decides whether it is put now.
    pub(super) async fn decide(
        &self,
        repository: usize,
        position: usize,
        change: &Change,
    ) -> Result<TagDecision, Diagnostic> {
        let (Some(it), options, progress) = (self.prepared.get(repository), self.options, self.progress)
        else {
            return Ok(TagDecision::Kept);
        };
        let note = |result, detail: Option<String>| progress.change(it.position, position, result, detail);
        let failed = |diagnostic| self.failed(it, position, diagnostic);
        let at_tag = |error: RegistryError| failed(it.failed_at(&change.tag, &error));
        let found = if self.lists.shows_absence(repository, change) {
            None
        } else {
            patiently(options, || it.present(change)).await.map_err(at_tag)?
        };
        if found.as_ref() == change.wanted() {
            return Ok(TagDecision::AsWanted);
        }
        let as_planned = found.as_ref() == change.present();
        let fresh;
        let listing = if as_planned {
            self.lists.of(repository)
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
                return Ok(TagDecision::Kept);
            }
            ForwardVerdict::Unknown(OnUnknown::Fail, _) | ForwardVerdict::Unexplained => {
                let diagnostic = it.stale(change, found.as_ref());
                progress.found(it.position, position, found.map(TagTarget::new));
                note(ChangeResult::Stale, Some(diagnostic.message.clone()));
                return Err(diagnostic);
            }
        };
        let Some(wanted) = change.wanted() else { return Ok(TagDecision::Kept) };
        let manifest = patiently(options, || it.manifest(wanted)).await.map_err(at_tag)?;
        let Some(manifest) = manifest else {
            return Err(failed(it.gone(change)));
        };
        if !as_planned {
            // This is noted before the put, because a put that fails may have reached the registry, and a rollback goes back to this.
            progress.found(it.position, position, found.clone().map(TagTarget::new));
        }
        Ok(TagDecision::Put(DueTag { before: found, as_planned, detail, manifest }))
    }

    fn failed(&self, it: &Prepared<'_>, position: usize, diagnostic: Diagnostic) -> Diagnostic {
        let message = Some(diagnostic.message.clone());
        self.progress.change(it.position, position, ChangeResult::Failed, message);
        diagnostic
    }

    /// Notes that the registry took a tag.
    pub(super) fn note_put(
        &self,
        it: &Prepared<'_>,
        position: usize,
        change: &Change,
        as_planned: bool,
        detail: Option<String>,
    ) {
        let created = change.action == Action::Create && as_planned;
        let result = if created { ChangeResult::Created } else { ChangeResult::Moved };
        self.progress.change(it.position, position, result, detail);
    }

    /// Notes that a floating tag is about to be put; returns its position.
    pub(super) fn begin(&self, put: TagPut) -> usize {
        let mut floating = self.floating.lock().unwrap_or_else(PoisonError::into_inner);
        floating.push(put);
        floating.len() - 1
    }

    /// Notes that the registry confirmed the put at this position.
    pub(super) fn confirm(&self, position: usize) {
        let mut floating = self.floating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(put) = floating.get_mut(position) {
            put.confirmed = true;
        }
    }
}
