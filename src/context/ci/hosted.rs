//! CIs as a service: Buildkite, CircleCI, Travis CI, Semaphore, AppVeyor, Cirrus CI, Codefresh.

use super::facts::{CiFacts, CiVariables, Place, same_repository, seconds};
use crate::context::facts::{PullRequestFacts, RunFacts, Trigger};
use crate::model::EventName;

/// Buildkite (buildkite.com/docs, "Environment variables").
pub(super) fn buildkite(variables: &CiVariables<'_>) -> CiFacts {
    let trigger = match variables.get("BUILDKITE_SOURCE").as_deref() {
        Some("schedule") => Trigger::Schedule,
        Some("ui" | "api") => Trigger::Manual,
        _ => Trigger::Push,
    };
    // The commit of a build that was started by hand may be the word HEAD: that of the checkout.
    let sha = variables.get("BUILDKITE_COMMIT").filter(|sha| sha != "HEAD");
    let fork = variables
        .get("BUILDKITE_PULL_REQUEST_REPO")
        .zip(variables.get("BUILDKITE_REPO"))
        .map(|(source, target)| !same_repository(&source, &target));
    // The branch of a fork is `owner:branch`.
    let branch = variables.get("BUILDKITE_BRANCH").map(|branch| match branch.split_once(':') {
        Some((_, name)) if fork == Some(true) => name.to_owned(),
        _ => branch,
    });
    let number = variables.pull_request("BUILDKITE_PULL_REQUEST");
    let queue = variables.get("BUILDKITE_MERGE_QUEUE_BASE_BRANCH");
    let place = Place::new(branch, variables.get("BUILDKITE_TAG"), number);
    let facts = CiFacts::derived("Buildkite", trigger, sha, place);
    CiFacts {
        event: if queue.is_some() { EventName::MergeQueue } else { facts.event },
        default_branch: variables.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        pull: PullRequestFacts {
            target: queue.or_else(|| variables.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH")),
            fork: fork.filter(|_| number.is_some()),
            labels: variables.list("BUILDKITE_PULL_REQUEST_LABELS"),
            draft: variables.flag("BUILDKITE_PULL_REQUEST_DRAFT"),
            ..facts.pull
        },
        run: RunFacts {
            number: variables.number("BUILDKITE_BUILD_NUMBER"),
            attempt: variables.number("BUILDKITE_RETRY_COUNT").map(|retries| retries + 1),
        },
        ..facts
    }
}

/// CircleCI (circleci.com/docs, "Project values and variables"). It runs on pushes: `CIRCLE_PULL_REQUEST` is a pull request that
/// happens to be open from the branch, so it does not make a push of the default branch one.
pub(super) fn circleci(variables: &CiVariables<'_>) -> CiFacts {
    let branch = variables.get("CIRCLE_BRANCH");
    let of_fork = branch.as_deref().and_then(|branch| branch.strip_prefix("pull/"));
    let of_fork = of_fork.and_then(|rest| rest.split('/').next()?.parse().ok());
    let fork = variables.pull_request("CIRCLE_PR_NUMBER").or(of_fork);
    let open = variables
        .get("CIRCLE_PULL_REQUEST")
        .or_else(|| variables.get("CIRCLE_PULL_REQUESTS"))
        .map(|address| address.rsplit('/').next().and_then(|number| number.parse().ok()));
    let tag = variables.get("CIRCLE_TAG");
    let of_pull_request = tag.is_none() && (fork.is_some() || open.is_some());
    let pull_request = fork.or_else(|| open.flatten()).filter(|_| of_pull_request);
    let place = Place { branch: branch.filter(|_| of_fork.is_none()), tag, pull_request, of_pull_request };
    let facts = CiFacts::derived("CircleCI", Trigger::Push, variables.get("CIRCLE_SHA1"), place);
    CiFacts {
        push_of_default: of_pull_request && fork.is_none(),
        pull: PullRequestFacts { fork: of_pull_request.then_some(fork.is_some()), ..facts.pull },
        run: RunFacts { number: variables.number("CIRCLE_BUILD_NUM"), attempt: None },
        ..facts
    }
}

/// Travis CI (docs.travis-ci.com, "Environment variables"). On a pull request, `TRAVIS_BRANCH` is the target.
pub(super) fn travis(variables: &CiVariables<'_>) -> CiFacts {
    let event = variables.get("TRAVIS_EVENT_TYPE");
    let trigger = match event.as_deref() {
        Some("cron") => Trigger::Schedule,
        Some("api") => Trigger::Manual,
        _ => Trigger::Push,
    };
    let number = variables.pull_request("TRAVIS_PULL_REQUEST");
    let of_pull_request = number.is_some() || event.as_deref() == Some("pull_request");
    let at = variables.get("TRAVIS_BRANCH");
    let (branch, sha, target) = if of_pull_request {
        (variables.get("TRAVIS_PULL_REQUEST_BRANCH"), variables.get("TRAVIS_PULL_REQUEST_SHA"), at)
    } else {
        (at, variables.get("TRAVIS_COMMIT"), None)
    };
    let place = Place { branch, tag: variables.get("TRAVIS_TAG"), pull_request: number, of_pull_request };
    let facts = CiFacts::derived("Travis CI", trigger, sha, place);
    let slugs = variables.get("TRAVIS_PULL_REQUEST_SLUG").zip(variables.get("TRAVIS_REPO_SLUG"));
    CiFacts {
        pull: PullRequestFacts {
            target,
            fork: slugs.map(|(source, target)| !same_repository(&source, &target)),
            draft: variables.flag("TRAVIS_PULL_REQUEST_IS_DRAFT"),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("TRAVIS_BUILD_NUMBER"), attempt: None },
        ..facts
    }
}

/// Semaphore (docs.semaphore.io, "Environment variables"). On a pull request, `SEMAPHORE_GIT_BRANCH` is the target.
pub(super) fn semaphore(variables: &CiVariables<'_>) -> CiFacts {
    let started = |how: &str| variables.is_true(&format!("SEMAPHORE_WORKFLOW_TRIGGERED_BY_{how}"));
    let trigger = if started("SCHEDULE") {
        Trigger::Schedule
    } else if started("API") || started("MANUAL_RUN") {
        Trigger::Manual
    } else {
        Trigger::Push
    };
    let kind = variables.get("SEMAPHORE_GIT_REF_TYPE");
    let number = variables.pull_request("SEMAPHORE_GIT_PR_NUMBER");
    let of_pull_request = number.is_some() || kind.as_deref() == Some("pull-request");
    let at = variables.get("SEMAPHORE_GIT_BRANCH");
    let sha = variables.get("SEMAPHORE_GIT_SHA");
    let (branch, sha, target) = if of_pull_request {
        let head = variables.get("SEMAPHORE_GIT_PR_SHA").or(sha);
        (variables.get("SEMAPHORE_GIT_PR_BRANCH"), head, at)
    } else {
        (at, sha, None)
    };
    let tag = variables.get("SEMAPHORE_GIT_TAG_NAME").filter(|_| kind.as_deref() != Some("branch"));
    let facts = CiFacts::derived(
        "Semaphore",
        trigger,
        sha,
        Place { branch, tag, pull_request: number, of_pull_request },
    );
    let slugs = variables.get("SEMAPHORE_GIT_PR_SLUG").zip(variables.get("SEMAPHORE_GIT_REPO_SLUG"));
    let facts = CiFacts {
        pull: PullRequestFacts {
            target,
            fork: slugs.map(|(source, target)| !same_repository(&source, &target)),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("SEMAPHORE_WORKFLOW_NUMBER"), attempt: None },
        ..facts
    };
    facts.against(variables, "SEMAPHORE_GIT_REF")
}

/// AppVeyor (appveyor.com/docs, "Environment variables"). On a pull request, `APPVEYOR_REPO_BRANCH` is the target.
pub(super) fn appveyor(variables: &CiVariables<'_>) -> CiFacts {
    let trigger = if variables.is_true("APPVEYOR_SCHEDULED_BUILD") {
        Trigger::Schedule
    } else if variables.is_true("APPVEYOR_FORCED_BUILD") {
        Trigger::Manual
    } else {
        Trigger::Push
    };
    let number = variables.pull_request("APPVEYOR_PULL_REQUEST_NUMBER");
    let at = variables.get("APPVEYOR_REPO_BRANCH");
    let last = variables.get("APPVEYOR_REPO_COMMIT");
    let (branch, sha, target) = match number {
        Some(_) => (
            variables.get("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH"),
            variables.get("APPVEYOR_PULL_REQUEST_HEAD_COMMIT"),
            at,
        ),
        None => (at, last, None),
    };
    let is_tag = variables.is_true("APPVEYOR_REPO_TAG");
    let tag = variables.get("APPVEYOR_REPO_TAG_NAME");
    let no_name = is_tag && tag.is_none() && number.is_none();
    let facts = CiFacts::derived("AppVeyor", trigger, sha, Place::new(branch, tag, number));
    let slugs =
        variables.get("APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME").zip(variables.get("APPVEYOR_REPO_NAME"));
    let time = variables.get("APPVEYOR_REPO_COMMIT_TIMESTAMP").filter(|_| number.is_none());
    let facts = CiFacts {
        commit_time: time.as_deref().and_then(seconds),
        pull: PullRequestFacts {
            target,
            fork: slugs.map(|(source, target)| !same_repository(&source, &target)),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("APPVEYOR_BUILD_NUMBER"), attempt: None },
        ..facts
    };
    if no_name {
        let text = "APPVEYOR_REPO_TAG is true, but APPVEYOR_REPO_TAG_NAME is not set";
        return facts.contradicted(text.to_owned());
    }
    facts
}

/// Cirrus CI (cirrus-ci.org, "Environment variables"). The branch of a pull request is `pull/7`.
pub(super) fn cirrus(variables: &CiVariables<'_>) -> CiFacts {
    let trigger = if variables.has("CIRRUS_CRON") { Trigger::Schedule } else { Trigger::Push };
    let branch = variables.get("CIRRUS_BRANCH");
    let from_branch = branch.as_deref().and_then(|branch| branch.strip_prefix("pull/")?.parse().ok());
    let number = variables.pull_request("CIRRUS_PR").or(from_branch);
    let sha = variables.get("CIRRUS_CHANGE_IN_REPO");
    let branch = branch.filter(|_| from_branch.is_none());
    let place = Place::new(branch, variables.get("CIRRUS_TAG"), number);
    let facts = CiFacts::derived("Cirrus CI", trigger, sha, place);
    CiFacts {
        default_branch: variables.get("CIRRUS_DEFAULT_BRANCH"),
        pull: PullRequestFacts {
            target: variables.get("CIRRUS_BASE_BRANCH"),
            // The branch is `pull/7` for a fork only, by cirruslabs/cirrus-ci-docs#71.
            fork: number.map(|_| from_branch.is_some()),
            labels: variables.list("CIRRUS_PR_LABELS"),
            draft: variables.flag("CIRRUS_PR_DRAFT"),
            ..facts.pull
        },
        ..facts
    }
}

/// Codefresh (codefresh.io/docs, "Variables in pipelines"). `CF_BRANCH` is a branch or a git tag.
pub(super) fn codefresh(variables: &CiVariables<'_>) -> CiFacts {
    let number = variables.pull_request("CF_PULL_REQUEST_NUMBER");
    let tag = variables.get("CF_RELEASE_TAG").filter(|_| number.is_none());
    let place = Place::new(variables.get("CF_BRANCH"), tag, number);
    let facts = CiFacts::derived("Codefresh", Trigger::Push, variables.get("CF_REVISION"), place);
    let facts = CiFacts {
        ambiguous: facts.event == EventName::Branch,
        pull: PullRequestFacts {
            target: variables.get("CF_PULL_REQUEST_TARGET"),
            fork: variables.flag("CF_PULL_REQUEST_IS_FORK"),
            labels: variables.list("CF_PULL_REQUEST_LABELS"),
            ..facts.pull
        },
        run: RunFacts { number: None, attempt: variables.number("CF_CURRENT_ATTEMPT") },
        ..facts
    };
    facts.closed_if(variables.is("CF_PULL_REQUEST_ACTION", "closed"))
}
