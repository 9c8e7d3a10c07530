//! The referrers of the content that a repository has: signatures, SBOMs.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use crate::desired::DesiredRepository;
use crate::model::referrer::ReferrerAction;
use oci_registry::referrer::has_all_of;
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, TagOrDigest};
use oci_registry::{RegistryError, Repository, check_listable, listed_referrers};

/// The observed referrers of the content in a repository.
#[derive(Debug, Default)]
pub struct ObservedReferrers {
    /// The action for each of the referrers, in their order.
    pub actions: Vec<ReferrerAction>,
    /// The manifests of the referrers that the repository lacks.
    pub missing_manifests: BTreeSet<Digest>,
    /// The blobs of the referrers that the repository lacks.
    pub missing_blobs: BTreeSet<Digest>,
}

/// Asks for each referrer of the content whether it is present and can be found.
pub(super) async fn referrers(
    desired: &DesiredRepository,
    repository: &dyn Repository,
) -> Result<ObservedReferrers, RegistryError> {
    let published = &desired.published;
    let mut observed = ObservedReferrers::default();
    let by_subject = published.referrers.iter().filter(|it| it.referrer.tag.is_none());
    let subjects: BTreeSet<&Digest> = by_subject.map(|it| &it.referrer.subject).collect();
    let listed = try_join_all(subjects.into_iter().map(|subject| async move {
        let listed = listed_referrers(repository, subject).await?;
        let listed: BTreeSet<Digest> = listed.into_iter().map(|it| it.digest).collect();
        Ok::<_, RegistryError>((subject, listed))
    }));
    let listed: BTreeMap<&Digest, BTreeSet<Digest>> = listed.await?.into_iter().collect();
    for it in &published.referrers {
        let (manifests, blobs) = (it.content.manifests.as_slice(), it.content.blobs.as_slice());
        missing(manifests, blobs, repository, &mut observed).await?;
        let there = !observed.missing_manifests.contains(&it.referrer.descriptor.digest);
        let action = match &it.referrer.tag {
            None => {
                let digest = &it.referrer.descriptor.digest;
                let found = listed.get(&it.referrer.subject).is_some_and(|listed| listed.contains(digest));
                if there && found { ReferrerAction::NoOp } else { ReferrerAction::Send }
            }
            Some(_) => at_tag(&it.referrer, manifests, repository).await?,
        };
        observed.actions.push(action);
    }
    let sent = published.referrers.iter().zip(&observed.actions);
    let sent = sent.filter(|(it, action)| it.referrer.tag.is_none() && **action == ReferrerAction::Send);
    let subjects: BTreeSet<&Digest> = sent.map(|(it, _)| &it.referrer.subject).collect();
    try_join_all(subjects.into_iter().map(|subject| check_listable(repository, subject))).await?;
    Ok(observed)
}

/// Decides about a referrer at a tag of cosign's scheme.
async fn at_tag(
    referrer: &Referrer,
    manifests: &[RawManifest],
    repository: &dyn Repository,
) -> Result<ReferrerAction, RegistryError> {
    let (Some(tag), Some(ours)) = (&referrer.tag, manifests.last()) else {
        return Ok(ReferrerAction::NoOp);
    };
    let present = repository.get_manifest(&TagOrDigest::Tag(tag.clone())).await?;
    Ok(match present {
        None => ReferrerAction::Send,
        Some(present) if present.digest() == ours.digest() => ReferrerAction::NoOp,
        Some(present) if has_all_of(ours, &present) => ReferrerAction::Send,
        Some(_) => ReferrerAction::Keep,
    })
}

/// Finds the missing `manifests` and `blobs` of a referrer. If its own manifest, the last of them, is present, so is
/// everything that it names, because registries refuse a manifest that is put before its content.
async fn missing(
    manifests: &[RawManifest],
    blobs: &[Descriptor],
    repository: &dyn Repository,
    observed: &mut ObservedReferrers,
) -> Result<(), RegistryError> {
    let is_there = |digest: &Digest| {
        let at = TagOrDigest::Digest(digest.clone());
        async move { Ok::<_, RegistryError>(repository.head_manifest(&at).await?.is_some()) }
    };
    match manifests.last() {
        Some(own) if !is_there(own.digest()).await? => {}
        _ => return Ok(()),
    }
    let found = try_join_all(manifests.iter().map(|manifest| is_there(manifest.digest()))).await?;
    let missing = manifests.iter().zip(found).filter(|(_, found)| !found);
    observed.missing_manifests.extend(missing.map(|(manifest, _)| manifest.digest().clone()));
    let found = try_join_all(blobs.iter().map(|blob| repository.has_blob(blob))).await?;
    let missing = blobs.iter().zip(found).filter(|(_, found)| !found);
    observed.missing_blobs.extend(missing.map(|(blob, _)| blob.digest.clone()));
    Ok(())
}
