//! The desired content that the registries already hold.
//!
//! If everything is in place, a repository costs one request for each tag, and one tag listing if a tag moves forward
//! by version. More is asked only if something has to change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::future::{join_all, try_join_all};
use indexmap::IndexMap;

use super::referrers::{self, ObservedReferrers};
use crate::connections::{Connection, RepositoryFailure};
use crate::context;
use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::diagnostic::Diagnostic;
use crate::model::ResourceId;
use crate::model::forward::{Descent, Held};
use crate::model::referrer::ReferrerAction;
use crate::model::standing::StandingVersion;
use crate::standing::{self, StandingQuestion, TagDigests};
use crate::visibility::{self, Pullable, VisibilityProbe, VisibilityReading};
use oci_content::Travelling;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RawManifest, RegistryLocation, Tag};
use oci_registry::{ListingGap, RegistryError, Repository, TagListing, TagLookup, TagOrDigest};

/// The desired repositories, each with the content that its registry holds.
#[derive(Default)]
pub struct Observed {
    /// The repositories by address, `RESOURCE@REGISTRY`, in the order of the configuration.
    pub repositories: IndexMap<String, ObservedRepository>,
    /// The resources for which no rule fires, each with the reasons.
    pub silent: Vec<(ResourceId, Vec<(String, String)>)>,
    /// The registries that sources are read from.
    pub read: BTreeMap<String, RegistryEndpoint>,
}

/// A desired repository, and what its registry holds of it.
pub struct ObservedRepository {
    /// The desired content.
    pub desired: DesiredRepository,
    /// The targets of the desired tags. Tags that do not exist are left out.
    pub tags: BTreeMap<Tag, ObservedTag>,
    /// Tags that the registry lists, but has no manifest for.
    pub dangling: BTreeSet<Tag>,
    /// The tags of the repository, if a forward tag of a release needs them.
    pub listing: Option<TagListing>,
    /// The reason why the list may lack tags.
    pub gap: Option<ListingGap>,
    /// The versions of the line of each forward tag of a release, lowest first.
    pub lines: BTreeMap<Tag, Vec<Held>>,
    /// The highest version of the line of each forward tag of a release, as tags of other publishers read.
    pub others: BTreeMap<Tag, Held>,
    /// The versions of the images that forward tags of releases name, unless that is the content to publish.
    pub standing: BTreeMap<Digest, StandingVersion>,
    /// The manifests of the content that the repository lacks.
    pub missing_manifests: BTreeSet<Digest>,
    /// The blobs of the content that the repository lacks.
    pub missing_blobs: BTreeSet<Digest>,
    /// The referrers of the content that the repository has, and what each needs.
    pub referrers: ObservedReferrers,
    /// The observed visibility: who can pull, or `None` if that was not asked.
    pub visibility: Option<VisibilityProbe>,
    /// The answer of the registry's API about who may pull.
    pub reading: VisibilityReading,
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

impl ObservedRepository {
    fn new(desired: DesiredRepository) -> Self {
        Self {
            desired,
            tags: BTreeMap::new(),
            dangling: BTreeSet::new(),
            listing: None,
            gap: None,
            lines: BTreeMap::new(),
            others: BTreeMap::new(),
            standing: BTreeMap::new(),
            missing_manifests: BTreeSet::new(),
            missing_blobs: BTreeSet::new(),
            referrers: ObservedReferrers::default(),
            visibility: None,
            reading: VisibilityReading::default(),
        }
    }

    /// Returns the address of the repository in a plan.
    pub fn address(&self) -> String {
        format!("{}@{}", self.desired.resource, self.desired.registry)
    }

    /// Returns the digest of the content to publish.
    pub fn root(&self) -> &Digest {
        &self.desired.published.content.root.digest
    }

    /// Returns the digest of a manifest that was seen in the repository, if there was any: of a tag, the root, or a part of it that was
    /// pushed by digest.
    pub fn seen_manifest(&self) -> Option<Digest> {
        if let Some(tag) = self.tags.values().next() {
            return Some(tag.digest.clone());
        }
        let manifests = self.desired.published.content.manifests.iter().rev().map(RawManifest::digest);
        manifests.into_iter().find(|digest| !self.missing_manifests.contains(digest)).cloned()
    }

    /// Whether a desired tag names the content to publish. Tags are moved last, so everything that it reaches is there.
    pub fn root_is_tagged(&self) -> bool {
        self.tags.values().any(|tag| tag.digest == *self.root())
    }

    /// Returns the tags of the repository, that the registry lists.
    fn listed(&self) -> &[Tag] {
        self.listing.as_ref().map(TagListing::tags).unwrap_or_default()
    }

    /// Returns the versions of the line of `tag`, lowest first.
    pub fn line(&self, tag: &Tag) -> &[Held] {
        self.lines.get(tag).map(Vec::as_slice).unwrap_or_default()
    }

    /// The referrers of the content, each with the action for it.
    pub fn referrers_and_actions(&self) -> impl Iterator<Item = (&Travelling, ReferrerAction)> {
        self.desired.published.referrers.iter().zip(self.referrers.actions.iter().copied())
    }

    /// Whether the repository has a blob; `None` if that is not known. Nothing was asked about the parts of content that a
    /// tag names already, and the registry may have lost one of them.
    pub fn has_blob(&self, digest: &Digest) -> Option<bool> {
        if self.root_is_tagged() {
            return None;
        }
        let published = &self.desired.published;
        if self.missing_blobs.contains(digest) || self.referrers.missing_blobs.contains(digest) {
            return Some(false);
        }
        let referrers = published.referrers.iter().flat_map(|it| &it.content.blobs);
        let known = published.content.blobs.iter().chain(referrers).any(|blob| blob.digest == *digest);
        known.then_some(true)
    }

    /// Whether the repository has a manifest; `None` if that is not known, as for a blob.
    pub fn has_manifest(&self, digest: &Digest) -> Option<bool> {
        if self.root_is_tagged() {
            return None;
        }
        let published = &self.desired.published;
        if self.missing_manifests.contains(digest) || self.referrers.missing_manifests.contains(digest) {
            return Some(false);
        }
        let referrers = published.referrers.iter().flat_map(|it| &it.content.manifests);
        let known = published.content.manifests.iter().chain(referrers).any(|it| it.digest() == digest);
        known.then_some(true)
    }
}

/// Asks about every repository of `desired`, and git in `folder` about the commits of branch tags. `connections` has one entry
/// for each repository.
///
/// # Errors
///
/// Every failure, with the name of the repository.
pub async fn observe(
    desired: Desired,
    connections: &[Connection],
    folder: &Path,
) -> Result<Observed, Vec<Diagnostic>> {
    let asked = desired.repositories.into_iter().zip(connections).map(|(desired, connection)| async move {
        let repository = desired.endpoint.url.full_name(&desired.name);
        let observed = observe_repository(desired, connection).await;
        observed.map_err(|error| RepositoryFailure { repository, error })
    });
    let mut repositories = IndexMap::new();
    for mut repository in RepositoryFailure::none_of(join_all(asked).await)? {
        judge_descent(folder, &mut repository);
        repositories.insert(repository.address(), repository);
    }
    Ok(Observed { repositories, silent: desired.silent, read: desired.read })
}

async fn observe_repository(
    desired: DesiredRepository,
    connection: &Connection,
) -> Result<ObservedRepository, RegistryError> {
    let repository = connection.repository.as_ref();
    let mut observed = ObservedRepository::new(desired);
    // The list comes first, because a tag that it lacks is asked about in another way.
    let mut listing = list(&observed.desired, repository).await?;
    let asked = observed.desired.tags.iter().map(|it| look_up(repository, &it.tag, listing.as_ref()));
    for (tag, found) in try_join_all(asked).await? {
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
        }
    }
    find_standing_versions(repository, &mut observed).await?;
    read_revisions(repository, &mut observed).await?;
    if !observed.root_is_tagged() {
        find_missing(repository, &mut observed).await?;
    }
    if !observed.desired.published.referrers.is_empty() {
        observed.referrers = referrers::referrers(&observed.desired, repository).await?;
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

/// Finds the version of the image that each forward tag of a release names. Only tags that do not name the content to
/// publish need it.
async fn find_standing_versions(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    let unknown = ask_standing_versions(repository, observed).await?;
    // The digest in an answer to HEAD may be wrong. GET shows the bytes.
    let asked = unknown.into_iter().map(|tag| async move {
        let manifest = repository.get_manifest(&TagOrDigest::Tag(tag.clone())).await?;
        Ok::<_, RegistryError>((tag, manifest.map(|manifest| manifest.digest().clone())))
    });
    let mut differs = false;
    for (tag, digest) in try_join_all(asked).await? {
        if let (Some(digest), Some(present)) = (digest, observed.tags.get_mut(&tag))
            && present.digest != digest
        {
            (present.digest, differs) = (digest, true);
        }
    }
    if differs {
        ask_standing_versions(repository, observed).await?;
    }
    Ok(())
}

/// Asks for the version of the image that each forward tag of a release names. Returns the tags whose image has an unknown
/// version.
async fn ask_standing_versions(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<Vec<Tag>, RegistryError> {
    let Some(listing) = &observed.listing else { return Ok(Vec::new()) };
    let lines = observed.desired.tags.iter().filter_map(|tag| {
        let Basis::Release(line) = &tag.basis else { return None };
        let present = observed.tags.get(&tag.tag).filter(|present| present.digest != *observed.root())?;
        Some((&tag.tag, &present.digest, line, line.candidates(listing.tags())))
    });
    let lines: Vec<_> = lines.collect();
    let mut known: TagDigests =
        observed.tags.iter().map(|(tag, present)| (tag.clone(), Some(present.digest.clone()))).collect();
    let first = lines.iter().flat_map(|(.., candidates)| candidates.iter().take(standing::ASKED_FIRST));
    standing::read(repository, listing, first.map(|it| &it.tag), &mut known).await?;
    let (mut versions, mut unknown) = (BTreeMap::new(), Vec::new());
    for (tag, digest, line, candidates) in &lines {
        let question = StandingQuestion {
            repository,
            listing,
            candidates,
            others: line.other_readers(),
            own: &line.version,
        };
        if !versions.contains_key(*digest) {
            versions.insert((*digest).clone(), question.ask(digest, &mut known).await?);
        }
        if matches!(versions.get(*digest), Some(StandingVersion::Unknown(_))) {
            unknown.push((*tag).clone());
        }
    }
    observed.standing = versions;
    Ok(unknown)
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
        && !repository.has_blob(largest).await?
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

fn missing(found: Vec<(Digest, bool)>) -> BTreeSet<Digest> {
    found.into_iter().filter(|(_, found)| !found).map(|(digest, _)| digest).collect()
}
