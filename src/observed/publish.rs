//! The desired content that the registries already hold.
//!
//! If everything is in place, a repository costs one request for each tag, and one tag listing if a tag moves forward
//! by version. More is asked only if something has to change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::future::{join_all, try_join_all};
use indexmap::IndexMap;

use super::referrers;
use super::repository::{ObservedRepository, ObservedTag};
use super::same_images::find_same_images;
use super::signatures::{self, SignerKeys};
use super::versions::find_standing_versions;
use crate::connections::{Connection, RepositoryFailure};
use crate::context;
use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::diagnostic::{Diagnostic, ToDiagnostic, left_out as left_out_diagnostic};
use crate::model::forward::Descent;
use crate::model::optional::LeftOut;
use crate::model::{ContentSpec, Mutability, ResourceId};
use crate::visibility::{self, Pullable, VisibilityProbe};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RegistryLocation, Tag};
use oci_registry::{RegistryError, Repository, TagListing, TagLookup};

/// The size from which a blob is asked about in a repository that the registry does not know: a run that was interrupted before its
/// first manifest may have left it. A smaller one is sent as fast as it is asked about.
const WORTH_A_REQUEST: u64 = 32 * 1024 * 1024;

/// The desired repositories, each with the content that its registry holds.
#[derive(Default)]
pub struct Observed {
    /// The repositories by address, `RESOURCE@REGISTRY`, in the order of the configuration.
    pub repositories: IndexMap<String, ObservedRepository>,
    /// The resources for which no rule fires, each with the reasons.
    pub silent: Vec<(ResourceId, Vec<(String, String)>)>,
    /// The names of the registries that a run may leave out.
    pub optional: BTreeSet<String>,
    /// The repositories of those that could not be asked.
    pub left_out: Vec<LeftOut>,
    /// The registries that sources are read from.
    pub read: BTreeMap<String, RegistryEndpoint>,
}

/// Asks about every repository of `desired`, and git in `folder` about the commits of branch tags. `connections` has one entry
/// for each repository, and `signers` one for each signer that a repository names.
///
/// # Errors
///
/// Every failure, with the name of the repository, unless its registry is not required: then the repository is left out.
pub async fn observe(
    desired: Desired,
    connections: &[Connection],
    signers: &SignerKeys,
    folder: &Path,
) -> Result<Observed, Vec<Diagnostic>> {
    let optional =
        desired.repositories.iter().filter(|it| !it.required).map(|it| it.registry.clone()).collect();
    let asked = desired.repositories.into_iter().zip(connections).map(|(desired, connection)| async move {
        let repository = desired.endpoint.url.full_name(&desired.name);
        let (registry, required) = (desired.registry.clone(), desired.required);
        let observed = observe_repository(desired, connection, signers).await;
        observed.map_err(|error| (registry, required, RepositoryFailure { repository, error }))
    });
    let (mut repositories, mut left_out, mut failures) = (IndexMap::new(), Vec::new(), Vec::new());
    for observed in join_all(asked).await {
        match observed {
            Ok(mut repository) => {
                judge_descent(folder, &mut repository);
                repositories.insert(repository.address(), repository);
            }
            Err((_, true, failure)) => failures.push(failure.to_diagnostic()),
            Err((registry, false, failure)) => {
                left_out.push(left_out_diagnostic(&registry, failure.to_diagnostic()));
            }
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    Ok(Observed { repositories, silent: desired.silent, optional, left_out, read: desired.read })
}

async fn observe_repository(
    desired: DesiredRepository,
    connection: &Connection,
    signers: &SignerKeys,
) -> Result<ObservedRepository, RegistryError> {
    let repository = connection.repository.as_ref();
    let mut observed = ObservedRepository::new(desired);
    // The list comes first, because a tag that it lacks is asked about in another way.
    let mut listing = list(&observed.desired, repository).await?;
    let asked = observed.desired.tags.iter().map(|it| look_up(repository, &it.tag, listing.as_ref()));
    let found = match witness(&observed.desired, listing.as_ref()) {
        Some(witness) => match look_up(repository, witness, listing.as_ref()).await? {
            (_, TagLookup::Absent) => Vec::new(),
            _ => try_join_all(asked).await?,
        },
        None => try_join_all(asked).await?,
    };
    for (tag, found) in found {
        match found {
            TagLookup::Names(found) => {
                observed.tags.insert(tag, ObservedTag { digest: found, revision: None, descent: None });
            }
            TagLookup::Dangling => drop(observed.dangling.insert(tag)),
            TagLookup::Absent => {}
        }
    }
    // One refusal may pass: a registry that has tags should list them.
    if listing.as_ref().is_some_and(|listing| listing.is_refused(observed.tags.keys())) {
        listing = list(&observed.desired, repository).await?;
    }
    observed.gap = listing.as_ref().and_then(|listing| listing.gap(observed.tags.keys()));
    observed.listing = listing;
    for tag in &observed.desired.tags {
        if let Basis::Release(line) = &tag.basis {
            observed.lines.insert(tag.tag.clone(), line.held(observed.listed()));
            let others = line.held_by_others(observed.listed()).pop();
            observed.others.extend(others.map(|highest| (tag.tag.clone(), highest)));
            if line.is_withdrawn(&line.version, observed.listed()) {
                observed.withdrawn = Some(line.version.clone());
            }
        }
    }
    find_same_images(repository, &mut observed).await?;
    find_standing_versions(repository, &mut observed).await?;
    read_revisions(repository, &mut observed).await?;
    if !observed.root_is_tagged() {
        find_missing(repository, &mut observed).await?;
    }
    if !observed.desired.published.referrers.is_empty() {
        observed.referrers = referrers::referrers(&observed.desired, repository).await?;
    }
    if !observed.desired.sign.is_empty() {
        let subjects = observed.signable();
        observed.signatures =
            signatures::signatures(&observed.desired, subjects, repository, signers).await?;
    }
    let desired = &observed.desired;
    if desired.visibility.is_some() && matches!(desired.endpoint.url, RegistryLocation::Http { .. }) {
        let probe = async {
            match visibility::pullable(repository, observed.seen_manifest(), observed.listing.as_ref()).await
            {
                Pullable::Manifest(digest) => {
                    visibility::probe(connection.anonymous.as_ref(), repository, &digest).await
                }
                Pullable::NoTag => visibility::probe_untagged(repository).await,
                Pullable::Unread(why) => VisibilityProbe::unknown(why),
            }
        };
        let reading = visibility::read(connection.visibility.as_ref(), &desired.name);
        let (probe, reading) = tokio::join!(probe, reading);
        (observed.visibility, observed.reading) = (Some(probe), reading);
    }
    Ok(observed)
}

/// Returns the tag that is asked about for all of them, if the registry says that it does not know the repository. The registries
/// that are wrong about that have moved tags like `latest` for long, so one of those is the second witness. An apply asks for each
/// immutable tag again just before it puts it, and lists the tags before it puts a floating one.
fn witness<'d>(desired: &'d DesiredRepository, listing: Option<&TagListing>) -> Option<&'d Tag> {
    listing.filter(|listing| listing.is_of_unknown_repository())?;
    let floating =
        || desired.tags.iter().filter(|it| it.mutability != Mutability::Immutable).map(|it| &it.tag);
    let latest = floating().find(|tag| tag.as_str() == "latest");
    latest
        .or_else(|| floating().min_by_key(|tag| tag.as_str().len()))
        .or(desired.tags.first().map(|it| &it.tag))
}

async fn look_up(
    repository: &dyn Repository,
    tag: &Tag,
    listing: Option<&TagListing>,
) -> Result<(Tag, TagLookup), RegistryError> {
    match repository.look_up_tag(tag, listing).await {
        Ok(found) => Ok((tag.clone(), found)),
        // The refusal to list tags says more than the one of a tag, because an answer to HEAD has no body.
        Err(error @ RegistryError::Denied(_)) => {
            Err(listing.and_then(TagListing::refusal).cloned().unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// Returns the tag list, if a forward tag of a release needs it.
async fn list(
    desired: &DesiredRepository,
    repository: &dyn Repository,
) -> Result<Option<TagListing>, RegistryError> {
    let wanted = desired.tags.iter().any(|tag| match &tag.basis {
        Basis::Release(line) => line.can_be_read(),
        Basis::None | Basis::Prerelease(_) | Basis::Commit(_) => false,
    });
    if wanted { repository.list_tags().await.map(Some) } else { Ok(None) }
}

/// Reads the commit of each forward tag of a branch, if the tag would move.
async fn read_revisions(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let root = observed.root().clone();
    for DesiredTag { tag, basis, .. } in &observed.desired.tags {
        let Some(present) = observed.tags.get_mut(tag) else { continue };
        if matches!(basis, Basis::Commit(_)) && present.digest != root {
            present.revision = oci_registry::revision(repository, &present.digest).await?;
        }
    }
    Ok(())
}

/// Asks git whether the commit being published descends from the commit of each branch tag.
fn judge_descent(folder: &Path, observed: &mut ObservedRepository) {
    for tag in &observed.desired.tags {
        let Basis::Commit(commit) = &tag.basis else { continue };
        let Some(present) = observed.tags.get_mut(&tag.tag) else { continue };
        let Some(revision) = &present.revision else { continue };
        present.descent = Some(match commit {
            None => Descent::Unknown("the commit being published is not known".to_owned()),
            Some(commit) => context::descent(folder, revision, commit),
        });
    }
}

/// Finds the missing manifests and blobs. All of them are asked about, because a registry may have lost some of them to
/// a cleanup that does not know about indexes.
async fn find_missing(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let content = &observed.desired.published.content;
    let largest = content.blobs.iter().max_by_key(|blob| blob.size);
    if let (true, Some(largest)) = (looks_empty(observed), largest)
        && (is_new(observed) && largest.size < WORTH_A_REQUEST || !repository.has_blob(largest).await?)
    {
        observed.missing_manifests = content.manifests.iter().map(|it| it.digest().clone()).collect();
        observed.missing_blobs = content.blobs.iter().map(|blob| blob.digest.clone()).collect();
        return Ok(());
    }
    let found = content.manifests.iter().map(|manifest| async move {
        let digest = manifest.digest();
        Ok::<_, RegistryError>((digest.clone(), repository.holds_manifest(&digest.clone().into()).await?))
    });
    let manifests = missing(try_join_all(found).await?);
    let found = content.blobs.iter().map(|blob| async move {
        Ok::<_, RegistryError>((blob.digest.clone(), repository.has_blob(blob).await?))
    });
    let blobs = missing(try_join_all(found).await?);
    (observed.missing_manifests, observed.missing_blobs) = (manifests, blobs);
    Ok(())
}

/// Whether the repository has no tag at all. It may hold content nevertheless: a run that was interrupted before its first tag
/// leaves blobs, the largest first, and builds push by digest. If it lacks the largest blob too, the others are not asked
/// about: at worst, a few small ones are sent again.
fn looks_empty(observed: &ObservedRepository) -> bool {
    observed.tags.is_empty()
        && observed.gap.is_none()
        && observed.listing.as_ref().is_some_and(TagListing::is_empty)
}

/// Whether the registry says that it does not know the repository, and the content comes from elsewhere. A tag was asked about too.
fn is_new(observed: &ObservedRepository) -> bool {
    let host = observed.desired.endpoint.url.host();
    let is_here = match &observed.desired.published.spec {
        ContentSpec::Image(image) => image.source.remotes().any(|it| it.location().host() == host),
        ContentSpec::Chart(_) | ContentSpec::Artifact(_) => false,
    };
    !is_here && observed.listing.as_ref().is_some_and(TagListing::is_of_unknown_repository)
}

fn missing(found: Vec<(Digest, bool)>) -> BTreeSet<Digest> {
    found.into_iter().filter(|(_, found)| !found).map(|(digest, _)| digest).collect()
}
