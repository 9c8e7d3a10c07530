//! The CIs of forges and clouds: GitLab, Bitbucket Pipelines, AWS CodeBuild.

use super::facts::{CiFacts, CiVariables, Place, seconds, shown};
use crate::context::facts::{PullRequestFacts, ReleaseFacts, RunFacts, Trigger};

/// GitLab CI/CD (docs.gitlab.com, "Predefined CI/CD variables reference", "Merge request pipelines"). A child pipeline has the
/// variables of its parent's ref, so it is what that ref says. A merge train is a merge request's.
pub(super) fn gitlab(variables: &CiVariables<'_>) -> CiFacts {
    let source = variables.get("CI_PIPELINE_SOURCE");
    let trigger = match source.as_deref() {
        Some("schedule") => Trigger::Schedule,
        Some("web" | "api" | "trigger" | "pipeline" | "chat") => Trigger::Manual,
        _ => Trigger::Push,
    };
    let (tag, branch) = (variables.get("CI_COMMIT_TAG"), variables.get("CI_COMMIT_BRANCH"));
    let both = tag.as_ref().zip(branch.as_ref()).map(|(tag, branch)| {
        let (tag, branch) = (shown(tag), shown(branch));
        format!("CI_COMMIT_TAG is `{tag}`, but CI_COMMIT_BRANCH is `{branch}`")
    });
    let external = variables.pull_request("CI_EXTERNAL_PULL_REQUEST_IID");
    let number = variables.pull_request("CI_MERGE_REQUEST_IID").or(external);
    let of_pull_request = number.is_some()
        || matches!(source.as_deref(), Some("merge_request_event" | "external_pull_request_event"));
    let either = |one: &str, other: &str| variables.get(one).or_else(|| variables.get(other));
    let branch = if of_pull_request {
        either("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME")
            .or(branch)
    } else {
        branch
    };
    let last = variables.get("CI_COMMIT_SHA");
    // In pipelines for merged results, CI_COMMIT_SHA is a temporary merge commit, as on GitHub.
    let head = either("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA")
        .filter(|_| of_pull_request);
    let is_last = head.is_none() || head == last;
    let place = Place { branch, tag, pull_request: number, of_pull_request };
    let facts = CiFacts::derived("GitLab CI", trigger, head.or(last), place);
    let projects = variables
        .get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
        .zip(variables.get("CI_MERGE_REQUEST_PROJECT_ID").or_else(|| variables.get("CI_PROJECT_ID")));
    let repositories = variables
        .get("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY")
        .zip(variables.get("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY"));
    let facts = CiFacts {
        default_branch: variables.get("CI_DEFAULT_BRANCH"),
        commit_time: variables.get("CI_COMMIT_TIMESTAMP").as_deref().and_then(seconds).filter(|_| is_last),
        contradiction: both.filter(|_| !of_pull_request),
        pull: PullRequestFacts {
            target: either(
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
                "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
            ),
            fork: projects.or(repositories).map(|(source, target)| source != target),
            labels: variables.list("CI_MERGE_REQUEST_LABELS"),
            draft: variables.flag("CI_MERGE_REQUEST_DRAFT"),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("CI_PIPELINE_IID"), attempt: None },
        ..facts
    };
    let facts = ref_name(facts, variables, of_pull_request);
    match source.as_deref() {
        Some(
            scan @ ("ondemand_dast_scan" | "ondemand_dast_validation" | "security_orchestration_policy"),
        ) => facts.publishes_nothing(format!("the pipeline's source is `{scan}`")),
        _ => facts,
    }
}

/// The contradiction between `CI_COMMIT_REF_NAME`, which is the branch or the git tag, and the other variables.
fn ref_name(facts: CiFacts, variables: &CiVariables<'_>, of_pull_request: bool) -> CiFacts {
    let name = variables.get("CI_COMMIT_REF_NAME").filter(|_| !of_pull_request);
    let place = facts.tag.as_ref().or(facts.branch.as_ref());
    match (name, place) {
        (Some(name), Some(place)) if name != *place => {
            let text = format!("CI_COMMIT_REF_NAME is `{}`, but the ref is `{}`", shown(&name), shown(place));
            facts.contradicted(text)
        }
        _ => facts,
    }
}

/// Bitbucket Pipelines (support.atlassian.com, "Variables and secrets").
pub(super) fn bitbucket(variables: &CiVariables<'_>) -> CiFacts {
    let (branch, tag) = (variables.get("BITBUCKET_BRANCH"), variables.get("BITBUCKET_TAG"));
    let number = variables.pull_request("BITBUCKET_PR_ID");
    let both = branch.as_ref().zip(tag.as_ref()).filter(|_| number.is_none()).map(|(branch, tag)| {
        format!("BITBUCKET_TAG is `{}`, but BITBUCKET_BRANCH is `{}`", shown(tag), shown(branch))
    });
    let sha = variables.get("BITBUCKET_COMMIT");
    let place = Place::new(branch, tag, number);
    let facts = CiFacts::derived("Bitbucket Pipelines", Trigger::Push, sha, place);
    CiFacts {
        contradiction: both,
        pull: PullRequestFacts {
            target: variables.get("BITBUCKET_PR_DESTINATION_BRANCH"),
            // "Pull requests from a forked repository will not trigger the pipeline" (support.atlassian.com).
            fork: number.map(|_| false),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("BITBUCKET_BUILD_NUMBER"), attempt: None },
        ..facts
    }
}

/// AWS CodeBuild (docs.aws.amazon.com, "Environment variables in build environments"). A build that no webhook started has at most
/// the name of a branch, of a git tag, or a commit.
pub(super) fn codebuild(variables: &CiVariables<'_>) -> CiFacts {
    let event = variables.get("CODEBUILD_WEBHOOK_EVENT");
    let started = variables.get("CODEBUILD_WEBHOOK_TRIGGER");
    let version = variables.get("CODEBUILD_SOURCE_VERSION");
    let initiator = variables.get("CODEBUILD_INITIATOR").unwrap_or_default();
    let trigger = match &event {
        Some(_) => Trigger::Push,
        // EventBridge, which also has timers; the event does not say which it was.
        None if initiator.starts_with("rule/") => Trigger::Schedule,
        None => Trigger::Manual,
    };
    let head = variables.get("CODEBUILD_WEBHOOK_HEAD_REF");
    let place = place(started.as_deref().or(version.as_deref()).unwrap_or_default());
    let of_pull_request =
        place.of_pull_request || event.as_deref().is_some_and(|event| event.starts_with("PULL_REQUEST"));
    let heads = Place::of_ref(head.as_deref().unwrap_or_default());
    let branch = if of_pull_request { heads.branch.clone() } else { place.branch.or(heads.branch) };
    let tag = place.tag.or(heads.tag).filter(|_| !of_pull_request);
    let sha = variables.get("CODEBUILD_RESOLVED_SOURCE_VERSION");
    let base = variables.get("CODEBUILD_WEBHOOK_BASE_REF").unwrap_or_default();
    let place = Place { branch, tag, pull_request: place.pull_request, of_pull_request };
    let facts = CiFacts::derived("AWS CodeBuild", trigger, sha, place);
    let prerelease = match event.as_deref() {
        Some("PRERELEASED") => Some(true),
        Some("RELEASED") => Some(false),
        _ => None,
    };
    let is_name = started.is_none() && version.is_some_and(|version| !version.contains('/'));
    let facts = CiFacts {
        ambiguous: is_name && facts.branch.is_some(),
        pull: PullRequestFacts { target: Place::of_ref(&base).branch, ..facts.pull },
        release: ReleaseFacts { prerelease, ..ReleaseFacts::default() },
        run: RunFacts { number: variables.number("CODEBUILD_BUILD_NUMBER"), attempt: None },
        ..facts
    };
    facts.closed_if(matches!(event.as_deref(), Some("PULL_REQUEST_MERGED" | "PULL_REQUEST_CLOSED")))
}

/// The place that CodeBuild writes as `branch/main`, `tag/v1`, `pr/7`, a full ref, or a plain name. A commit or the address of
/// an archive is none.
fn place(text: &str) -> Place {
    if text.starts_with("refs/") {
        return Place::of_ref(text);
    }
    match text.split_once('/') {
        Some(("pr", number)) => {
            Place { of_pull_request: true, ..Place::new(None, None, number.parse().ok()) }
        }
        Some(("branch", name)) => Place::new(Some(name.to_owned()), None, None),
        Some(("tag", name)) => Place::new(None, Some(name.to_owned()), None),
        None if !text.is_empty() && !text.contains(':') && !crate::context::git::is_commit_id(text) => {
            Place::new(Some(text.to_owned()), None, None)
        }
        _ => Place::default(),
    }
}
