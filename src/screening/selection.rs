//! Selects the content of a repository that is searched.

use std::collections::BTreeSet;

use super::policy::{RepositorySearch, ScreenedRepository};
use crate::desired::DesiredRepository;
use crate::model::referrer::ReferrerAction;
use crate::model::secret_search::SearchedRepository;
use oci_registry::Digest;

/// Returns every blob of the published content and of its referrers.
pub(super) fn all_blobs(desired: &DesiredRepository) -> BTreeSet<&Digest> {
    let published = &desired.published;
    let referrers = published.referrers.iter().flat_map(|it| &it.content.blobs);
    published.content.blobs.iter().chain(referrers).map(|blob| &blob.digest).collect()
}

/// Returns the content that is searched: the part that the repository does not hold yet, because the rest is already published there.
/// If the search is [whole](RepositorySearch::whole), everything.
pub(super) fn select(search: RepositorySearch, repository: &ScreenedRepository<'_>) -> SearchedRepository {
    let ScreenedRepository { planned, observed } = repository;
    let published = &repository.desired().published;
    let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    if search.whole {
        let referrers = published.referrers.iter().flat_map(|it| &it.content.manifests);
        manifests.extend(published.content.manifests.iter().chain(referrers).map(|it| it.digest().clone()));
        blobs.extend(all_blobs(repository.desired()).into_iter().cloned());
    } else {
        let root = &published.content.root.digest;
        if !observed.tags.values().any(|tag| tag.digest == *root) {
            manifests.extend(observed.missing_manifests.iter().cloned());
            blobs.extend(observed.missing_blobs.iter().cloned());
        }
        let sends = |action: &ReferrerAction| *action == ReferrerAction::Send;
        if planned.sends_referrers() || observed.referrers.actions.iter().any(sends) {
            manifests.extend(observed.referrers.missing_manifests.iter().cloned());
            blobs.extend(observed.referrers.missing_blobs.iter().cloned());
        }
    }
    SearchedRepository {
        policy: search.policy,
        manifests: manifests.into_iter().collect(),
        blobs: blobs.into_iter().collect(),
    }
}
