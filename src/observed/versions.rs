//! The versions of the images that forward tags of releases name.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::repository::ObservedRepository;
use crate::desired::Basis;
use crate::model::standing::StandingVersion;
use crate::standing::{self, StandingQuestion, TagDigests};
use oci_registry::{RegistryError, Repository, Tag, TagOrDigest};

/// Finds the version of the image that each forward tag of a release names. Only tags that do not name the content to
/// publish need it.
pub(super) async fn find_standing_versions(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let unknown = ask_standing_versions(repository, observed).await?;
    // The digest in an answer to HEAD may be wrong. GET shows the bytes.
    let asked = unknown.into_iter().map(|tag| async move {
        let manifest = repository.get_manifest(&TagOrDigest::Tag(tag.clone())).await?;
        Ok::<_, RegistryError>((tag, manifest.map(|manifest| manifest.digest().clone())))
    });
    let mut differs = false;
    for (tag, digest) in try_join_all(asked).await? {
        if let (Some(digest), Some(present)) = (digest, observed.tags.get_mut(&tag))
            && present.digest != digest
        {
            (present.digest, differs) = (digest, true);
        }
    }
    if differs {
        ask_standing_versions(repository, observed).await?;
    }
    Ok(())
}

/// Asks for the version of the image that each forward tag of a release names. Returns the tags whose image has an unknown
/// version.
async fn ask_standing_versions(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<Vec<Tag>, RegistryError> {
    let Some(listing) = &observed.listing else { return Ok(Vec::new()) };
    let lines = observed.desired.tags.iter().filter_map(|tag| {
        let Basis::Release(line) = &tag.basis else { return None };
        let present = observed.tags.get(&tag.tag).filter(|present| present.digest != *observed.root())?;
        Some((&tag.tag, &present.digest, line, line.candidates(listing.tags())))
    });
    let lines: Vec<_> = lines.collect();
    let mut known: TagDigests =
        observed.tags.iter().map(|(tag, present)| (tag.clone(), Some(present.digest.clone()))).collect();
    let first = lines.iter().flat_map(|(.., candidates)| candidates.iter().take(standing::ASKED_FIRST));
    standing::read(repository, listing, first.map(|it| &it.tag), &mut known).await?;
    let (mut versions, mut unknown) = (BTreeMap::new(), Vec::new());
    for (tag, digest, line, candidates) in &lines {
        let question = StandingQuestion {
            repository,
            listing,
            candidates,
            others: line.other_readers(),
            own: &line.version,
        };
        if !versions.contains_key(*digest) {
            versions.insert((*digest).clone(), question.ask(digest, &mut known).await?);
        }
        if matches!(versions.get(*digest), Some(StandingVersion::Unknown(_))) {
            unknown.push((*tag).clone());
        }
    }
    observed.standing = versions;
    Ok(unknown)
}
