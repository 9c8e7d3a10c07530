//! Everything that a repository holds, and the part of it that can be deleted because nothing that stays needs it. This is a
//! function of the manifests alone.
//!
//! One manifest reaches another by listing it, as an index does, or by naming it as its subject. A referrer is deleted
//! together with its manifest: it names the manifest as its subject, or a tag `sha256-HEX` holds it.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::tag::Tag;

/// The time for which a manifest without a tag counts as part of a release in progress, in seconds: content is pushed before the
/// tags that name it.
pub const GRACE: i64 = 60 * 60;

/// The other manifests that a manifest names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestParts {
    /// The manifests that it lists.
    pub children: BTreeSet<Digest>,
    /// The manifest that it refers to.
    pub subject: Option<Digest>,
}

impl ManifestParts {
    /// The manifests that `manifest` names.
    pub fn of(manifest: &Manifest) -> Self {
        let (children, subject) = match manifest {
            Manifest::Index { manifests, subject, .. } => (manifests.as_slice(), subject),
            Manifest::Image { subject, .. } => ([].as_slice(), subject),
        };
        Self {
            children: children.iter().map(|child| child.digest.clone()).collect(),
            subject: subject.as_ref().map(|subject| subject.digest.clone()),
        }
    }
}

/// A manifest that a repository holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    /// Every tag that names it.
    pub tags: BTreeSet<Tag>,
    /// The time at which it was put, in seconds since 1970, if known.
    pub created: Option<i64>,
    /// The manifests that it names; `None` if it cannot be read.
    pub parts: Option<ManifestParts>,
}

/// Everything that a repository holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    manifests: BTreeMap<Digest, Holding>,
    reached_by: BTreeMap<Digest, BTreeSet<Digest>>,
    unreadable: Option<Digest>,
}

/// The reason why a manifest stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It has these tags, which stay.
    Tagged(Vec<Tag>),
    /// This manifest, which stays, lists it or refers to it.
    Reached(Digest),
    /// It refers to this manifest, which stays.
    Refers(Digest),
    /// It has no tag, and is so young that it may belong to a release in progress.
    Young,
    /// This manifest cannot be read, so it may reach anything.
    Unreadable(Digest),
}

impl Inventory {
    /// Returns the inventory of a repository that holds these manifests and no others.
    pub fn new(manifests: BTreeMap<Digest, Holding>) -> Self {
        let (mut reached_by, mut unreadable) = (BTreeMap::<Digest, BTreeSet<Digest>>::new(), None);
        for (digest, holding) in &manifests {
            let Some(parts) = &holding.parts else {
                unreadable = Some(digest.clone());
                continue;
            };
            for reached in parts.children.iter().chain(&parts.subject) {
                reached_by.entry(reached.clone()).or_default().insert(digest.clone());
            }
        }
        Self { manifests, reached_by, unreadable }
    }

    /// The manifests.
    pub fn manifests(&self) -> &BTreeMap<Digest, Holding> {
        &self.manifests
    }

    /// A manifest that cannot be read, so that it may reach any other.
    pub fn unreadable(&self) -> Option<&Digest> {
        self.unreadable.as_ref()
    }

    /// The manifests that list `digest` or refer to it.
    pub fn reaching(&self, digest: &Digest) -> impl Iterator<Item = &Digest> {
        self.reached_by.get(digest).into_iter().flatten()
    }

    /// Whether a manifest lists `digest`.
    pub fn is_listed(&self, digest: &Digest) -> bool {
        let lists = |holding: &Holding| holding.parts.iter().any(|parts| parts.children.contains(digest));
        let by = self.reached_by.get(digest).into_iter().flatten();
        by.filter_map(|reaching| self.manifests.get(reaching)).any(lists)
    }

    /// Returns the manifests that can be deleted once the tags `going` are removed: those that only these tags name, and those
    /// without a tag, or only with tags of signatures, that only deleted manifests reach or that refer to a deleted manifest.
    /// `now` is in seconds since 1970.
    pub fn removable(&self, going: &BTreeSet<Tag>, now: i64) -> BTreeSet<Digest> {
        let named = |(_, holding): &(&Digest, &Holding)| {
            holding.tags.iter().any(|tag| going.contains(tag)) && may_go(holding, going)
        };
        let mut open: Vec<Digest> =
            self.manifests.iter().filter(named).map(|(digest, _)| digest.clone()).collect();
        let mut doomed: BTreeSet<Digest> = open.iter().cloned().collect();
        while let Some(digest) = open.pop() {
            for hanging in self.hanging_on(&digest, going) {
                if doomed.insert(hanging.clone()) {
                    open.push(hanging);
                }
            }
        }
        self.still_removable(doomed, going, now)
    }

    /// Returns the part of `doomed` that can be deleted: nothing outside that part needs it.
    pub fn still_removable(
        &self,
        mut doomed: BTreeSet<Digest>,
        going: &BTreeSet<Tag>,
        now: i64,
    ) -> BTreeSet<Digest> {
        loop {
            let stays = |digest: &&Digest| self.obstacle(digest, &doomed, going, now).is_some();
            let staying: Vec<Digest> = doomed.iter().filter(stays).cloned().collect();
            if staying.is_empty() {
                return doomed;
            }
            for digest in staying {
                doomed.remove(&digest);
            }
        }
    }

    /// Returns the reason why `digest` must stay if `doomed` is deleted and the tags `going` are removed; `None` if it need not.
    pub fn obstacle(
        &self,
        digest: &Digest,
        doomed: &BTreeSet<Digest>,
        going: &BTreeSet<Tag>,
        now: i64,
    ) -> Option<Obstacle> {
        let holding = self.manifests.get(digest)?;
        if let Some(unreadable) = &self.unreadable {
            return Some(Obstacle::Unreadable(unreadable.clone()));
        }
        let goes =
            |tag: &&Tag| going.contains(tag) || doomed.iter().any(|subject| tag.is_of_referrers_to(subject));
        let tags: Vec<Tag> = holding.tags.iter().filter(|tag| !goes(tag)).cloned().collect();
        if !tags.is_empty() {
            return Some(Obstacle::Tagged(tags));
        }
        let is_old = holding.created.is_some_and(|created| now.saturating_sub(created) >= GRACE);
        if holding.tags.is_empty() && !is_old {
            return Some(Obstacle::Young);
        }
        let mut reaching = self.reached_by.get(digest).into_iter().flatten();
        if let Some(stays) = reaching.find(|reaching| !doomed.contains(*reaching)) {
            return Some(Obstacle::Reached(stays.clone()));
        }
        let subject = holding.parts.as_ref().and_then(|parts| parts.subject.as_ref())?;
        let stays = self.manifests.contains_key(subject) && !doomed.contains(subject);
        stays.then(|| Obstacle::Refers(subject.clone()))
    }

    /// Returns `digests` with their depth: each has a smaller depth than the ones it reaches. Deleted by depth, parents come
    /// first; unrelated ones keep their own order.
    pub fn parents_first(&self, digests: &BTreeSet<Digest>) -> BTreeMap<Digest, usize> {
        let mut depths: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut level: BTreeSet<&Digest> = digests.iter().collect();
        // A manifest cannot reach itself, because it would have to contain its own digest.
        for depth in 0..=digests.len() {
            if level.is_empty() {
                break;
            }
            let reached = |digest: &&&Digest| {
                let by = self.reached_by.get(**digest).into_iter().flatten();
                by.into_iter().any(|reaching| level.contains(reaching))
            };
            let below: BTreeSet<&Digest> = level.iter().filter(reached).copied().collect();
            depths.extend(level.difference(&below).map(|digest| ((*digest).clone(), depth)));
            level = below;
        }
        depths
    }

    /// Returns the manifests that may be deleted with `digest`: those that it lists and those that refer to it, but never the one
    /// that it refers to.
    fn hanging_on(&self, digest: &Digest, going: &BTreeSet<Tag>) -> Vec<Digest> {
        let parts = self.manifests.get(digest).and_then(|holding| holding.parts.as_ref());
        let children = parts.into_iter().flat_map(|parts| &parts.children);
        let refers = |(_, holding): &(&Digest, &Holding)| {
            let by_subject = holding.parts.iter().any(|parts| parts.subject.as_ref() == Some(digest));
            by_subject || holding.tags.iter().any(|tag| tag.is_of_referrers_to(digest))
        };
        let referrers = self.manifests.iter().filter(refers).map(|(referrer, _)| referrer);
        let may_go =
            |other: &&Digest| self.manifests.get(*other).is_some_and(|holding| may_go(holding, going));
        children.chain(referrers).filter(may_go).cloned().collect()
    }
}

/// Whether each tag of the manifest is either one of `going` or a tag of signatures, which may also be removed.
fn may_go(holding: &Holding, going: &BTreeSet<Tag>) -> bool {
    holding.tags.iter().all(|tag| going.contains(tag) || tag.is_of_referrers())
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
