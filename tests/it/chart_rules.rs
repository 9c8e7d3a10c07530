//! Charts and artifacts before CI runs: their versions on every event, the findings of `lint`, and which of them may share
//! a repository. These tests open no content.

use insta::assert_snapshot;
use serde_json::Value;

use testkit::command::Folder;

const TEXT: &str = r#"version = 1

[registries.ghcr]
url = "ghcr.io/colliery-io"

[tags.release]
on = "tag"
template = "v{{ version }}"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"

[images.broker]
source = "oci:broker"

[charts.broker]
source = "charts/broker"

[charts.agent]
source = "dist/agent-{{ chart.version }}.tgz"
version = "{{ version }}"
tags = ["latest"]

[artifacts.manifests]
artifact_type = "application/vnd.colliery.manifests"
files = [{ path = "dist/{{ artifact.name }}.yaml" }]
"#;

/// A commit whose first seven digits are no number of a semantic version.
const LEADING_ZERO: &str = "0123456789012345678901234567890123456789";
const COMMIT: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

/// The version of each chart, and its tags.
fn charts(arguments: &str, sha: &str) -> Vec<(String, String, Vec<String>)> {
    let folder = Folder::with(&[("publish.toml", TEXT)]);
    let told = folder.run(&format!("tags --format json --sha {sha} {arguments}")).done().expect_code(0);
    let value: Value = serde_json::from_str(&told.stdout()).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let charts = value["charts"].as_object().expect("charts").iter();
    charts
        .map(|(name, chart)| {
            let tags = chart["tags"].as_array().expect("tags").iter().map(|it| text(&it["tag"]));
            (name.clone(), text(&chart["version"]), tags.collect())
        })
        .collect()
}

#[test]
fn the_version_of_a_chart_on_every_event() {
    for (arguments, sha, broker, agent) in [
        ("--ref refs/tags/v1.2.3", COMMIT, ("1.2.3", "1.2.3"), &["1.2.3", "latest"][..]),
        ("--ref refs/tags/v1.2.3-rc.1", COMMIT, ("1.2.3-rc.1", "1.2.3-rc.1"), &["1.2.3-rc.1"]),
        ("--ref refs/tags/v1.2.3+b.7", COMMIT, ("1.2.3+b.7", "1.2.3_b.7"), &["1.2.3_b.7", "latest"]),
        ("--ref refs/tags/nightly", COMMIT, ("", ""), &[]),
        ("--ref refs/heads/main", COMMIT, ("0.0.0-main.sha9f3c2ab", "0.0.0-main.sha9f3c2ab"), &[]),
        (
            "--ref refs/heads/feature/Login#2",
            LEADING_ZERO,
            ("0.0.0-feature-Login-2.sha0123456", "0.0.0-feature-Login-2.sha0123456"),
            &[],
        ),
        ("--pr 12", COMMIT, ("0.0.0-pr-12.sha9f3c2ab", "0.0.0-pr-12.sha9f3c2ab"), &[]),
        (
            "--event schedule --ref refs/heads/main",
            COMMIT,
            ("0.0.0-main.sha9f3c2ab", "0.0.0-main.sha9f3c2ab"),
            &[],
        ),
    ] {
        let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let of_broker = if broker.1.is_empty() { Vec::new() } else { tags(&[broker.1]) };
        let version_of_agent = agent.first().map(|tag| tag.replace('_', "+")).unwrap_or_default();
        assert_eq!(
            charts(arguments, sha),
            [
                ("broker".to_owned(), broker.0.to_owned(), of_broker),
                ("agent".to_owned(), version_of_agent, tags(agent)),
            ],
            "{arguments}"
        );
    }
}

#[test]
fn charts_and_artifacts_go_by_their_tables() {
    let folder = Folder::with(&[("publish.toml", TEXT)]);
    let run = |format: &str| {
        let arguments = format!("tags --ref refs/tags/v1.2.3 --sha {COMMIT} --format {format}");
        folder.run(&arguments).done().expect_code(0).stdout()
    };
    assert_snapshot!("chart_tags_text", run("text"));
    let github = run("github");
    assert_snapshot!("chart_tags_github", github.split_once('\n').expect("lines").1);
}

#[test]
fn what_is_wrong_with_charts_is_found_at_the_desk() {
    let text = TEXT
        .replace(
            "source = \"charts/broker\"\n",
            "source = \"charts/{{ chart.nmae }}\"\nrepository = \"broker\"\n",
        )
        .replace("version = \"{{ version }}\"", "version = \"v{{ version }}\"");
    let folder = Folder::with(&[("publish.toml", &text)]);
    assert_snapshot!("chart_lint", folder.run("lint").done().expect_code(1).stderr());
}

#[test]
fn only_a_chart_may_be_in_the_repository_of_a_chart() {
    let share = |one: &str, other: &str| {
        let text = format!(
            "version = 1\n[registries.r]\nurl = \"localhost:5000\"\n[tags.v]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n{one}\n{other}\n"
        );
        Folder::with(&[("publish.toml", &text)]).run("lint").wide().done().stderr()
    };
    let chart = "[charts.app]\nsource = \"charts/app\"\nrepository = \"one/app\"";
    let image = "[images.app]\nsource = \"oci:app\"\nrepository = \"one/app\"";
    let artifact =
        "[artifacts.app]\nartifact_type = \"a/b\"\nfiles = [{ path = \"x\" }]\nrepository = \"one/app\"";
    let another = "[charts.other]\nsource = \"charts/other\"\nrepository = \"one/app\"";
    for (one, other, words) in [
        (image, chart, "image `app` and chart `app` share the repository `localhost:5000/one/app`"),
        (artifact, chart, "chart `app` and artifact `app` share the repository"),
        (chart, another, "chart `app` and chart `other` share the repository"),
        (image, artifact, "image `app` and artifact `app` both want the tag `v1.4.2`"),
    ] {
        let told = share(one, other);
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn what_an_event_lacks_is_found_in_every_template_that_it_publishes() {
    let text = "version = 1\n[registries.r]\nurl = \"localhost:5000\"\n[tags.sha]\non = \"branch\"\ntemplate = \"sha-{{ git.short_sha }}\"\n[images.app]\nsource = \"oci:app\"\nannotations = { \"a\" = \"{{ version }}\" }\n[charts.app]\nsource = \"charts/app\"\napp_version = \"{{ version }}\"\n";
    let folder = Folder::with(&[("publish.toml", text)]);
    let told = folder.run("lint").wide().done().expect_code(1).stderr();
    for words in [
        "image `app`: on the branch `main`, `version` has",
        "chart `app`: on the branch `main`, `version` has",
    ] {
        assert!(told.contains(words), "{told}");
    }
    let right = text.replace("{{ version }}", "{{ version if event == 'tag' else git.short_sha }}");
    Folder::with(&[("publish.toml", &right)]).run("lint").done().expect_code(0);
}

#[test]
fn a_chart_that_helm_would_refuse_is_found_at_the_desk() {
    let folder = Folder::with(&[
        (
            "publish.toml",
            "version = 1\n[registries.r]\nurl = \"localhost:5000\"\n[charts.app]\nsource = \"charts/app\"\n",
        ),
        ("charts/app/Chart.yaml", "apiVersion: v2\nname: other\nversion: one\n"),
    ]);
    assert_snapshot!("chart_directory_lint", folder.run("lint").done().expect_code(1).stderr());
}

#[test]
fn a_chart_needs_no_tag_rule() {
    let text =
        "version = 1\n[registries.r]\nurl = \"localhost:5000\"\n[charts.app]\nsource = \"charts/app\"\n";
    let folder = Folder::with(&[("publish.toml", text)]);
    folder.run("lint").done().expect_code(0);
    let told = folder.run("tags --ref refs/tags/v1.2.3").done().expect_code(0).stdout();
    assert!(told.contains("1.2.3"), "{told}");
}
