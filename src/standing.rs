//! The question which version the image that a tag names has. Tags with the same digest answer it first; then the image,
//! which may have inherited its label from the image that it is built on.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use crate::connections::tag_digest;
use crate::model::forward::VersionReader;
use crate::model::standing::{
    ShownVersion, StandingVersion, VersionCandidate, VersionEvidence, stated_version,
};
use crate::model::version::ReleaseVersion;
use oci_registry::{Digest, RegistryError, Repository, Tag, TagListing};

/// The number of candidates that are asked at once at first. Nearly always the highest version has the digest; after a
/// rollback, a lower one.
pub const ASKED_FIRST: usize = 4;
/// The number of candidates that are asked at once if the first ones have other digests.
const ASKED_AT_ONCE: usize = 32;
/// The most candidates that are asked.
const MOST_ASKED: usize = 512;

/// The digests of tags that were asked for.
pub type TagDigests = BTreeMap<Tag, Option<Digest>>;

/// The question which version a digest has.
pub struct StandingQuestion<'a> {
    /// The repository.
    pub repository: &'a dyn Repository,
    /// The list of its tags.
    pub listing: &'a TagListing,
    /// The tags that may show it, in the order in which they are asked.
    pub candidates: &'a [VersionCandidate],
    /// The readers of versions that an image states.
    pub others: &'a [VersionReader],
    /// The version to compare with.
    pub own: &'a ReleaseVersion,
}

impl StandingQuestion<'_> {
    /// Returns the version that `digest` can be shown to have. `known` keeps the digests of tags.
    ///
    /// # Errors
    ///
    /// The first failure of the registry.
    pub async fn ask(
        &self,
        digest: &Digest,
        known: &mut TagDigests,
    ) -> Result<StandingVersion, RegistryError> {
        let (mut asked, mut at_once) = (0, ASKED_FIRST);
        while let Some(batch) = self.candidates.get(asked..self.candidates.len().min(asked + at_once))
            && !batch.is_empty()
            && asked < MOST_ASKED
        {
            read(self.repository, self.listing, batch.iter().map(|it| &it.tag), known).await?;
            let names =
                |it: &&VersionCandidate| known.get(&it.tag).is_some_and(|it| it.as_ref() == Some(digest));
            if let Some(shown) = batch.iter().filter(names).find_map(|it| it.shows(self.own)) {
                return Ok(StandingVersion::Shown(shown));
            }
            (asked, at_once) = (asked + batch.len(), ASKED_AT_ONCE);
        }
        // The digest in an answer to HEAD may be wrong. GET shows the bytes.
        for candidate in self.candidates.iter().take(ASKED_FIRST) {
            let found = self.repository.look_up_absent_tag(&candidate.tag, Some(self.listing)).await?.found();
            let shown = candidate.shows(self.own).filter(|_| found.as_ref() == Some(digest));
            if let Some(shown) = shown {
                return Ok(StandingVersion::Shown(shown));
            }
        }
        let stated = oci_registry::version(self.repository, digest).await?;
        Ok(match stated {
            Some(stated) => match stated_version(&stated.version, self.others) {
                Some(version) => {
                    let by = if stated.is_annotation {
                        VersionEvidence::Annotation
                    } else {
                        VersionEvidence::Label
                    };
                    StandingVersion::Shown(ShownVersion { version, by })
                }
                None => StandingVersion::Unknown(format!(
                    "no version tag names its image, which calls its version `{}`",
                    stated.version.chars().take(40).collect::<String>().escape_debug()
                )),
            },
            None => {
                StandingVersion::Unknown("no version tag names its image, which states no version".to_owned())
            }
        })
    }
}

/// Asks for the digests of `tags` that are not `known` yet.
///
/// # Errors
///
/// The first failure of the registry.
pub async fn read<'t>(
    repository: &dyn Repository,
    listing: &TagListing,
    tags: impl IntoIterator<Item = &'t Tag>,
    known: &mut TagDigests,
) -> Result<(), RegistryError> {
    let unknown = tags.into_iter().filter(|tag| !known.contains_key(*tag));
    let heads = unknown.map(|tag| async move {
        Ok::<_, RegistryError>((tag.clone(), tag_digest(repository, tag, Some(listing)).await?))
    });
    let read = try_join_all(heads.collect::<Vec<_>>()).await?;
    known.extend(read);
    Ok(())
}
