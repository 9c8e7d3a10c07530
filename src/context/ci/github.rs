//! GitHub Actions, and the CIs that follow it: Gitea Actions and Forgejo Actions.

use super::facts::{CiFacts, CiVariables, Place, seconds, shown};
use crate::context::event_payload::EventPayload;
use crate::context::facts::{PullRequestFacts, ReleaseFacts, RunFacts, Trigger};
use crate::model::EventName;

/// The actions of the event `release` that a release begins with. An edited, unpublished or deleted release publishes nothing.
const RELEASING: [&str; 4] = ["published", "released", "prereleased", "created"];

/// GitHub runs workflows on dozens of events, and most of them push nothing (docs.github.com, "Events that trigger workflows").
/// So an event that is not known to stand on a branch, a git tag or a pull request is `other`.
pub(super) fn github(variables: &CiVariables<'_>, payload: &EventPayload) -> CiFacts {
    let event_name = variables.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let reference = variables.get("GITHUB_REF").unwrap_or_default();
    let (branch, tag) = github_ref(variables);
    let sha = variables.get("GITHUB_SHA");
    let at = |trigger: Trigger, branch: Option<String>, tag: Option<String>| {
        CiFacts::derived(name(variables), trigger, sha.clone(), Place::new(branch, tag, None))
    };
    let nothing = |reason: String| at(Trigger::Push, branch.clone(), tag.clone()).publishes_nothing(reason);
    let facts = match (event_name.as_str(), payload.action.as_deref()) {
        ("pull_request" | "pull_request_target", action) => {
            pull_request(variables, payload).closed_if(action == Some("closed"))
        }
        ("push", _) if payload.deleted => nothing("the ref was deleted".to_owned()),
        ("push" | "create", _) => at(Trigger::Push, branch, tag),
        ("merge_group", Some("destroyed")) => nothing("the merge queue dropped the group".to_owned()),
        ("merge_group", _) => merge_group(at(Trigger::Push, branch, None), payload),
        ("release", Some(action)) if !RELEASING.contains(&action) => {
            nothing(format!("the release was only {action}"))
        }
        ("release", _) => at(Trigger::Push, None, payload.release_tag.clone().or(tag)),
        ("schedule", _) => at(Trigger::Schedule, branch, tag),
        ("workflow_dispatch", _) => at(Trigger::Manual, branch, tag),
        // Reviews, and other events that GitHub runs on the merge commit of a pull request.
        _ if reference.starts_with("refs/pull/") => pull_request(variables, payload),
        ("workflow_run", _) => workflow_run(nothing("the event is `workflow_run`".to_owned()), payload),
        ("", _) => CiFacts::derived(name(variables), Trigger::Push, sha.clone(), Place::default()),
        (other, _) => nothing(format!("the event is `{}`", shown(other))),
    };
    let at_default = facts.branch.clone().filter(|_| facts.trigger == Trigger::Schedule);
    let time = facts.sha.as_deref().and_then(|sha| payload.time_of(sha)).and_then(seconds);
    CiFacts {
        // GitHub runs schedules on the default branch only.
        default_branch: payload.default_branch.clone().or(at_default),
        commit_time: time,
        contradiction: contradiction(variables, payload),
        release: ReleaseFacts {
            name: payload.release_name.clone(),
            prerelease: payload.prerelease,
            draft: payload.draft_release,
        },
        run: RunFacts {
            number: variables.number("GITHUB_RUN_NUMBER"),
            attempt: variables.number("GITHUB_RUN_ATTEMPT"),
        },
        ..facts
    }
}

fn name(variables: &CiVariables<'_>) -> &'static str {
    // Forgejo sets Gitea's variable too.
    if variables.is_true("FORGEJO_ACTIONS") {
        "Forgejo Actions"
    } else if variables.is_true("GITEA_ACTIONS") {
        "Gitea Actions"
    } else {
        "GitHub Actions"
    }
}

/// The branch and the git tag of the run. `GITHUB_REF` has both the kind and the name; services derived from GitHub may give it
/// without the kind, or not at all.
fn github_ref(variables: &CiVariables<'_>) -> (Option<String>, Option<String>) {
    let place = Place::of_ref(&variables.get("GITHUB_REF").unwrap_or_default());
    match (place.branch, place.tag) {
        (None, None) if !place.of_pull_request => {
            let of_type = |kind: &str| {
                variables.get("GITHUB_REF_NAME").filter(|_| variables.is("GITHUB_REF_TYPE", kind))
            };
            (of_type("branch"), of_type("tag"))
        }
        known => known,
    }
}

/// A merge queue's group: commits on top of the target branch, which are not merged yet.
fn merge_group(facts: CiFacts, payload: &EventPayload) -> CiFacts {
    let target = payload.merge_base.as_deref();
    let target = target.map(|base| base.strip_prefix("refs/heads/").unwrap_or(base).to_owned());
    CiFacts { event: EventName::MergeQueue, pull: PullRequestFacts { target, ..facts.pull }, ..facts }
}

/// A run after another workflow: of the commit of that workflow, not of the default branch's last one.
fn workflow_run(facts: CiFacts, payload: &EventPayload) -> CiFacts {
    let no_sha = "GITHUB_SHA is the last commit of the default branch, not that of the workflow run";
    let branch = payload.workflow_branch.clone();
    CiFacts {
        reference: branch.as_ref().map(|branch| format!("refs/heads/{branch}")),
        branch,
        sha: payload.workflow_sha.clone(),
        no_sha: payload.workflow_sha.is_none().then_some(no_sha),
        ..facts
    }
}

/// The commit of a pull request is its head, which on GitHub only the payload contains. On services derived from GitHub the ref
/// may be the head.
fn pull_request(variables: &CiVariables<'_>, payload: &EventPayload) -> CiFacts {
    let reference = variables.get("GITHUB_REF");
    // Without a payload, the ref is refs/pull/12/merge.
    let from_ref = || {
        let (number, what) = reference.as_deref()?.strip_prefix("refs/pull/")?.split_once('/')?;
        Some((number.parse().ok()?, what))
    };
    let (number, what) = from_ref().unzip();
    let pull = &payload.pull_request;
    let sha = pull.head_sha.clone().or_else(|| variables.get("GITHUB_SHA").filter(|_| what == Some("head")));
    let no_sha = match (&sha, what) {
        (Some(_), _) => None,
        (None, Some(_)) => Some("GITHUB_SHA is a temporary merge commit; the event payload has the head"),
        (None, None) => {
            Some("GITHUB_SHA is not a commit of the pull request; the event payload has the head")
        }
    };
    let branch = pull.head_branch.clone().or_else(|| variables.get("GITHUB_HEAD_REF"));
    let place = Place { of_pull_request: true, ..Place::new(branch, None, pull.number.or(number)) };
    let facts = CiFacts::derived(name(variables), Trigger::Push, sha, place);
    CiFacts {
        reference: reference.filter(|it| it.starts_with("refs/pull/")).or(facts.reference),
        no_sha,
        pull: PullRequestFacts {
            target: pull.base_branch.clone().or_else(|| variables.get("GITHUB_BASE_REF")),
            fork: pull.fork,
            labels: pull.labels.clone(),
            draft: pull.draft,
            ..facts.pull
        },
        ..facts
    }
}

/// The contradiction between the variables about the ref, or with the payload.
fn contradiction(variables: &CiVariables<'_>, payload: &EventPayload) -> Option<String> {
    let reference = variables.get("GITHUB_REF")?;
    let contradicts = |what: &str, value: &str| {
        Some(format!("GITHUB_REF is `{}`, but {what} `{}`", shown(&reference), shown(value)))
    };
    let parts = [("refs/heads/", "branch"), ("refs/tags/", "tag")];
    let (name, kind) =
        parts.into_iter().find_map(|(prefix, kind)| Some((reference.strip_prefix(prefix)?, kind)))?;
    if let Some(other) = variables.get("GITHUB_REF_TYPE").filter(|other| other != kind) {
        return contradicts("GITHUB_REF_TYPE is", &other);
    }
    if let Some(other) = variables.get("GITHUB_REF_NAME").filter(|other| other != name) {
        return contradicts("GITHUB_REF_NAME is", &other);
    }
    let released = payload.release_tag.as_deref().filter(|tag| kind == "tag" && *tag != name);
    released.and_then(|tag| contradicts("the release in the event payload is", tag))
}
