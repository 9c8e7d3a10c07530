//! Versions and releases in rules: comparisons, and releases that the forge marks as pre-releases.

use serde_json::json;
use testkit::command::{EndedRun, Folder};

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

const RULES: &str = r#"version = 1

[registries.bundle]
url = "oci:dist/registry"

[tags.version]
on = "tag"
template = "{{ version }}"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
"#;

const IMAGE: &str = "\n[images.hello]\nsource = \"oci:hello\"\n";

fn tags(done: &EndedRun) -> Vec<String> {
    let json = done.json();
    let tags = json["images"]["hello"]["tags"].as_array().expect("tags");
    tags.iter().map(|it| it["tag"].as_str().expect("a tag").to_owned()).collect()
}

fn folder(more: &str) -> Folder {
    Folder::with(&[("publish.toml", &format!("{RULES}{more}{IMAGE}"))])
}

#[test]
fn a_rule_fires_from_a_version_on() {
    let new = "\n[tags.new]\non = \"tag\"\ntemplate = \"new-{{ version }}\"\nwhen = \"version >= '2.0.0'\"\n";
    let folder = folder(new);
    folder.run("lint").done().expect_code(0);
    for (git_tag, expected) in [
        ("v1.9.9", vec!["1.9.9", "latest"]),
        ("v2.0.0", vec!["2.0.0", "latest", "new-2.0.0"]),
        ("v10.0.0", vec!["10.0.0", "latest", "new-10.0.0"]),
        ("v2.0.0-rc.1", vec!["2.0.0-rc.1"]),
    ] {
        let done = folder.run(&format!("tags --format json --ref refs/tags/{git_tag}")).done().expect_code(0);
        assert_eq!(tags(&done), expected, "{git_tag}");
    }
    let folder = self::folder(&new.replace("2.0.0", "two"));
    let done = folder.run("lint").wide().done().expect_code(1);
    assert!(done.stderr().contains("publish::template::comparison"), "{}", done.shown());
    assert!(done.stderr().contains("publish.toml:18:20"), "{}", done.shown());
}

#[test]
fn a_release_that_the_forge_marks_as_a_pre_release_takes_no_forward_tag() {
    let marked = "\n[tags.marked]\non = \"tag\"\ntemplate = \"marked-{{ version }}\"\nwhen = \"version.is_prerelease\"\n";
    for (action, prerelease, expected) in [
        ("published", true, vec!["2.0.0", "marked-2.0.0"]),
        ("prereleased", true, vec!["2.0.0", "marked-2.0.0"]),
        ("released", false, vec!["2.0.0", "latest"]),
        ("published", false, vec!["2.0.0", "latest"]),
    ] {
        let release = json!({"tag_name": "v2.0.0", "name": "Two", "prerelease": prerelease, "draft": false});
        let payload = json!({"action": action, "release": release}).to_string();
        let folder = folder(marked);
        folder.write("event.json", &payload);
        let run = |arguments: &str| {
            let run = folder.run(arguments).env("GITHUB_EVENT_PATH", folder.path.join("event.json"));
            run.env("GITHUB_ACTIONS", "true")
                .env("GITHUB_EVENT_NAME", "release")
                .env("GITHUB_REF", "refs/tags/v2.0.0")
                .env("GITHUB_SHA", SHA)
                .done()
        };
        assert_eq!(tags(&run("tags --format json").expect_code(0)), expected, "{action} {prerelease}");
        let said = run("tags -v").expect_code(0);
        assert_eq!(said.stdout().contains("as the release says"), prerelease, "{}", said.shown());
    }
}

#[test]
fn the_facts_of_a_release_are_variables() {
    let named = "\n[tags.named]\non = \"tag\"\ntemplate = \"{{ release.name | slug }}\"\nwhen = \"not release.draft\"\n";
    let folder = folder(named);
    folder.run("lint").done().expect_code(0);
    let done = folder.run("tags --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert!(done.stderr().contains("`release.draft` has no value here"), "{}", done.shown());
}

/// A rule of the configuration, and the words of the error if `lint` refuses it.
fn lint_of(rule: &str) -> Option<String> {
    let configuration = format!("{RULES}\n[tags.rule]\n{rule}\n\n[vars]\nhash = \"none\"\n{IMAGE}");
    let folder = Folder::with(&[("publish.toml", &configuration)]);
    let done = folder.run("lint").wide().done();
    let shown = done.stderr();
    assert!(done.code() == Some(0) || shown.contains("publish::tag::reused"), "{rule}: {}", done.shown());
    (done.code() != Some(0)).then_some(shown)
}

#[test]
fn an_immutable_tag_of_two_runs_is_an_error() {
    for (rule, words, fix) in [
        (
            "on = \"tag\"\ntemplate = \"newest\"",
            "`newest` for two releases, such as 1.4.2 and 1.4.3",
            "mutability = \"forward\"",
        ),
        (
            "on = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}\"",
            "`v1.4` for two releases",
            "mutability = \"forward\"",
        ),
        (
            "on = \"tag\"\ntemplate = \"v{{ version.major }}\"\nwhen = \"not version.pre\"",
            "`v1` for two releases",
            "mutability = \"forward\"",
        ),
        (
            "on = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}.{{ version.patch }}\"",
            "`v2.0.0` for a pre-release and its release, such as 2.0.0-rc.1 and 2.0.0",
            "when = \"not version.is_prerelease\"",
        ),
        (
            "on = \"tag\"\ntemplate = \"newest\"\nmatch = \"v2.*\"",
            "for two releases, such as 2.4.2 and 2.4.3",
            "forward",
        ),
        ("on = \"tag\"\ntemplate = \"newest\"\nwhen = \"version.major == 0\"", "0.4.2 and 0.4.3", "forward"),
        (
            "on = \"tag\"\ntemplate = \"rc\"\nwhen = \"version.pre\"",
            "for two pre-releases",
            "prereleases = true",
        ),
        (
            "on = \"tag\"\ntemplate = \"{{ git.tag | capture('v([0-9]+)') }}\"",
            "`1` for two releases",
            "forward",
        ),
        (
            "on = \"branch\"\ntemplate = \"main\"\nmatch = \"main\"",
            "`main` for every commit of a branch",
            "mutability = \"forward\"",
        ),
        (
            "on = \"branch\"\ntemplate = \"{{ git.branch | slug }}\"",
            "for every commit of a branch",
            "forward",
        ),
        (
            "on = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"",
            "for every commit of a pull request",
            "mutable",
        ),
        ("on = \"schedule\"\ntemplate = \"nightly\"", "on every schedule", "mutable"),
    ] {
        let shown = lint_of(rule).unwrap_or_else(|| panic!("accepted: {rule}"));
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        assert!(shown.contains(words), "{rule}: {shown}");
        assert!(shown.contains(fix), "{rule}: {shown}");
    }
}

#[test]
fn ordinary_immutable_tags_are_accepted() {
    for rule in [
        "on = \"tag\"\ntemplate = \"v{{ version }}\"",
        "on = \"tag\"\ntemplate = \"{{ git.tag }}\"\nmatch = \"v*\"",
        "on = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}.{{ version.patch }}\"\nwhen = \"not version.is_prerelease\"",
        "on = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}.{{ version.patch }}\"\nwhen = \"version.pre == ''\"",
        "on = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}.{{ version.patch }}{{ '-' ~ version.pre if version.pre else '' }}\"",
        "on = [\"tag\", \"branch\", \"pull_request\"]\ntemplate = \"sha-{{ git.short_sha }}\"",
        "on = [\"tag\", \"branch\"]\ntemplate = \"content-{{ vars.hash }}\"",
        "on = \"tag\"\ntemplate = \"newest\"\nwhen = \"vars.hash == 'newest'\"",
        "on = \"schedule\"\ntemplate = \"nightly-{{ git.commit_time | date('%Y%m%d') }}\"",
        "on = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}-{{ git.short_sha }}\"",
        "on = \"tag\"\ntemplate = \"newest\"\nmutability = \"mutable\"",
        "on = \"branch\"\ntemplate = \"{{ git.branch | slug }}\"\nmutability = \"forward\"",
        "on = \"branch\"\ntemplate = \"{{ git.branch | slug }}\"\non_conflict = \"keep\"",
        "on = \"tag\"\ntemplate = \"special\"\nwhen = \"version == '1.2.3'\"",
    ] {
        assert_eq!(lint_of(rule), None, "{rule}");
    }
}
