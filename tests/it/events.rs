//! The events of runs in CIs: which rules fire, that a pull request is never taken for a push, and that nothing is silent.

use testkit::command::{EndedRun, Folder};

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
const HEAD: &str = "2222222222222222222222222222222222222222";

/// A rule for each event, whose tag shows which of them fired.
const RULES: &str = r#"version = 1

[registries.bundle]
url = "oci:dist/registry"

[tags.version]
on = "tag"
template = "{{ version }}"

[tags.branch]
on = "branch"
template = "b-{{ git.branch | slug }}"

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"

[tags.schedule]
on = "schedule"
template = "nightly"
mutability = "mutable"

[tags.manual]
on = "manual"
template = "manual"
mutability = "mutable"

[images.hello]
source = "oci:hello"
"#;

fn variables(text: &str) -> Vec<(&str, &str)> {
    text.split_whitespace().map(|it| it.split_once('=').expect("a variable")).collect()
}

fn tags(done: &EndedRun) -> Vec<String> {
    let json = done.json();
    let tags = json["images"]["hello"]["tags"].as_array().expect("tags");
    tags.iter().map(|it| it["tag"].as_str().expect("a tag").to_owned()).collect()
}

#[track_caller]
fn says(done: &EndedRun, texts: &[&str]) {
    let shown = done.stderr().split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
    for text in texts {
        assert!(shown.contains(text), "`{text}` is missing:\n{}", done.shown());
    }
}

#[test]
fn rules_fire_by_what_the_run_stands_on() {
    let folder = Folder::with(&[
        ("publish.toml", RULES),
        (
            "own.json",
            r#"{"action": "opened", "pull_request": {"number": 7, "head": {"sha": "2222222222222222222222222222222222222222", "ref": "main", "repo": {"full_name": "o/n"}}, "base": {"ref": "main", "repo": {"full_name": "o/n"}}}}"#,
        ),
        (
            "fork.json",
            r#"{"action": "opened", "pull_request": {"number": 7, "head": {"sha": "2222222222222222222222222222222222222222", "ref": "main", "repo": {"full_name": "me/n"}}, "base": {"ref": "main", "repo": {"full_name": "o/n"}}}}"#,
        ),
        (
            "closed.json",
            r#"{"action": "closed", "pull_request": {"number": 7, "head": {"sha": "2222222222222222222222222222222222222222", "ref": "main"}}}"#,
        ),
        ("deleted.json", r#"{"deleted": true}"#),
        ("created.json", r#"{"action": "created", "release": {"tag_name": "v1.2.3"}}"#),
        ("gone.json", r#"{"action": "deleted", "release": {"tag_name": "v1.2.3"}}"#),
    ]);
    let github = |event: &str, reference: &str, payload: &str| {
        let path =
            if payload.is_empty() { String::new() } else { folder.path.join(payload).display().to_string() };
        format!(
            "GITHUB_ACTIONS=true GITHUB_SHA={SHA} GITHUB_EVENT_NAME={event} GITHUB_REF={reference} GITHUB_EVENT_PATH={path}"
        )
    };
    let gitlab = |more: &str| format!("GITLAB_CI=true CI_COMMIT_SHA={SHA} {more}");
    let azure = |more: &str| format!("TF_BUILD=True BUILD_SOURCEVERSION={SHA} {more}");
    let (main, tag) = ("refs/heads/main", "refs/tags/v1.2.3");
    for (variables_of_run, expected) in [
        (github("push", main, ""), vec!["b-main"]),
        (github("push", tag, ""), vec!["1.2.3"]),
        (github("workflow_dispatch", tag, ""), vec!["1.2.3", "manual"]),
        (github("workflow_dispatch", main, ""), vec!["manual"]),
        (github("schedule", main, ""), vec!["nightly"]),
        (github("release", tag, "created.json"), vec!["1.2.3"]),
        (github("release", tag, "gone.json"), vec![]),
        (github("push", main, "deleted.json"), vec![]),
        (github("delete", main, ""), vec![]),
        (github("issue_comment", main, ""), vec![]),
        (github("repository_dispatch", main, ""), vec![]),
        (github("workflow_run", main, ""), vec![]),
        (github("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-aa", ""), vec![]),
        (github("push", "refs/heads/gh-readonly-queue/main/pr-7-aa", ""), vec![]),
        (github("pull_request", "refs/pull/7/merge", "own.json"), vec!["pr-7"]),
        (github("pull_request", "refs/pull/7/merge", "fork.json"), vec![]),
        (github("pull_request_target", main, "own.json"), vec!["pr-7"]),
        (github("pull_request_target", main, "fork.json"), vec![]),
        (github("pull_request", "refs/pull/7/merge", "closed.json"), vec![]),
        (gitlab("CI_PIPELINE_SOURCE=web CI_COMMIT_TAG=v1.2.3"), vec!["1.2.3", "manual"]),
        (gitlab("CI_PIPELINE_SOURCE=schedule CI_COMMIT_TAG=v1.2.3"), vec!["1.2.3", "nightly"]),
        (gitlab("CI_PIPELINE_SOURCE=parent_pipeline CI_COMMIT_TAG=v1.2.3"), vec!["1.2.3"]),
        (gitlab("CI_PIPELINE_SOURCE=parent_pipeline CI_COMMIT_BRANCH=main"), vec!["b-main"]),
        (gitlab("CI_PIPELINE_SOURCE=parent_pipeline CI_MERGE_REQUEST_IID=7"), vec!["pr-7"]),
        (
            gitlab(
                "CI_MERGE_REQUEST_IID=7 CI_MERGE_REQUEST_PROJECT_ID=1 CI_MERGE_REQUEST_SOURCE_PROJECT_ID=2",
            ),
            vec![],
        ),
        (
            azure(
                "BUILD_REASON=PullRequest SYSTEM_PULLREQUEST_PULLREQUESTID=7 BUILD_SOURCEBRANCH=refs/pull/7/merge SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/develop",
            ),
            vec!["pr-7"],
        ),
        (azure("BUILD_REASON=Manual BUILD_SOURCEBRANCH=refs/tags/v1.2.3"), vec!["1.2.3", "manual"]),
        (
            format!("CI=woodpecker CI_COMMIT_SHA={SHA} CI_PIPELINE_EVENT=deployment CI_COMMIT_BRANCH=main"),
            vec![],
        ),
    ] {
        let run = folder.run("tags --format json").envs(&variables(&variables_of_run));
        let done = run.done().expect_code(0);
        assert_eq!(tags(&done), expected, "{variables_of_run}\n{}", done.shown());
        // Nothing is silent.
        assert_eq!(done.stderr().contains("nothing is published"), expected.is_empty(), "{}", done.shown());
    }
}

#[test]
fn a_fork_publishes_nothing_unless_the_rule_says_so() {
    let payload = r#"{"pull_request": {"number": 7, "labels": [{"name": "publish"}], "draft": false, "head": {"sha": "2222222222222222222222222222222222222222", "ref": "fix", "repo": {"full_name": "me/n"}}, "base": {"ref": "main", "repo": {"full_name": "o/n"}}}}"#;
    let allowed = RULES.replace(
        "template = \"pr-{{ pr.number }}\"",
        "template = \"pr-{{ pr.number }}-{{ pr.target }}-{{ 'fork' if pr.fork else 'own' }}\"\nforks = true\nwhen = \"'publish' in pr.labels and not pr.draft\"",
    );
    let folder =
        Folder::with(&[("publish.toml", RULES), ("allowed.toml", &allowed), ("event.json", payload)]);
    let run = |arguments: &str| {
        let path = folder.path.join("event.json").display().to_string();
        let run = folder.run(arguments).env("GITHUB_ACTIONS", "true").env("GITHUB_SHA", SHA);
        run.env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_REF", "refs/pull/7/merge")
            .env("GITHUB_EVENT_PATH", path)
    };
    let refused = run("tags --format json").done().expect_code(0);
    assert_eq!(tags(&refused), Vec::<String>::new());
    says(&refused, &["the pull request is from a fork, and the rule does not set `forks = true` (`pr`)"]);
    assert_eq!(refused.stderr().matches("from a fork").count(), 1, "{}", refused.shown());
    let done = run("tags --format json --config allowed.toml").done().expect_code(0);
    assert_eq!(tags(&done), ["pr-7-main-fork"]);
    assert_eq!(done.json()["context"]["sha"], HEAD);
    // The same run, named by hand, is no way around it.
    let simulated = run("tags --format json --pr 7").done().expect_code(0);
    assert_eq!(tags(&simulated), Vec::<String>::new());
}

/// A repository with `publish.toml`, an image, and the branch `main`.
fn repository() -> Folder {
    let folder = Folder::with(&[("publish.toml", RULES)]);
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder
}

#[test]
fn a_ci_that_does_not_say_what_happened_is_named() {
    let folder = repository();
    for (run, name) in [
        ("CI=true", "`CI=true` is set, but no CI that this program knows"),
        ("CI=true BITRISE_IO=true", "Bitrise"),
        ("TEAMCITY_VERSION=2025.1", "TeamCity"),
        ("HOME=/tekton/home", "Tekton"),
        ("BUILDER_OUTPUT=/builder/outputs", "automapSubstitutions"),
        ("JENKINS_URL=http://j GIT_BRANCH=detached", "Jenkins does not say"),
        ("GITLAB_CI=true", "GitLab CI does not say"),
    ] {
        for command in ["tags", "plan"] {
            let done = folder.run(command).envs(&variables(run)).wide().done().expect_code(1);
            says(&done, &["publish::context::git", name, "--ref refs/tags/v1.2.3", "--pr"]);
        }
        let named = folder.run("tags --format json --ref refs/heads/main").envs(&variables(run));
        assert_eq!(tags(&named.done().expect_code(0)), ["b-main"], "{run}");
    }
    // A git tag that is checked out is believed, and the run says so.
    folder.git(&["tag", "v1.2.3"]);
    folder.git(&["checkout", "--quiet", "--detach"]);
    let done = folder.run("tags --format json").env("CI", "true").wide().done().expect_code(0);
    assert_eq!(tags(&done), ["1.2.3"]);
    says(&done, &["assuming that the git tag `v1.2.3`, which is checked out, is to be published"]);
}

#[test]
fn the_clone_completes_what_a_ci_leaves_open() {
    let folder = repository();
    folder.git(&["branch", "fix"]);
    folder.git(&["tag", "v1.2.3"]);
    let sha = folder.git(&["rev-parse", "HEAD"]);
    let circle = |branch: &str| {
        format!(
            "CIRCLECI=true CIRCLE_SHA1={sha} CIRCLE_BRANCH={branch} CIRCLE_PULL_REQUEST=https://github.com/o/n/pull/7"
        )
    };
    let codebuild = |version: &str| {
        format!(
            "CODEBUILD_BUILD_ID=p:1 CODEBUILD_RESOLVED_SOURCE_VERSION={sha} CODEBUILD_SOURCE_VERSION={version} CODEBUILD_INITIATOR=me"
        )
    };
    let prow =
        |base: &str| format!("PROW_JOB_ID=x JOB_TYPE=postsubmit PULL_BASE_SHA={sha} PULL_BASE_REF={base}");
    for (run, expected) in [
        // A pull request is open from main, and this is a push to main.
        (circle("main"), vec!["b-main"]),
        (circle("fix"), vec!["pr-7"]),
        (codebuild("fix"), vec!["manual"]),
        (codebuild("v1.2.3"), vec!["1.2.3", "manual"]),
        (prow("main"), vec!["b-main"]),
        (prow("v1.2.3"), vec!["1.2.3"]),
        // A branch that this clone does not have.
        (prow("release-1"), vec!["b-release-1"]),
    ] {
        let done = folder.run("tags --format json").envs(&variables(&run)).done().expect_code(0);
        assert_eq!(tags(&done), expected, "{run}\n{}", done.shown());
    }
    // Only the clone knows the head of the pull request.
    folder.git(&["update-ref", "refs/pull/7/head", &sha]);
    let merge = format!(
        "GITHUB_ACTIONS=true GITHUB_SHA={SHA} GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/7/merge"
    );
    let done = folder.run("tags --format json").envs(&variables(&merge)).done().expect_code(0);
    assert_eq!(
        (done.json()["context"]["sha"].as_str(), tags(&done)),
        (Some(sha.as_str()), vec!["pr-7".to_owned()])
    );
    // A name that looks like a release, of which the clone knows nothing.
    let done = folder.run("tags").envs(&variables(&prow("v9.9.9"))).wide().done().expect_code(1);
    says(&done, &["does not say whether `v9.9.9` is a branch or a git tag"]);
    // Buildkite builds what it checked out.
    let hand = "BUILDKITE=true BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=main BUILDKITE_SOURCE=ui";
    let done = folder.run("tags --format json").envs(&variables(hand)).done().expect_code(0);
    assert_eq!(done.json()["context"]["sha"], *sha);
}

#[test]
fn the_commit_of_jenkins_is_the_head_and_not_its_own_merge() {
    let folder = repository();
    folder.git(&["checkout", "--quiet", "-b", "fix"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", "fix"]);
    let head = folder.git(&["rev-parse", "HEAD"]);
    folder.git(&["checkout", "--quiet", "main"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", "main"]);
    folder.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    folder.git(&["update-ref", "refs/remotes/origin/PR-7", &head]);
    folder.git(&["checkout", "--quiet", "--detach", &head]);
    folder.git(&["merge", "--quiet", "--no-ff", "--no-edit", "main"]);
    let merge = folder.git(&["rev-parse", "HEAD"]);
    let run = |sha: &str| {
        let job = format!(
            "JENKINS_URL=http://j CHANGE_ID=7 CHANGE_BRANCH=fix CHANGE_TARGET=main BRANCH_NAME=PR-7 GIT_COMMIT={sha}"
        );
        folder.run("tags --format json").envs(&variables(&job)).done().expect_code(0).json()
    };
    assert_eq!(run(&merge)["context"]["sha"], *head);
    // A merge that the author of the pull request pushed is its head.
    folder.git(&["update-ref", "refs/remotes/origin/PR-7", &merge]);
    assert_eq!(run(&merge)["context"]["sha"], *merge);
}

#[test]
fn another_commit_than_that_of_the_ci_is_reported() {
    let folder = repository();
    let first = folder.git(&["rev-parse", "HEAD"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", "second"]);
    let run = |sha: &str| {
        let job = format!("GITLAB_CI=true CI_COMMIT_BRANCH=main CI_COMMIT_SHA={sha}");
        folder.run("tags --format json").envs(&variables(&job)).wide().done().expect_code(0)
    };
    says(&run(&first), &["is checked out, but GitLab CI runs for commit"]);
    let second = folder.git(&["rev-parse", "HEAD"]);
    assert_eq!(run(&second).stderr(), "");
}

#[test]
fn the_default_branch_and_the_time_are_found_where_there_is_no_clone() {
    let when = RULES
        .replace(
            "on = \"branch\"",
            "on = [\"branch\", \"schedule\"]\nwhen = \"git.branch == git.default_branch\"",
        )
        .replace("[registries", "[project]\ndefault_branch = \"trunk\"\n\n[registries");
    let nightly = when
        .replace("template = \"nightly\"", "template = \"nightly-{{ git.commit_time | date('%Y%m%d') }}\"");
    let payload = format!(r#"{{"head_commit": {{"id": "{SHA}", "timestamp": "2026-01-02T03:04:05Z"}}}}"#);
    let folder = Folder::with(&[("publish.toml", &nightly), ("event.json", &payload)]);
    let path = folder.path.join("event.json").display().to_string();
    let github = format!(
        "GITHUB_ACTIONS=true GITHUB_SHA={SHA} GITHUB_EVENT_NAME=schedule GITHUB_REF=refs/heads/main GITHUB_EVENT_PATH={path}"
    );
    let travis = format!("TRAVIS=true TRAVIS_COMMIT={SHA} TRAVIS_BRANCH=trunk TRAVIS_EVENT_TYPE=push");
    let other = travis.replace("BRANCH=trunk", "BRANCH=main");
    for (run, expected) in
        [(&github, vec!["b-main", "nightly-20260102"]), (&travis, vec!["b-trunk"]), (&other, vec![])]
    {
        let done = folder.run("tags --format json").envs(&variables(run)).done().expect_code(0);
        assert_eq!(tags(&done), expected, "{run}\n{}", done.shown());
    }
}

#[test]
fn variables_that_contradict_each_other_are_refused_in_every_ci() {
    let folder = Folder::with(&[("publish.toml", RULES)]);
    for run in [
        "GITLAB_CI=true CI_COMMIT_TAG=v1.2.3 CI_COMMIT_BRANCH=main",
        "GITLAB_CI=true CI_COMMIT_TAG=v1.2.3 CI_COMMIT_REF_NAME=v1.2.4",
        "BITBUCKET_BUILD_NUMBER=1 BITBUCKET_TAG=v1.2.3 BITBUCKET_BRANCH=main",
        "CI=woodpecker CI_PIPELINE_EVENT=tag CI_COMMIT_TAG=v1.2.3 CI_COMMIT_REF=refs/tags/v1.2.4",
        "CI=woodpecker CI_PIPELINE_EVENT=tag CI_COMMIT_BRANCH=main",
        "DRONE=true DRONE_BUILD_EVENT=push DRONE_BRANCH=main DRONE_COMMIT_REF=refs/pull/7/head",
        "SEMAPHORE=true SEMAPHORE_GIT_REF_TYPE=branch SEMAPHORE_GIT_BRANCH=main SEMAPHORE_GIT_REF=refs/tags/v1",
        "APPVEYOR=True APPVEYOR_REPO_TAG=true APPVEYOR_REPO_BRANCH=main",
    ] {
        let done = folder.run("tags").envs(&variables(run)).wide().done().expect_code(1);
        says(&done, &["publish::context::contradiction"]);
    }
}
