//! Every CI of the table: a push of a branch, of a tag, and a pull request; and GitHub's payloads.

use serde_json::json;

use super::*;

fn facts(variables: &[(&str, &str)]) -> CiFacts {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read(&environment, None).expect("a CI")
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
fn timers_and_hands_whatever_the_ref() {
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
    if event.starts_with("pull_request") {
        variables[3].1 = "refs/pull/7/merge".to_owned();
    }
    let environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    read(&environment, Some(payload)).expect("GitHub")
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
fn github_pull_requests_stand_for_their_head() {
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
    assert_eq!(without_payload.pull_request, Some(7));
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
fn payloads_of_any_shape_are_survived() {
    for payload in
        [json!([]), json!({"pull_request": []}), json!({"pull_request": {"number": "x", "head": 3}})]
    {
        assert_eq!(github("push", ("branch", "main"), &payload).event, EventName::Branch);
    }
}

#[test]
fn no_ci_is_no_ci() {
    assert_eq!(read(&Environment::new(), None), None);
}
