//! Versions of every scheme, from the git tag to the registry: which of them take `latest`, whatever the order of their releases.

use serde_json::Value;
use testkit::command::Folder;
use testkit::world::image;

/// The keys of `[project]`, the templates, and the releases: the git tag, the tag that names it, and whether it takes `latest`.
struct Project<'a> {
    keys: &'a str,
    template: &'a str,
    latest: &'a str,
    releases: &'a [(&'a str, &'a str, bool)],
}

const CALVER: Project<'_> = Project {
    keys: "tag_prefix = \"\"\nversion_scheme = \"calver\"",
    template: "{{ version }}",
    latest: "",
    releases: &[
        ("24.04", "24.04", true),
        ("24.10", "24.10", true),
        ("24.04.1", "24.04.1", false),
        ("25.04-rc1", "25.04-rc1", false),
        ("25.04", "25.04", true),
    ],
};
const PEP440: Project<'_> = Project {
    keys: "version_scheme = \"pep440\"",
    template: "{{ version }}",
    latest: "",
    releases: &[
        ("v1.0", "1.0", true),
        ("v1.1rc1", "1.1rc1", false),
        ("v1.1", "1.1", true),
        ("v1.0.post1", "1.0.post1", false),
        ("v1.1.post1", "1.1.post1", true),
        ("v1.2.dev3+g9f3c2ab", "1.2.dev3_g9f3c2ab", false),
        ("v1!0.1", "1__0.1", true),
        ("v2.0", "2.0", false),
    ],
};
const LOOSE: Project<'_> = Project {
    keys: "version_scheme = \"loose\"",
    template: "{{ version }}",
    latest: "",
    releases: &[
        ("v1.2.3.4", "1.2.3.4", true),
        ("v1.2.3.10", "1.2.3.10", true),
        ("v1.2.3.9", "1.2.3.9", false),
        ("v1.3-rc1", "1.3-rc1", false),
        ("v1.3", "1.3", true),
        ("v1.3-r9", "1.3-r9", true),
        ("v1.3-r10", "1.3-r10", true),
        ("v1.3-4-g9f3c2ab", "1.3-4-g9f3c2ab", false),
    ],
};
const PATTERN: Project<'_> = Project {
    keys: "tag_prefix = \"\"\nversion_scheme = { pattern = \"REL_(?P<major>[0-9]+)_(?P<minor>[0-9]+)\" }",
    template: "{{ version.major }}.{{ version.minor }}",
    latest: "",
    releases: &[
        ("REL_16_2", "16.2", true),
        ("REL_15_12", "15.12", false),
        ("REL_16_10", "16.10", true),
        ("REL_9_6", "9.6", false),
    ],
};
const PATTERN_IN_FULL: Project<'_> = Project {
    keys: "tag_prefix = \"\"\nversion_scheme = { pattern = \"REL_(?P<major>[0-9]+)_(?P<minor>[0-9]+)\" }",
    template: "{{ version }}",
    latest: "",
    releases: &[
        ("REL_16_2", "REL_16_2", true),
        ("REL_15_12", "REL_15_12", false),
        ("REL_16_10", "REL_16_10", true),
    ],
};
/// <https://github.com/k3s-io/k3s/releases>.
const BUILDS: Project<'_> = Project {
    keys: "",
    template: "v{{ version }}",
    latest: "",
    releases: &[
        ("v1.28.5+k3s9", "v1.28.5_k3s9", true),
        ("v1.28.5+k3s10", "v1.28.5_k3s10", true),
        ("v1.28.4+k3s11", "v1.28.4_k3s11", false),
        ("v1.29.0-rc1+k3s1", "v1.29.0-rc1_k3s1", false),
        ("v1.28.6+k3s1", "v1.28.6_k3s1", true),
    ],
};
const REPLACED: Project<'_> = Project {
    template: "v{{ version | replace('+', '-') }}",
    releases: &[
        ("v1.28.5+k3s9", "v1.28.5-k3s9", true),
        ("v1.28.5+k3s10", "v1.28.5-k3s10", true),
        ("v1.28.4+k3s11", "v1.28.4-k3s11", false),
        ("v1.29.0-rc1+k3s1", "v1.29.0-rc1-k3s1", false),
        ("v1.28.6+k3s1", "v1.28.6-k3s1", true),
        ("v1.28.5+k3s11", "v1.28.5-k3s11", false),
    ],
    ..BUILDS
};
const GIT_TAG: Project<'_> = Project {
    keys: "tag_prefix = [\"v\", \"release-\"]",
    template: "{{ git.tag }}",
    latest: "",
    releases: &[
        ("v1.2.3", "v1.2.3", true),
        ("v1.2.2", "v1.2.2", false),
        ("release-1.3.0", "release-1.3.0", true),
        ("v1.2.4", "v1.2.4", false),
        ("v1.10.0", "v1.10.0", true),
    ],
};
const DEVELOPMENT: Project<'_> = Project {
    keys: "",
    template: "{{ version }}",
    latest: "prereleases = true",
    releases: &[
        ("v1.2.3", "1.2.3", true),
        ("v1.2.3-4-g9f3c2ab", "1.2.3-4-g9f3c2ab", false),
        ("v1.2.4-0.20191109021931-daa7c04131f5", "1.2.4-0.20191109021931-daa7c04131f5", false),
        ("v1.2.4-rc9", "1.2.4-rc9", true),
        ("v1.2.4-rc10", "1.2.4-rc10", true),
        ("v1.2.4", "1.2.4", true),
    ],
};

fn digest(folder: &Folder, tag: &str) -> Option<String> {
    let index: Value = serde_json::from_str(&folder.read("dist/registry/hello/index.json")).expect("JSON");
    let manifests = index["manifests"].as_array().expect("manifests");
    let named = manifests.iter().find(|it| it["annotations"]["org.opencontainers.image.ref.name"] == tag)?;
    Some(named["digest"].as_str()?.to_owned())
}

fn check(project: &Project<'_>) {
    let Project { keys, template, latest, releases } = project;
    let configuration = format!(
        "version = 1\n[project]\n{keys}\n[registries.bundle]\nurl = \"oci:dist/registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"{template}\"\n[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n{latest}\n[images.hello]\nsource = \"oci:dist/hello\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &configuration)]);
    folder.run("lint").done().expect_code(0);
    for (git_tag, tag, takes) in *releases {
        folder.image("dist/hello", &image(git_tag));
        folder.run(&format!("apply --auto-approve --ref refs/tags/{git_tag}")).done().expect_code(0);
        let published = digest(&folder, tag);
        assert!(published.is_some(), "{git_tag} is not published as {tag}");
        assert_eq!(digest(&folder, "latest") == published, *takes, "{template}: {git_tag}");
    }
    let verified = folder.run("verify").wide().done();
    assert_eq!(verified.code(), Some(0), "{}", verified.shown());
}

#[test]
fn calendar_versions() {
    check(&CALVER);
}

#[test]
fn versions_of_pep_440() {
    check(&PEP440);
}

#[test]
fn loose_versions() {
    check(&LOOSE);
}

#[test]
fn versions_of_a_pattern() {
    check(&PATTERN);
    check(&PATTERN_IN_FULL);
}

#[test]
fn builds_of_one_version() {
    check(&BUILDS);
    check(&REPLACED);
}

#[test]
fn git_tags_with_two_prefixes() {
    check(&GIT_TAG);
}

#[test]
fn commits_between_two_releases() {
    check(&DEVELOPMENT);
}

#[test]
fn a_line_of_calendar_versions() {
    let configuration = "version = 1\n[project]\ntag_prefix = \"\"\nversion_scheme = \"calver\"\n[registries.bundle]\nurl = \"oci:dist/registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"{{ version }}\"\n[tags.year]\non = \"tag\"\ntemplate = \"y{{ version.major }}\"\nmutability = \"forward\"\nwhen = \"version.minor >= 4\"\n[images.hello]\nsource = \"oci:dist/hello\"\n";
    let folder = Folder::with(&[("publish.toml", configuration)]);
    folder.run("lint").done().expect_code(0);
    for (git_tag, year, takes) in
        [("24.04", "y24", true), ("24.10", "y24", true), ("24.04.1", "y24", false), ("25.04", "y25", true)]
    {
        folder.image("dist/hello", &image(git_tag));
        folder.run(&format!("apply --auto-approve --ref refs/tags/{git_tag}")).done().expect_code(0);
        assert_eq!(digest(&folder, year) == digest(&folder, git_tag), takes, "{git_tag}");
    }
}

#[test]
fn an_image_has_its_own_scheme() {
    let configuration = "version = 1\n[registries.bundle]\nurl = \"oci:dist/registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"{{ version }}\"\nwhen = \"version >= '1.0.0'\"\n[images.hello]\nsource = \"oci:dist/hello\"\n[images.calendar]\nsource = \"oci:dist/hello\"\ntag_prefix = \"calendar-\"\nversion_scheme = \"calver\"\n";
    let folder = Folder::with(&[("publish.toml", configuration)]);
    for (git_tag, image, expected) in [
        ("v1.2.3", "hello", vec!["1.2.3"]),
        ("calendar-24.04", "calendar", vec!["24.04"]),
        ("v24.04", "calendar", vec![]),
    ] {
        let json =
            folder.run(&format!("tags --format json --ref refs/tags/{git_tag}")).done().expect_code(0).json();
        let tags = json["images"][image]["tags"].as_array().expect("tags");
        let tags: Vec<&str> = tags.iter().filter_map(|tag| tag["tag"].as_str()).collect();
        assert_eq!(tags, expected, "{git_tag}");
    }
}

#[test]
fn a_pattern_that_is_none_is_an_error() {
    for (pattern, words) in [
        ("(", "it is not a regular expression"),
        ("(?P<mirror>x)(?P<major>y)", "the group `mirror` is unknown"),
        ("[0-9]+", "it needs a group `(?P<major>…)`"),
    ] {
        let configuration = format!(
            "version = 1\n[project]\nversion_scheme = {{ pattern = \"{pattern}\" }}\n[registries.bundle]\nurl = \"oci:dist/registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"{{{{ version }}}}\"\n[images.hello]\nsource = \"oci:dist/hello\"\n"
        );
        let folder = Folder::with(&[("publish.toml", &configuration)]);
        let done = folder.run("lint").wide().done().expect_code(1);
        assert!(done.stderr().contains(words), "{}", done.shown());
        assert!(done.stderr().contains("publish.toml:3:"), "{}", done.shown());
    }
}

#[test]
fn a_moving_git_tag_fires_the_rules_that_need_no_version() {
    let configuration = "version = 1\n[registries.bundle]\nurl = \"oci:dist/registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"{{ version }}\"\n[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n[images.hello]\nsource = \"oci:dist/hello\"\n";
    let commit = "[tags.sha]\non = \"tag\"\ntemplate = \"sha-{{ git.short_sha }}\"\non_conflict = \"keep\"\n";
    let sha = "--sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    let folder = Folder::with(&[("publish.toml", &format!("{configuration}{commit}"))]);
    folder.image("dist/hello", &image("1"));
    let done =
        folder.run(&format!("apply --auto-approve --ref refs/tags/v1 {sha}")).wide().done().expect_code(0);
    assert_eq!(
        done.shown().matches("the git tag `v1` holds no semantic version").count(),
        1,
        "{}",
        done.shown()
    );
    assert!(digest(&folder, "sha-9f3c2ab").is_some() && digest(&folder, "latest").is_none());
    let folder = Folder::with(&[("publish.toml", configuration)]);
    folder.image("dist/hello", &image("1"));
    let done = folder.run("plan --ref refs/tags/v1").wide().done().expect_code(0);
    assert!(done.stderr().contains("warning: publish::plan::nothing"), "{}", done.shown());
}
