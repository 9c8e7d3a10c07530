//! A desired repository, and the content that its registry already holds of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::version::ReleaseVersion;

use super::referrers::ObservedReferrers;
use super::signatures::ObservedSignature;
use crate::desired::{Basis, DesiredRepository, DesiredTag};
use crate::model::Mutability;
use crate::model::forward::{Descent, Held};
use crate::model::referrer::ReferrerAction;
use crate::model::standing::StandingVersion;
use crate::visibility::{VisibilityProbe, VisibilityReading};
use oci_content::Travelling;
use oci_registry::{Digest, ListingGap, RawManifest, Tag, TagListing};

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
    /// The version being published, if it is withdrawn: by the configuration, or by a tag of the repository.
    pub withdrawn: Option<ReleaseVersion>,
    /// The digests that immutable tags name, other than the root, with the same images as the content to publish.
    pub same_images: BTreeSet<Digest>,
    /// The manifests of the content that the repository lacks.
    pub missing_manifests: BTreeSet<Digest>,
    /// The blobs of the content that the repository lacks.
    pub missing_blobs: BTreeSet<Digest>,
    /// The referrers of the content that the repository has, and what each needs.
    pub referrers: ObservedReferrers,
    /// The signed statements about them that are there and verify.
    pub signatures: BTreeSet<ObservedSignature>,
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
    pub(super) fn new(desired: DesiredRepository) -> Self {
        Self {
            withdrawn: desired.withdrawn.clone(),
            desired,
            tags: BTreeMap::new(),
            dangling: BTreeSet::new(),
            listing: None,
            gap: None,
            lines: BTreeMap::new(),
            others: BTreeMap::new(),
            standing: BTreeMap::new(),
            same_images: BTreeSet::new(),
            missing_manifests: BTreeSet::new(),
            missing_blobs: BTreeSet::new(),
            referrers: ObservedReferrers::default(),
            signatures: BTreeSet::new(),
            visibility: None,
            reading: VisibilityReading::default(),
        }
    }

    /// Returns the address of the repository in a plan.
    pub fn address(&self) -> String {
        self.desired.address()
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

    /// Returns the manifests here that a tag may name after the run: the content, and those that immutable tags name already.
    pub(super) fn signable(&self) -> BTreeSet<&Digest> {
        let immutable = self.desired.tags.iter().filter(|tag| tag.mutability == Mutability::Immutable);
        let kept = immutable.filter_map(|tag| self.tags.get(&tag.tag)).map(|present| &present.digest);
        // A manifest that is not there has no signature.
        let own = (!self.missing_manifests.contains(self.root())).then_some(self.root());
        own.into_iter().chain(kept).collect()
    }

    /// Returns the tags of the repository, that the registry lists.
    pub(super) fn listed(&self) -> &[Tag] {
        self.listing.as_ref().map(TagListing::tags).unwrap_or_default()
    }

    /// Whether `version` of the line of `tag` is withdrawn.
    pub fn is_withdrawn(&self, tag: &DesiredTag, version: &ReleaseVersion) -> bool {
        matches!(&tag.basis, Basis::Release(line) if line.is_withdrawn(version, self.listed()))
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
