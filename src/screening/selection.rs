//! Selects the content of a repository that is searched: everything that becomes reachable.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::{RepositorySearch, ScreenedRepository};
use super::reachable::ReachableContent;
use crate::desired::DesiredRepository;
use crate::model::ContentSpec;
use crate::model::referrer::ReferrerAction;
use crate::model::secret_search::{LeftOut, SearchedRepository};
use oci_content::{SourceSpec, TransportSpec};
use oci_registry::{Digest, RawManifest, Repository, Tag};

/// The number of tags that are named.
const NAMED: usize = 3;

/// Returns every blob of the published content and of its referrers, with its size.
pub(super) fn all_blobs(desired: &DesiredRepository) -> BTreeMap<&Digest, u64> {
    let published = &desired.published;
    let referrers = published.referrers.iter().flat_map(|it| &it.content.blobs);
    published.content.blobs.iter().chain(referrers).map(|blob| (&blob.digest, blob.size)).collect()
}

/// Returns the content that a tag or a list of referrers may reach once this is applied: every manifest, and every blob with its size.
/// Referrers that give way to others in the repository stay out.
fn published<'a>(screened: &ScreenedRepository<'a>) -> (BTreeSet<&'a Digest>, BTreeMap<&'a Digest, u64>) {
    let observed = screened.observed;
    let referrers = observed.referrers_and_actions().filter(|(_, action)| *action != ReferrerAction::Keep);
    let contents =
        std::iter::once(&observed.desired.published.content).chain(referrers.map(|(it, _)| &it.content));
    let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeMap::new());
    for content in contents {
        manifests.extend(content.manifests.iter().map(RawManifest::digest));
        blobs.extend(content.blobs.iter().map(|blob| (&blob.digest, blob.size)));
    }
    (manifests, blobs)
}

/// Returns the content that is searched: all that tags of the `repository` do not reach yet, whether this run sends it or the repository
/// holds it already. If the search is [whole](RepositorySearch::whole), everything.
pub(super) async fn select(
    search: RepositorySearch,
    screened: &ScreenedRepository<'_>,
    repository: &dyn Repository,
) -> SearchedRepository {
    let ScreenedRepository { planned, observed } = screened;
    let desired = screened.desired();
    let root = &desired.published.content.root.digest;
    let (all_manifests, all_blobs) = published(screened);
    let mut left_out = None;
    let searched = |manifests: Vec<Digest>, blobs: Vec<Digest>, left_out| SearchedRepository {
        policy: search.policy,
        manifests,
        blobs,
        left_out,
    };
    if search.whole {
        let manifests = all_manifests.into_iter().cloned().collect();
        return searched(manifests, all_blobs.into_keys().cloned().collect(), None);
    }
    let mut becomes: BTreeSet<&Digest> =
        observed.missing_manifests.iter().chain(&observed.missing_blobs).collect();
    let sends = |action: &ReferrerAction| *action == ReferrerAction::Send;
    if planned.sends_referrers() || observed.referrers.actions.iter().any(sends) {
        becomes.extend(&observed.referrers.missing_manifests);
        becomes.extend(&observed.referrers.missing_blobs);
    }
    let named_by = observed.tags.iter().find(|(_, tag)| tag.digest == *root).map(|(tag, _)| tag.to_string());
    let why = if let Some(tag) = named_by {
        Some(format!("the tag `{tag}` of this repository names the same content already"))
    } else {
        let everything: Vec<&Digest> = all_manifests.iter().chain(all_blobs.keys()).copied().collect();
        let held =
            everything.iter().filter(|digest| !becomes.contains(*digest)).map(|digest| (*digest).clone());
        let reachable =
            ReachableContent::find(repository, observed, source_tag(desired), &held.collect()).await;
        becomes.extend(everything.into_iter().filter(|digest| reachable.tag(digest).is_none()));
        let held = all_blobs.keys().filter(|digest| !becomes.contains(*digest));
        let tags: BTreeSet<String> =
            held.filter_map(|digest| reachable.tag(digest)).map(ToString::to_string).collect();
        (!tags.is_empty()).then(|| already(&tags))
    };
    let skipped = all_blobs.iter().filter(|(digest, _)| !becomes.contains(*digest));
    let (count, bytes) =
        skipped.fold((0, 0_u64), |(count, bytes), (_, size)| (count + 1, bytes.saturating_add(*size)));
    if let (Some(why), 1..) = (why, count) {
        left_out = Some(LeftOut { blobs: count, bytes, why });
    }
    let manifests = all_manifests.into_iter().filter(|digest| becomes.contains(digest)).cloned().collect();
    let blobs = all_blobs.into_keys().filter(|digest| becomes.contains(digest)).cloned().collect();
    searched(manifests, blobs, left_out)
}

fn already(tags: &BTreeSet<String>) -> String {
    let mut named: Vec<String> = tags.iter().take(NAMED).map(|tag| format!("`{tag}`")).collect();
    if tags.len() > NAMED {
        named.push(format!("{} more", tags.len() - NAMED));
    }
    let verb = if tags.len() == 1 { "reaches" } else { "reach" };
    format!("{} of this repository {verb} them already", named.join(", "))
}

/// Returns the tag of the same repository that the content was read from, if it was.
fn source_tag(desired: &DesiredRepository) -> Option<Tag> {
    let ContentSpec::Image(image) = &desired.published.spec else { return None };
    let SourceSpec::One(TransportSpec::Docker(source)) = &image.source else { return None };
    let is_same =
        source.location().host() == desired.endpoint.url.host() && source.repository == desired.name;
    source.tag.clone().filter(|_| is_same)
}
