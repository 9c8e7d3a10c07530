//! `tags` as people and machines see it: simulated outside any repository, in repositories of every shape, and in CIs.

use insta::assert_snapshot;

use testkit::command::Folder;

/// The usual rules: one tag for each version, and forward tags for its lines.
const TEXT: &str = r#"version = 1

[registries.ghcr]
url = "ghcr.io/colliery-io"

[registries.bundle]
url = "oci:dist/registry"

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

[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"
on_conflict = "keep"

[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "forward"

[tags.nightly]
on = "schedule"
template = "nightly-{{ git.commit_time | date('%Y%m%d') }}"
mutability = "mutable"

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"

[images.broker]
source = "oci:broker"

[images.agent]
source = "oci:agent"
registries = ["ghcr"]
tags = ["version", "sha"]
"#;

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

fn folder() -> Folder {
    Folder::with(&[("publish.toml", TEXT)])
}

/// A repository with `publish.toml` committed; the id of its commit is always the same.
fn repository() -> Folder {
    let folder = folder();
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder
}

#[test]
fn simulated_outside_any_repository() {
    for (name, flags) in [
        ("release", "--ref refs/tags/v1.2.3".to_owned()),
        ("pre_release", "--ref refs/tags/v2.0.0-rc.1".to_owned()),
        ("backport", "--ref refs/tags/v1.1.9+build.7".to_owned()),
        ("branch", format!("--ref refs/heads/feature/x#1 --sha {SHA}")),
        ("pull_request", format!("--pr 12 --sha {SHA}")),
        ("pull_request_by_ref", format!("--ref refs/pull/12/merge --sha {SHA}")),
        ("pull_request_closed", "--event pull_request_closed --pr 12".to_owned()),
        ("manual", format!("--event manual --ref refs/heads/main --sha {SHA}")),
    ] {
        let folder = folder();
        for format in ["text", "json", "github"] {
            let done = folder.run(&format!("tags --format {format} {flags}")).done().expect_code(0);
            assert_snapshot!(format!("simulated_{name}_{format}"), done.shown());
        }
    }
}

#[test]
fn a_schedule_has_the_time_of_the_commit() {
    let flags = format!("tags --event schedule --ref refs/heads/main --sha {SHA}");
    let done = folder().run(&flags).env("SOURCE_DATE_EPOCH", "1767323045").done().expect_code(0);
    assert_snapshot!("schedule", done.shown());
    let missing = folder().run(&flags).wide().done().expect_code(1);
    assert_snapshot!("schedule_without_time", missing.shown());
    let wrong = folder().run(&flags).env("SOURCE_DATE_EPOCH", "yesterday").done().expect_code(1);
    assert_snapshot!("schedule_with_a_wrong_time", wrong.shown());
    let folder = repository();
    let done = folder.run("tags --event schedule").done().expect_code(0);
    assert!(done.stdout().contains("nightly-20260102"), "{}", done.shown());
}

#[test]
fn flags_that_make_no_sense() {
    for (name, flags) in [
        ("short_ref", "--ref v1.2.3"),
        ("tag_without_ref", "--event tag"),
        ("pull_request_without_number", "--event pull_request"),
        ("branch_with_tag", "--event branch --ref refs/tags/v1"),
        ("short_sha", "--ref refs/heads/main --sha 12ab"),
        ("no_sha", "--ref refs/heads/main --sha main"),
        ("unknown_event", "--event push"),
        ("number", "--pr twelve"),
    ] {
        assert_snapshot!(
            format!("flags_{name}"),
            folder().run(&format!("tags {flags}")).done().expect_code(1).shown()
        );
    }
}

#[test]
fn in_a_repository() {
    let folder = repository();
    assert_snapshot!("repository_branch", folder.run("tags --format json").done().expect_code(0).shown());
    folder.write("untracked", "");
    assert_snapshot!("repository_untracked", folder.run("tags").done().expect_code(0).shown());
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["checkout", "--quiet", "--detach"]);
    assert_snapshot!("repository_detached_at_a_tag", folder.run("tags").done().expect_code(0).shown());
    folder.git(&["tag", "--delete", "v1.2.3"]);
    assert_snapshot!("repository_detached", folder.run("tags").done().shown());
    folder.git(&["worktree", "add", "--quiet", "-b", "other", "tree"]);
    assert_snapshot!(
        "repository_worktree",
        folder.run("tags").in_folder("tree").done().expect_code(0).shown()
    );
}

#[test]
fn a_shallow_clone() {
    let folder = repository();
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", "second"]);
    folder.git(&["tag", "v1.2.3"]);
    let from = format!("file://{}", folder.path.display());
    folder.git(&[
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--branch",
        "v1.2.3",
        "-c",
        "advice.detachedHead=false",
        &from,
        "clone",
    ]);
    let done = folder.run("tags").in_folder("clone").done().expect_code(0);
    assert_snapshot!("shallow_clone", done.shown());
}

#[test]
fn repositories_that_cannot_say_much() {
    let empty = folder();
    empty.git(&["init", "--quiet"]);
    assert_snapshot!("no_commits", empty.run("tags").done().shown());
    assert_snapshot!("no_repository", folder().run("tags").wide().done().shown());
    let repository = repository();
    let without_git = repository.run("tags").env("PATH", "");
    assert_snapshot!("no_git", without_git.done().shown());
    let simulated = repository.run("tags --ref refs/tags/v1.2.3").env("PATH", "");
    assert_eq!(simulated.done().code(), Some(0), "a tag needs no git");
    std::fs::write(repository.path.join(".git/HEAD"), "rubbish").expect("written");
    assert_snapshot!("broken_repository", repository.run("tags").wide().done().shown());
}

#[test]
fn a_repository_of_somebody_else() {
    let folder = repository();
    // git has this variable for its own tests: with it, git assumes that the repository has another owner.
    let done = folder.run("tags").wide().env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").done();
    assert_snapshot!("another_owner", done.shown());
}

#[test]
fn a_dirty_tree_shows_where_a_rule_asks() {
    let folder = repository();
    let text =
        TEXT.replace("sha-{{ git.short_sha }}", "sha-{{ git.short_sha }}{% if git.dirty %}-dirty{% endif %}");
    folder.write("publish.toml", &text);
    let dirty = folder.run("tags").done().expect_code(0);
    assert!(dirty.stdout().contains("-dirty"), "{}", dirty.shown());
    folder.git(&["commit", "--quiet", "--all", "--message", "clean"]);
    let clean = folder.run("tags").done().expect_code(0);
    assert!(!clean.stdout().contains("-dirty"), "{}", clean.shown());
}

#[test]
fn in_github_actions() {
    let pull_request = r#"{"action": "opened", "pull_request": {"number": 12, "head": {"sha":
        "1111111111111111111111111111111111111111", "ref": "feature/x"}}, "repository": {"default_branch": "trunk"}}"#;
    let release = r#"{"action": "published", "release": {"tag_name": "v1.2.3"}, "repository": {"default_branch": "trunk"}}"#;
    let folder = Folder::with(&[
        ("publish.toml", TEXT),
        ("pull_request.json", pull_request),
        ("release.json", release),
        ("broken.json", "{"),
    ]);
    let path = |name: &str| folder.path.join(name).display().to_string();
    for (name, variables) in [
        (
            "push_branch",
            vec![
                ("EVENT_NAME", "push"),
                ("REF", "refs/heads/main"),
                ("REF_NAME", "main"),
                ("REF_TYPE", "branch"),
            ],
        ),
        (
            "push_tag",
            vec![
                ("EVENT_NAME", "push"),
                ("REF", "refs/tags/v1.2.3"),
                ("REF_NAME", "v1.2.3"),
                ("REF_TYPE", "tag"),
            ],
        ),
        (
            "release",
            vec![
                ("EVENT_NAME", "release"),
                ("REF", "refs/tags/v1.2.3"),
                ("REF_NAME", "v1.2.3"),
                ("REF_TYPE", "tag"),
                ("EVENT_PATH", "release.json"),
            ],
        ),
        (
            "pull_request",
            vec![
                ("EVENT_NAME", "pull_request"),
                ("REF", "refs/pull/12/merge"),
                ("REF_NAME", "12/merge"),
                ("REF_TYPE", "branch"),
                ("HEAD_REF", "feature/x"),
                ("EVENT_PATH", "pull_request.json"),
            ],
        ),
        (
            "dispatch",
            vec![
                ("EVENT_NAME", "workflow_dispatch"),
                ("REF", "refs/tags/v1.2.3"),
                ("REF_NAME", "v1.2.3"),
                ("REF_TYPE", "tag"),
            ],
        ),
        (
            "broken_payload",
            vec![
                ("EVENT_NAME", "push"),
                ("REF", "refs/heads/main"),
                ("REF_NAME", "main"),
                ("REF_TYPE", "branch"),
                ("EVENT_PATH", "broken.json"),
            ],
        ),
    ] {
        let mut run = folder
            .run("tags --format json")
            .wide()
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_SHA", SHA);
        for (variable, value) in variables {
            let value = if variable == "EVENT_PATH" { path(value) } else { value.to_owned() };
            run = run.env(&format!("GITHUB_{variable}"), value);
        }
        assert_snapshot!(format!("github_{name}"), run.shown());
    }
}

#[test]
fn a_simulation_needs_no_payload() {
    let run = |arguments: &str| {
        folder()
            .run(arguments)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_REF", "refs/tags/v1.0.0")
            .env("GITHUB_REF_NAME", "v1.0.0")
            .env("GITHUB_REF_TYPE", "tag")
            .env("GITHUB_SHA", SHA)
            .env("GITHUB_EVENT_PATH", "/nowhere/event.json")
            .done()
    };
    assert_eq!(run("tags").code(), Some(1), "the payload is missing");
    let simulated = run("tags --format json --ref refs/tags/v1.0.0").expect_code(0);
    assert!(simulated.stdout().contains(SHA), "{}", simulated.shown());
}

#[test]
fn a_commit_that_is_none_reaches_no_tag() {
    for hostile in ["--upload-pack=x", "HEAD", "12345"] {
        let run = folder()
            .run("tags --format json")
            .wide()
            .env("GITLAB_CI", "true")
            .env("CI_COMMIT_BRANCH", "main")
            .env("CI_COMMIT_SHA", hostile)
            .done();
        assert!(!run.stdout().contains(hostile), "{}", run.shown());
        assert!(run.stderr().contains("is not a commit id"), "{}", run.shown());
    }
}

#[test]
fn a_detached_head_on_two_tags_asks_which() {
    let folder = repository();
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["tag", "v1.2.4"]);
    folder.git(&["checkout", "--quiet", "--detach"]);
    let done = folder.run("tags").wide().done().expect_code(1);
    assert!(
        done.stderr().contains("2 release tags point at the commit that is checked out: `v1.2.3`, `v1.2.4`"),
        "{}",
        done.shown()
    );
}

#[test]
fn in_gitlab() {
    for (name, variables) in [
        ("branch", vec![("CI_COMMIT_BRANCH", "main"), ("CI_PIPELINE_SOURCE", "push")]),
        ("tag", vec![("CI_COMMIT_TAG", "v1.2.3"), ("CI_PIPELINE_SOURCE", "push")]),
        (
            "merge_request",
            vec![
                ("CI_MERGE_REQUEST_IID", "12"),
                ("CI_PIPELINE_SOURCE", "merge_request_event"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature/x"),
            ],
        ),
        (
            "schedule",
            vec![
                ("CI_COMMIT_BRANCH", "main"),
                ("CI_PIPELINE_SOURCE", "schedule"),
                ("SOURCE_DATE_EPOCH", "1767323045"),
            ],
        ),
    ] {
        let folder = folder();
        let run = folder
            .run("tags")
            .env("CI", "true")
            .env("GITLAB_CI", "true")
            .env("CI_COMMIT_SHA", SHA)
            .env("CI_DEFAULT_BRANCH", "main");
        assert_snapshot!(format!("gitlab_{name}"), run.envs(&variables).shown());
    }
}

#[test]
fn outputs_of_a_github_step_are_lines_that_cannot_be_broken() {
    // Texts from outside appear only in the document.
    let title = "a\nagent-tags=evil\r\n::set-output name=x::y\u{1b}[2J";
    let event = serde_json::json!({ "action": "opened", "number": 12, "pull_request": { "number": 12, "title": title,
        "head": { "ref": title, "sha": SHA }, "base": { "ref": title } } });
    for (flags, expected) in [
        (
            "--ref refs/tags/v1.2.3",
            [
                "broker-version=1.2.3",
                "broker-tags=v1.2.3,v1.2,latest",
                "broker-references=ghcr.io/colliery-io/broker:v1.2.3",
                "broker-candidates=ghcr.io/colliery-io/broker:v1.2,ghcr.io/colliery-io/broker:latest",
                "broker-labels=",
                "broker-annotations=",
                "agent-version=1.2.3",
                "agent-tags=v1.2.3",
                "agent-references=ghcr.io/colliery-io/agent:v1.2.3",
                "agent-candidates=",
                "agent-labels=",
                "agent-annotations=",
            ],
        ),
        (
            "",
            [
                "broker-version=pr-12",
                "broker-tags=sha-9f3c2ab,pr-12",
                "broker-references=ghcr.io/colliery-io/broker:sha-9f3c2ab,ghcr.io/colliery-io/broker:pr-12",
                "broker-candidates=",
                "broker-labels=",
                "broker-annotations=",
                "agent-version=sha-9f3c2ab",
                "agent-tags=sha-9f3c2ab",
                "agent-references=ghcr.io/colliery-io/agent:sha-9f3c2ab",
                "agent-candidates=",
                "agent-labels=",
                "agent-annotations=",
            ],
        ),
    ] {
        let text = TEXT.replace("[registries.bundle]\nurl = \"oci:dist/registry\"\n", "");
        let folder = Folder::with(&[("publish.toml", &text), ("event.json", &event.to_string())]);
        let done = folder
            .run(&format!("tags --format github {flags}"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_PATH", folder.path.join("event.json"))
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_REF", "refs/pull/12/merge")
            .env("GITHUB_REF_NAME", "12/merge")
            .env("GITHUB_REF_TYPE", "branch")
            .env("GITHUB_SHA", SHA)
            .env("GITHUB_HEAD_REF", title)
            .done()
            .expect_code(0);
        let shown = done.stdout();
        let lines: Vec<&str> = shown.split('\n').collect();
        let document = lines[0].strip_prefix("json=").expect("the document");
        serde_json::from_str::<serde_json::Value>(document).expect("JSON");
        assert_eq!(lines[1..lines.len() - 1], expected, "{}", done.shown());
        assert_eq!(lines.last(), Some(&""));
        assert!(!shown.contains(['\r', '\u{1b}']), "{}", done.shown());
    }
}

#[test]
fn two_whose_outputs_would_have_the_same_names_are_refused() {
    let text = format!(
        "{TEXT}\n[images.charts-Web]\nsource = \"oci:one\"\nrepository = \"one\"\n\n[charts.web]\nsource = \"charts/web\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.write("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n");
    let done = folder.run("tags --format github --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    let error = done.stderr();
    assert!(error.contains("publish::command::usage"), "{}", done.shown());
    assert!(error.contains("images.charts-Web") && error.contains("charts.web"), "{}", done.shown());
    assert!(done.stdout().is_empty(), "{}", done.shown());
    folder.run("tags --format json --ref refs/tags/v1.2.3").done().expect_code(0);
}

#[test]
fn an_error_in_a_configuration_is_told() {
    let folder = Folder::with(&[("publish.toml", &TEXT.replace("| slug", "| slag"))]);
    let done = folder.run("tags --ref refs/heads/main").done().expect_code(1);
    assert!(done.stderr().contains("publish::template::unknown_filter"), "{}", done.shown());
    let missing = Folder::new().run("tags --ref refs/tags/v1.2.3 -c nowhere.toml").done().expect_code(1);
    assert!(missing.stderr().contains("publish::config::file"), "{}", missing.shown());
}
