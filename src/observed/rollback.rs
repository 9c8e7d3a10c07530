//! The observations for a rollback: the current digest of each tag, whether the digest to go back to still exists, and
//! the way to remove a tag. Each question is asked only if the previous answers make it necessary.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use crate::advice;
use crate::connections::{Connections, RepositoryFailure, tag_digest};
use crate::diagnostic::Diagnostic;
use crate::model::plan::RemovalMethod;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Deletion, RegistryError, Repository};
use oci_registry::{Digest, RepositoryName, Tag};

/// The questions about the tags of one repository.
#[derive(Debug)]
pub struct TagQuestions<'a> {
    /// The address of the repository in the plan.
    pub address: &'a str,
    /// How to reach the registry.
    pub endpoint: &'a RegistryEndpoint,
    /// The repository, including the namespace.
    pub repository: &'a RepositoryName,
    /// Each tag, with the digest that it should name, or none if it should be removed.
    pub tags: Vec<(&'a Tag, Option<&'a Digest>)>,
}

/// The targets of the tags of one repository.
#[derive(Debug, Default)]
pub struct StandingTags {
    /// The digests of the tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, Digest>,
    /// The digests to go back to that still exist. Digests that a tag already names are not asked about.
    pub held: BTreeSet<Digest>,
    /// The way to remove a single tag, or the reason why that is impossible. `None` if no tag should be removed.
    pub removal: Option<Result<RemovalMethod, String>>,
}

/// Asks every repository. Returns the answers by the addresses of the repositories.
///
/// # Errors
///
/// Every failure, with the name of the repository.
pub async fn standing_tags(
    questions: &[TagQuestions<'_>],
    connections: &Connections,
) -> Result<BTreeMap<String, StandingTags>, Vec<Diagnostic>> {
    let connected = connections.repositories(questions.iter().map(|it| (it.endpoint, it.repository)))?;
    let asked = questions.iter().zip(connected).map(|(questions, repository)| async move {
        let standing = ask(questions, repository.as_ref()).await;
        let failed = |error| RepositoryFailure {
            repository: questions.endpoint.url.full_name(questions.repository),
            error,
        };
        standing.map(|standing| (questions.address.to_owned(), standing)).map_err(failed)
    });
    Ok(RepositoryFailure::none_of(join_all(asked).await)?.into_iter().collect())
}

async fn ask(
    questions: &TagQuestions<'_>,
    repository: &dyn Repository,
) -> Result<StandingTags, RegistryError> {
    let heads = questions.tags.iter().map(|(tag, back_to)| async move {
        Ok::<_, RegistryError>((*tag, *back_to, tag_digest(repository, tag, None).await?))
    });
    let (mut tags, mut wanted, mut removes) = (BTreeMap::new(), BTreeSet::new(), false);
    for (tag, back_to, present) in try_join_all(heads).await? {
        if present.as_ref() != back_to {
            wanted.extend(back_to.cloned());
            removes |= back_to.is_none();
        }
        tags.extend(present.map(|present| (tag.clone(), present)));
    }
    let held = wanted.into_iter().map(|digest| async move {
        let found = repository.head_manifest(&digest.into()).await?;
        Ok::<_, RegistryError>(found.map(|found| found.digest))
    });
    let held = try_join_all(held).await?.into_iter().flatten().collect();
    let removal = if removes { Some(method(repository.foresee_deletion().await?)) } else { None };
    Ok(StandingTags { tags, held, removal })
}

/// The method for removing a single tag, given the deletions that the registry supports, if that is known.
fn method(deletion: Option<Deletion>) -> Result<RemovalMethod, String> {
    match deletion {
        None | Some(Deletion::Tags) => Ok(RemovalMethod::Tag),
        Some(Deletion::Manifests) => Ok(RemovalMethod::Placeholder),
        Some(Deletion::Nothing(obstacle)) => Err(advice::deletes_nothing(&obstacle)),
    }
}
