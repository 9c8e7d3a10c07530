//! The bytes and blobs to send, without those that are already present or can be mounted.

use std::collections::BTreeSet;

use crate::model::plan::PlannedSending;
use crate::model::referrer::ReferrerAction;
use crate::observed::ObservedRepository;
use oci_registry::{Digest, RawManifest};

/// The blobs that each registry has, or will have by the time later repositories are filled. The registry from which a
/// source is read also has the blobs of that source.
#[derive(Default)]
pub(super) struct Holdings(BTreeSet<(String, Digest)>);

impl Holdings {
    /// Records the blobs that `observed` already has.
    pub fn note_present(&mut self, observed: &ObservedRepository) {
        let host = observed.desired.endpoint.url.host();
        let blobs = observed.desired.published.content.blobs.iter();
        let present = blobs.filter(|blob| !observed.missing_blobs.contains(&blob.digest));
        self.0.extend(present.map(|blob| (host.clone(), blob.digest.clone())));
    }

    /// Returns the content to send to a repository, which has it afterwards.
    pub fn plan(&mut self, observed: &ObservedRepository) -> PlannedSending {
        let mut planned = nothing(observed);
        let published = &observed.desired.published;
        let host = observed.desired.endpoint.url.host();
        let lacks = |manifest: &&RawManifest| observed.missing_manifests.contains(manifest.digest());
        for manifest in published.content.manifests.iter().filter(lacks) {
            planned.manifests_to_put += 1;
            planned.bytes_to_send += manifest.bytes().len() as u64;
        }
        let blobs = published.content.blobs.iter();
        for blob in blobs.filter(|blob| observed.missing_blobs.contains(&blob.digest)) {
            let held = published.source.origin(&blob.digest).is_some_and(|origin| origin.host == host);
            if self.0.insert((host.clone(), blob.digest.clone())) && !held {
                planned.blobs_to_push += 1;
                planned.bytes_to_send += blob.size;
            } else {
                planned.blobs_to_mount += 1;
            }
        }
        planned
    }

    /// Adds the content of the referrers to send to `planned`.
    pub fn add_referrers(&mut self, planned: &mut PlannedSending, observed: &ObservedRepository) {
        let content = &observed.desired.published.content;
        let host = observed.desired.endpoint.url.host();
        let mut counted: BTreeSet<&Digest> = content
            .manifests
            .iter()
            .map(RawManifest::digest)
            .chain(content.blobs.iter().map(|it| &it.digest))
            .collect();
        for (it, action) in observed.referrers_and_actions() {
            let sends = action == ReferrerAction::Send;
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
                if self.0.insert((host.clone(), blob.digest.clone())) {
                    planned.blobs_to_push += 1;
                    planned.bytes_to_send = planned.bytes_to_send.saturating_add(blob.size);
                } else {
                    planned.blobs_to_mount += 1;
                }
            }
        }
    }
}

/// Returns the content to send if no tag changes.
pub(super) fn nothing(observed: &ObservedRepository) -> PlannedSending {
    let content = &observed.desired.published.content;
    PlannedSending { bytes: content.total_size(), blobs: content.blobs.len(), ..PlannedSending::default() }
}
