//! Tests of the versions that tags and images show.

use super::*;

fn reader(prefix: &str, suffix: &str) -> VersionReader {
    VersionReader::new(prefix, suffix, &VersionScheme::Semver)
}

fn form(prefix: &str) -> ReleaseForm {
    ReleaseForm { prefixes: vec![prefix.to_owned()], ..ReleaseForm::default() }
}

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().expect("a tag")).collect()
}

#[test]
fn tags_of_other_publishers_are_read() {
    let readers = [reader("v", "")];
    let others = other_readers(&readers, &form("agent-v"));
    let names = [
        "latest",
        "2.1",
        "2.1.0",
        "v1.9.0",
        "agent-3.0.0",
        "agent-v3.0.1",
        "2024",
        "2",
        "sha-1",
        "v2.0.0-rc.1",
    ];
    let found = version_candidates(&[], &readers, &others, &tags(&names));
    let found: Vec<_> = found.iter().map(|it| (it.tag.as_str(), it.declared)).collect();
    assert_eq!(
        found,
        [
            ("v2.0.0-rc.1", true),
            ("v1.9.0", true),
            ("agent-v3.0.1", false),
            ("agent-3.0.0", false),
            ("2.1.0", false),
            ("2.1", false),
            ("2", false),
        ]
    );
}

#[test]
fn the_line_comes_first_and_no_tag_twice() {
    let readers = [reader("v", "")];
    let held = |text: &str| Held {
        version: text.parse().expect("a version"),
        tag: format!("v{text}").parse().expect("a tag"),
    };
    let line = [held("1.0.0"), held("1.1.0")];
    let found = version_candidates(&line, &readers, &[], &tags(&["v1.0.0", "v1.1.0", "v2.0.0"]));
    let found: Vec<_> = found.iter().map(|it| it.tag.as_str()).collect();
    assert_eq!(found, ["v1.1.0", "v1.0.0", "v2.0.0"]);
}

#[test]
fn a_part_of_a_version_shows_what_it_can() {
    let others = other_readers(&[], &form("v"));
    for (tag, own, expected) in [
        ("2.1", "2.0.9", Some("2.1.0")),
        ("2.1", "2.1.3", None),
        ("2.1", "2.2.0", Some("2.1.0")),
        ("v2", "1.9.1", Some("2.0.0")),
        ("2", "2.0.0", None),
        ("2", "3.0.0", Some("2.0.0")),
    ] {
        let candidates = version_candidates(&[], &[], &others, &tags(&[tag]));
        let shown = candidates[0].shows(&own.parse().expect("a version"));
        assert_eq!(shown.map(|it| it.version.to_string()).as_deref(), expected, "{tag} against {own}");
    }
}

#[test]
fn suffixes_of_rules_are_read_without_their_prefix() {
    let readers = [reader("v", "-alpine")];
    let others = other_readers(&readers, &form("v"));
    let found = version_candidates(&[], &readers, &others, &tags(&["2.1.0-alpine", "2.0.0"]));
    let found: Vec<_> = found.iter().map(|it| (it.tag.as_str(), it.lowest.to_string())).collect();
    assert_eq!(found, [("2.1.0-alpine", "2.1.0".to_owned()), ("2.0.0", "2.0.0".to_owned())]);
}

#[test]
fn stated_versions() {
    let others = other_readers(&[reader("rel-", "")], &form("agent-v"));
    for (text, expected) in [
        ("2.1.0", Some("2.1.0")),
        ("v2.1.0", Some("2.1.0")),
        ("agent-v2.1.0", Some("2.1.0")),
        (" rel-2.1.0 ", Some("2.1.0")),
        ("2.1.0-rc.1", Some("2.1.0-rc.1")),
        ("main", None),
        ("22.04", None),
        ("", None),
    ] {
        assert_eq!(stated_version(text, &others).map(|it| it.to_string()).as_deref(), expected, "{text}");
    }
}
