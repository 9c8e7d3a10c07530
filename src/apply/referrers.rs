//! Placing the referrers of content: after the content and before any tag moves, so that clients can find them by their
//! subject.
//!
//! A registry that lists referrers says so when a manifest with a subject is put. If it does not, the index at the fallback tag
//! of the subject is written. A tag of cosign is put as it is, and moves only to a manifest that has everything that the
//! previous one had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::belief::Belief;
use super::prepared::Prepared;
use super::progress::Progress;
use super::refused::PrepareError;
use crate::content::Published;
use crate::diagnostic::Diagnostic;
use crate::event::Placed;
use crate::model::plan::PlannedContent;
use crate::model::referrer::ReferrerAction;
use oci_content::Travelling;
use oci_registry::referrer::{describe, has_all_of, subject_of};
use oci_registry::{Descriptor, Digest, RawManifest, TagOrDigest};
use oci_registry::{RegistryError, list_at_fallback_tag, listed_referrers};

/// Returns the referrers in the source that are planned to be in the repository.
pub(super) fn planned<'a>(it: &Prepared<'_>, published: &'a Published) -> Vec<&'a Travelling> {
    let planned = it.planned.content.iter().flat_map(|content| &content.referrers);
    let wanted: Vec<_> = planned.filter(|planned| planned.action != ReferrerAction::Keep).collect();
    let is_planned = |travelling: &&Travelling| {
        wanted.iter().any(|planned| planned.referrer.is_same(&travelling.referrer))
    };
    published.referrers.iter().filter(is_planned).collect()
}

/// Returns an error if a planned referrer is not, or no longer, in the source.
pub(super) fn gone(address: &str, planned: &PlannedContent, published: &Published) -> Option<PrepareError> {
    let is_there = |planned: &oci_registry::Referrer| {
        published.referrers.iter().any(|travelling| travelling.referrer.is_same(planned))
    };
    let gone = planned.referrers.iter().find(|planned| !is_there(&planned.referrer))?;
    Some(PrepareError::ReferrerGone {
        address: address.to_owned(),
        source_spec: planned.source.to_string(),
        referrer: gone.referrer.descriptor.digest.clone(),
        subject: gone.referrer.subject.clone(),
    })
}

/// The manifests that were put and that the registry does not list under their subject.
#[derive(Default)]
pub(super) struct Unlisted(Mutex<BTreeMap<Digest, Vec<Descriptor>>>);

impl Unlisted {
    fn add(&self, subject: Digest, manifest: &RawManifest) {
        let mut unlisted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unlisted.entry(subject).or_default().push(describe(manifest));
    }

    /// Lists them in the index at the fallback tag of each subject, as clients do.
    pub(super) async fn list(self, it: &Prepared<'_>) -> Result<(), RegistryError> {
        let unlisted = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (subject, mut referrers) in unlisted {
            // The index is the same in whatever order they were put.
            referrers.sort_by(|one, other| one.digest.cmp(&other.digest));
            list_at_fallback_tag(it.repository.as_ref(), &subject, &referrers).await?;
        }
        Ok(())
    }
}

/// Puts a manifest by digest, if it is not there, or if it names a subject and cannot be found by it.
pub(super) async fn put(
    it: &Prepared<'_>,
    manifest: &RawManifest,
    belief: Belief,
    unlisted: &Unlisted,
) -> Result<Placed, RegistryError> {
    let at = TagOrDigest::Digest(manifest.digest().clone());
    let subject = subject_of(manifest);
    if belief.has_manifest(it, manifest.digest()).await? {
        let Some(subject) = &subject else { return Ok(Placed::Present) };
        let listed = listed_referrers(it.repository.as_ref(), subject).await?;
        if listed.iter().any(|listed| listed.digest == *manifest.digest()) {
            return Ok(Placed::Present);
        }
    }
    let put = it.repository.put_manifest(&at, manifest).await?;
    if let (Some(subject), None) = (subject, put.subject) {
        unlisted.add(subject, manifest);
    }
    Ok(Placed::Pushed)
}

/// Puts the manifests of the referrers, each after its subject. Then lists them, and puts the tags of cosign.
pub(super) async fn place(
    it: &Prepared<'_>,
    published: &Published,
    belief: Belief,
    unlisted: Unlisted,
    progress: &Progress,
) -> Result<(), RegistryError> {
    let referrers = planned(it, published);
    let mut put_now = Vec::new();
    let mut done: BTreeSet<&Digest> = published.content.manifests.iter().map(RawManifest::digest).collect();
    for travelling in &referrers {
        for manifest in travelling.content.manifests.iter().filter(|manifest| done.insert(manifest.digest()))
        {
            let how = put(it, manifest, belief, &unlisted).await?;
            progress.manifest(it.position, manifest.digest(), how);
            if how == Placed::Pushed && *manifest.digest() == travelling.referrer.descriptor.digest {
                put_now.push(manifest.digest());
            }
        }
    }
    unlisted.list(it).await?;
    for travelling in referrers {
        let tagged = put_tag(it, travelling, progress).await?;
        if tagged || put_now.contains(&&travelling.referrer.descriptor.digest) {
            progress.referrer(it.position);
        }
    }
    Ok(())
}

/// Checks the lists that were written once more when all tags are in place. A client that read a list before this run wrote
/// it, and wrote it afterwards, removed these entries without knowing. They are put back.
pub(super) async fn confirm(prepared: &[Prepared<'_>]) -> Result<(), Vec<Diagnostic>> {
    let looked = prepared.iter().filter(|it| it.planned.sends_referrers()).map(|it| async move {
        let published = it.content.as_deref()?;
        let mut by_subject: BTreeMap<&Digest, Vec<Descriptor>> = BTreeMap::new();
        for travelling in planned(it, published) {
            let Travelling { referrer, .. } = travelling;
            if referrer.tag.is_none() {
                by_subject.entry(&referrer.subject).or_default().push(referrer.descriptor.clone());
            }
        }
        let again = async {
            for (subject, referrers) in by_subject {
                if it.repository.list_referrers(subject).await?.is_none() {
                    list_at_fallback_tag(it.repository.as_ref(), subject, &referrers).await?;
                }
            }
            Ok::<_, RegistryError>(())
        };
        again.await.err().map(|error| it.failed(&error))
    });
    let problems: Vec<Diagnostic> = join_all(looked).await.into_iter().flatten().collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Puts the tag of cosign that a referrer is found by, if it has one and nothing is lost by it. Returns whether it was put.
async fn put_tag(
    it: &Prepared<'_>,
    travelling: &Travelling,
    progress: &Progress,
) -> Result<bool, RegistryError> {
    let (Some(tag), Some(ours)) = (&travelling.referrer.tag, travelling.content.manifests.last()) else {
        return Ok(false);
    };
    let at = TagOrDigest::Tag(tag.clone());
    match it.repository.get_manifest(&at).await? {
        Some(present) if present.digest() == ours.digest() => return Ok(false),
        Some(present) if !has_all_of(ours, &present) => {
            progress.referrer_kept(it.position, tag);
            return Ok(false);
        }
        _ => {}
    }
    it.repository.put_manifest(&at, ours).await?;
    Ok(true)
}
