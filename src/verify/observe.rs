//! The content of the registries: one listing for each repository, one HEAD for each tag, all at once, and whatever
//! else was requested.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::content::{self, Root};
use super::deep;
use super::expected::{Expected, ExpectedRepository, Place};
use super::recorded::Later;
use crate::connections::Connection;
use crate::model::drift::Finding;
use crate::model::forward::Descent;
use crate::model::plan::ObservedVisibility;
use crate::visibility::{self, VisibilityReading};
use oci_registry;
use oci_registry::{Digest, RegistryLocation, Tag, TagOrDigest};
use oci_registry::{RegistryError, Repository};

/// The failure of a repository: its full name, and the error.
pub type Failure = (String, RegistryError);

/// The observed content of the registries, one entry for each expected repository, in the same order.
#[derive(Debug, Default)]
pub struct Observed {
    /// The repositories.
    pub repositories: Vec<ObservedRepository>,
}

/// The part of the expected content that one repository has.
#[derive(Debug, Default)]
pub struct ObservedRepository {
    /// The digests of the tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, Digest>,
    /// Tags whose manifest bytes do not match the registry's digest, with the digest of the bytes.
    pub corrupt: BTreeMap<Tag, Digest>,
    /// The root of the last version, if something is declared about it.
    pub root: Option<Root>,
    /// The observed visibility: who can pull, or `None` if that was not asked.
    pub visibility: Option<ObservedVisibility>,
    /// The answer of the registry's API about who may pull.
    pub reading: VisibilityReading,
    /// The findings in the content that tags name, if that was asked.
    pub content: Vec<Finding>,
    /// The commit from which the image of a recorded branch tag says it was built.
    pub revisions: BTreeMap<Tag, Option<String>>,
    /// The relation of that commit to the one of the recorded digest, if git was asked.
    pub descents: BTreeMap<(Tag, Digest), Descent>,
}

/// Lists the tags of each place. `connections` has one entry for each.
pub async fn list(places: &[Place], connections: &[Connection]) -> Result<Vec<Vec<Tag>>, Vec<Failure>> {
    let asked = places.iter().zip(connections).map(|(place, connection)| async move {
        connection.repository.list_tags().await.map_err(|error| (place.name.clone(), error))
    });
    all(join_all(asked).await)
}

/// Asks about every repository of `expected`. `connections` has one entry for each. With `deep`, also asks about
/// everything that the tags reach. Returns every failure with the name of the repository.
pub async fn observe(
    expected: &Expected,
    connections: &[Connection],
    deep: bool,
) -> Result<Observed, Vec<Failure>> {
    let asked = expected.repositories.iter().zip(connections).map(|(expected, connection)| async move {
        let observed = observe_one(expected, connection, deep).await;
        observed.map_err(|error| (expected.place.name.clone(), error))
    });
    Ok(Observed { repositories: all(join_all(asked).await)? })
}

/// Returns every result, or every failure.
fn all<T>(results: Vec<Result<T, Failure>>) -> Result<Vec<T>, Vec<Failure>> {
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(values) } else { Err(failures) }
}

async fn observe_one(
    expected: &ExpectedRepository,
    connection: &Connection,
    deep: bool,
) -> Result<ObservedRepository, RegistryError> {
    let repository = connection.repository.as_ref();
    let mut observed = ObservedRepository::default();
    // The tags of versions show which version a forward tag stands for, whether or not a rule still wants them.
    let asked: BTreeSet<&Tag> = expected.tags.keys().chain(expected.versions.values().flatten()).collect();
    let heads = asked
        .into_iter()
        .map(|tag| async move { Ok::<_, RegistryError>((tag, head(repository, tag).await?)) });
    for (tag, head) in try_join_all(heads).await? {
        match head {
            Head::Absent => {}
            Head::Names(digest) => drop(observed.tags.insert(tag.clone(), digest)),
            Head::Corrupt { named, found } => {
                observed.tags.insert(tag.clone(), named);
                observed.corrupt.insert(tag.clone(), found);
            }
        }
    }
    let roots = roots(expected, &observed);
    let (root, visibility, revisions, content) = tokio::join!(
        read_root(expected, repository, &observed),
        look(expected, connection, &observed),
        read_revisions(expected, repository, &observed),
        async { if deep { deep::walk(repository, &roots).await } else { Ok(Vec::new()) } },
    );
    (observed.root, observed.revisions, observed.content) = (root?, revisions?, content?);
    if let Some((probe, reading)) = visibility {
        (observed.visibility, observed.reading) = (Some(probe), reading);
    }
    Ok(observed)
}

/// The answer about a tag.
enum Head {
    Absent,
    Names(Digest),
    Corrupt { named: Digest, found: Digest },
}

async fn head(repository: &dyn Repository, tag: &Tag) -> Result<Head, RegistryError> {
    match repository.head_manifest(&TagOrDigest::Tag(tag.clone())).await {
        Ok(None) => Ok(Head::Absent),
        Ok(Some(manifest)) => Ok(Head::Names(manifest.digest)),
        Err(RegistryError::ContentMismatch { expected, found, .. }) => {
            Ok(Head::Corrupt { named: expected, found })
        }
        Err(error) => Err(error),
    }
}

/// The roots that expected tags name, each with those tags. Corrupt ones are already reported.
fn roots(expected: &ExpectedRepository, observed: &ObservedRepository) -> BTreeMap<Digest, Vec<Tag>> {
    let mut roots: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
    for tag in expected.tags.keys().filter(|tag| !observed.corrupt.contains_key(*tag)) {
        if let Some(digest) = observed.tags.get(tag) {
            roots.entry(digest.clone()).or_default().push(tag.clone());
        }
    }
    roots
}

/// Reads the root of the last version, if it is here and something is declared about it.
async fn read_root(
    expected: &ExpectedRepository,
    repository: &dyn Repository,
    observed: &ObservedRepository,
) -> Result<Option<Root>, RegistryError> {
    if expected.platforms.is_empty() && expected.annotations.is_empty() {
        return Ok(None);
    }
    let tags = expected.last.as_ref().and_then(|last| expected.versions.get(last));
    let whole = |tag: &&Tag| observed.tags.contains_key(*tag) && !observed.corrupt.contains_key(*tag);
    let Some(tag) = tags.into_iter().flatten().find(whole) else { return Ok(None) };
    let Some(digest) = observed.tags.get(tag) else { return Ok(None) };
    content::read_root(repository, tag, digest, !expected.platforms.is_empty()).await.map(Some)
}

/// Pulls an observed digest without credentials, and asks the registry's API. A directory has no visibility.
async fn look(
    expected: &ExpectedRepository,
    connection: &Connection,
    observed: &ObservedRepository,
) -> Option<(ObservedVisibility, VisibilityReading)> {
    let is_http = matches!(expected.place.endpoint.url, RegistryLocation::Http { .. });
    if expected.place.visibility.is_none() || !is_http {
        return None;
    }
    let digest = observed.tags.values().next()?;
    let probe = visibility::probe(connection.anonymous.as_ref(), digest);
    let reading = visibility::read(connection.visibility.as_ref(), &expected.place.repository);
    Some(tokio::join!(probe, reading))
}

/// Reads the commit of each branch tag that does not name the recorded digest.
async fn read_revisions(
    expected: &ExpectedRepository,
    repository: &dyn Repository,
    observed: &ObservedRepository,
) -> Result<BTreeMap<Tag, Option<String>>, RegistryError> {
    let mut moved: BTreeMap<&Tag, &Digest> = BTreeMap::new();
    for recorded in &expected.recorded {
        if let (Later::Commit(_), Some(digest)) = (&recorded.later, observed.tags.get(&recorded.tag))
            && *digest != recorded.digest
        {
            moved.insert(&recorded.tag, digest);
        }
    }
    let read = moved.into_iter().map(|(tag, digest)| async move {
        let revision = oci_registry::revision(repository, digest).await?;
        Ok::<_, RegistryError>((tag.clone(), revision))
    });
    Ok(try_join_all(read).await?.into_iter().collect())
}
