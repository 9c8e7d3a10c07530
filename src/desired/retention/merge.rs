//! Merges the decisions of several resources into one for each tag of a repository that they share.

use std::collections::{BTreeMap, HashMap};

use super::decisions::{Decisions, KeptTag, RemovedTag};
use crate::desired::selection::{Address, Selection};
use crate::model::ResourceId;
use crate::model::retention::{KeepReason, RemovalReason};
use oci_registry::{Digest, Tag};

/// The decision about a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The resource whose retention decides.
    pub resource: ResourceId,
    /// That resource's name for the registry. One place may have several names.
    pub registry: String,
    /// The retention that decides.
    pub retention: String,
    /// Why the tag is removed, or why it stays.
    pub verdict: Result<RemovalReason, KeepReason>,
}

impl Decided {
    fn removal((resource, registry): (&ResourceId, &str), it: RemovedTag) -> Self {
        let RemovedTag { tag, digest, retention, reason } = it;
        let (resource, registry) = (resource.clone(), registry.to_owned());
        Self { tag, digest, resource, registry, retention, verdict: Ok(reason) }
    }

    fn kept((resource, registry): (&ResourceId, &str), it: KeptTag) -> Self {
        let KeptTag { tag, digest, retention, reason } = it;
        let (resource, registry) = (resource.clone(), registry.to_owned());
        Self { tag, digest, resource, registry, retention, verdict: Err(reason) }
    }

    /// The rank of the decision: protection wins over removal, and removal wins over a tag that is not due yet.
    fn rank(&self) -> u8 {
        match &self.verdict {
            Err(reason) if protects(reason) => 0,
            Ok(_) => 1,
            Err(_) => 2,
        }
    }
}

/// Whether a tag stays because something depends on it, not because no retention removes it yet.
fn protects(reason: &KeepReason) -> bool {
    match reason {
        KeepReason::HighestOfLine { .. }
        | KeepReason::UnknownLines { .. }
        | KeepReason::Forward { .. }
        | KeepReason::MarksWithdrawn
        | KeepReason::InUse { .. }
        | KeepReason::Referrers => true,
        KeepReason::Newest { .. }
        | KeepReason::Younger { .. }
        | KeepReason::TimeUnknown
        | KeepReason::NewestOfMinor { .. }
        | KeepReason::GitRef { .. }
        | KeepReason::GitUnknown { .. }
        | KeepReason::VersionUnknown
        | KeepReason::OtherRule { .. } => false,
    }
}

/// Merges the decisions of each resource, given with its name for the registry, about one repository, in the order of its
/// `tags`. A tag is removed if a retention of one resource says so and none protects it. An address that is not selected
/// removes nothing but still protects.
pub fn merge(
    decisions: Vec<((&ResourceId, &str), Decisions)>,
    tags: &[(Tag, Digest)],
    selection: &Selection,
) -> Vec<Decided> {
    let mut by_tag: HashMap<Tag, BTreeMap<(u8, usize), Decided>> = HashMap::new();
    let mut selected: HashMap<Tag, bool> = HashMap::new();
    for (position, (of, Decisions { remove, keep })) in decisions.into_iter().enumerate() {
        let (resource, registry) = of;
        let removed = remove.into_iter().map(|it| Decided::removal(of, it));
        let kept = keep.into_iter().map(|it| Decided::kept(of, it));
        for decided in removed.chain(kept).collect::<Vec<_>>() {
            let address = Address { resource, registry, tag: decided.tag.as_str() };
            let is_selected = selection.selects(address);
            *selected.entry(decided.tag.clone()).or_default() |= is_selected;
            if is_selected || decided.rank() == 0 {
                let key = (decided.rank(), position);
                by_tag.entry(decided.tag.clone()).or_default().entry(key).or_insert(decided);
            }
        }
    }
    let of_tag = |(tag, _): &(Tag, Digest)| {
        let decided = by_tag.remove(tag)?.into_values().next()?;
        selected.get(tag).copied().unwrap_or_default().then_some(decided)
    };
    tags.iter().filter_map(of_tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type OfImage = ((ResourceId, &'static str), Decisions);

    fn decisions(
        resource: &'static str,
        registry: &'static str,
        verdicts: &[(&str, Result<u64, KeepReason>)],
    ) -> OfImage {
        let mut decisions = Decisions::default();
        for (tag, verdict) in verdicts {
            let (tag, digest): (Tag, _) = (tag.parse().expect("a tag"), Digest::of(tag.as_bytes()));
            let retention = format!("of-{resource}");
            match verdict {
                Ok(number) => {
                    let reason = RemovalReason::PullRequestClosed { number: *number };
                    decisions.remove.push(RemovedTag { tag, digest, retention, reason });
                }
                Err(reason) => {
                    decisions.keep.push(KeptTag { tag, digest, retention, reason: reason.clone() });
                }
            }
        }
        ((ResourceId::image(resource), registry), decisions)
    }

    #[test]
    fn protection_wins_over_removal_and_removal_over_what_is_not_due() {
        let newest = || Err(KeepReason::Newest { keep_last: 3 });
        let forward = || Err(KeepReason::Forward { rule: "latest".to_owned() });
        let resources = || {
            vec![
                decisions("one", "r", &[("a", Ok(1)), ("b", Ok(1)), ("c", newest()), ("d", newest())]),
                decisions("two", "other", &[("a", newest()), ("b", forward()), ("c", Ok(2)), ("e", Ok(2))]),
            ]
        };
        let tags: Vec<(Tag, Digest)> = ["e", "d", "c", "b", "a", "x"]
            .map(|tag| (tag.parse().expect("a tag"), Digest::of(tag.as_bytes())))
            .to_vec();
        let merged = |targets: &[&str]| -> Vec<String> {
            let resources = resources();
            let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
            merge(
                resources.iter().map(|((id, registry), it)| ((id, *registry), it.clone())).collect(),
                &tags,
                &Selection::new(&targets),
            )
            .into_iter()
            .map(|it| {
                let sign = if it.verdict.is_ok() { '-' } else { '=' };
                format!("{sign} {} {}", it.tag, it.resource.name)
            })
            .collect()
        };
        assert_eq!(merged(&[]), ["- e two", "= d one", "- c two", "= b two", "- a one"]);
        assert_eq!(merged(&["images.one"]), ["= d one", "= c one", "= b two", "- a one"]);
        assert_eq!(merged(&["images.two@r"]), [""; 0], "its name for the registry is another");
        assert_eq!(merged(&["images.two@other:c", "images.one:b"]), ["- c two", "= b two"]);
    }
}
