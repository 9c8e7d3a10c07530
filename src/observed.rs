//! What the registries hold: asked about exactly the desired addresses, all at once.
//!
//! Where everything is in place a repository costs one request for each tag, and one tag listing if a tag moves
//! forward by version. What more is asked is only asked where something has to change.

mod referrers;
mod retained;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};

use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::model::forward::{Descent, Held};
use crate::model::plan::ObservedVisibility;
use crate::model::{Digest, RegistryLocation, Tag, TagOrDigest};
use crate::registry::{self, ReadWriteRepository, RegistryError};
use crate::visibility::{self, Reading, VisibilityProvider};
pub use referrers::ObservedReferrers;
pub use retained::{Listing, Removing, listing, removing, times};
pub use standing::{Question, Standing, standing};

/// What the registries hold, one entry for each desired repository, in the same order.
#[derive(Debug, Default)]
pub struct Observed {
    /// The repositories.
    pub repositories: Vec<ObservedRepository>,
}

/// What one repository holds of what is desired there.
#[derive(Debug, Default)]
pub struct ObservedRepository {
    /// What the desired tags name; those that do not exist are not in it.
    pub tags: BTreeMap<Tag, ObservedTag>,
    /// For each forward tag of a release the versions of its line, lowest first.
    pub lines: BTreeMap<Tag, Vec<Held>>,
    /// Versions of which the digest is known.
    pub versions: BTreeMap<Digest, Held>,
    /// The manifests of the content that are not there.
    pub missing_manifests: BTreeSet<Digest>,
    /// The blobs of the content that are not there.
    pub missing_blobs: BTreeSet<Digest>,
    /// What there is of what refers to the content.
    pub referrers: ObservedReferrers,
    /// Who can pull; `None` where it was not asked.
    pub visibility: Option<ObservedVisibility>,
    /// What the registry's API says of who may.
    pub reading: Reading,
}

/// What a tag names.
#[derive(Debug, Clone)]
pub struct ObservedTag {
    /// The manifest.
    pub digest: Digest,
    /// The commit that it was built from, where that was asked and is said.
    pub revision: Option<String>,
    /// How the commit being published stands to `revision`, where that was asked.
    pub descent: Option<Descent>,
}

/// How to reach a desired repository.
pub struct Connection {
    /// With credentials.
    pub repository: Arc<dyn ReadWriteRepository>,
    /// Without any.
    pub anonymous: Arc<dyn ReadWriteRepository>,
    /// Tells who may pull.
    pub visibility: Arc<dyn VisibilityProvider>,
}

/// Asks about every repository of `desired`; `connections` has one entry for each. Every failure is returned, with the
/// name of the repository.
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
    let root = &desired.content.published.content.root.digest;
    let heads = try_join_all(desired.tags.iter().map(|tag| async move {
        let head = repository.head_manifest(&TagOrDigest::Tag(tag.tag.clone())).await?;
        Ok::<_, RegistryError>(head.map(|head| (tag.tag.clone(), head.digest)))
    }));
    let (heads, listing) = tokio::join!(heads, list(desired, repository));
    // Where both fail, the listing's answer says more: one to HEAD has no body.
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
    // Tags are moved last: where one names the root, all that it reaches is there.
    if !observed.tags.values().any(|present| present.digest == *root) {
        find_missing(desired, repository, &mut observed).await?;
    }
    if !desired.content.published.referrers.is_empty() {
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

/// The tag list, where a forward tag of a release needs it.
async fn list(
    desired: &DesiredRepository,
    repository: &dyn ReadWriteRepository,
) -> Result<Vec<Tag>, RegistryError> {
    let wanted = desired.tags.iter().any(|tag| match &tag.basis {
        Basis::Release(line) => line.can_be_read(),
        Basis::None | Basis::Prerelease(_) | Basis::Commit(_) => false,
    });
    if wanted { repository.list_tags().await } else { Ok(Vec::new()) }
}

/// How many versions of a line, the highest first, are asked whether a tag stands for them. Nearly always the first does; after
/// a rollback a lower one.
const NAMED: usize = 4;

/// Finds out which version each forward tag stands for, as far as one of the highest of its line has the digest.
async fn name_versions(
    desired: &DesiredRepository,
    repository: &dyn ReadWriteRepository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let root = &desired.content.published.content.root.digest;
    let mut asked: BTreeMap<&Tag, &Held> = BTreeMap::new();
    for tag in &desired.tags {
        let Basis::Release(line) = &tag.basis else { continue };
        let Some(present) = observed.tags.get(&tag.tag) else { continue };
        let held = observed.lines.get(&tag.tag).map(Vec::as_slice).unwrap_or_default();
        let others = held.iter().rev().filter(|held| held.version != line.version);
        // Only what moves.
        if present.digest != *root {
            asked.extend(others.take(NAMED).map(|held| (&held.tag, held)));
        }
    }
    let heads = asked.into_values().map(|held| async move {
        let head = repository.head_manifest(&TagOrDigest::Tag(held.tag.clone())).await?;
        Ok::<_, RegistryError>(head.map(|head| (head.digest, held.clone())))
    });
    let mut versions: Vec<(Digest, Held)> = try_join_all(heads).await?.into_iter().flatten().collect();
    // Of two versions with one digest it stands for the higher.
    versions.sort_by(|(_, one), (_, other)| one.version.cmp(&other.version));
    observed.versions = versions.into_iter().collect();
    Ok(())
}

/// Reads which commit each forward tag of a branch stands for, where it would move.
async fn read_revisions(
    desired: &DesiredRepository,
    repository: &dyn ReadWriteRepository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let root = &desired.content.published.content.root.digest;
    for DesiredTag { tag, basis, .. } in &desired.tags {
        let Some(present) = observed.tags.get_mut(tag) else { continue };
        if matches!(basis, Basis::Commit(_)) && present.digest != *root {
            present.revision = registry::revision(repository, &present.digest).await?;
        }
    }
    Ok(())
}

/// Finds which manifests and blobs are not there. All of them are asked about: a registry may have lost a part of what it
/// holds, to a cleanup that knows nothing of indexes.
async fn find_missing(
    desired: &DesiredRepository,
    repository: &dyn ReadWriteRepository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let content = &desired.content.published.content;
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
