//! Tables and a property of the decisions about manifests without a tag.

use proptest::prelude::*;

use super::*;
use crate::inventory::{Holding, ManifestParts};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// A manifest: its name, its tags, its age in days, the manifests that it lists, and its subject.
type Held<'a> = (&'a str, &'a [&'a str], i64, &'a [&'a str], Option<&'a str>);

fn inventory(held: &[Held<'_>]) -> Inventory {
    let holding = |(name, tags, age, children, subject): &Held<'_>| {
        let parts = ManifestParts {
            children: children.iter().map(|child| digest(child)).collect(),
            subject: subject.map(digest),
        };
        let tags = tags.iter().map(|tag| tag.parse().expect("a tag")).collect();
        (digest(name), Holding { tags, created: Some(NOW - age * DAY), parts: Some(parts) })
    };
    Inventory::new(held.iter().map(holding).collect())
}

fn removed(inventory: &Inventory, names: &[&str], keep_last: Option<u64>, days: Option<i64>) -> Vec<String> {
    let limits = UntaggedLimits { keep_last, older_than: days.map(|days| days * DAY) };
    let decision = inventory.untagged(&limits, &BTreeSet::new(), NOW).expect("a decision");
    names.iter().filter(|name| decision.remove.contains(&digest(name))).map(ToString::to_string).collect()
}

#[test]
fn the_newest_and_the_young_stay_with_their_parts() {
    let held = inventory(&[
        ("v1", &["v1"], 90, &["v1-a"], None),
        ("v1-a", &[], 90, &[], None),
        ("one", &[], 40, &["one-a", "one-b"], None),
        ("one-a", &[], 40, &[], None),
        ("one-b", &[], 40, &[], None),
        ("one-proof", &[], 40, &[], Some("one-a")),
        ("two", &[], 30, &["two-a"], None),
        ("two-a", &[], 30, &[], None),
        ("three", &[], 2, &[], None),
    ]);
    let names = ["v1", "v1-a", "one", "one-a", "one-b", "one-proof", "two", "two-a", "three"];
    let one = ["one", "one-a", "one-b", "one-proof"];
    assert_eq!(removed(&held, &names, Some(2), Some(7)), one);
    assert_eq!(removed(&held, &names, Some(2), None), one);
    assert_eq!(removed(&held, &names, None, Some(7)), [&one[..], &["two", "two-a"]].concat());
    assert_eq!(removed(&held, &names, Some(3), None), [""; 0]);
    assert_eq!(removed(&held, &names, Some(0), None), [&one[..], &["two", "two-a", "three"]].concat());
}

#[test]
fn what_a_tag_an_index_a_referrer_or_a_fallback_tag_reaches_stays() {
    let signature = format!("{}.sig", digest("signed").to_string().replace(':', "-"));
    let held = inventory(&[
        ("index", &["v1"], 90, &["child"], None),
        ("child", &[], 90, &["grandchild"], None),
        ("grandchild", &[], 90, &[], None),
        ("sbom", &["sbom-1"], 90, &[], Some("described")),
        ("described", &[], 90, &["described-a"], None),
        ("described-a", &[], 90, &[], None),
        ("signature", &[&signature], 90, &[], None),
        ("signed", &[], 90, &[], None),
        ("proof-of-tagged", &[], 90, &[], Some("index")),
        ("young", &[], 0, &["of-young"], None),
        ("of-young", &[], 90, &[], None),
        ("lost-proof", &[], 90, &[], Some("not there")),
        ("free", &[], 90, &[], None),
    ]);
    let limits = UntaggedLimits { keep_last: None, older_than: Some(7 * DAY) };
    let decision = held.untagged(&limits, &BTreeSet::new(), NOW).expect("a decision");
    assert_eq!(decision.remove, BTreeSet::from([digest("lost-proof"), digest("free")]));
    let tag = |text: &str| text.parse::<Tag>().expect("a tag");
    for (name, expected) in [
        ("child", UntaggedObstacle::Reached(digest("index"), Some(tag("v1")))),
        ("grandchild", UntaggedObstacle::Reached(digest("child"), Some(tag("v1")))),
        ("described", UntaggedObstacle::Reached(digest("sbom"), Some(tag("sbom-1")))),
        ("described-a", UntaggedObstacle::Reached(digest("described"), Some(tag("sbom-1")))),
        ("signed", UntaggedObstacle::Referrers(tag(&signature))),
        ("proof-of-tagged", UntaggedObstacle::Refers(digest("index"))),
        ("young", UntaggedObstacle::Young),
        ("of-young", UntaggedObstacle::Reached(digest("young"), None)),
    ] {
        assert_eq!(decision.keep.get(&digest(name)), Some(&expected), "{name}");
    }
    assert!(held.has_referrer_tag(&digest("signed")) && !held.has_referrer_tag(&digest("free")));
}

#[test]
fn what_is_in_use_stays_with_all_that_it_reaches() {
    let held = inventory(&[
        ("index", &[], 90, &["child"], None),
        ("child", &[], 90, &[], None),
        ("other", &[], 90, &[], None),
    ]);
    let removed = |used: &str| {
        let decision = held.untagged(&UntaggedLimits::default(), &BTreeSet::from([digest(used)]), NOW);
        decision.expect("a decision").remove
    };
    assert_eq!(removed("index"), BTreeSet::from([digest("other")]));
    // A cluster that runs one platform may name that one alone.
    assert_eq!(removed("child"), BTreeSet::from([digest("other"), digest("index")]));
}

#[test]
fn nothing_is_decided_beside_a_manifest_that_cannot_be_read() {
    let holding = Holding { created: Some(0), ..Holding::default() };
    let held = Inventory::new([(digest("dark"), holding)].into());
    assert_eq!(held.untagged(&UntaggedLimits::default(), &BTreeSet::new(), NOW), Err(digest("dark")));
}

#[test]
fn an_unknown_time_keeps() {
    let holding = Holding { parts: Some(ManifestParts::default()), ..Holding::default() };
    let held = Inventory::new([(digest("timeless"), holding)].into());
    let decision = held.untagged(&UntaggedLimits::default(), &BTreeSet::new(), NOW).expect("a decision");
    assert_eq!(decision.keep.get(&digest("timeless")), Some(&UntaggedObstacle::TimeUnknown));
}

/// Repositories of up to 16 manifests. Each lists and refers to earlier ones.
fn repository() -> impl Strategy<Value = Inventory> {
    let manifest = (
        prop::collection::btree_set(0..16_usize, 0..4),
        prop::option::weighted(0.3, 0..16_usize),
        prop::bool::weighted(0.3),
        prop::option::weighted(0.1, 0..16_usize),
        0..20_i64,
    );
    prop::collection::vec(manifest, 1..16).prop_map(|manifests| {
        let name = |number: usize| digest(&number.to_string());
        let mut taken = BTreeSet::new();
        let held = manifests.into_iter().enumerate().map(|(number, (children, subject, tagged, of, age))| {
            let mut tags: BTreeSet<Tag> = BTreeSet::new();
            tags.extend(tagged.then(|| format!("t{number}").parse().expect("a tag")));
            tags.extend(of.map(|of| name(of).to_string().replace(':', "-").parse::<Tag>().expect("a tag")));
            tags.retain(|tag| taken.insert(tag.clone()));
            let parts = ManifestParts {
                children: children.into_iter().filter(|child| *child < number).map(name).collect(),
                subject: subject.filter(|subject| *subject < number).map(name),
            };
            (name(number), Holding { tags, created: Some(NOW - age * DAY), parts: Some(parts) })
        });
        Inventory::new(held.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn nothing_that_stays_reaches_a_removed_manifest(inventory in repository(), last in 0..4_u64, days in 0..15_i64) {
        let limits = UntaggedLimits { keep_last: Some(last), older_than: Some(days * DAY) };
        let decision = inventory.untagged(&limits, &BTreeSet::new(), NOW).expect("a decision");
        let manifests = inventory.manifests();
        // Everything that stays, and all that it reaches or that refers to it.
        let mut stays: BTreeSet<&Digest> = manifests.keys().filter(|it| !decision.remove.contains(*it)).collect();
        loop {
            let before = stays.len();
            for (digest, holding) in manifests {
                let parts = holding.parts.as_ref().expect("parts");
                if stays.contains(digest) {
                    stays.extend(parts.children.iter().chain(&parts.subject));
                    stays.extend(manifests.keys().filter(|it| holding.tags.iter().any(|tag| tag.is_of_referrers_to(it))));
                }
                if parts.subject.iter().any(|it| stays.contains(it) && manifests.contains_key(it)) {
                    stays.insert(digest);
                }
            }
            if stays.len() == before {
                break;
            }
        }
        for digest in &decision.remove {
            prop_assert!(!stays.contains(digest), "{digest} is needed");
            let holding = &manifests[digest];
            prop_assert!(holding.tags.is_empty());
            prop_assert!(NOW - holding.created.expect("a time") > days * DAY);
        }
        // Each one without a tag has a decision.
        for (digest, holding) in manifests.iter().filter(|(_, holding)| holding.tags.is_empty()) {
            prop_assert!(decision.remove.contains(digest) != decision.keep.contains_key(digest), "{holding:?}");
        }
    }
}
