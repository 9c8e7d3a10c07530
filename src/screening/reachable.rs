//! The content of a repository that its tags reach already. Everybody who can pull from the repository can pull it, so publishing it
//! again makes nothing reachable.
//!
//! A repository may hold content that no tag reaches: builds push by digest, and a run that was interrupted leaves blobs. Publishing
//! makes that reachable, so it is searched like content that is sent.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::model::plan::PlannedRepository;
use crate::observed::ObservedRepository;
use oci_registry::{
    Descriptor, Digest, Manifest, Platform, RawManifest, Repository, Tag, TagOrDigest, media_type,
};

/// The most tags whose content is read, beside the desired ones. Content that only older tags reach is searched again.
const MAX_TAGS: usize = 8;
/// The most entries of an index that are read.
const MAX_ENTRIES: usize = 32;

/// Content that tags reach, each manifest and blob with a tag that reaches it.
#[derive(Debug, Default)]
pub(super) struct ReachableContent {
    known: BTreeMap<Digest, Tag>,
}

impl ReachableContent {
    /// Returns the part of `held`, manifests and blobs of a repository, that its tags reach. Reads the tags that are most like what
    /// is published until all of it is found: the desired ones and `source`, then the highest versions, then others. A tag that cannot
    /// be read reaches nothing.
    pub(super) async fn find(
        repository: &dyn Repository,
        observed: &ObservedRepository,
        source: Option<Tag>,
        held: &BTreeSet<Digest>,
    ) -> Self {
        let mut found = Self::default();
        if held.is_empty() {
            return found;
        }
        // Many tags name one digest, as the forward tags of a release do.
        let mut desired: BTreeMap<&Digest, &Tag> = BTreeMap::new();
        for (tag, present) in &observed.tags {
            desired.entry(&present.digest).or_insert(tag);
        }
        let desired = desired.into_iter().map(|(digest, tag)| (tag.clone(), digest.clone().into()));
        let source = source.into_iter().map(|tag| (tag.clone(), tag.into()));
        found.read(repository, desired.chain(source).collect(), observed.root(), held).await;
        if found.has_all(held) {
            return found;
        }
        let listing = match &observed.listing {
            Some(listing) => listing.tags().to_vec(),
            None => repository.list_tags().await.map(|it| it.tags().to_vec()).unwrap_or_default(),
        };
        let versions =
            observed.lines.values().flat_map(|line| line.iter().rev()).map(|held| held.tag.clone());
        let mut asked: BTreeSet<Tag> = observed.tags.keys().cloned().collect();
        let others = versions.chain(listing.into_iter().rev()).filter(|tag| asked.insert(tag.clone()));
        let others = others.take(MAX_TAGS).map(|tag| (tag.clone(), tag.into())).collect();
        found.read(repository, others, observed.root(), held).await;
        found
    }

    /// Returns the part of `held` that tags of the `planned` repository reach, as the registry shows now, whatever the plan says. `root` is
    /// the digest of the content to publish.
    pub(super) async fn of_plan(
        repository: &dyn Repository,
        planned: &PlannedRepository,
        root: &Digest,
        held: &BTreeSet<Digest>,
    ) -> Self {
        let mut found = Self::default();
        let own: Vec<Tag> = planned.changes.iter().map(|change| change.tag.clone()).collect();
        let read = |tag: Tag| (tag.clone(), tag.into());
        found.read(repository, own.iter().cloned().map(read).collect(), root, held).await;
        if !found.has_all(held) {
            let listing = repository.list_tags().await.map(|it| it.tags().to_vec()).unwrap_or_default();
            let others = listing.into_iter().rev().filter(|tag| !own.contains(tag)).take(MAX_TAGS);
            found.read(repository, others.map(read).collect(), root, held).await;
        }
        found
    }

    /// Returns a tag that reaches `digest`, if one was found.
    pub(super) fn tag(&self, digest: &Digest) -> Option<&Tag> {
        self.known.get(digest)
    }

    fn has_all(&self, held: &BTreeSet<Digest>) -> bool {
        held.iter().all(|digest| self.known.contains_key(digest))
    }

    async fn read(
        &mut self,
        repository: &dyn Repository,
        tags: Vec<(Tag, TagOrDigest)>,
        root: &Digest,
        held: &BTreeSet<Digest>,
    ) {
        let read =
            tags.into_iter().map(|(tag, at)| async move { (tag, reached(repository, &at, root).await) });
        for (tag, reached) in join_all(read).await {
            let digests = match reached {
                ReachedContent::Root => held.iter().cloned().collect(),
                ReachedContent::Part(digests) => digests,
            };
            for digest in digests {
                self.known.entry(digest).or_insert_with(|| tag.clone());
            }
        }
    }
}

/// The content that a tag reaches.
enum ReachedContent {
    /// The content to publish itself, with everything that it reaches.
    Root,
    /// Other manifests and blobs, if they could be read.
    Part(Vec<Digest>),
}

/// Returns the content that the manifest at `at` reaches. Attestations are left out: they are small, and no two builds share them.
async fn reached(repository: &dyn Repository, at: &TagOrDigest, root: &Digest) -> ReachedContent {
    let Ok(Some(manifest)) = repository.get_manifest(at).await else {
        return ReachedContent::Part(Vec::new());
    };
    if manifest.digest() == root {
        return ReachedContent::Root;
    }
    let (mut reached, entries) = named(&manifest);
    let is_image = |entry: &Descriptor| {
        media_type::is_manifest(&entry.media_type)
            && !entry.platform.as_ref().is_some_and(Platform::is_unknown)
    };
    let entries: Vec<Descriptor> = entries.into_iter().filter(is_image).take(MAX_ENTRIES).collect();
    let children = entries.iter().map(|entry| repository.get_described(entry));
    for child in join_all(children).await {
        if let Ok(Some(child)) = child {
            reached.extend(named(&child).0);
        }
    }
    ReachedContent::Part(reached)
}

/// Returns the digest of a manifest and of the blobs that it names, and its entries, if it is an index.
fn named(manifest: &RawManifest) -> (Vec<Digest>, Vec<Descriptor>) {
    let mut digests = vec![manifest.digest().clone()];
    let Ok(parsed) = manifest.parse() else { return (digests, Vec::new()) };
    digests.extend(parsed.blobs().map(|blob| blob.digest.clone()));
    match parsed {
        Manifest::Index { manifests, .. } => (digests, manifests),
        Manifest::Image { .. } => (digests, Vec::new()),
    }
}
