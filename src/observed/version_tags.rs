//! The observations for going back to a version without a record: the tags of each repository, the digests of those that matter, and
//! the versions of the images that floating tags name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::version::ReleaseVersion;
use futures_util::future::{join_all, try_join_all};

use crate::connections::{Connections, RepositoryFailure, tag_digest};
use crate::desired::VersionReaders;
use crate::diagnostic::Diagnostic;
use crate::model::forward::VersionReader;
use crate::model::standing::{ShownVersion, StandingVersion, version_candidates};
use crate::standing::{StandingQuestion, TagDigests};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RegistryError, Repository, RepositoryName, Tag, TagListing};

/// The place of a repository.
#[derive(Debug, Clone, Copy)]
pub struct RepositoryPlace<'a> {
    /// How to reach the registry.
    pub endpoint: &'a RegistryEndpoint,
    /// The repository, including the namespace.
    pub name: &'a RepositoryName,
}

/// Lists the tags of every repository of `places`.
///
/// # Errors
///
/// Every failure, with the name of the repository. If `whole`, a list that may lack tags is one.
pub async fn list_tags(
    places: &[RepositoryPlace<'_>],
    connections: &Connections,
    whole: bool,
) -> Result<Vec<TagListing>, Vec<Diagnostic>> {
    let connected = connections.repositories(places.iter().map(|it| (it.endpoint, it.name)))?;
    let asked = places.iter().zip(connected).map(|(place, repository)| async move {
        let listed = match repository.list_tags().await {
            Ok(listing) if whole => listing.into_whole().map(TagListing::complete),
            other => other,
        };
        listed.map_err(|error| place.failure(error))
    });
    RepositoryFailure::none_of(join_all(asked).await)
}

/// The questions about the tags of one repository.
#[derive(Debug)]
pub struct VersionQuestions<'a> {
    /// The repository.
    pub place: RepositoryPlace<'a>,
    /// The list of its tags.
    pub listing: &'a TagListing,
    /// The tags whose digests are asked for.
    pub tags: BTreeSet<Tag>,
    /// Those of them that may move, whose present version is shown.
    pub floating: BTreeSet<Tag>,
    /// The readers of the versions in tags.
    pub readers: &'a VersionReaders,
    /// The readers of versions in the tags of other publishers.
    pub others: &'a [VersionReader],
    /// The version that is gone back to, or that is withdrawn.
    pub version: &'a ReleaseVersion,
}

/// The answers about the tags of one repository.
#[derive(Debug, Default)]
pub struct VersionTags {
    /// The digests of the tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, Digest>,
    /// The versions of the images that floating tags name, if something shows them.
    pub versions: BTreeMap<Digest, ShownVersion>,
}

/// Asks every repository, in the order of `questions`.
///
/// # Errors
///
/// Every failure, with the name of the repository.
pub async fn version_tags(
    questions: &[VersionQuestions<'_>],
    connections: &Connections,
) -> Result<Vec<VersionTags>, Vec<Diagnostic>> {
    let places = questions.iter().map(|it| (it.place.endpoint, it.place.name));
    let connected = connections.repositories(places)?;
    let asked = questions.iter().zip(connected).map(|(questions, repository)| async move {
        questions.ask(repository.as_ref()).await.map_err(|error| questions.place.failure(error))
    });
    RepositoryFailure::none_of(join_all(asked).await)
}

impl RepositoryPlace<'_> {
    fn failure(self, error: RegistryError) -> RepositoryFailure {
        RepositoryFailure { repository: self.endpoint.url.full_name(self.name), error }
    }
}

impl VersionQuestions<'_> {
    async fn ask(&self, repository: &dyn Repository) -> Result<VersionTags, RegistryError> {
        let heads = self.tags.iter().map(|tag| async move {
            Ok::<_, RegistryError>((tag.clone(), tag_digest(repository, tag, Some(self.listing)).await?))
        });
        let mut known: TagDigests = try_join_all(heads).await?.into_iter().collect();
        let named = |tag: &Tag| known.get(tag).cloned().flatten();
        let tags: BTreeMap<Tag, Digest> =
            self.tags.iter().filter_map(|tag| Some((tag.clone(), named(tag)?))).collect();
        let floating: BTreeSet<Digest> = self.floating.iter().filter_map(named).collect();
        let candidates = version_candidates(&[], self.readers.as_slice(), self.others, self.listing.tags());
        let mut versions = BTreeMap::new();
        for digest in floating {
            let question = StandingQuestion {
                repository,
                listing: self.listing,
                candidates: &candidates,
                others: self.others,
                own: self.version,
            };
            if let StandingVersion::Shown(shown) = question.ask(&digest, &mut known).await? {
                versions.insert(digest, shown);
            }
        }
        Ok(VersionTags { tags, versions })
    }
}
