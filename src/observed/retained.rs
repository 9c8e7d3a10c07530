//! The observations for a prune: the tags of a repository, their digests and ages, and the way in which the registry
//! removes them. Each question is asked only if the previous answers make it necessary.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::advice;
use crate::connections::tag_digest;
use crate::desired::ListedTag;
use oci_registry;
use oci_registry::inventory::Inventory;
use oci_registry::{Deletion, Inventories, Manifest, RegistryError, Repository, TagListing};
use oci_registry::{Digest, Tag};

/// The number of tags that are asked about at once.
const ASKED_AT_ONCE: usize = 16;

/// The tags of a repository.
#[derive(Debug, Default)]
pub struct Listing {
    /// Each tag and its digest, in the order of the registry.
    pub tags: Vec<(Tag, Digest)>,
    /// The times at which manifests were put according to the registry, in seconds since 1970.
    put: HashMap<Digest, i64>,
}

/// The way in which tags of a repository are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removing {
    /// Each tag by itself. If only those who may delete learn what the registry deletes, `apply` finds it out.
    Tags,
    /// Each tag by way of a placeholder, because the registry deletes only whole manifests and does not list them.
    Placeholders,
    /// By way of a placeholder, or with the manifest if nothing that stays needs it.
    Manifests(Inventory),
    /// Not at all. The reason is shown to people.
    Nothing(String),
}

/// Lists the tags of `repository`. If the registry lists manifests with their tags, no tag is asked about by itself.
pub async fn listing(repository: &dyn Repository) -> Result<Listing, RegistryError> {
    if let Some(held) = repository.list_manifests().await? {
        let put = held.iter().filter_map(|it| Some((it.digest.clone(), it.created?))).collect();
        let of =
            |it: oci_registry::HeldManifest| it.tags.into_iter().map(move |tag| (tag, it.digest.clone()));
        let mut tags: Vec<(Tag, Digest)> = held.into_iter().flat_map(of).collect();
        tags.sort();
        return Ok(Listing { tags, put });
    }
    let list = TagListing::complete(repository.list_tags().await?.into_whole()?);
    let named = each(list.tags().to_vec(), |tag| {
        let list = &list;
        async move {
            let digest = tag_digest(repository, &tag, Some(list)).await?;
            Ok(digest.map(|digest| (tag, digest)))
        }
    });
    // A tag that has disappeared since it was listed needs no removal.
    Ok(Listing { tags: named.await?.into_iter().flatten().collect(), put: HashMap::new() })
}

/// Returns the tags of `listing`, with the time of those that are `asked` for: when the registry got the manifest, because no builder
/// can set that, otherwise the latest time that the image states. For those in `stated`, also the time that the image states first.
pub async fn times(
    repository: &dyn Repository,
    listing: &Listing,
    asked: &BTreeSet<Tag>,
    stated: &BTreeSet<Tag>,
) -> Result<Vec<ListedTag>, RegistryError> {
    let mut times = listing.put.clone();
    let unknown = digests(listing, |tag, digest| asked.contains(tag) && !times.contains_key(digest));
    let read = each(unknown, |digest| async move {
        let created = oci_registry::latest_time(repository, &digest).await?;
        Ok(created.map(|created| (digest, created)))
    });
    let read = read.await?;
    times.extend(read.into_iter().flatten());
    let made = each(digests(listing, |tag, _| stated.contains(tag)), |digest| async move {
        let created = oci_registry::created(repository, &digest).await?;
        Ok(created.map(|created| (digest, created)))
    });
    let made: HashMap<Digest, i64> = made.await?.into_iter().flatten().collect();
    let listed = |(tag, digest): &(Tag, Digest)| ListedTag {
        tag: tag.clone(),
        digest: digest.clone(),
        created: times.get(digest).copied(),
        stated: made.get(digest).copied(),
    };
    Ok(listing.tags.iter().map(listed).collect())
}

/// Returns the digests of the tags of `listing` that are wanted, each once.
fn digests(listing: &Listing, wanted: impl Fn(&Tag, &Digest) -> bool) -> Vec<Digest> {
    let wanted = listing.tags.iter().filter(|(tag, digest)| wanted(tag, digest));
    let digests: BTreeSet<Digest> = wanted.map(|(_, digest)| digest.clone()).collect();
    digests.into_iter().collect()
}

/// Returns those of `digests` that reach one of `parts`, each with the part.
pub async fn containing(
    repository: &dyn Repository,
    digests: impl IntoIterator<Item = Digest>,
    parts: &BTreeSet<Digest>,
) -> Result<Vec<(Digest, Digest)>, RegistryError> {
    let digests: BTreeSet<Digest> = digests.into_iter().collect();
    let found = each(digests.into_iter().collect(), |digest| async move {
        let mut open = vec![digest.clone()];
        for _depth in 0..4 {
            let mut below = Vec::new();
            for at in open {
                let raw = repository.get_manifest(&at.into()).await?;
                if let Some(Ok(Manifest::Index { manifests, .. })) = raw.map(|raw| raw.parse()) {
                    below.extend(manifests.into_iter().map(|child| child.digest));
                }
            }
            if let Some(part) = below.iter().find(|it| parts.contains(it)) {
                return Ok(Some((digest, part.clone())));
            }
            open = below;
        }
        Ok(None)
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// Finds out how tags of `repository` are removed.
pub async fn removing(repository: &dyn Repository) -> Result<Removing, RegistryError> {
    Ok(match repository.foresee_deletion().await? {
        None | Some(Deletion::Tags) => Removing::Tags,
        Some(Deletion::Nothing(obstacle)) => Removing::Nothing(advice::deletes_nothing(&obstacle)),
        Some(Deletion::Manifests) => match Inventories::default().read(repository).await? {
            Some(inventory) => Removing::Manifests(inventory),
            None => Removing::Placeholders,
        },
    })
}

/// Returns everything that `repository` holds, or the reason why its manifests without a tag cannot be known: the list of manifests
/// and the list of tags must be whole, and agree.
pub async fn whole_inventory(
    repository: &dyn Repository,
) -> Result<Result<Inventory, String>, RegistryError> {
    let Some(inventory) = Inventories::default().read(repository).await? else {
        let why = "the registry does not list manifests that have no tag";
        return Ok(Err(why.to_owned()));
    };
    if let Some(Deletion::Nothing(obstacle)) = repository.foresee_deletion().await? {
        return Ok(Err(advice::deletes_nothing(&obstacle)));
    }
    let tags = repository.list_tags().await?.into_whole()?;
    let known: BTreeSet<&Tag> = inventory.manifests().values().flat_map(|holding| &holding.tags).collect();
    let lacking = tags.iter().find(|tag| !known.contains(tag));
    Ok(match lacking {
        Some(tag) => Err(format!("the registry has the tag {tag}, but its list of manifests lacks it")),
        None => Ok(inventory),
    })
}

/// Returns the answers of `ask` for each of `items`, in their order.
async fn each<T, Answer, Asked>(items: Vec<T>, ask: impl Fn(T) -> Asked) -> Result<Vec<Answer>, RegistryError>
where
    Asked: Future<Output = Result<Answer, RegistryError>>,
{
    stream::iter(items.into_iter().map(ask)).buffered(ASKED_AT_ONCE).try_collect().await
}
