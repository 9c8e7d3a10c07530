//! Tests of every CI: a push of a branch, a push of a tag, and a pull request; and tests of GitHub's payloads.

use serde_json::json;

use super::*;

fn facts(variables: &[(&str, &str)]) -> CiFacts {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read_ci(&environment, None).expect("a CI")
}

#[test]
#[allow(clippy::too_many_lines, clippy::type_complexity)] // a table
fn branches_tags_and_pull_requests() {
    use EventName::{Branch, PullRequest, Tag};
    let cases: &[(&[(&str, &str)], EventName, &str, &str)] = &[
        (
            &[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", "aa"), ("CI_COMMIT_BRANCH", "main")],
            Branch,
            "aa",
            "refs/heads/main",
        ),
        (
            &[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", "aa"), ("CI_COMMIT_TAG", "v1")],
            Tag,
            "aa",
            "refs/tags/v1",
        ),
        (
            &[
                ("GITLAB_CI", "true"),
                ("CI_COMMIT_SHA", "merge"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "aa"),
                ("CI_MERGE_REQUEST_IID", "7"),
            ],
            PullRequest,
            "aa",
            "refs/pull/7/head",
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_COMMIT", "aa"),
                ("BUILDKITE_BRANCH", "main"),
                ("BUILDKITE_PULL_REQUEST", "false"),
                ("BUILDKITE_TAG", ""),
            ],
            Branch,
            "aa",
            "refs/heads/main",
        ),
        (
            &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_COMMIT", "aa"),
                ("BUILDKITE_BRANCH", "v1"),
                ("BUILDKITE_TAG", "v1"),
            ],
            Tag,
            "aa",
            "refs/tags/v1",
        ),
        (
            &[
                ("CIRCLECI", "true"),
                ("CIRCLE_SHA1", "aa"),
                ("CIRCLE_BRANCH", "x"),
                ("CIRCLE_PULL_REQUEST", "https://github.com/a/b/pull/7"),
            ],
            PullRequest,
            "aa",
            "refs/pull/7/head",
        ),
        (&[("CIRCLECI", "true"), ("CIRCLE_SHA1", "aa"), ("CIRCLE_TAG", "v1")], Tag, "aa", "refs/tags/v1"),
        (
            &[("JENKINS_URL", "http://j"), ("GIT_COMMIT", "aa"), ("GIT_BRANCH", "origin/main")],
            Branch,
            "aa",
            "refs/heads/main",
        ),
        (
            &[
                ("JENKINS_URL", "http://j"),
                ("GIT_COMMIT", "aa"),
                ("BRANCH_NAME", "PR-7"),
                ("CHANGE_ID", "7"),
                ("CHANGE_BRANCH", "x"),
            ],
            PullRequest,
            "aa",
            "refs/pull/7/head",
        ),
        (
            &[("CI", "woodpecker"), ("CI_COMMIT_SHA", "aa"), ("CI_COMMIT_BRANCH", "main")],
            Branch,
            "aa",
            "refs/heads/main",
        ),
        (
            &[("DRONE", "true"), ("DRONE_COMMIT_SHA", "aa"), ("DRONE_BRANCH", "main"), ("DRONE_TAG", "v1")],
            Tag,
            "aa",
            "refs/tags/v1",
        ),
        (
            &[
                ("TF_BUILD", "True"),
                ("BUILD_SOURCEVERSION", "aa"),
                ("BUILD_SOURCEBRANCH", "refs/heads/feature/x"),
            ],
            Branch,
            "aa",
            "refs/heads/feature/x",
        ),
        (
            &[("TF_BUILD", "True"), ("BUILD_SOURCEVERSION", "aa"), ("BUILD_SOURCEBRANCH", "refs/tags/v1")],
            Tag,
            "aa",
            "refs/tags/v1",
        ),
        (
            &[
                ("BITBUCKET_BUILD_NUMBER", "1"),
                ("BITBUCKET_COMMIT", "aa"),
                ("BITBUCKET_BRANCH", "x"),
                ("BITBUCKET_PR_ID", "7"),
            ],
            PullRequest,
            "aa",
            "refs/pull/7/head",
        ),
    ];
    for (variables, event, sha, reference) in cases {
        let facts = facts(variables);
        assert_eq!(
            (facts.event, facts.sha.as_deref(), facts.reference.as_deref()),
            (*event, Some(*sha), Some(*reference)),
            "{variables:?}"
        );
        assert_eq!(
            facts.tag.is_some(),
            facts.branch.is_none() && facts.pull_request.is_none(),
            "{variables:?}"
        );
    }
}

#[test]
fn timers_and_manual_starts_win_over_the_ref() {
    use EventName::{Manual, Schedule};
    let cases: &[(&[(&str, &str)], EventName)] = &[
        (
            &[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "schedule"), ("CI_COMMIT_BRANCH", "main")],
            Schedule,
        ),
        (&[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "web"), ("CI_COMMIT_TAG", "v1")], Manual),
        (&[("BUILDKITE", "true"), ("BUILDKITE_SOURCE", "schedule"), ("BUILDKITE_BRANCH", "main")], Schedule),
        (&[("CI", "woodpecker"), ("CI_PIPELINE_EVENT", "cron"), ("CI_COMMIT_BRANCH", "main")], Schedule),
        (&[("DRONE", "true"), ("DRONE_BUILD_EVENT", "cron"), ("DRONE_BRANCH", "main")], Schedule),
        (
            &[("TF_BUILD", "True"), ("BUILD_REASON", "Schedule"), ("BUILD_SOURCEBRANCH", "refs/heads/main")],
            Schedule,
        ),
    ];
    for (variables, event) in cases {
        assert_eq!(facts(variables).event, *event, "{variables:?}");
    }
}

fn github(event: &str, reference: (&str, &str), payload: &serde_json::Value) -> CiFacts {
    let (kind, name) = reference;
    let folder = if kind == "tag" { "tags" } else { "heads" };
    let mut variables = vec![
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", event.to_owned()),
        ("GITHUB_SHA", "aa".to_owned()),
        ("GITHUB_REF", format!("refs/{folder}/{name}")),
        ("GITHUB_REF_NAME", name.to_owned()),
        ("GITHUB_REF_TYPE", kind.to_owned()),
    ];
    if event == "pull_request" || event.starts_with("pull_request_review") {
        variables[3].1 = "refs/pull/7/merge".to_owned();
    }
    let environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    read_ci(&environment, Some(payload)).expect("GitHub")
}

#[test]
fn github_pushes() {
    let payload = json!({"repository": {"default_branch": "trunk"}});
    let branch = github("push", ("branch", "feature/x"), &payload);
    assert_eq!((branch.event, branch.branch.as_deref()), (EventName::Branch, Some("feature/x")));
    assert_eq!(branch.default_branch.as_deref(), Some("trunk"));
    let tag = github("push", ("tag", "v1.2.3"), &payload);
    assert_eq!((tag.event, tag.tag.as_deref(), tag.branch), (EventName::Tag, Some("v1.2.3"), None));
}

#[test]
fn github_pull_requests_use_the_commit_of_their_head() {
    let payload =
        json!({"action": "synchronize", "pull_request": {"number": 7, "head": {"sha": "bb", "ref": "fix"}}});
    let facts = github("pull_request", ("branch", "7/merge"), &payload);
    assert_eq!(facts.event, EventName::PullRequest);
    assert_eq!(
        (facts.sha.as_deref(), facts.branch.as_deref(), facts.pull_request),
        (Some("bb"), Some("fix"), Some(7))
    );
    let closed = json!({"action": "closed", "pull_request": {"number": 7}});
    assert_eq!(github("pull_request", ("branch", "7/merge"), &closed).event, EventName::PullRequestClosed);
    let without_payload = github("pull_request", ("branch", "7/merge"), &json!(null));
    assert_eq!((without_payload.pull_request, without_payload.sha.as_deref()), (Some(7), None));
    let (commit, reason) = without_payload.commit();
    assert_eq!(commit, None);
    assert!(reason.is_some_and(|reason| reason.contains("a temporary merge commit")));
}

#[test]
fn github_reviews_count_as_the_pull_request() {
    let payload =
        json!({"action": "closed", "pull_request": {"number": 7, "head": {"sha": "bb", "ref": "fix"}}});
    for event in ["pull_request_review", "pull_request_review_comment"] {
        let facts = github(event, ("branch", "7/merge"), &payload);
        assert_eq!(facts.event, EventName::PullRequest, "{event}");
        assert_eq!((facts.sha.as_deref(), facts.branch.as_deref()), (Some("bb"), Some("fix")), "{event}");
    }
    let closed = github("pull_request_target", ("branch", "main"), &payload);
    assert_eq!((closed.event, closed.sha.as_deref()), (EventName::PullRequestClosed, Some("bb")));
    let base = github("pull_request_target", ("branch", "main"), &json!(null));
    assert_eq!((base.event, base.sha), (EventName::PullRequest, None));
}

#[test]
fn the_ref_of_a_head_has_its_commit() {
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/7/head"),
        ("GITHUB_SHA", "bb"),
    ];
    assert_eq!(facts(&variables).sha.as_deref(), Some("bb"));
}

#[test]
fn github_events_that_push_nothing_are_no_pushes() {
    use EventName::{Branch, Manual, Tag};
    let none = json!({});
    let of = |action: &str| json!({"action": action, "release": {"tag_name": "v2.0.0"}});
    for (event, reference, payload, expected) in [
        ("push", ("branch", "main"), &none, Branch),
        ("create", ("branch", "main"), &none, Branch),
        ("create", ("tag", "v1"), &none, Tag),
        ("merge_group", ("branch", "gh-readonly-queue/main/pr-7-aa"), &none, Branch),
        ("push", ("branch", "main"), &json!({"deleted": true}), Manual),
        ("push", ("tag", "v1"), &json!({"deleted": true}), Manual),
        ("delete", ("branch", "main"), &none, Manual),
        ("issue_comment", ("branch", "main"), &none, Manual),
        ("workflow_run", ("branch", "main"), &none, Manual),
        ("something_new", ("branch", "main"), &none, Manual),
        ("something_new", ("tag", "v1"), &none, Manual),
        ("", ("branch", "main"), &none, Manual),
        ("release", ("tag", "v2.0.0"), &none, Tag),
        ("release", ("tag", "v2.0.0"), &of("published"), Tag),
        ("release", ("tag", "v2.0.0"), &of("released"), Tag),
        ("release", ("tag", "v2.0.0"), &of("prereleased"), Tag),
        ("release", ("tag", "v2.0.0"), &of("created"), Manual),
        ("release", ("tag", "v2.0.0"), &of("edited"), Manual),
        ("release", ("tag", "v2.0.0"), &of("deleted"), Manual),
        ("release", ("tag", "v2.0.0"), &of("unpublished"), Manual),
    ] {
        assert_eq!(github(event, reference, payload).event, expected, "{event} {payload}");
    }
}

#[test]
fn only_commit_ids_are_commits() {
    for (sha, expected) in [
        ("9F3C2AB", Some("9f3c2ab")),
        ("9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c", Some("9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c")),
        ("--upload-pack=x", None),
        ("9f3c2a", None),
        ("main", None),
        ("9f3c2ab\n", None),
    ] {
        let facts = facts(&[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", sha), ("CI_COMMIT_BRANCH", "main")]);
        let (commit, reason) = facts.commit();
        assert_eq!(commit.as_deref(), expected, "{sha}");
        assert_eq!(reason.is_some(), expected.is_none(), "{sha}: {reason:?}");
    }
}

#[test]
fn github_releases_schedules_and_dispatches() {
    let release = github("release", ("tag", "v2"), &json!({"release": {"tag_name": "v2.0.0"}}));
    assert_eq!((release.event, release.tag.as_deref()), (EventName::Tag, Some("v2.0.0")));
    assert_eq!(release.reference.as_deref(), Some("refs/tags/v2.0.0"));
    let schedule = github("schedule", ("branch", "main"), &json!({}));
    assert_eq!((schedule.event, schedule.branch.as_deref()), (EventName::Schedule, Some("main")));
    let dispatch = github("workflow_dispatch", ("tag", "v1"), &json!({}));
    assert_eq!((dispatch.event, dispatch.tag.as_deref()), (EventName::Manual, Some("v1")));
}

#[test]
fn payloads_of_any_shape_are_accepted() {
    for payload in
        [json!([]), json!({"pull_request": []}), json!({"pull_request": {"number": "x", "head": 3}})]
    {
        assert_eq!(github("push", ("branch", "main"), &payload).event, EventName::Branch);
    }
}

#[test]
fn an_empty_environment_is_no_ci() {
    assert_eq!(read_ci(&Environment::new(), None), None);
}
