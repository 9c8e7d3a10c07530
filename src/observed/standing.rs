//! The observations for a rollback: the current digest of each tag, whether the digest to go back to still exists, and
//! the way to remove a tag. Each question is asked only if the previous answers make it necessary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};

use crate::model::plan::RemovalMethod;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Deletion, RegistryError, Repository};
use oci_registry::{Digest, RepositoryName, Tag, TagOrDigest};

/// The questions about one repository.
#[derive(Debug)]
pub struct Question<'a> {
    /// How to reach the registry.
    pub endpoint: &'a RegistryEndpoint,
    /// The repository, including the namespace.
    pub repository: &'a RepositoryName,
    /// Each tag, with the digest that it should name, or none if it should be removed.
    pub tags: Vec<(&'a Tag, Option<&'a Digest>)>,
}

/// The answers of one repository.
#[derive(Debug, Default)]
pub struct Standing {
    /// The digests of the tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, Digest>,
    /// The digests to go back to that still exist. Digests that a tag already names are not asked about.
    pub held: BTreeSet<Digest>,
    /// The way to remove a single tag, or the reason why that is impossible. `None` if no tag should be removed.
    pub removal: Option<Result<RemovalMethod, String>>,
}

/// Asks every repository. `connected` has one entry for each of `questions`. Returns every failure with the name of the
/// repository.
pub async fn standing(
    questions: &[Question<'_>],
    connected: &[Arc<dyn Repository>],
) -> Result<Vec<Standing>, Vec<(String, RegistryError)>> {
    let asked = questions.iter().zip(connected).map(|(question, repository)| async move {
        let name = question.endpoint.url.full_name(question.repository);
        ask(question, repository.as_ref()).await.map_err(|error| (name, error))
    });
    let (mut answers, mut errors) = (Vec::new(), Vec::new());
    for result in join_all(asked).await {
        match result {
            Ok(answer) => answers.push(answer),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(answers) } else { Err(errors) }
}

async fn ask(question: &Question<'_>, repository: &dyn Repository) -> Result<Standing, RegistryError> {
    let digest_at = |at: TagOrDigest| async move {
        Ok::<_, RegistryError>(repository.head_manifest(&at).await?.map(|head| head.digest))
    };
    let heads = question.tags.iter().map(|(tag, _)| digest_at(TagOrDigest::Tag((*tag).clone())));
    let heads = try_join_all(heads).await?;
    let (mut tags, mut wanted, mut removes) = (BTreeMap::new(), BTreeSet::new(), false);
    for ((tag, back_to), present) in question.tags.iter().zip(heads) {
        if present.as_ref() != *back_to {
            wanted.extend(back_to.cloned());
            removes |= back_to.is_none();
        }
        tags.extend(present.map(|present| ((*tag).clone(), present)));
    }
    let held = wanted.into_iter().map(|digest| digest_at(TagOrDigest::Digest(digest)));
    let held = try_join_all(held).await?.into_iter().flatten().collect();
    let removal = if removes { Some(method(repository.deletion().await?)) } else { None };
    Ok(Standing { tags, held, removal })
}

/// The method for removing a single tag, given the deletions that the registry supports.
fn method(deletion: Deletion) -> Result<RemovalMethod, String> {
    match deletion {
        Deletion::Tags => Ok(RemovalMethod::Tag),
        Deletion::Manifests => Ok(RemovalMethod::Placeholder),
        Deletion::Nothing(why) => Err(why),
    }
}
