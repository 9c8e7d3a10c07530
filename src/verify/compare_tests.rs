//! Tests of drift, case by case: a table of the content of registries and of the reports about it.

use super::*;
use crate::config::{Config, LoadOptions, load_text};
use crate::context::TaggedCommits;
use crate::desired::{Releases, Selection};
use crate::model::drift::TagDrift;
use crate::model::forward::Descent;
use crate::verify::content::Root;
use crate::verify::expected::{Demand, ExpectedTag};
use crate::verify::{
    ComparedRepository, Comparison, ListedRepository, RecordedTag, declared_repositories, expect,
};
use oci_registry::TagListing;

const CONFIG: &str = r#"
version = 1
[registries.a]
url = "localhost:5000"
visibility = "public"
[registries.b]
url = "localhost:5001"
[registries.c]
url = "oci:c"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[tags.branch]
on = "branch"
match = "main"
template = "main"
mutability = "forward"
[images.app]
source = "oci:x"
platforms = ["linux/amd64", "linux/arm64"]
annotations = { key = "{{ version }}" }
"#;

fn tag(text: &str) -> Tag {
    text.parse().expect("a tag")
}

fn digest_of(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// A tag, and a text whose digest it names.
type Named<'a> = (&'a str, &'a str);
/// The tags in each registry.
type Standing<'a> = &'a [&'a [Named<'a>]];

fn world(standing: Standing<'_>) -> Comparison {
    world_of(CONFIG, standing)
}

fn world_of(config: &str, standing: Standing<'_>) -> Comparison {
    let loaded = load_text(config, &LoadOptions::default());
    let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    compared(&config, TaggedCommits::default(), standing)
}

/// The repositories of `config` with these tags, as many as are given.
fn compared(config: &Config, commits: TaggedCommits, standing: Standing<'_>) -> Comparison {
    let declared = declared_repositories(config, &Selection::default()).into_iter().zip(standing);
    let listed: Vec<ListedRepository> = declared
        .map(|(declared, tags)| ListedRepository {
            declared,
            listing: TagListing::complete(tags.iter().map(|(name, _)| tag(name)).collect()),
        })
        .collect();
    let expected = expect(config, &Releases::new(config, commits), &listed);
    let observed = standing.iter().map(|tags| PresentContent {
        tags: tags.iter().map(|(name, text)| (tag(name), digest_of(text))).collect(),
        ..PresentContent::default()
    });
    let pairs = expected.repositories.into_iter().zip(observed);
    Comparison {
        repositories: pairs.map(|(expected, observed)| ComparedRepository { expected, observed }).collect(),
        unverified: expected.unverified,
    }
}

/// Every drift and finding, as `REGISTRY TAG: words`.
fn lines_of(comparison: &Comparison) -> Vec<String> {
    let verification = compare(comparison, String::new());
    let mut lines = Vec::new();
    for repository in &verification.repositories {
        let registry = &repository.registry;
        let drifted = repository.tags.iter().filter_map(|tag| Some((tag, tag.drift.as_ref()?)));
        lines.extend(drifted.map(|(tag, drift)| format!("{registry} {}: {drift}", tag.tag)));
        let findings = repository.findings.iter();
        lines.extend(findings.map(|finding| format!("{registry} {}: {finding}", finding.subject())));
        lines.extend(repository.notes.iter().map(|note| format!("{registry} note: {note}")));
    }
    assert_eq!(verification.stands, !lines.iter().any(|line| !line.contains(" note: ")), "{lines:?}");
    lines
}

fn drift(standing: Standing<'_>) -> Vec<String> {
    lines_of(&world(standing))
}

#[test]
fn nothing_drifts_if_everything_is_in_place() {
    let same: &[(&str, &str)] = &[("v1.0.0", "1"), ("v2.0.0", "2"), ("latest", "2"), ("main", "m")];
    assert_eq!(drift(&[same, same, same]), Vec::<String>::new());
    // Nothing is published yet, and tags that belong to no rule do not matter.
    let nothing = "note: no release or branch is published yet";
    assert_eq!(drift(&[&[], &[("odd", "x")]]), [format!("a {nothing}"), format!("b {nothing}")]);
}

#[test]
fn a_release_that_git_knows_must_be_somewhere() {
    let config = load_text(CONFIG, &LoadOptions::default()).config.expect("a configuration");
    let commit = || crate::context::TaggedCommit { sha: "0".repeat(40), time: None };
    let tags = ["v1.0.0", "v1.2.0", "v2.0.0-rc.1", "other/v3.0.0", "v4"];
    let commits = TaggedCommits::new(tags.map(|tag| (tag.to_owned(), commit())));
    let drift = |standing: &[Named<'_>]| lines_of(&compared(&config, commits.clone(), &[standing]));
    let unpublished = "a versions: drift: no registry holds a version, but the git tag v1.2.0 is a release";
    assert_eq!(drift(&[]), [unpublished]);
    assert_eq!(drift(&[("v1.0.0", "1"), ("latest", "1")]), Vec::<String>::new());
}

#[test]
fn a_rule_may_be_younger_than_a_version() {
    // `{{ version }}-slim` came with version 2, and so did `v{{ version.major }}`.
    const RULES: &str = r#"
version = 1
[registries.a]
url = "localhost:5000"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.slim]
on = "tag"
template = "slim-{{ version.major }}.{{ version.minor }}.{{ version.patch }}"
[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"
[images.app]
source = "oci:x"
"#;
    for (standing, lines) in [
        (&[("v1.0.0", "1"), ("v2.0.0", "2"), ("slim-2.0.0", "2"), ("v2", "2")][..], &[][..]),
        (&[("v1.0.0", "1"), ("v2.0.0", "2")], &["a slim-2.0.0: drift: missing", "a v2: drift: missing"]),
        (
            &[("v1.0.0", "1"), ("v1", "x"), ("v2.0.0", "2"), ("slim-2.0.0", "2"), ("v2", "2")],
            &["a v1: drift: no version has that digest; v1.0.0 is the highest"],
        ),
    ] {
        assert_eq!(lines_of(&world_of(RULES, &[standing])), lines, "{standing:?}");
    }
}

#[test]
fn drift_of_forward_tags() {
    let versions = [("v1.0.0", "1"), ("v2.0.0", "2")];
    let with = |more: &[(&'static str, &'static str)]| [&versions[..], more].concat();
    let cases: [(Vec<Named<'_>>, &[&str]); 4] = [
        (with(&[("latest", "2")]), &[]),
        (with(&[("latest", "1")]), &["a latest: drift: v2.0.0 is the highest"]),
        (with(&[("latest", "x")]), &["a latest: drift: no version has that digest; v2.0.0 is the highest"]),
        (with(&[]), &["a latest: drift: missing"]),
    ];
    for (standing, expected) in cases {
        assert_eq!(drift(&[&standing]), expected, "{standing:?}");
    }
    // A registry with fewer versions has its own highest version, and lacks the others.
    assert_eq!(
        drift(&[&with(&[("latest", "2")]), &[("v1.0.0", "1"), ("latest", "1")]]),
        ["b v2.0.0: drift: missing; it is in a"]
    );
}

#[test]
fn drift_of_immutable_tags() {
    let of = |text: &'static str| [("v1.0.0", text), ("latest", text)];
    assert_eq!(
        drift(&[&of("1"), &of("1"), &[("v1.0.0", "x"), ("latest", "x")]]),
        [
            "c v1.0.0: drift: another digest is in a, b",
            "c latest: drift: no version has that digest; v1.0.0 is the highest",
        ]
    );
    let [one, other] = ["1", "x"].map(|text| digest_of(text).short(12));
    assert_eq!(
        drift(&[&of("1"), &of("x")]),
        [format!("a v1.0.0: drift: {other} in b"), format!("b v1.0.0: drift: {one} in a")]
    );
    // The floating tags are compared with the digests on which the others agree.
    assert_eq!(
        drift(&[&of("1"), &of("1"), &[("v1.0.0", "x"), ("latest", "1")]]),
        ["c v1.0.0: drift: another digest is in a, b"]
    );
    assert_eq!(drift(&[&of("1"), &[]]), ["b versions: drift: other registries hold one version"]);
}

#[test]
fn a_branch_is_in_all_registries_or_none() {
    assert_eq!(drift(&[&[("main", "m")], &[], &[("main", "m")]]), ["b main: drift: missing; it is in a, c"]);
    assert_eq!(drift(&[&[("main", "m")], &[("main", "m")]]), Vec::<String>::new());
}

#[test]
fn a_corrupt_tag_has_no_other_drift() {
    let mut world = world(&[&[("v1.0.0", "1"), ("latest", "1")]]);
    world.repositories[0].observed.corrupt.insert(tag("latest"), digest_of("y"));
    let found = digest_of("y").short(12);
    assert_eq!(lines_of(&world), [format!("a latest: drift: the bytes have the digest {found}")]);
}

#[test]
fn platforms_annotations_and_visibility() {
    let mut world = world(&[&[("v1.0.0", "1"), ("latest", "1")]]);
    let here = &mut world.repositories[0].observed;
    here.root = Some(Root {
        tag: Some(tag("v1.0.0")),
        platforms: Some(vec!["linux/arm64/v8".parse().expect("a platform")]),
        annotations: Some(BTreeMap::from([("key".to_owned(), "0.9.0".to_owned())])),
        findings: Vec::new(),
    });
    here.visibility = Some(ObservedVisibility::NotPublic);
    assert_eq!(
        lines_of(&world),
        [
            "a platform: drift: declared, but not in v1.0.0",
            "a annotation: drift: v1.0.0 does not have the declared value",
            "a visibility: by hand, where the registry lets you",
        ]
    );
    world.repositories[0].observed.root = None;
    world.repositories[0].observed.visibility = Some(ObservedVisibility::Unknown);
    assert_eq!(
        lines_of(&world),
        ["a note: visibility is declared public, but the registry did not report it"]
    );
}

fn recorded(name: &str, text: &str, later: Later) -> RecordedTag {
    RecordedTag { record: "r.json".to_owned(), tag: tag(name), digest: digest_of(text), later }
}

#[test]
fn a_record_knows_what_the_registries_forgot() {
    let at = |version: &str| Later::Version(version.parse().expect("a version"));
    let commit = || Later::Commit(Some("9f3c2ab".to_owned()));
    let not = "drift: neither the digest in `r.json` nor a later one";
    let cases: [(RecordedTag, &[String]); 8] = [
        (recorded("v1.0.0", "1", Later::Nothing), &[]),
        (
            recorded("v1.0.0", "x", Later::Nothing),
            &[format!("a v1.0.0: {not}"), "a latest: drift: no version has that digest; v1.0.0 is the highest".to_owned()],
        ),
        (recorded("latest", "1", at("1.0.0")), &[]),
        // A higher version was published since.
        (recorded("latest", "0", at("0.9.0")), &[]),
        // A version was deleted since.
        (recorded("latest", "2", at("2.0.0")), &[format!("a latest: {not}")]),
        (recorded("v3.0.0", "3", Later::Nothing), &["a v3.0.0: drift: missing".to_owned()]),
        (recorded("main", "m", commit()), &[]),
        (
            recorded("main", "n", commit()),
            &["a note: main moved since `r.json` was written, possibly backward: an image does not say which commit it was built from".to_owned()],
        ),
    ];
    for (record, expected_words) in cases {
        let mut world = world(&[&[("v1.0.0", "1"), ("latest", "1"), ("main", "m")]]);
        let here = &mut world.repositories[0].expected;
        here.tags.entry(record.tag.clone()).or_insert_with(|| ExpectedTag {
            rule: "version".to_owned(),
            mutability: crate::model::Mutability::Immutable,
            version: None,
            demand: Demand::Recorded,
        });
        here.recorded.push(record.clone());
        assert_eq!(lines_of(&world), expected_words, "{record:?}");
    }
}

#[test]
fn a_branch_tag_may_only_have_moved_on_since_a_record() {
    for (descent, drifts) in [
        (Descent::Descendant, Some(false)),
        (Descent::Older, Some(true)),
        (Descent::Diverged, Some(true)),
        (Descent::Unknown("shallow".to_owned()), None),
    ] {
        let mut world = world(&[&[("main", "m")]]);
        let record = recorded("main", "n", Later::Commit(None));
        world.repositories[0].observed.descents.insert((tag("main"), record.digest.clone()), descent.clone());
        world.repositories[0].expected.recorded.push(record);
        let verification = compare(&world, String::new());
        assert_eq!(!verification.stands, drifts == Some(true), "{descent:?}");
        assert_eq!(verification.repositories[0].notes.len(), usize::from(drifts.is_none()), "{descent:?}");
    }
}

#[test]
fn a_record_says_which_of_two_registries_is_right() {
    let of = |text: &'static str| [("v1.0.0", text), ("latest", text)];
    let mut world = world(&[&of("1"), &of("x")]);
    world.repositories[0].expected.recorded.push(recorded("v1.0.0", "1", Later::Nothing));
    assert_eq!(
        lines_of(&world),
        [
            "b v1.0.0: drift: another digest is in a",
            "b latest: drift: no version has that digest; v1.0.0 is the highest"
        ]
    );
    let drift = compare(&world, String::new()).repositories[1].tags[0].drift.clone();
    assert_eq!(drift, Some(TagDrift::Differs { registries: vec!["a".to_owned()] }));
}
