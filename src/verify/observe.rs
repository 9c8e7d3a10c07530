//! The content of the registries: one listing for each repository, one HEAD for each tag, all at once, and whatever
//! else was requested.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::content::{self, Root};
use super::deep;
use super::expect::ListedRepository;
use super::expected::{DeclaredRepository, Demand, Expected, ExpectedRepository, Later};
use super::signatures::{self, SignatureRules};
use crate::connections::{Connection, RepositoryFailure};
use crate::diagnostic::Diagnostic;
use crate::model::drift::Finding;
use crate::model::forward::Descent;
use crate::model::plan::ObservedVisibility;
use crate::model::standing::StandingVersion;
use crate::model::verification::Unverified;
use crate::standing::{StandingQuestion, TagDigests};
use crate::visibility::{self, VisibilityReading};
use oci_registry::{Digest, RegistryError, RegistryLocation, Repository, Tag, TagListing, TagLookup};

/// The connections to repositories, by [`DeclaredRepository::address`].
pub type RepositoryConnections = BTreeMap<String, Connection>;

/// The expected and the observed content of the registries.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The repositories.
    pub repositories: Vec<ComparedRepository>,
    /// The declared items that cannot be verified.
    pub unverified: Vec<Unverified>,
}

/// The expected and the observed content of one repository.
#[derive(Debug)]
pub struct ComparedRepository {
    /// The expected content.
    pub expected: ExpectedRepository,
    /// The observed content.
    pub observed: PresentContent,
}

/// The part of the expected content that one repository has.
#[derive(Debug, Default)]
pub struct PresentContent {
    /// The digests of the tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, Digest>,
    /// The versions of the images that forward tags of releases name, if no version tag of the configuration names them.
    pub standing: BTreeMap<Digest, StandingVersion>,
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
    /// The manifests that lack a declared signature, or did not pass a gate, if that was asked.
    pub unsigned: Vec<Finding>,
    /// The commit from which the image of a recorded branch tag says it was built.
    pub revisions: BTreeMap<Tag, Option<String>>,
    /// The relation of that commit to the one of the recorded digest, if git was asked.
    pub descents: BTreeMap<(Tag, Digest), Descent>,
}

/// Lists the tags of each repository that has a connection.
pub async fn list(
    declared: &[DeclaredRepository],
    connections: &RepositoryConnections,
) -> Result<Vec<ListedRepository>, Vec<Diagnostic>> {
    let connected = declared.iter().filter_map(|it| Some((it, connections.get(&it.address)?)));
    let asked = connected.map(|(declared, connection)| async move {
        match connection.repository.list_tags().await {
            Ok(listing) => Ok(ListedRepository { declared: declared.clone(), listing }),
            Err(error) => Err(RepositoryFailure { repository: declared.name.clone(), error }),
        }
    });
    RepositoryFailure::none_of(join_all(asked).await)
}

/// Asks about every repository of `expected`, which was made of a listing through the same connections. With `deep`, also asks
/// about everything that the tags reach. With `rules`, also asks about the signatures and the gates of what the tags name. Returns a
/// diagnostic for every failure.
pub async fn observe(
    expected: Expected,
    connections: &RepositoryConnections,
    deep: bool,
    rules: Option<&SignatureRules>,
) -> Result<Comparison, Vec<Diagnostic>> {
    let connected = expected
        .repositories
        .into_iter()
        .filter_map(|it| connections.get(&it.declared.address).map(|connection| (it, connection)));
    let asked = connected.map(|(expected, connection)| async move {
        match observe_repository(&expected, connection, deep, rules).await {
            Ok(observed) => Ok(ComparedRepository { expected, observed }),
            Err(error) => Err(RepositoryFailure { repository: expected.declared.name.clone(), error }),
        }
    });
    Ok(Comparison {
        repositories: RepositoryFailure::none_of(join_all(asked).await)?,
        unverified: expected.unverified,
    })
}

async fn observe_repository(
    expected: &ExpectedRepository,
    connection: &Connection,
    deep: bool,
    rules: Option<&SignatureRules>,
) -> Result<PresentContent, RegistryError> {
    let repository = connection.repository.as_ref();
    let mut observed = PresentContent::default();
    // The tags of versions show which version a forward tag stands for, whether or not a rule still wants them.
    let asked: BTreeSet<&Tag> = expected.tags.keys().chain(expected.versions.values().flatten()).collect();
    let heads = asked.into_iter().map(|tag| async move {
        Ok::<_, RegistryError>((tag, head(repository, tag, &expected.listing).await?))
    });
    for (tag, head) in try_join_all(heads).await? {
        match head {
            TagHead::Absent => {}
            TagHead::Names(digest) => drop(observed.tags.insert(tag.clone(), digest)),
            TagHead::Corrupt { named, found } => {
                observed.tags.insert(tag.clone(), named);
                observed.corrupt.insert(tag.clone(), found);
            }
        }
    }
    observed.standing = standing_versions(expected, repository, &observed).await?;
    let roots = roots(expected, &observed);
    let (root, visibility, revisions, content, unsigned) = tokio::join!(
        read_root(expected, repository, &observed),
        observe_visibility(expected, connection, &observed),
        read_revisions(expected, repository, &observed),
        async { if deep { deep::walk(repository, &roots).await } else { Ok(Vec::new()) } },
        async {
            let Some(rules) = rules else { return Ok(Vec::new()) };
            let (sign, gates) = (&expected.declared.sign, &expected.declared.gates);
            let mut found = Vec::new();
            if !sign.is_empty() {
                found.extend(signatures::unsigned(repository, &roots, sign, &rules.signers).await?);
            }
            if !gates.is_empty() {
                found.extend(signatures::ungated(repository, &roots, gates, sign, rules).await?);
            }
            Ok::<_, RegistryError>(found)
        },
    );
    (observed.root, observed.revisions, observed.content) = (root?, revisions?, content?);
    observed.unsigned = unsigned?;
    if let Some((probe, reading)) = visibility {
        (observed.visibility, observed.reading) = (Some(probe), reading);
    }
    Ok(observed)
}

/// Finds the version of the image that each forward tag of a release names, if that is no version of the configuration.
async fn standing_versions(
    expected: &ExpectedRepository,
    repository: &dyn Repository,
    observed: &PresentContent,
) -> Result<BTreeMap<Digest, StandingVersion>, RegistryError> {
    let of_versions = expected.versions.values().flatten().filter_map(|tag| observed.tags.get(tag));
    let of_versions: BTreeSet<&Digest> = of_versions.collect();
    let known = observed.tags.iter().map(|(tag, digest)| (tag.clone(), Some(digest.clone())));
    let (mut known, mut versions): (TagDigests, _) = (known.collect(), BTreeMap::new());
    for (tag, expected_tag) in &expected.tags {
        let Demand::Highest { line, .. } = &expected_tag.demand else { continue };
        let (Some(own), Some(digest)) = (line.last(), observed.tags.get(tag)) else { continue };
        if of_versions.contains(digest) || versions.contains_key(digest) || observed.corrupt.contains_key(tag)
        {
            continue;
        }
        let question = StandingQuestion {
            repository,
            listing: &expected.listing,
            candidates: &expected.candidates,
            others: &expected.other_readers,
            own,
        };
        versions.insert(digest.clone(), question.ask(digest, &mut known).await?);
    }
    Ok(versions)
}

/// The answer about a tag.
enum TagHead {
    Absent,
    Names(Digest),
    Corrupt { named: Digest, found: Digest },
}

async fn head(
    repository: &dyn Repository,
    tag: &Tag,
    listing: &TagListing,
) -> Result<TagHead, RegistryError> {
    match repository.look_up_tag(tag, Some(listing)).await.map(TagLookup::found) {
        Ok(None) => Ok(TagHead::Absent),
        Ok(Some(digest)) => Ok(TagHead::Names(digest)),
        Err(RegistryError::ContentMismatch { expected, found, .. }) => {
            Ok(TagHead::Corrupt { named: expected, found })
        }
        Err(error) => Err(error),
    }
}

/// The roots that expected tags name, each with those tags. Corrupt ones are already reported.
fn roots(expected: &ExpectedRepository, observed: &PresentContent) -> BTreeMap<Digest, Vec<Tag>> {
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
    observed: &PresentContent,
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
async fn observe_visibility(
    expected: &ExpectedRepository,
    connection: &Connection,
    observed: &PresentContent,
) -> Option<(ObservedVisibility, VisibilityReading)> {
    let is_http = matches!(expected.declared.endpoint.url, RegistryLocation::Http { .. });
    if expected.declared.visibility.is_none() || !is_http {
        return None;
    }
    let digest = observed.tags.values().next()?;
    let probe = visibility::probe(connection.anonymous.as_ref(), connection.repository.as_ref(), digest);
    let reading = visibility::read(connection.visibility.as_ref(), &expected.declared.repository);
    let (probe, reading) = tokio::join!(probe, reading);
    Some((probe.observed, reading))
}

/// Reads the commit of each branch tag that does not name the recorded digest.
async fn read_revisions(
    expected: &ExpectedRepository,
    repository: &dyn Repository,
    observed: &PresentContent,
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
