//! The outcome as it grows, reported step by step.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::{Event, Placed, Reporter};
use crate::model::optional::LeftOut;
use crate::model::outcome::{
    ChangeOutcome, ChangeResult, Outcome, RepositoryOutcome, SignatureOutcome, VisibilityOutcome,
};
use crate::model::plan::{Action, Plan, TagTarget};
use crate::model::secret_search::SecretFinding;
use crate::model::signing::PlannedSignature;
use oci_registry::{Descriptor, Digest, Tag};

/// Collects the outcome of an apply.
pub(super) struct Progress {
    outcome: Mutex<Outcome>,
    /// The position in the outcome of the first change of each repository of the plan.
    first_change: Vec<usize>,
    /// How each blob got into a repository, by the position of the repository.
    placed: Mutex<HashMap<(usize, Digest), Placed>>,
    /// The changes that were put in one request with others, by the positions of repository and change.
    together: Mutex<HashSet<(usize, usize)>>,
    /// The number of tags that were put or removed, whatever reading them back showed.
    put: AtomicUsize,
    reporter: Arc<dyn Reporter>,
}

impl Progress {
    /// Starts with an outcome in which nothing has been done yet.
    pub fn new(plan: &Plan, reporter: Arc<dyn Reporter>) -> Self {
        let mut outcome = Outcome { left_out: plan.optional.left_out.clone(), ..Outcome::default() };
        let mut first_change = Vec::new();
        for repository in &plan.repositories {
            first_change.push(outcome.changes.len());
            outcome.repositories.push(RepositoryOutcome {
                address: repository.address.clone(),
                repository: repository.name.clone(),
                digest: repository.deployable().cloned(),
                reference: None,
                bytes_pushed: 0,
                blobs_pushed: 0,
                blobs_mounted: 0,
                blobs_present: 0,
                manifests_put: 0,
                referrers_put: 0,
                signatures: Vec::new(),
                manifests_deleted: Vec::new(),
                visibility: None,
            });
            outcome.changes.extend(repository.changes.iter().map(|change| ChangeOutcome {
                address: change.address.clone(),
                repository: repository.name.clone(),
                tag: change.tag.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
                result: match change.action {
                    Action::NoOp => ChangeResult::Unchanged,
                    Action::Keep => ChangeResult::Kept,
                    Action::Create | Action::Move | Action::Remove | Action::Conflict => {
                        ChangeResult::Skipped
                    }
                },
                detail: match change.action {
                    Action::Keep => Some(change.reason.to_string()),
                    _ => None,
                },
            }));
        }
        Self {
            outcome: Mutex::new(outcome),
            first_change,
            placed: Mutex::default(),
            together: Mutex::default(),
            put: AtomicUsize::new(0),
            reporter,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the result of a change. `repository` is the position of its repository, and `change` its position there.
    pub fn change(&self, repository: usize, change: usize, result: ChangeResult, detail: Option<String>) {
        let mut outcome = self.lock();
        let position = self.first_change.get(repository).map_or(usize::MAX, |first| first + change);
        let Some(noted) = outcome.changes.get_mut(position) else { return };
        if matches!(result, ChangeResult::Created | ChangeResult::Moved | ChangeResult::Removed) {
            self.put.fetch_add(1, Ordering::SeqCst);
        }
        noted.result = result;
        noted.detail = detail;
        self.reporter.report(&Event::Tag { change: noted });
    }

    /// Notes that the tag of a change was put in one request with others.
    pub fn put_together(&self, repository: usize, change: usize) {
        self.together.lock().unwrap_or_else(PoisonError::into_inner).insert((repository, change));
    }

    /// Returns once whether the tag of a change was put in one request with others.
    pub fn takes_together(&self, repository: usize, change: usize) -> bool {
        self.together.lock().unwrap_or_else(PoisonError::into_inner).remove(&(repository, change))
    }

    /// Notes something about a change whose result stands.
    pub fn detail(&self, repository: usize, change: usize, detail: String) {
        let mut outcome = self.lock();
        let position = self.first_change.get(repository).map_or(usize::MAX, |first| first + change);
        let Some(noted) = outcome.changes.get_mut(position) else { return };
        noted.detail = Some(detail);
        self.reporter.report(&Event::Tag { change: noted });
    }

    /// Notes what a change found instead of what the plan says was there.
    pub fn found(&self, repository: usize, change: usize, found: Option<TagTarget>) {
        let position = self.first_change.get(repository).map_or(usize::MAX, |first| first + change);
        if let Some(noted) = self.lock().changes.get_mut(position) {
            noted.before = found;
        }
    }

    /// Notes a blob that is in a repository.
    pub fn blob(&self, repository: usize, blob: &Descriptor, how: Placed) {
        let mut outcome = self.lock();
        let Some(noted) = outcome.repositories.get_mut(repository) else { return };
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = placed.insert((repository, blob.digest.clone()), how);
        match before {
            None => {}
            // The registry did not have what it said that it has, and got the bytes.
            Some(Placed::Mounted) if how == Placed::Pushed => noted.blobs_mounted -= 1,
            Some(Placed::Present) if how == Placed::Pushed => noted.blobs_present -= 1,
            Some(before) => {
                // It was looked for or sent again, and is noted already.
                placed.insert((repository, blob.digest.clone()), before);
                return;
            }
        }
        drop(placed);
        match how {
            Placed::Pushed => {
                noted.blobs_pushed += 1;
                noted.bytes_pushed += blob.size;
            }
            Placed::Mounted => noted.blobs_mounted += 1,
            Placed::Present => noted.blobs_present += 1,
        }
        let name = noted.repository.as_str();
        self.reporter.report(&Event::Blob { repository: name, digest: &blob.digest, size: blob.size, how });
    }

    /// Notes the findings in the content that are let through.
    pub fn let_through(&self, findings: Vec<SecretFinding>) {
        let mut outcome = self.lock();
        outcome.secrets = findings;
        for finding in &outcome.secrets {
            self.reporter.report(&Event::SecretLetThrough { finding });
        }
    }

    /// Notes a manifest that is in a repository by digest.
    pub fn manifest(&self, repository: usize, digest: &Digest, how: Placed) {
        let mut outcome = self.lock();
        let Some(noted) = outcome.repositories.get_mut(repository) else { return };
        if how == Placed::Pushed {
            noted.manifests_put += 1;
        }
        self.reporter.report(&Event::Manifest { repository: &noted.repository, digest, how });
    }

    /// Whether the repository took a manifest by digest in this run.
    pub fn has_put_manifests(&self, repository: usize) -> bool {
        self.lock().repositories.get(repository).is_some_and(|noted| noted.manifests_put > 0)
    }

    /// Notes that a referrer of the content was sent, or can be found from now on.
    pub fn referrer(&self, repository: usize) {
        if let Some(noted) = self.lock().repositories.get_mut(repository) {
            noted.referrers_put += 1;
        }
    }

    /// Notes that a tag of cosign was left unchanged.
    pub fn referrer_kept(&self, repository: usize, tag: &Tag) {
        if let Some(noted) = self.lock().repositories.get(repository) {
            self.reporter.report(&Event::ReferrerKept { repository: &noted.repository, tag });
        }
    }

    /// Notes a signature that verifies, which `manifest` carries.
    pub fn signed(&self, repository: usize, planned: &PlannedSignature, manifest: &Digest, how: Placed) {
        let mut outcome = self.lock();
        let Some(noted) = outcome.repositories.get_mut(repository) else { return };
        let signature = SignatureOutcome {
            subject: planned.subject.clone(),
            signer: planned.signer.clone(),
            identity: planned.identity.clone(),
            predicate_type: planned.statement.predicate_type.clone(),
            manifest: manifest.clone(),
            made: how == Placed::Pushed,
        };
        self.reporter.report(&Event::Signed { repository: &noted.repository, signature: &signature });
        noted.signatures.push(signature);
    }

    /// Notes that a manifest without a tag was deleted.
    pub fn deleted(&self, repository: usize, digest: &Digest) {
        let mut outcome = self.lock();
        let Some(noted) = outcome.repositories.get_mut(repository) else { return };
        noted.manifests_deleted.push(digest.clone());
        self.reporter.report(&Event::ManifestDeleted { repository: &noted.repository, digest });
    }

    /// Notes that a deleted manifest was put back.
    pub fn put_back(&self, repository: usize, digest: &Digest) {
        if let Some(noted) = self.lock().repositories.get_mut(repository) {
            noted.manifests_deleted.retain(|deleted| deleted != digest);
        }
    }

    /// Notes that all content of a repository is in place.
    pub fn complete(&self, repository: usize) {
        if let Some(noted) = self.lock().repositories.get_mut(repository) {
            noted.reference = noted.digest.as_ref().map(|digest| format!("{}@{digest}", noted.repository));
        }
    }

    /// Notes the visibility of a repository.
    pub fn visibility(&self, repository: usize, visibility: VisibilityOutcome, settings_url: Option<&str>) {
        let mut outcome = self.lock();
        let Some(noted) = outcome.repositories.get_mut(repository) else { return };
        let visibility = noted.visibility.insert(visibility);
        self.reporter.report(&Event::Visibility { repository: &noted.repository, visibility, settings_url });
    }

    /// Notes what a registry that is not required did not get.
    pub fn left_out(&self, left_out: impl Iterator<Item = LeftOut>) {
        self.lock().left_out.extend(left_out);
    }

    /// The result of a change so far.
    pub fn result(&self, repository: usize, change: usize) -> Option<ChangeResult> {
        let position = self.first_change.get(repository)? + change;
        self.lock().changes.get(position).map(|noted| noted.result)
    }

    /// The number of tags that were created, moved or removed.
    pub fn tags_put(&self) -> usize {
        self.put.load(Ordering::SeqCst)
    }

    /// Returns the outcome so far.
    pub fn finish(&self) -> Outcome {
        self.lock().clone()
    }
}
