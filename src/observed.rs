//! The content of the registries. They are asked about exactly the desired addresses, all at once.
//!
//! If everything is in place, a repository costs one request for each tag, and one tag listing if a tag moves forward
//! by version. More is asked only if something has to change.

mod referrers;
mod retained;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};

use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::model::forward::{Descent, Held};
use crate::model::plan::ObservedVisibility;
use crate::visibility::{self, Reading, VisibilityProvider};
use oci_registry;
use oci_registry::{Digest, RegistryLocation, Tag, TagOrDigest};
use oci_registry::{RegistryError, Repository};
pub use referrers::ObservedReferrers;
pub use retained::{Listing, Removing, listing, removing, times};
pub use standing::{Question, Standing, standing};

/// The observed content of the registries, one entry for each desired repository, in the same order.
#[derive(Debug, Default)]
pub struct Observed {
    /// The repositories.
    pub repositories: Vec<ObservedRepository>,
}

/// The part of the desired content that one repository has.
#[derive(Debug, Default)]
pub struct ObservedRepository {
    /// The targets of the desired tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, ObservedTag>,
    /// The versions of the line of each forward tag of a release, lowest first.
    pub lines: BTreeMap<Tag, Vec<Held>>,
    /// Versions whose digest is known.
    pub versions: BTreeMap<Digest, Held>,
    /// The manifests of the content that the repository lacks.
    pub missing_manifests: BTreeSet<Digest>,
    /// The blobs of the content that the repository lacks.
    pub missing_blobs: BTreeSet<Digest>,
    /// The referrers of the content that the repository has.
    pub referrers: ObservedReferrers,
    /// The observed visibility: who can pull, or `None` if that was not asked.
    pub visibility: Option<ObservedVisibility>,
    /// The answer of the registry's API about who may pull.
    pub reading: Reading,
}

/// The target of a tag.
#[derive(Debug, Clone)]
pub struct ObservedTag {
    /// The manifest.
    pub digest: Digest,
    /// The commit from which it was built, if that was asked and the image names one.
    pub revision: Option<String>,
    /// The relation of the commit being published to `revision`, if that was asked.
    pub descent: Option<Descent>,
}

/// The connection to a desired repository.
pub struct Connection {
    /// Uses credentials.
    pub repository: Arc<dyn Repository>,
    /// Uses no credentials.
    pub anonymous: Arc<dyn Repository>,
    /// Answers who may pull.
    pub visibility: Arc<dyn VisibilityProvider>,
}

/// Asks about every repository of `desired`. `connections` has one entry for each. Returns every failure with the name
/// of the repository.
pub async fn refresh(
    desired: &Desired,
    connections: &[Connection],
) -> Result<Observed, Vec<(String, RegistryError)>> {
    let asked = desired.repositories.iter().zip(connections).map(|(repository, connection)| async move {
        let name = repository.endpoint.url.full_name(&repository.name);
        observe(repository, connection).await.map_err(|error| (name, error))
    });
    let (mut observed, mut errors) = (Observed::default(), Vec::new());
    for result in join_all(asked).await {
        match result {
            Ok(repository) => observed.repositories.push(repository),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(observed) } else { Err(errors) }
}

async fn observe(
    desired: &DesiredRepository,
    connection: &Connection,
) -> Result<ObservedRepository, RegistryError> {
    let repository = connection.repository.as_ref();
    let root = &desired.published.content.root.digest;
    let heads = try_join_all(desired.tags.iter().map(|tag| async move {
        let head = repository.head_manifest(&TagOrDigest::Tag(tag.tag.clone())).await?;
        Ok::<_, RegistryError>(head.map(|head| (tag.tag.clone(), head.digest)))
    }));
    let (heads, listing) = tokio::join!(heads, list(desired, repository));
    // If both fail, the error of the listing says more, because an answer to HEAD has no body.
    let (listing, heads) = (listing?, heads?);
    let mut observed = ObservedRepository::default();
    for (tag, digest) in heads.into_iter().flatten() {
        observed.tags.insert(tag, ObservedTag { digest, revision: None, descent: None });
    }
    for tag in &desired.tags {
        if let Basis::Release(line) = &tag.basis {
            observed.lines.insert(tag.tag.clone(), line.held(&listing));
        }
    }
    name_versions(desired, repository, &mut observed).await?;
    read_revisions(desired, repository, &mut observed).await?;
    // Tags are moved last: if one names the root, everything that the root reaches is present.
    if !observed.tags.values().any(|present| present.digest == *root) {
        find_missing(desired, repository, &mut observed).await?;
    }
    if !desired.published.referrers.is_empty() {
        observed.referrers = referrers::referrers(desired, repository).await?;
    }
    if desired.visibility.is_some() && matches!(desired.endpoint.url, RegistryLocation::Http { .. }) {
        let root_present = !observed.missing_manifests.contains(root);
        let pullable = observed.tags.values().next().map(|tag| &tag.digest).or(root_present.then_some(root));
        let probe = async {
            match pullable {
                Some(digest) => visibility::probe(connection.anonymous.as_ref(), digest).await,
                None => ObservedVisibility::Absent,
            }
        };
        let reading = visibility::read(connection.visibility.as_ref(), &desired.name);
        let (probe, reading) = tokio::join!(probe, reading);
        (observed.visibility, observed.reading) = (Some(probe), reading);
    }
    Ok(observed)
}

/// Returns the tag list, if a forward tag of a release needs it.
async fn list(desired: &DesiredRepository, repository: &dyn Repository) -> Result<Vec<Tag>, RegistryError> {
    let wanted = desired.tags.iter().any(|tag| match &tag.basis {
        Basis::Release(line) => line.can_be_read(),
        Basis::None | Basis::Prerelease(_) | Basis::Commit(_) => false,
    });
    if wanted { repository.list_tags().await } else { Ok(Vec::new()) }
}

/// The number of versions of a line, highest first, that are asked for the digest of a forward tag. Nearly always the
/// first one has it; after a rollback, a lower one.
const NAMED: usize = 4;

/// Finds the version of each forward tag, if one of the highest versions of its line has the same digest.
async fn name_versions(
    desired: &DesiredRepository,
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let root = &desired.published.content.root.digest;
    let mut asked: BTreeMap<&Tag, &Held> = BTreeMap::new();
    for tag in &desired.tags {
        let Basis::Release(line) = &tag.basis else { continue };
        let Some(present) = observed.tags.get(&tag.tag) else { continue };
        let held = observed.lines.get(&tag.tag).map(Vec::as_slice).unwrap_or_default();
        let others = held.iter().rev().filter(|held| held.version != line.version);
        // Only tags that move need it.
        if present.digest != *root {
            asked.extend(others.take(NAMED).map(|held| (&held.tag, held)));
        }
    }
    let heads = asked.into_values().map(|held| async move {
        let head = repository.head_manifest(&TagOrDigest::Tag(held.tag.clone())).await?;
        Ok::<_, RegistryError>(head.map(|head| (head.digest, held.clone())))
    });
    let mut versions: Vec<(Digest, Held)> = try_join_all(heads).await?.into_iter().flatten().collect();
    // If two versions have the same digest, the higher one wins.
    versions.sort_by(|(_, one), (_, other)| one.version.cmp(&other.version));
    observed.versions = versions.into_iter().collect();
    Ok(())
}

/// Reads the commit of each forward tag of a branch, if the tag would move.
async fn read_revisions(
    desired: &DesiredRepository,
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let root = &desired.published.content.root.digest;
    for DesiredTag { tag, basis, .. } in &desired.tags {
        let Some(present) = observed.tags.get_mut(tag) else { continue };
        if matches!(basis, Basis::Commit(_)) && present.digest != *root {
            present.revision = oci_registry::revision(repository, &present.digest).await?;
        }
    }
    Ok(())
}

/// Finds the missing manifests and blobs. All of them are asked about, because a registry may have lost some of them to
/// a cleanup that does not know about indexes.
async fn find_missing(
    desired: &DesiredRepository,
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let content = &desired.published.content;
    let present = |digest: &Digest| {
        let at = TagOrDigest::Digest(digest.clone());
        async move { Ok::<_, RegistryError>(repository.head_manifest(&at).await?.is_some()) }
    };
    let found = try_join_all(content.manifests.iter().map(|manifest| present(manifest.digest()))).await?;
    let missing = content.manifests.iter().zip(found).filter(|(_, found)| !found);
    observed.missing_manifests = missing.map(|(manifest, _)| manifest.digest().clone()).collect();
    let found = try_join_all(content.blobs.iter().map(|blob| repository.has_blob(blob))).await?;
    let missing = content.blobs.iter().zip(found).filter(|(_, found)| !found);
    observed.missing_blobs = missing.map(|(blob, _)| blob.digest.clone()).collect();
    Ok(())
}
