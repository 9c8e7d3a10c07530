//! The bytes and blobs to send, without those that are already present or can be mounted.

use std::collections::BTreeSet;

use crate::desired::DesiredRepository;
use crate::model::plan::PlannedSending;
use crate::model::referrer::ReferrerAction;
use crate::observed::ObservedRepository;
use oci_registry::{Digest, RawManifest};

/// The blobs that each registry has, or will have by the time later repositories are filled. The registry from which a
/// source is read also has the blobs of that source.
#[derive(Default)]
pub(super) struct Holdings(BTreeSet<(String, Digest)>);

impl Holdings {
    /// Records the blobs that `observed` shows in a repository of the registry at `host`.
    pub fn note_present(&mut self, host: &str, desired: &DesiredRepository, observed: &ObservedRepository) {
        let content = &desired.published.content;
        let present = content.blobs.iter().filter(|blob| !observed.missing_blobs.contains(&blob.digest));
        self.0.extend(present.map(|blob| (host.to_owned(), blob.digest.clone())));
    }

    /// Returns the content to send to a repository, which has it afterwards.
    pub fn plan(
        &mut self,
        host: &str,
        desired: &DesiredRepository,
        observed: &ObservedRepository,
    ) -> PlannedSending {
        let mut planned = self.nothing(desired);
        let content = &desired.published.content;
        for manifest in content.manifests.iter().filter(|it| observed.missing_manifests.contains(it.digest()))
        {
            planned.manifests_to_put += 1;
            planned.bytes_to_send += manifest.bytes().len() as u64;
        }
        let source = &desired.published.source;
        for blob in content.blobs.iter().filter(|blob| observed.missing_blobs.contains(&blob.digest)) {
            let held = source.origin(&blob.digest).is_some_and(|origin| origin.host == host);
            if self.0.insert((host.to_owned(), blob.digest.clone())) && !held {
                planned.blobs_to_push += 1;
                planned.bytes_to_send += blob.size;
            } else {
                planned.blobs_to_mount += 1;
            }
        }
        planned
    }

    /// Adds the content of the referrers to send to `planned`.
    pub fn add_referrers(
        &mut self,
        planned: &mut PlannedSending,
        host: &str,
        desired: &DesiredRepository,
        observed: &ObservedRepository,
    ) {
        let published = &desired.published;
        let content = &published.content;
        let mut counted: BTreeSet<&Digest> = content
            .manifests
            .iter()
            .map(RawManifest::digest)
            .chain(content.blobs.iter().map(|it| &it.digest))
            .collect();
        for (it, action) in published.referrers.iter().zip(&observed.referrers.actions) {
            let sends = *action == ReferrerAction::Send;
            for manifest in it.content.manifests.iter().filter(|manifest| counted.insert(manifest.digest())) {
                let size = manifest.bytes().len() as u64;
                planned.bytes = planned.bytes.saturating_add(size);
                if sends && observed.referrers.missing_manifests.contains(manifest.digest()) {
                    planned.manifests_to_put += 1;
                    planned.bytes_to_send = planned.bytes_to_send.saturating_add(size);
                }
            }
            for blob in it.content.blobs.iter().filter(|blob| counted.insert(&blob.digest)) {
                planned.blobs += 1;
                planned.bytes = planned.bytes.saturating_add(blob.size);
                if !sends || !observed.referrers.missing_blobs.contains(&blob.digest) {
                    continue;
                }
                if self.0.insert((host.to_owned(), blob.digest.clone())) {
                    planned.blobs_to_push += 1;
                    planned.bytes_to_send = planned.bytes_to_send.saturating_add(blob.size);
                } else {
                    planned.blobs_to_mount += 1;
                }
            }
        }
    }

    /// Returns the content to send if no tag changes.
    #[allow(clippy::unused_self)] // reads as the other half of `plan`
    pub fn nothing(&self, desired: &DesiredRepository) -> PlannedSending {
        let content = &desired.published.content;
        PlannedSending {
            bytes: content.total_size(),
            blobs: content.blobs.len(),
            ..PlannedSending::default()
        }
    }
}
