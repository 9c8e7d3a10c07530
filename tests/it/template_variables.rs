//! Variables that only some runs have: the run of a CI, the pull request, the git tags before the commit, the clock, the environment.

use testkit::command::{EndedRun, Folder};

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

fn text(project: &str, on: &str, template: &str) -> String {
    let template = serde_json::to_string(template).expect("a string");
    format!(
        "version = 1\n[project]\n{project}\n[registries.r]\nurl = \"localhost:5000\"\n[tags.rule]\non = {on}\ntemplate = {template}\n\
         mutability = \"mutable\"\n[images.app]\nsource = \"oci:x\"\n"
    )
}

/// The messages without their line breaks.
fn said(done: &EndedRun) -> String {
    done.stderr().replace("│ ", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn renders(done: &EndedRun, expected: &str) {
    let shown = done.shown();
    assert!(done.code() == Some(0) && done.stdout().contains(&format!("{expected} ")), "{expected}: {shown}");
}

#[test]
fn a_run_has_a_number_and_a_ci() {
    let template = "{{ ci.name | slug }}-{{ ci.run_number }}.{{ ci.run_attempt }}-{{ ci.repository | slug }}";
    let folder = Folder::with(&[("publish.toml", &text("", "\"branch\"", template))]);
    let done = folder
        .run("tags")
        .envs(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", SHA),
            ("GITHUB_RUN_NUMBER", "42"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_REPOSITORY", "Acme/App"),
        ])
        .done();
    renders(&done, "github-actions-42.2-acme-app");
    let outside = folder.run("tags --ref refs/heads/main").done().expect_code(1);
    assert!(said(&outside).contains("has no value here: only a CI knows it"), "{}", outside.shown());
}

#[test]
fn a_pull_request_has_a_base_and_a_head() {
    let template = "{{ pr.base }}-from-{{ pr.head | slug }}";
    let folder = Folder::with(&[("publish.toml", &text("", "\"pull_request\"", template))]);
    let done = folder
        .run("tags")
        .envs(&[
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature/x"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_COMMIT_SHA", SHA),
        ])
        .done();
    renders(&done, "main-from-feature-x");
    let missing = folder.run("tags --pr 7").done().expect_code(1);
    assert!(said(&missing).contains("`pr.base` has no value here"), "{}", missing.shown());
}

#[test]
fn the_git_tags_before_the_commit() {
    let template = "{{ git.describe }}-since-{{ git.previous_tag }}-{{ git.commits_since_tag }}";
    let folder = Folder::with(&[("publish.toml", &text("", "[\"branch\", \"tag\"]", template))]);
    folder.git(&["init", "--quiet", "--initial-branch=main"]);
    let commit = || {
        folder.git(&["add", "--all"]);
        folder.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    };
    commit();
    let none = folder.run("tags --ref refs/heads/main").done().expect_code(1);
    assert!(said(&none).contains("no git tag of a release comes before this commit"), "{}", none.shown());
    folder.git(&["tag", "v1.0.0"]);
    commit();
    folder.git(&["tag", "unrelated"]);
    commit();
    let head = folder.git(&["rev-parse", "--short=7", "HEAD"]);
    renders(&folder.run("tags").done(), &format!("v1.0.0-2-g{}-since-v1.0.0-2", head.trim()));
    folder.git(&["tag", "v1.1.0"]);
    renders(&folder.run("tags --ref refs/tags/v1.1.0").done(), "v1.1.0-since-v1.0.0-0");
}

#[test]
fn the_clock_is_read_only_if_the_project_says_so() {
    let template = "nightly-{{ now | date('%Y', 'Europe/Berlin') }}";
    let folder = Folder::with(&[("publish.toml", &text("", "\"branch\"", template))]);
    for command in ["lint", "tags --ref refs/heads/main"] {
        let done = folder.run(command).done().expect_code(1);
        let said = said(&done);
        assert!(
            said.contains("`now` has no value here") && said.contains("git.commit_time"),
            "{}",
            done.shown()
        );
    }
    folder.write("publish.toml", text("clock = \"wall\"", "\"branch\"", template));
    folder.run("lint").done().expect_code(0);
    let done = folder.run("tags --ref refs/heads/main").done().expect_code(0);
    assert!(done.stdout().contains("nightly-20"), "{}", done.shown());
}

#[test]
fn variables_of_the_environment_are_listed_first() {
    let template = "{{ env.FLAVOR | default('plain') }}-x";
    let folder = Folder::with(&[("publish.toml", &text("", "\"branch\"", template))]);
    let done = folder.run("lint").done().expect_code(1);
    assert!(said(&done).contains("`env.FLAVOR` is not listed in `env` of `[project]`"), "{}", done.shown());
    assert!(said(&done).contains("env = [\"FLAVOR\"]"), "{}", done.shown());
    folder.write("publish.toml", text("env = [\"FLAVOR\"]", "\"branch\"", template));
    folder.run("lint").done().expect_code(0);
    renders(&folder.run("tags --ref refs/heads/main").env("FLAVOR", "slim").done(), "slim-x");
    renders(&folder.run("tags --ref refs/heads/main").done(), "plain-x");
    folder.write("publish.toml", text("env = [\"FLAVOR\"]", "\"branch\"", "{{ env.FLAVOR }}"));
    let unset = folder.run("tags --ref refs/heads/main").done().expect_code(1);
    assert!(said(&unset).contains("the environment does not set it"), "{}", unset.shown());
    folder.write("publish.toml", text("env = [\"GITHUB_TOKEN\"]", "\"branch\"", "x"));
    let secret = folder.run("lint").done().expect_code(1);
    assert!(said(&secret).contains("`GITHUB_TOKEN` is the name of a secret"), "{}", secret.shown());
}

#[test]
fn a_rule_may_skip_what_renders_nothing() {
    let template = "{{ git.branch | capture('^release/(.+)$', default='') }}";
    let folder = Folder::with(&[("publish.toml", &text("", "\"branch\"", template))]);
    let failed = folder.run("tags --ref refs/heads/main").done().expect_code(1);
    assert!(said(&failed).contains("when_empty = \"skip\""), "{}", failed.shown());
    let skips = text("", "\"branch\"", template).replace("mutability", "when_empty = \"skip\"\nmutability");
    folder.write("publish.toml", skips);
    folder.run("lint").done().expect_code(0);
    let silent = folder.run("tags -v --ref refs/heads/main").done().expect_code(0);
    assert!(silent.stdout().contains("renders empty text"), "{}", silent.shown());
    renders(&folder.run("tags --ref refs/heads/release/1.x").done(), "1.x");
}
