//! What is to be sent: bytes and blobs, after what is there and what can be mounted.

use std::collections::BTreeSet;

use crate::desired::DesiredRepository;
use crate::model::Digest;
use crate::model::plan::PlannedSending;
use crate::observed::ObservedRepository;

/// Which blobs each registry holds, or will by the time that later repositories are filled. What a source itself is read
/// from, its registry holds too.
#[derive(Default)]
pub(super) struct Holdings(BTreeSet<(String, Digest)>);

impl Holdings {
    /// Notes the blobs that `observed` shows in a repository of the registry at `host`.
    pub fn note_present(&mut self, host: &str, desired: &DesiredRepository, observed: &ObservedRepository) {
        let content = &desired.content.published.content;
        let present = content.blobs.iter().filter(|blob| !observed.missing_blobs.contains(&blob.digest));
        self.0.extend(present.map(|blob| (host.to_owned(), blob.digest.clone())));
    }

    /// What has to be sent to a repository, which holds it afterwards.
    pub fn plan(
        &mut self,
        host: &str,
        desired: &DesiredRepository,
        observed: &ObservedRepository,
    ) -> PlannedSending {
        let mut planned = self.nothing(desired);
        let content = &desired.content.published.content;
        for manifest in content.manifests.iter().filter(|it| observed.missing_manifests.contains(it.digest()))
        {
            planned.manifests_to_put += 1;
            planned.bytes_to_send += manifest.bytes().len() as u64;
        }
        let source = &desired.content.published.source;
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

    /// What is planned where no tag changes.
    #[allow(clippy::unused_self)] // reads as the other half of `plan`
    pub fn nothing(&self, desired: &DesiredRepository) -> PlannedSending {
        let content = &desired.content.published.content;
        PlannedSending {
            bytes: content.total_size(),
            blobs: content.blobs.len(),
            ..PlannedSending::default()
        }
    }
}
