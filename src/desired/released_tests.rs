//! Tests of the tags and annotations that rules render for releases and branches of the past.

use super::*;
use crate::config::{LoadOptions, load_text};
use crate::context::TaggedCommit;

const CONFIG: &str = r#"
version = 1
[project]
source = "https://example.com/app"
[registries.r]
url = "localhost:5000"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.slim]
on = "tag"
template = "v{{ version }}-slim"
[tags.latest]
on = "tag"
when = "version.major < 3"
template = "latest"
mutability = "forward"
[tags.next]
on = "tag"
template = "next"
mutability = "forward"
prereleases = true
[tags.old]
on = "tag"
match = "v1.*"
template = "old-{{ version.major }}"
[tags.commit]
on = ["tag", "branch"]
match = ["main", "v*", "release/*"]
template = "sha-{{ git.short_sha }}"
[tags.branch]
on = ["branch", "pull_request"]
match = ["main", "dev/elop"]
template = "{{ git.branch | slug }}"
mutability = "forward"
[images.app]
source = "oci:x"
[images.app.annotations]
a = "{{ version }}"
b = "{{ git.sha }}"
"#;

fn with<T>(check: impl for<'a> FnOnce(&Releases<'a>, NamedResource<'a>) -> T) -> T {
    let loaded = load_text(CONFIG, &LoadOptions::default());
    let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let commit = TaggedCommit { sha: "9f3c2ab41d5e".to_owned(), time: None };
    let releases = Releases::new(&config, TaggedCommits::new([("v1.0.0".to_owned(), commit)]));
    check(&releases, config.named_resource(&ResourceId::image("app")).expect("an image"))
}

fn tag(text: &str) -> Tag {
    text.parse().expect("a tag")
}

#[test]
fn a_tag_belongs_to_the_rule_that_prints_most_around_the_version() {
    with(|releases, image| {
        let readers = releases.readers(image);
        assert!(readers.reads("version") && readers.reads("slim") && !readers.reads("latest"));
        let tags = ["v1.2.3-slim", "latest", "v1.2.3", "v2.0.0-rc.1_b5", "1.0.0"].map(tag);
        let found = readers.versions(&tags);
        let found: Vec<(String, Vec<&str>)> = found
            .iter()
            .map(|(version, tags)| (version.to_string(), tags.iter().map(Tag::as_str).collect()))
            .collect();
        assert_eq!(
            found,
            [
                ("1.2.3".to_owned(), vec!["v1.2.3", "v1.2.3-slim"]),
                ("2.0.0-rc.1+b5".to_owned(), vec!["v2.0.0-rc.1_b5"])
            ]
        );
    });
}

#[test]
fn rules_render_as_they_did_at_the_release() {
    let rendered = |version: &str| -> Vec<(String, Rendered)> {
        with(|releases, image| {
            let version = version.parse().expect("a version");
            let tags = releases.tags(image, &version);
            tags.into_iter().map(|it| (it.template.name().into_owned(), it.rendered)).collect()
        })
    };
    let fires = |text: &str| Rendered::Tag(tag(text));
    let named = |pairs: [(&str, Rendered); 6]| pairs.map(|(rule, it)| (rule.to_owned(), it)).to_vec();
    let unknown = |tag: &str| {
        Rendered::Unknown(format!("`git.short_sha` has no value here: this clone has no git tag `{tag}`"))
    };
    assert_eq!(
        rendered("1.0.0"),
        named([
            ("version", fires("v1.0.0")),
            ("slim", fires("v1.0.0-slim")),
            ("latest", fires("latest")),
            ("next", fires("next")),
            ("old", fires("old-1")),
            ("commit", fires("sha-9f3c2ab")),
        ])
    );
    assert_eq!(
        rendered("3.0.0"),
        named([
            ("version", fires("v3.0.0")),
            ("slim", fires("v3.0.0-slim")),
            // The version does not get the tag but keeps lower versions from getting it, as in `plan`.
            ("latest", Rendered::Silent(Some(tag("latest")))),
            ("next", fires("next")),
            ("old", Rendered::Silent(None)),
            ("commit", unknown("v3.0.0")),
        ])
    );
    let prerelease = rendered("2.0.0-rc.1");
    assert_eq!(prerelease[2], ("latest".to_owned(), Rendered::Silent(None)));
    assert_eq!(prerelease[3], ("next".to_owned(), fires("next")));
}

#[test]
fn only_branches_that_are_named_are_known() {
    with(|releases, image| {
        let branches = releases.branches(image);
        let found: Vec<_> = branches
            .iter()
            .map(|it| (it.template.name(), it.branch, it.tag.as_ref().map(Tag::as_str).map_err(|_| ())))
            .collect();
        assert_eq!(
            found,
            [
                ("commit".into(), "main", Err(())),
                ("branch".into(), "main", Ok("main")),
                ("branch".into(), "dev/elop", Ok("dev-elop"))
            ]
        );
        let untraceable = releases.untraceable(image);
        let untraceable: Vec<_> =
            untraceable.iter().map(|it| format!("{}: {}", it.template.name(), it.reason)).collect();
        assert_eq!(
            untraceable,
            [
                "commit: the branches that matched `v*` are not known",
                "commit: the branches that matched `release/*` are not known",
                "branch: the tags it rendered on `pull_request` are not known",
            ]
        );
    });
}

#[test]
fn annotations_are_those_of_the_version() {
    with(|releases, image| {
        let annotations = releases.annotations(image, &ReleaseVersion::new(2, 0, 0));
        assert_eq!(annotations["a"], Ok("2.0.0".to_owned()));
        assert!(annotations["b"].as_ref().is_err_and(|why| why.contains("`v2.0.0`")));
        assert_eq!(annotations[annotation::SOURCE], Ok("https://example.com/app".to_owned()));
    });
}
