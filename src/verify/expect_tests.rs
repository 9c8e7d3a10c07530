//! Tests of the expectations that follow from configurations and listings.

use super::*;
use crate::config::{LoadOptions, load_text};
use crate::context::TaggedCommits;

const RULES: &str = r#"
version = 1
[registries.a]
url = "localhost:5000"
[registries.b]
url = "oci:b"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
"#;
const IMAGE: &str = "[images.app]\nsource = \"oci:x\"\n";

fn config_of(text: &str) -> Config {
    let loaded = load_text(text, &LoadOptions::default());
    assert_eq!(loaded.diagnostics, []);
    loaded.config.expect("a configuration")
}

/// The expected tags of each repository, as `TAG demand`.
fn expected(text: &str, listings: &[&[&str]]) -> (Expected, Vec<Vec<String>>) {
    let config = config_of(text);
    let declared = declared_repositories(&config, &Selection::default());
    let tags = listings.iter().map(|listing| listing.iter().map(|tag| tag.parse().expect("a tag")).collect());
    let listed: Vec<ListedRepository> = declared
        .into_iter()
        .zip(tags)
        .map(|(declared, tags)| ListedRepository { declared, listing: TagListing::complete(tags) })
        .collect();
    let releases = Releases::new(&config, TaggedCommits::default());
    let expected = expect(&config, &releases, &listed);
    let described = |(tag, expected): (&Tag, &ExpectedTag)| {
        let demand = match &expected.demand {
            Demand::Everywhere => "everywhere".to_owned(),
            Demand::EverywhereIfAnywhere => "everywhere if anywhere".to_owned(),
            Demand::SameWhereItIs => "same".to_owned(),
            Demand::Highest { line, withheld } => {
                let line: Vec<String> = line.iter().rev().map(ToString::to_string).collect();
                format!("{}{}", if *withheld { "one of " } else { "" }, line.join(" "))
            }
            Demand::Recorded => "recorded".to_owned(),
        };
        format!("{tag}: {demand}")
    };
    let tags = expected.repositories.iter().map(|it| it.tags.iter().map(described).collect()).collect();
    (expected, tags)
}

#[test]
fn each_registry_has_every_version_and_its_own_lines() {
    let (expected, tags) = expected(
        &format!("{RULES}{IMAGE}"),
        &[&["v1.0.0", "v1.1.0", "v2.0.0-rc.1", "latest", "odd"], &["v1.0.0"]],
    );
    assert_eq!(
        tags[0],
        [
            "v2.0.0-rc.1: everywhere",
            "v1.1.0: everywhere",
            "v1.1: 1.1.0",
            "latest: 1.1.0 1.0.0",
            "v1.0.0: everywhere",
            "v1.0: 1.0.0",
        ]
    );
    assert_eq!(
        tags[1],
        [
            "v2.0.0-rc.1: everywhere",
            "v1.1.0: everywhere",
            "v1.0.0: everywhere",
            "v1.0: 1.0.0",
            "latest: 1.0.0"
        ]
    );
    let last = expected.repositories[1].last.as_ref().map(ToString::to_string);
    assert_eq!((last.as_deref(), expected.repositories[1].known), (Some("1.1.0"), 3));
}

#[test]
fn a_repository_without_versions_needs_no_tags_of_versions() {
    let (expected, tags) = expected(&format!("{RULES}{IMAGE}"), &[&["v1.0.0"], &["other"]]);
    assert_eq!(tags[1], Vec::<String>::new());
    assert!(expected.repositories[1].versions.is_empty() && expected.repositories[1].last.is_some());
}

#[test]
fn a_pre_release_is_the_last_version_only_if_there_is_no_release() {
    let (expected, tags) = expected(&format!("{RULES}{IMAGE}"), &[&["v1.0.0-rc.1"], &[]]);
    assert_eq!(
        expected.repositories[0].last.as_ref().map(ToString::to_string).as_deref(),
        Some("1.0.0-rc.1")
    );
    assert_eq!(tags[0], ["v1.0.0-rc.1: everywhere"]);
}

#[test]
fn a_version_that_does_not_take_a_forward_tag_withholds_it() {
    let text = format!("{RULES}{IMAGE}")
        .replace("template = \"latest\"\n", "template = \"latest\"\nwhen = \"version.major < 2\"\n");
    let (_, tags) = expected(&text, &[&["v1.0.0", "v1.1.0", "v2.0.0"], &["v1.0.0"]]);
    assert!(tags[0].contains(&"latest: one of 1.1.0 1.0.0".to_owned()), "{:?}", tags[0]);
    assert!(tags[1].contains(&"latest: 1.0.0".to_owned()), "{:?}", tags[1]);
}

#[test]
fn rules_that_can_no_longer_be_rendered_are_reported_once() {
    let text = format!(
        "{RULES}[tags.commit]\non = [\"tag\", \"pull_request\"]\ntemplate = \"sha-{{{{ git.short_sha }}}}\"\n{IMAGE}"
    );
    let (expected, tags) = expected(&text, &[&["v1.0.0", "v1.1.0"], &["v1.0.0"]]);
    assert!(!tags[0].iter().any(|tag| tag.starts_with("sha-")), "{:?}", tags[0]);
    let unverified: Vec<_> =
        expected.unverified.iter().map(|it| (it.name.as_str(), it.why.as_str(), it.versions.len())).collect();
    assert_eq!(
        unverified,
        [
            ("commit", "the tags it rendered on `pull_request` are not known", 0),
            ("commit", "`git.short_sha` has no value here: this clone has no git tag `v1.1.0`", 2),
        ]
    );
}

#[test]
fn mutable_tags_and_branches_need_not_be_there() {
    let text = format!(
        "{RULES}[tags.edge]\non = \"tag\"\ntemplate = \"edge\"\nmutability = \"mutable\"\n\
         [tags.branch]\non = \"branch\"\nmatch = [\"main\", \"x/*\"]\ntemplate = \"{{{{ git.branch | slug }}}}\"\n\
         mutability = \"forward\"\n{IMAGE}"
    );
    let (_, tags) = expected(&text, &[&["v1.0.0"], &[]]);
    assert!(tags[0].contains(&"edge: same".to_owned()), "{:?}", tags[0]);
    assert_eq!(tags[1], ["main: everywhere if anywhere"]);
}

#[test]
fn without_a_full_version_nothing_is_known() {
    let text = format!("{RULES}{IMAGE}")
        .replace("template = \"v{{ version }}\"", "template = \"v{{ version.major }}\"");
    let (expected, tags) = expected(&text, &[&["v1", "latest"], &["v1"]]);
    assert_eq!(tags, [Vec::<String>::new(), Vec::new()]);
    assert!(!expected.repositories[0].readable);
}

#[test]
fn a_selection_keeps_tags_and_reports_unknown_targets() {
    let config = config_of(&format!("{RULES}{IMAGE}"));
    let all = declared_repositories(&config, &Selection::default());
    let selection = Selection::new(&[
        "images.app@a:latest".to_owned(),
        "images.app:v9".to_owned(),
        "images.apq".to_owned(),
    ]);
    let releases = Releases::new(&config, TaggedCommits::default());
    let listed: Vec<ListedRepository> = all
        .iter()
        .map(|it| ListedRepository {
            declared: it.clone(),
            listing: TagListing::complete(vec!["v1.0.0".parse().expect("a tag")]),
        })
        .collect();
    let mut expected = expect(&config, &releases, &listed);
    let unknown = expected.select(&selection, &all);
    let messages: Vec<&str> = unknown.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`images.app:v9` is not an address of this verification",
            "`images.apq` is not an address of this verification"
        ]
    );
    assert_eq!(
        unknown[0].help.as_deref(),
        Some("the addresses are images.app@a, images.app@b, each with `:TAG` for one tag")
    );
    let kept: Vec<Vec<&str>> =
        expected.repositories.iter().map(|it| it.tags.keys().map(Tag::as_str).collect()).collect();
    assert_eq!(kept, [vec!["latest"], vec![]]);
}
