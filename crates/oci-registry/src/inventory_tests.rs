//! Tests of which manifests may be deleted, in small repositories made by hand and in generated ones.
#![allow(clippy::expect_used)] // a panic here fails a test

use proptest::prelude::*;

use super::*;

const NOW: i64 = 2_000_000_000;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// The tag of the referrers of the manifest called `name`, with a suffix.
fn referrers(name: &str, suffix: &str) -> String {
    format!("sha256-{}{suffix}", digest(name).hex())
}

/// A line of a repository: name, tags, children, subject.
type HoldingLine<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a str);

fn inventory(lines: &[HoldingLine<'_>]) -> Inventory {
    let holding = |(_, tags, children, subject): &HoldingLine<'_>| Holding {
        tags: tags.iter().map(|tag| tag.parse().expect("a tag")).collect(),
        created: Some(NOW - GRACE),
        parts: Some(ManifestParts {
            children: children.iter().map(|name| digest(name)).collect(),
            subject: (!subject.is_empty()).then(|| digest(subject)),
        }),
    };
    Inventory::new(lines.iter().map(|line| (digest(line.0), holding(line))).collect())
}

/// The names of the manifests that can be deleted, in the order of `lines`.
fn removable<'a>(lines: &[HoldingLine<'a>], going: &[&str]) -> Vec<&'a str> {
    let going = going.iter().map(|tag| tag.parse().expect("a tag")).collect();
    let removable = inventory(lines).removable(&going, NOW);
    lines.iter().map(|line| line.0).filter(|name| removable.contains(&digest(name))).collect()
}

#[test]
fn an_index_is_deleted_with_the_manifests_that_only_it_reaches() {
    let attested: &[HoldingLine<'_>] = &[
        ("pr", &["pr-12"], &["amd64", "arm64", "proof"], ""),
        ("amd64", &[], &[], ""),
        ("arm64", &[], &[], ""),
        ("proof", &[], &[], "amd64"),
        ("other", &["main"], &["arm64"], ""),
        ("stray", &[], &[], ""),
    ];
    assert_eq!(removable(attested, &["pr-12"]), ["pr", "amd64", "proof"]);
    assert_eq!(removable(attested, &["pr-12", "main"]), ["pr", "amd64", "arm64", "proof", "other"]);
    assert_eq!(removable(attested, &["pr-1"]), [""; 0]);
}

#[test]
fn a_manifest_that_stays_keeps_the_manifests_it_reaches() {
    for (why, lines, expected) in [
        ("another tag", &[("pr", &["pr-12", "main"][..], &["a"][..], ""), ("a", &[], &[], "")][..], &[][..]),
        (
            "an index without a tag",
            &[("pr", &["pr-12"], &["a"], ""), ("a", &[], &[], ""), ("index", &[], &["a"], "")],
            &["pr"],
        ),
        (
            "an index of indexes",
            &[("pr", &["pr-12"], &["a"], ""), ("a", &[], &[], ""), ("top", &["all"], &["pr"], "")],
            &[],
        ),
        (
            "a child with a tag",
            &[("pr", &["pr-12"], &["a"], ""), ("a", &["amd64"], &["b"], ""), ("b", &[], &[], "")],
            &["pr"],
        ),
        (
            "a referrer with a tag",
            &[("pr", &["pr-12"], &["a"], ""), ("a", &[], &[], ""), ("bill", &["sbom"], &[], "a")],
            &["pr"],
        ),
        (
            "a referrer that refers to what stays",
            &[("main", &["main"], &[], ""), ("bill", &["pr-12"], &[], "main")],
            &[],
        ),
        (
            "the subject is gone already",
            &[("bill", &["pr-12"], &[], "gone"), ("main", &["main"], &[], "")],
            &["bill"],
        ),
    ] {
        assert_eq!(removable(lines, &["pr-12"]), expected, "{why}");
    }
}

#[test]
fn signatures_are_deleted_with_the_manifest_they_sign() {
    let (fallback, cosign, of_main) =
        (referrers("pr", ""), referrers("pr", ".sig"), referrers("main", ".sig"));
    let lines: &[HoldingLine<'_>] = &[
        ("pr", &["pr-12"], &[], ""),
        ("fallback", &[&fallback], &["bundle"], ""),
        ("bundle", &[], &[], "pr"),
        ("cosign", &[&cosign], &[], ""),
        ("main", &["main"], &[], ""),
        ("of_main", &[&of_main], &[], ""),
        ("both", &[&cosign.replace(".sig", ".att"), &of_main.replace(".sig", ".att")], &[], ""),
    ];
    assert_eq!(removable(lines, &["pr-12"]), ["pr", "fallback", "bundle", "cosign"]);
    assert_eq!(removable(lines, &["main"]), ["main", "of_main"]);
    assert_eq!(removable(lines, &["main", "pr-12"]).len(), 7);
}

#[test]
fn young_and_unreadable_manifests_are_left() {
    let lines: &[HoldingLine<'_>] =
        &[("pr", &["pr-12"], &["a"], ""), ("a", &[], &[], ""), ("x", &["x"], &[], "")];
    let going: BTreeSet<Tag> = ["pr-12".parse().expect("a tag")].into();
    for (created, expected) in
        [(Some(NOW - GRACE), 2), (Some(NOW - GRACE + 1), 1), (Some(NOW + 9), 1), (None, 1)]
    {
        let mut manifests = inventory(lines).manifests;
        manifests.get_mut(&digest("a")).expect("held").created = created;
        assert_eq!(Inventory::new(manifests).removable(&going, NOW).len(), expected, "{created:?}");
    }
    let mut manifests = inventory(lines).manifests;
    manifests.get_mut(&digest("x")).expect("held").parts = None;
    let inventory = Inventory::new(manifests);
    assert_eq!(inventory.removable(&going, NOW), BTreeSet::new());
    let obstacle = inventory.obstacle(&digest("pr"), &BTreeSet::new(), &going, NOW);
    assert_eq!(obstacle, Some(Obstacle::Unreadable(digest("x"))));
}

#[test]
fn parents_come_before_children() {
    let inventory = inventory(&[
        ("top", &["t"], &["middle", "low"], ""),
        ("middle", &[], &["low"], ""),
        ("low", &[], &[], ""),
        ("other", &["o"], &[], ""),
    ]);
    let all = ["top", "middle", "low", "other"].map(digest).into();
    let depths = inventory.parents_first(&all);
    assert_eq!(["top", "middle", "low", "other"].map(|name| depths[&digest(name)]), [0, 1, 2, 0]);
    let some = ["middle", "low"].map(digest).into();
    assert_eq!(inventory.parents_first(&some)[&digest("low")], 1);
}

/// A repository of up to sixteen manifests, which name only manifests before them, and the tags to remove.
fn repository() -> impl Strategy<Value = (Inventory, BTreeSet<Tag>)> {
    let manifest = (
        prop::collection::btree_set(0..16_usize, 0..4),
        prop::option::weighted(0.3, 0..16_usize),
        prop::collection::btree_set(0..24_usize, 0..3),
        prop::option::weighted(0.3, (0..16_usize, prop::bool::ANY)),
        prop::bool::weighted(0.2),
    );
    (prop::collection::vec(manifest, 1..16), prop::collection::btree_set(0..24_usize, 0..16)).prop_map(
        |(manifests, going)| {
            let name = |number: usize| digest(&number.to_string());
            let tag = |number: usize| format!("t{number}").parse::<Tag>().expect("a tag");
            let mut taken = BTreeSet::new();
            let held = manifests.into_iter().enumerate().map(
                |(number, (children, subject, tags, referrers_of, young))| {
                    let mut tags: BTreeSet<Tag> = tags.into_iter().map(tag).collect();
                    tags.extend(referrers_of.map(|(of, signature)| {
                        referrers(&of.to_string(), if signature { ".sig" } else { "" })
                            .parse()
                            .expect("a tag")
                    }));
                    tags.retain(|tag| taken.insert(tag.clone()));
                    let parts = ManifestParts {
                        children: children.into_iter().filter(|child| *child < number).map(name).collect(),
                        subject: subject.filter(|subject| *subject < number).map(name),
                    };
                    let created = Some(if young { NOW } else { 0 });
                    (name(number), Holding { tags, created, parts: Some(parts) })
                },
            );
            (Inventory::new(held.collect()), going.into_iter().map(tag).collect())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn nothing_that_stays_needs_a_deleted_manifest((inventory, going) in repository()) {
        let doomed = inventory.removable(&going, NOW);
        let manifests = inventory.manifests();
        // Some manifests stay by themselves: they have a tag that is not removed, or no tag and no removed manifest above them.
        let mut stays: BTreeSet<&Digest> = BTreeSet::new();
        let mut below: BTreeSet<&Digest> = manifests
            .iter()
            .filter(|(_, holding)| holding.tags.iter().any(|tag| going.contains(tag)))
            .map(|(digest, _)| digest)
            .collect();
        loop {
            let before = below.len();
            for (digest, holding) in manifests {
                let parts = holding.parts.as_ref().expect("parts");
                if below.contains(digest) {
                    below.extend(parts.children.iter());
                }
                let of_signature = |tag: &Tag| below.iter().any(|it| tag.is_of_referrers_to(it));
                if parts.subject.iter().any(|it| below.contains(it)) || holding.tags.iter().any(of_signature) {
                    below.insert(digest);
                }
            }
            if below.len() == before {
                break;
            }
        }
        for (digest, holding) in manifests {
            let hangs = |tag: &Tag| manifests.keys().any(|subject| tag.is_of_referrers_to(subject));
            let kept = holding.tags.iter().any(|tag| !going.contains(tag) && !hangs(tag));
            let alone = !below.contains(digest);
            let young = holding.tags.is_empty() && holding.created == Some(NOW);
            if kept || alone || young {
                stays.insert(digest);
            }
        }
        // The manifests that they reach stay too, in both directions.
        loop {
            let before = stays.len();
            for (digest, holding) in manifests {
                let parts = holding.parts.as_ref().expect("parts");
                if stays.contains(digest) {
                    stays.extend(parts.children.iter().chain(&parts.subject));
                }
                let of_signature = |tag: &Tag| stays.iter().any(|it| tag.is_of_referrers_to(it));
                if parts.subject.iter().any(|it| stays.contains(it) && manifests.contains_key(it))
                    || holding.tags.iter().any(of_signature)
                {
                    stays.insert(digest);
                }
            }
            if stays.len() == before {
                break;
            }
        }
        for digest in &doomed {
            prop_assert!(!stays.contains(digest), "{digest} is needed");
        }
        // Every other manifest that only removed tags name is deleted.
        for (digest, holding) in manifests {
            let named = !holding.tags.is_empty() && holding.tags.iter().all(|tag| going.contains(tag));
            if named && !stays.contains(digest) {
                prop_assert!(doomed.contains(digest), "{digest} could go");
            }
        }
    }
}
