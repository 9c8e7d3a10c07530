//! The manifests without a tag that can be deleted because nothing that stays reaches them, with the proof: for each one that stays, what
//! holds it. This is a function of the [`Inventory`] alone.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::inventory::{GRACE, Inventory, Obstacle};
use crate::tag::Tag;

/// The limits within which manifests without a tag stay. Without a limit, only those with another
/// reason to stay are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UntaggedLimits {
    /// The number of newest ones that stay, not counting the parts of an index and referrers.
    pub keep_last: Option<u64>,
    /// The age up to which they stay, in seconds.
    pub older_than: Option<i64>,
}

/// The reason why a manifest without a tag stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UntaggedObstacle {
    /// This manifest, which stays, lists it or refers to it. If a tag leads there, it is given.
    Reached(Digest, Option<Tag>),
    /// It refers to this manifest, which stays.
    Refers(Digest),
    /// This tag holds its signatures or other referrers.
    Referrers(Tag),
    /// Something outside of the registry still uses it.
    InUse,
    /// It is one of the newest.
    Newest,
    /// It is not old enough.
    Younger,
    /// The registry does not say when it was put.
    TimeUnknown,
    /// It is so young that it may belong to a release in progress.
    Young,
}

/// The decision about every manifest without a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UntaggedDecision {
    /// Those that go.
    pub remove: BTreeSet<Digest>,
    /// Those that stay, each with the reason.
    pub keep: BTreeMap<Digest, UntaggedObstacle>,
}

impl Inventory {
    /// Decides about every manifest without a tag. Those `in_use` stay, with all that they reach. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// The digest of a manifest that cannot be read: it may reach any other.
    pub fn untagged(
        &self,
        limits: &UntaggedLimits,
        in_use: &BTreeSet<Digest>,
        now: i64,
    ) -> Result<UntaggedDecision, Digest> {
        if let Some(unreadable) = self.unreadable() {
            return Err(unreadable.clone());
        }
        let mut keep = self.held_by_referrer_tags();
        let used = in_use.iter().filter(|digest| self.is_bare(digest));
        keep.extend(used.map(|digest| (digest.clone(), UntaggedObstacle::InUse)));
        let bare = |(digest, _): &(&Digest, &crate::inventory::Holding)| self.is_bare(digest);
        let untagged: BTreeSet<Digest> =
            self.manifests().iter().filter(bare).map(|(digest, _)| digest.clone()).collect();
        let free = untagged.iter().filter(|digest| !keep.contains_key(*digest)).cloned().collect();
        // Nothing that has a tag reaches these, at any age.
        let free = self.still_removable(free, &BTreeSet::new(), i64::MAX);
        let mut ranked: Vec<&Digest> = free.iter().filter(|digest| self.is_root(digest)).collect();
        ranked.sort_by_key(|digest| (Reverse(self.created(digest)), *digest));
        let newest = usize::try_from(limits.keep_last.unwrap_or_default()).unwrap_or(usize::MAX);
        keep.extend(ranked.into_iter().take(newest).map(|digest| (digest.clone(), UntaggedObstacle::Newest)));
        for digest in &free {
            let why = match (self.created(digest), limits.older_than) {
                (None, _) => UntaggedObstacle::TimeUnknown,
                (Some(created), _) if now.saturating_sub(created) < GRACE => UntaggedObstacle::Young,
                (Some(created), Some(age)) if now.saturating_sub(created) <= age => UntaggedObstacle::Younger,
                _ => continue,
            };
            keep.entry(digest.clone()).or_insert(why);
        }
        let doomed = free.iter().filter(|digest| !keep.contains_key(*digest)).cloned().collect();
        let remove = self.still_removable(doomed, &BTreeSet::new(), now);
        for digest in untagged.iter().filter(|digest| !remove.contains(*digest)) {
            if keep.contains_key(digest) {
                continue;
            }
            let why = match self.obstacle(digest, &remove, &BTreeSet::new(), now) {
                Some(Obstacle::Reached(by)) => {
                    let tag = self.tag_above(&by);
                    UntaggedObstacle::Reached(by, tag)
                }
                Some(Obstacle::Refers(to)) => UntaggedObstacle::Refers(to),
                // A manifest that was put without a time cannot be shown to be old.
                _ => UntaggedObstacle::TimeUnknown,
            };
            keep.insert(digest.clone(), why);
        }
        Ok(UntaggedDecision { remove, keep })
    }

    /// Whether a tag of referrers says that `digest` has signatures or other referrers.
    pub fn has_referrer_tag(&self, digest: &Digest) -> bool {
        let mut tags = self.manifests().values().flat_map(|holding| &holding.tags);
        tags.any(|tag| tag.is_of_referrers_to(digest))
    }

    /// The manifests without a tag whose referrers a tag holds.
    fn held_by_referrer_tags(&self) -> BTreeMap<Digest, UntaggedObstacle> {
        let mut held = BTreeMap::new();
        let tags = self.manifests().values().flat_map(|holding| &holding.tags);
        for tag in tags.filter(|tag| tag.is_of_referrers()) {
            let subjects: Vec<&Digest> = match tag.referrers_subject() {
                Some(subject) => {
                    self.manifests().get_key_value(&subject).map(|(digest, _)| digest).into_iter().collect()
                }
                // The digest is cut in the tag.
                None => self.manifests().keys().filter(|digest| tag.is_of_referrers_to(digest)).collect(),
            };
            for digest in subjects.into_iter().filter(|digest| self.is_bare(digest)) {
                held.entry(digest.clone()).or_insert_with(|| UntaggedObstacle::Referrers(tag.clone()));
            }
        }
        held
    }

    fn is_bare(&self, digest: &Digest) -> bool {
        self.manifests().get(digest).is_some_and(|holding| holding.tags.is_empty())
    }

    fn created(&self, digest: &Digest) -> Option<i64> {
        self.manifests().get(digest).and_then(|holding| holding.created)
    }

    /// Whether nothing lists `digest`, and it refers to nothing that is there.
    fn is_root(&self, digest: &Digest) -> bool {
        let parts = self.manifests().get(digest).and_then(|holding| holding.parts.as_ref());
        let subject = parts.and_then(|parts| parts.subject.as_ref());
        !self.is_listed(digest) && subject.is_none_or(|subject| !self.manifests().contains_key(subject))
    }

    /// A tag of `digest`, or of a manifest that reaches it.
    fn tag_above(&self, digest: &Digest) -> Option<Tag> {
        let (mut open, mut seen) = (vec![digest.clone()], BTreeSet::new());
        while let Some(digest) = open.pop() {
            let tags = self.manifests().get(&digest).into_iter().flat_map(|holding| &holding.tags);
            if let Some(tag) = tags.min() {
                return Some(tag.clone());
            }
            if seen.insert(digest.clone()) {
                open.extend(self.reaching(&digest).cloned());
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "untagged_tests.rs"]
mod tests;
