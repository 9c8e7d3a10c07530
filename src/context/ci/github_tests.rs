//! Tests of GitHub's variables and payloads.

use serde_json::json;

use super::*;
use crate::model::EventName;

fn facts(variables: &[(&str, &str)]) -> CiFacts {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read_ci(&environment, None).expect("a CI")
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
fn events_that_stand_on_nothing_to_publish_are_other() {
    use EventName::{Branch, Manual, MergeQueue, Other, Schedule, Tag};
    let none = json!({});
    let of = |action: &str| json!({"action": action, "release": {"tag_name": "v2.0.0"}});
    let action = |action: &str| json!({"action": action});
    for (event, reference, payload, expected) in [
        ("push", ("branch", "main"), &none, Branch),
        ("create", ("branch", "main"), &none, Branch),
        ("create", ("tag", "v1"), &none, Tag),
        (
            "merge_group",
            ("branch", "gh-readonly-queue/main/pr-7-aa"),
            &action("checks_requested"),
            MergeQueue,
        ),
        ("merge_group", ("branch", "gh-readonly-queue/main/pr-7-aa"), &action("destroyed"), Other),
        // GitHub also pushes the branches of a queue.
        ("push", ("branch", "gh-readonly-queue/main/pr-7-aa"), &none, MergeQueue),
        ("push", ("branch", "main"), &json!({"deleted": true}), Other),
        ("push", ("tag", "v1"), &json!({"deleted": true}), Other),
        ("delete", ("branch", "main"), &none, Other),
        ("issue_comment", ("branch", "main"), &action("created"), Other),
        ("issues", ("branch", "main"), &action("opened"), Other),
        ("workflow_run", ("branch", "main"), &action("completed"), Other),
        ("repository_dispatch", ("branch", "main"), &action("deploy"), Other),
        ("deployment", ("tag", "v1"), &none, Other),
        ("check_run", ("branch", "main"), &none, Other),
        ("registry_package", ("branch", "main"), &none, Other),
        ("something_new", ("branch", "main"), &none, Other),
        ("something_new", ("tag", "v1"), &none, Other),
        ("workflow_dispatch", ("branch", "main"), &none, Manual),
        ("workflow_dispatch", ("tag", "v1"), &none, Tag),
        ("schedule", ("branch", "main"), &none, Schedule),
        ("release", ("tag", "v2.0.0"), &none, Tag),
        ("release", ("tag", "v2.0.0"), &of("published"), Tag),
        ("release", ("tag", "v2.0.0"), &of("released"), Tag),
        ("release", ("tag", "v2.0.0"), &of("prereleased"), Tag),
        ("release", ("tag", "v2.0.0"), &of("created"), Tag),
        ("release", ("tag", "v2.0.0"), &of("edited"), Other),
        ("release", ("tag", "v2.0.0"), &of("deleted"), Other),
        ("release", ("tag", "v2.0.0"), &of("unpublished"), Other),
    ] {
        let facts = github(event, reference, payload);
        assert_eq!(facts.event, expected, "{event} {payload}");
        // The reason is shown, so that nothing is silent.
        assert_eq!(facts.idle.is_some(), expected == Other, "{event} {payload}");
        assert_eq!(facts.unknown, None, "{event} {payload}");
    }
    let nothing = github("", ("branch", "main"), &none);
    assert_eq!((nothing.event, nothing.unknown.is_some()), (Other, true));
}

#[test]
fn a_run_after_a_workflow_is_of_the_commit_of_that_workflow() {
    let payload = json!({"action": "completed", "workflow_run": {"head_branch": "fix", "head_sha": "bb",
        "head_commit": {"id": "bb", "timestamp": "2026-01-02T03:04:05Z"}}});
    let facts = github("workflow_run", ("branch", "main"), &payload);
    assert_eq!((facts.sha.as_deref(), facts.branch.as_deref()), (Some("bb"), Some("fix")));
    assert_eq!(facts.commit_time, Some(1_767_323_045));
    let unknown = github("workflow_run", ("branch", "main"), &json!({}));
    assert_eq!((unknown.sha, unknown.branch), (None, None));
    assert!(unknown.no_sha.is_some_and(|reason| reason.contains("the default branch")));
}

#[test]
fn the_payload_knows_the_pull_request_the_release_and_the_time() {
    let side = |repository: &str, branch: &str| json!({"ref": branch, "sha": "bb", "repo": {"full_name": repository}});
    let pull = |head: serde_json::Value| {
        json!({"pull_request": {"number": 7, "draft": true, "labels": [{"name": "publish"}, {"name": "x y"}],
            "head": head, "base": side("o/n", "main")}})
    };
    let gone = json!({"ref": "fix", "sha": "bb", "repo": null});
    for (head, fork) in [
        (side("O/N", "fix"), Some(false)),
        (side("me/n", "fix"), Some(true)),
        (gone, Some(true)),
        (json!({}), None),
    ] {
        for event in ["pull_request", "pull_request_target", "pull_request_review"] {
            let facts = github(event, ("branch", "main"), &pull(head.clone()));
            assert_eq!((facts.event, facts.pull.fork), (EventName::PullRequest, fork), "{event} {head}");
            assert_eq!((facts.pull.target.as_deref(), facts.pull.draft), (Some("main"), Some(true)));
            assert_eq!(facts.pull.labels, Some(vec!["publish".to_owned(), "x y".to_owned()]));
        }
    }
    let release = json!({"action": "published", "release": {"tag_name": "v2", "name": "Two", "prerelease": true, "draft": false}});
    let facts = github("release", ("tag", "v2"), &release).release;
    assert_eq!(
        (facts.name.as_deref(), facts.prerelease, facts.draft),
        (Some("Two"), Some(true), Some(false))
    );
    for commits in [
        json!({"head_commit": {"id": "aa", "timestamp": "2026-01-02T04:04:05+01:00"}}),
        json!({"commits": [{"id": "cc", "timestamp": "2020-01-01T00:00:00Z"}, {"id": "aa", "timestamp": "2026-01-02T03:04:05Z"}]}),
    ] {
        assert_eq!(
            github("push", ("branch", "main"), &commits).commit_time,
            Some(1_767_323_045),
            "{commits}"
        );
    }
    let other = json!({"head_commit": {"id": "cc", "timestamp": "2026-01-02T03:04:05Z"}});
    assert_eq!(github("push", ("branch", "main"), &other).commit_time, None);
}

#[test]
fn the_default_branch_of_a_schedule_is_the_one_that_it_runs_on() {
    let facts = github("schedule", ("branch", "trunk"), &json!({"schedule": "0 0 * * *"}));
    assert_eq!(facts.default_branch.as_deref(), Some("trunk"));
    assert_eq!(github("push", ("branch", "trunk"), &json!({})).default_branch, None);
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
    assert_eq!((dispatch.event, dispatch.tag.as_deref()), (EventName::Tag, Some("v1")));
    assert_eq!(dispatch.trigger.as_str(), "manual");
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
