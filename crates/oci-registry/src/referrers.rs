//! The referrers of a manifest in a repository of any registry: finding them, and making them findable.

use std::time::Duration;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::manifest::RawManifest;
use crate::reference::TagOrDigest;
use crate::referrer::Referrer;
use crate::referrer::{cosign_tags, describe, fallback_tag, listed, with_referrers};
use crate::repository::{READ_PAUSES, Repository};
use crate::tag::Tag;

/// How often the index at a fallback tag is written if others write it at the same time.
const ATTEMPTS: usize = 8;

/// Returns the manifests that the repository lists with `subject` as their subject: from the registry's own list, or
/// from the index at the fallback tag if there is one.
pub async fn listed_referrers(
    repository: &dyn Repository,
    subject: &Digest,
) -> Result<Vec<Descriptor>, RegistryError> {
    if let Some(referrers) = repository.list_referrers(subject).await? {
        return Ok(referrers);
    }
    let Some(tag) = fallback_tag(subject) else { return Ok(Vec::new()) };
    let index = repository.get_manifest(&TagOrDigest::Tag(tag)).await?;
    Ok(index.and_then(|index| listed(&index, subject)).unwrap_or_default())
}

/// Returns everything that refers to `subject`: manifests with that subject, and manifests at cosign's tags for it.
/// Listed manifests that have another subject are left out. Listed manifests that do not exist (any more) are returned as they are listed,
/// so that the caller can name them.
pub async fn find_referrers(
    repository: &dyn Repository,
    subject: &Digest,
) -> Result<Vec<Referrer>, RegistryError> {
    let mut found: Vec<Referrer> = Vec::new();
    for descriptor in listed_referrers(repository, subject).await? {
        match repository.get_described(&descriptor).await? {
            Some(manifest) => found.extend(Referrer::by_subject(&manifest, subject)),
            None => found.push(Referrer { descriptor, subject: subject.clone(), tag: None }),
        }
    }
    for tag in cosign_tags(subject) {
        let manifest = repository.get_manifest(&TagOrDigest::Tag(tag.clone())).await?;
        found.extend(manifest.and_then(|manifest| Referrer::by_tag(describe(&manifest), subject, &tag)));
    }
    Ok(found)
}

/// Lists `referrers` in the index at the fallback tag of `subject`, beside the entries of others (distribution-spec
/// 1.1, "Pushing Manifests with Subject"). This is for a registry that keeps no list itself. Nothing locks a registry,
/// so the index is read back after each write, and written again if another writer replaced it.
///
/// # Errors
///
/// The refusal of the registry, if it refuses; [`RegistryError::NotListed`] if the tag names something else, or if the index does
/// not hold the new entries.
pub async fn list_at_fallback_tag(
    repository: &dyn Repository,
    subject: &Digest,
    referrers: &[Descriptor],
) -> Result<(), RegistryError> {
    let Some(tag) = fallback_tag(subject) else { return Ok(()) };
    let at = TagOrDigest::Tag(tag.clone());
    let not_listed = |reason: String| RegistryError::NotListed { tag: tag.clone(), reason };
    let mut present = repository.get_manifest(&at).await?;
    for attempt in 0..ATTEMPTS {
        let Some(index) = with_referrers(present.as_ref(), subject, referrers).map_err(not_listed)? else {
            return Ok(());
        };
        if attempt > 0 {
            // A writer that lost the race once should not meet the same writers again.
            tokio::time::sleep(Duration::from_millis(50 + u64::from(rand::random::<u8>()))).await;
        }
        repository.put_manifest(&at, &index).await?;
        let Some(found) = read_back(repository, &tag, present.as_ref(), &index).await? else {
            return Err(not_listed("it was written, but does not change".to_owned()));
        };
        present = Some(found);
    }
    if with_referrers(present.as_ref(), subject, referrers).map_err(not_listed)?.is_none() {
        return Ok(());
    }
    Err(not_listed(format!("it was written {ATTEMPTS} times, but others write it at the same time")))
}

/// Checks that a new referrer of `subject` could be listed. Changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotListed`] if the registry keeps no list itself and the fallback tag names something that is not a
/// list.
pub async fn check_listable(repository: &dyn Repository, subject: &Digest) -> Result<(), RegistryError> {
    let Some(tag) = fallback_tag(subject) else { return Ok(()) };
    if repository.list_referrers(subject).await?.is_some() {
        return Ok(());
    }
    let present = repository.get_manifest(&TagOrDigest::Tag(tag.clone())).await?;
    with_referrers(present.as_ref(), subject, &[])
        .map_err(|reason| RegistryError::NotListed { tag, reason })?;
    Ok(())
}

/// Returns the manifest at `tag` after `written` was put there in place of `before`. Reads can lag, so an answer with
/// `before` is not believed at once; `None` if no other answer comes.
async fn read_back(
    repository: &dyn Repository,
    tag: &Tag,
    before: Option<&RawManifest>,
    written: &RawManifest,
) -> Result<Option<RawManifest>, RegistryError> {
    let at = TagOrDigest::Tag(tag.clone());
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        let found = repository.get_manifest(&at).await?;
        let digest = found.as_ref().map(RawManifest::digest);
        if digest == Some(written.digest()) || digest != before.map(RawManifest::digest) {
            return Ok(found);
        }
        let Some(pause) = pauses.next() else { return Ok(None) };
        tokio::time::sleep(pause).await;
    }
}
