//! Tests of how each tag is removed, depending on the abilities and the content of the registry.
#![allow(clippy::expect_used)] // what goes wrong here fails a test

use super::*;
use crate::model::retention::RemovalReason;
use oci_registry::inventory::{GRACE, Holding, ManifestParts};

const NOW: i64 = 2_000_000_000;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// A manifest: its name, its tags, and the manifests that it lists.
type ManifestLine<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

fn manifests(lines: &[ManifestLine<'_>]) -> Removing {
    let holding = |(_, tags, children): &ManifestLine<'_>| Holding {
        tags: tags.iter().map(|tag| tag.parse().expect("a tag")).collect(),
        created: Some(NOW - GRACE),
        parts: Some(ManifestParts {
            children: children.iter().map(|name| digest(name)).collect(),
            subject: None,
        }),
    };
    Removing::Manifests(Inventory::new(lines.iter().map(|line| (digest(line.0), holding(line))).collect()))
}

/// A repository in which the tags that start with `-` are removed and those with `=` stay.
fn pruned(tags: &[(&str, &str)], removing: Option<Removing>) -> Pruned {
    let decided = tags.iter().map(|(tag, of)| {
        let (sign, tag) = tag.split_at(1);
        Decided {
            tag: tag.parse().expect("a tag"),
            digest: digest(of),
            resource: crate::model::ResourceId::image("app"),
            registry: "r".to_owned(),
            retention: "pr".to_owned(),
            verdict: match sign {
                "-" => Ok(RemovalReason::PullRequestClosed { number: 12 }),
                _ => Err(KeepReason::Newest { keep_last: 2 }),
            },
        }
    });
    Pruned {
        resource: crate::model::ResourceId::image("app"),
        registry: "r".to_owned(),
        endpoint: serde_json::from_value(serde_json::json!({ "url": "ghcr.io/acme" })).expect("an endpoint"),
        repository: "acme/app".parse().expect("a name"),
        decided: decided.collect(),
        removing,
        untagged: None,
    }
}

fn planned(pruned: &Pruned) -> PlannedRepository {
    pruned.plan(&BTreeMap::from([("pr".to_owned(), Mutability::Immutable)]), NOW)
}

/// Describes the decision about each tag, followed by the orphans.
fn told(pruned: &Pruned, names: &[&str]) -> Vec<String> {
    let planned = planned(pruned);
    let of = |change: &Change| match (change.removal, &change.reason) {
        (Some(method), _) => {
            assert_eq!((change.action, change.after.is_none()), (Action::Remove, true));
            format!("{} {method:?}", change.tag)
        }
        (None, reason) => {
            assert_eq!((change.action, &change.after), (Action::Keep, &change.before));
            format!("{} {reason}", change.tag)
        }
    };
    let name = |orphan: &Digest| names.iter().find(|name| digest(name) == *orphan).expect("a name");
    let orphans = planned.orphans.iter().map(|orphan| format!("{} orphan", name(orphan)));
    planned.changes.iter().map(of).chain(orphans).collect()
}

#[test]
fn a_tag_is_removed_as_the_registry_allows() {
    let tags = [("-pr-12", "a"), ("=pr-13", "b")];
    let kept = "pr-13 kept: one of the newest 2";
    let why = "it is closed".to_owned();
    for (removing, expected) in [
        (Some(Removing::Tags), "pr-12 Tag"),
        (Some(Removing::Placeholders), "pr-12 Placeholder"),
        (Some(Removing::Nothing(why)), "pr-12 cannot be removed: it is closed"),
        (None, "pr-12 cannot be removed: the registry was not asked whether it can"),
    ] {
        assert_eq!(told(&pruned(&tags, removing), &[]), [expected, kept]);
    }
}

#[test]
fn a_manifest_is_removed_if_nothing_that_stays_needs_it() {
    for (why, held, expected) in [
        (
            "only tags that go",
            &[("a", &["pr-12", "pr-12-again"][..], &["x", "y"][..]), ("b", &["main"], &["y"])][..],
            &["pr-12 Manifest", "pr-12-again Manifest", "x orphan"][..],
        ),
        (
            "another tag",
            &[("a", &["pr-12", "pr-12-again", "v1"], &["x"]), ("b", &["main"], &["y"])],
            &["pr-12 Placeholder", "pr-12-again Placeholder"],
        ),
        (
            "an index that stays",
            &[("a", &["pr-12", "pr-12-again"], &["x"]), ("b", &["main"], &["a"])],
            &["pr-12 Placeholder", "pr-12-again Placeholder"],
        ),
    ] {
        let mut held = held.to_vec();
        held.extend([("x", &[][..], &[][..]), ("y", &[], &[])]);
        let tags = [("-pr-12", "a"), ("-pr-12-again", "a")];
        assert_eq!(told(&pruned(&tags, Some(manifests(&held))), &["x", "y"]), expected, "{why}");
    }
}

#[test]
fn an_index_is_removed_before_its_manifests() {
    let held = [
        ("child", &["a-child"][..], &["leaf"][..]),
        ("parent", &["z-parent"], &["child", "bare"]),
        ("bare", &[], &["leaf"]),
        ("leaf", &[], &[]),
        ("main", &["main"], &[]),
    ];
    let tags = [("-a-child", "child"), ("-z-parent", "parent")];
    assert_eq!(
        told(&pruned(&tags, Some(manifests(&held))), &["bare", "leaf"]),
        ["z-parent Manifest", "a-child Manifest", "bare orphan", "leaf orphan"]
    );
}

#[test]
fn signatures_are_shown_with_their_subject() {
    let signature = format!("sha256-{}.sig", digest("a").hex());
    let other = format!("sha256-{}.sig", digest("main").hex());
    let held = [
        ("a", &["pr-12"][..], &[][..]),
        ("s", &[signature.as_str()], &[]),
        ("main", &["main"], &[]),
        ("t", &[other.as_str()], &[]),
    ];
    let (asked_for, also) = (format!("-{other}"), format!("-{signature}"));
    let tags = [("-pr-12", "a"), (asked_for.as_str(), "t")];
    let pruned_here = pruned(&tags, Some(manifests(&held)));
    let kept = format!("{other} kept: it holds signatures or other referrers");
    let gone = format!("{signature} Manifest");
    assert_eq!(told(&pruned_here, &[]), ["pr-12 Manifest", kept.as_str(), gone.as_str()]);
    let change = planned(&pruned_here).changes.pop().expect("a change");
    assert_eq!(change.reason.to_string(), "it refers to pr-12, which is removed");
    assert_eq!((change.rule.as_str(), change.mutability), ("pr", Mutability::Mutable));
    // A signature that a retention names is not reported twice.
    let tags = [("-pr-12", "a"), (also.as_str(), "s")];
    let planned = planned(&pruned(&tags, Some(manifests(&held))));
    let tags: Vec<String> = planned.changes.iter().map(|change| change.tag.to_string()).collect();
    assert_eq!(tags, ["pr-12".to_owned(), signature]);
}

#[test]
fn the_last_tags_of_a_package_stay() {
    let held = [("a", &["pr-12"][..], &["x"][..]), ("b", &["pr-13"], &[]), ("x", &[], &[])];
    let tags = [("-pr-12", "a"), ("-pr-13", "b")];
    let mut removing = manifests(&held);
    let described = |removing: Removing| told(&pruned(&tags, Some(removing)), &["x"]);
    let last = |tag: &str| format!("{tag} cannot be removed: {LAST}");
    assert_eq!(described(removing.clone()), ["pr-12 Manifest", &last("pr-13"), "x orphan"]);
    if let Removing::Manifests(inventory) = &mut removing {
        let mut manifests = inventory.manifests().clone();
        manifests.get_mut(&digest("a")).expect("held").created = Some(NOW);
        *inventory = Inventory::new(manifests);
    }
    assert_eq!(described(removing), [&last("pr-12"), "pr-13 Manifest"]);
}

#[test]
fn a_plan_names_what_it_touches() {
    let origin = || PlanOrigin {
        config: crate::model::plan::PlannedConfig {
            path: "publish.toml".to_owned(),
            digest: digest("config"),
            file_digest: digest("config"),
            profile: None,
        },
        folder: ".".to_owned(),
        context: serde_json::Map::new(),
        title: "schedule".to_owned(),
        on_tag_failure: crate::model::OnTagFailure::Restore,
        approval: None,
        gates: std::collections::BTreeMap::new(),
        signers: std::collections::BTreeMap::new(),
    };
    let mutabilities = BTreeMap::new();
    let idle = pruned(&[], None);
    let plan = prune(&[idle], &mutabilities, &[("pr".to_owned(), "why".to_owned())], origin(), NOW);
    assert_eq!((plan.repositories.len(), plan.registries.len()), (0, 0));
    assert_eq!(plan.silent_retentions.get("pr").map(String::as_str), Some("why"));
    let plan = prune(&[pruned(&[("-x", "x")], Some(Removing::Tags))], &mutabilities, &[], origin(), NOW);
    assert_eq!((plan.kind, plan.repositories[0].name.as_str()), (PlanKind::Prune, "ghcr.io/acme/app"));
    assert_eq!(plan.repositories[0].changes[0].address, "images.app@r:x");
    assert_eq!(plan.registries.len(), 1);
}
