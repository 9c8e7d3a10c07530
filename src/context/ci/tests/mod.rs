//! Tests of every CI, from its documented variables: pushes of branches and git tags, pull requests, of forks too, schedules, runs
//! by hand, merge queues, and events that publish nothing. Each row is the variables of a run, and what it is:
//! `event ref commit`, then what else is known.

mod forges;
mod hosted;
mod servers;

use super::*;
use crate::model::EventName;

fn facts(variables: &str) -> Option<CiFacts> {
    let variables = variables.split_whitespace().map(|it| it.split_once('=').expect("a variable"));
    let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    read_ci(&environment, None)
}

/// The facts of a run in one line.
fn shown(facts: &CiFacts) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut shown = format!("{} {} {}", facts.event, text(&facts.reference), text(&facts.sha));
    let mut add = |name: &str, value: Option<String>| {
        shown.extend(value.map(|value| format!(" {name}={value}")));
    };
    add("by", Some(facts.trigger.as_str().to_owned()).filter(|it| it != "push"));
    add("from", facts.branch.clone().filter(|_| facts.pull_request.is_some()));
    add("to", facts.pull.target.clone());
    add("fork", facts.pull.fork.map(|it| it.to_string()));
    add("draft", facts.pull.draft.map(|it| it.to_string()));
    add("labels", facts.pull.labels.as_ref().map(|it| it.join("+")));
    add("default", facts.default_branch.clone());
    add("pre", facts.release.prerelease.map(|it| it.to_string()));
    add("run", facts.run.number.map(|it| it.to_string()));
    add("attempt", facts.run.attempt.map(|it| it.to_string()));
    let marks = [
        ("idle", facts.idle.is_some()),
        ("unknown", facts.unknown.is_some()),
        ("contradiction", facts.contradiction.is_some()),
        ("ambiguous", facts.ambiguous),
        ("default-is-push", facts.push_of_default),
        ("no-sha", facts.no_sha.is_some()),
    ];
    for (mark, _) in marks.into_iter().filter(|(_, is)| *is) {
        shown.push_str(&format!(" {mark}"));
    }
    shown
}

/// Checks that each run of `rows`, with the variables `common`, is what the row says.
#[track_caller]
fn table(name: &str, common: &str, rows: &[(&str, &str)]) {
    for (variables, expected) in rows {
        let facts = facts(&format!("{common} {variables}")).expect("a CI");
        assert_eq!((facts.name, shown(&facts).as_str()), (name, *expected), "{common} {variables}");
    }
}

#[test]
fn outside_of_any_ci() {
    for variables in ["", "CI=", "CI=false", "GITHUB_ACTIONS=false", "HOME=/root", "JOB_ID=7", "BUILD_ID=7"] {
        assert_eq!(facts(variables), None, "{variables}");
    }
}

/// A pull request's run is never that of a branch or a git tag, whatever the variables of its CI say.
#[test]
fn no_trigger_makes_a_pull_request_a_push() {
    for (pull_request, triggers) in [
        (
            "GITLAB_CI=true CI_MERGE_REQUEST_IID=7 CI_COMMIT_BRANCH=x",
            ["CI_PIPELINE_SOURCE=web", "CI_PIPELINE_SOURCE=schedule", "CI_COMMIT_TAG=v1"],
        ),
        (
            "BUILDKITE=true BUILDKITE_PULL_REQUEST=7 BUILDKITE_BRANCH=x",
            ["BUILDKITE_SOURCE=ui", "BUILDKITE_SOURCE=schedule", "BUILDKITE_TAG=v1"],
        ),
        (
            "TF_BUILD=True SYSTEM_PULLREQUEST_PULLREQUESTID=7",
            ["BUILD_REASON=Manual", "BUILD_REASON=Schedule", "BUILD_SOURCEBRANCH=refs/heads/main"],
        ),
        (
            "TRAVIS=true TRAVIS_PULL_REQUEST=7 TRAVIS_BRANCH=main",
            ["TRAVIS_EVENT_TYPE=api", "TRAVIS_EVENT_TYPE=cron", "TRAVIS_TAG=v1"],
        ),
        (
            "DRONE=true DRONE_PULL_REQUEST=7 DRONE_BRANCH=main",
            ["DRONE_BUILD_EVENT=cron", "DRONE_BUILD_EVENT=custom", "DRONE_TAG=v1"],
        ),
        (
            "APPVEYOR=True APPVEYOR_PULL_REQUEST_NUMBER=7",
            ["APPVEYOR_SCHEDULED_BUILD=True", "APPVEYOR_FORCED_BUILD=True", "APPVEYOR_REPO_TAG=true"],
        ),
        (
            "JENKINS_URL=j CHANGE_ID=7 BRANCH_NAME=PR-7",
            ["TAG_NAME=v1", "GIT_BRANCH=origin/main", "BUILD_CAUSE=TIMERTRIGGER"],
        ),
    ] {
        for trigger in triggers {
            let facts = facts(&format!("{pull_request} {trigger}")).expect("a CI");
            assert_eq!(facts.event, EventName::PullRequest, "{pull_request} {trigger}");
            assert_eq!((facts.trigger.as_str(), facts.tag), ("push", None), "{pull_request} {trigger}");
        }
    }
}
