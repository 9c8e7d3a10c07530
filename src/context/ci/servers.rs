//! CIs that people run themselves: Woodpecker, Drone, Prow, TeamCity, Bamboo, Tekton; sourcehut and Google Cloud Build; and CIs
//! that nobody taught this program.

use super::facts::{CiFacts, CiVariables, Place, same_repository};
use crate::context::facts::{PullRequestFacts, ReleaseFacts, RunFacts, Trigger};
use crate::model::EventName;

/// CIs whose variables this program does not read, by a variable that only they set.
const UNREAD: [(&str, &str); 9] = [
    ("BITRISE_IO", "Bitrise"),
    ("BUDDY_WORKSPACE_ID", "Buddy"),
    ("CM_BUILD_ID", "Codemagic"),
    ("GO_PIPELINE_LABEL", "GoCD"),
    ("HARNESS_BUILD_ID", "Harness"),
    ("NETLIFY", "Netlify"),
    ("RENDER", "Render"),
    ("SCREWDRIVER", "Screwdriver"),
    ("VERCEL", "Vercel"),
];

/// Woodpecker (woodpecker-ci.org/docs, "Environment variables").
pub(super) fn woodpecker(variables: &CiVariables<'_>) -> CiFacts {
    let event = variables.get("CI_PIPELINE_EVENT").or_else(|| variables.get("CI_BUILD_EVENT"));
    let event = event.unwrap_or_default();
    let trigger = match event.as_str() {
        "cron" => Trigger::Schedule,
        "manual" => Trigger::Manual,
        _ => Trigger::Push,
    };
    let of_event = event.starts_with("pull_request");
    let number = variables.pull_request("CI_COMMIT_PULL_REQUEST").filter(|_| of_event || event.is_empty());
    let of_pull_request = of_event || number.is_some();
    let at = variables.get("CI_COMMIT_BRANCH");
    let branch = if of_pull_request { variables.get("CI_COMMIT_SOURCE_BRANCH").or(at) } else { at };
    let place = Place { branch, tag: variables.get("CI_COMMIT_TAG"), pull_request: number, of_pull_request };
    let facts = CiFacts::derived("Woodpecker", trigger, variables.get("CI_COMMIT_SHA"), place);
    let facts = CiFacts {
        default_branch: variables.get("CI_REPO_DEFAULT_BRANCH"),
        pull: PullRequestFacts {
            target: variables.get("CI_COMMIT_TARGET_BRANCH"),
            draft: variables.flag("CI_COMMIT_PULL_REQUEST_DRAFT"),
            labels: variables.list("CI_COMMIT_PULL_REQUEST_LABELS"),
            ..facts.pull
        },
        release: ReleaseFacts {
            name: variables.get("CI_PIPELINE_RELEASE_TITLE"),
            prerelease: variables
                .flag("CI_PIPELINE_RELEASE_PRE")
                .or_else(|| variables.flag("CI_COMMIT_PRERELEASE"))
                .filter(|_| event == "release"),
            draft: None,
        },
        commit_time: variables.get("CI_COMMIT_TIMESTAMP").and_then(|seconds| seconds.parse().ok()),
        run: RunFacts {
            number: variables.number("CI_PIPELINE_NUMBER"),
            attempt: variables.number("CI_PIPELINE_RERUNS").map(|reruns| reruns + 1),
        },
        ..facts
    };
    let facts = facts.against(variables, "CI_COMMIT_REF").closed_if(event == "pull_request_closed");
    match event.as_str() {
        "deployment" => facts.publishes_nothing("the event is a deployment".to_owned()),
        "tag" | "release" if facts.tag.is_none() => {
            facts.contradicted(format!("the event is `{event}`, but CI_COMMIT_TAG is not set"))
        }
        _ => facts,
    }
}

/// Drone (docs.drone.io, "Environment variables").
pub(super) fn drone(variables: &CiVariables<'_>) -> CiFacts {
    let event = variables.get("DRONE_BUILD_EVENT").unwrap_or_default();
    let trigger = match event.as_str() {
        "cron" => Trigger::Schedule,
        "custom" => Trigger::Manual,
        _ => Trigger::Push,
    };
    let number = variables.pull_request("DRONE_PULL_REQUEST");
    let of_pull_request = number.is_some() || event == "pull_request";
    let at = variables.get("DRONE_BRANCH");
    let branch = if of_pull_request { variables.get("DRONE_SOURCE_BRANCH").or(at) } else { at };
    let place = Place { branch, tag: variables.get("DRONE_TAG"), pull_request: number, of_pull_request };
    let facts = CiFacts::derived("Drone", trigger, variables.get("DRONE_COMMIT_SHA"), place);
    let facts = CiFacts {
        default_branch: variables.get("DRONE_REPO_BRANCH"),
        pull: PullRequestFacts {
            target: variables.get("DRONE_TARGET_BRANCH").filter(|_| of_pull_request),
            ..facts.pull
        },
        run: RunFacts { number: variables.number("DRONE_BUILD_NUMBER"), attempt: None },
        ..facts
    };
    let facts = facts.against(variables, "DRONE_COMMIT_REF");
    let facts = facts.closed_if(variables.is("DRONE_BUILD_ACTION", "closed"));
    match event.as_str() {
        "promote" | "rollback" => facts.publishes_nothing(format!("the event is `{event}`, a deployment")),
        "tag" if facts.tag.is_none() => {
            facts.contradicted("the event is `tag`, but DRONE_TAG is not set".to_owned())
        }
        _ => facts,
    }
}

/// Prow (docs.prow.k8s.io, "ProwJobs", "Job environment variables"). The ref of a postsubmit is a branch or a git tag, and a batch
/// merges several pull requests to try them.
pub(super) fn prow(variables: &CiVariables<'_>) -> CiFacts {
    let kind = variables.get("JOB_TYPE").unwrap_or_default();
    let base = variables.get("PULL_BASE_REF");
    let run = RunFacts::default();
    match kind.as_str() {
        "presubmit" => {
            let number = variables.pull_request("PULL_NUMBER");
            let source = variables.get("PULL_HEAD_REF");
            let place = Place { of_pull_request: true, ..Place::new(source, None, number) };
            let facts = CiFacts::derived("Prow", Trigger::Push, variables.get("PULL_PULL_SHA"), place);
            CiFacts { pull: PullRequestFacts { target: base, ..facts.pull }, run, ..facts }
        }
        "batch" => {
            let facts = CiFacts::derived("Prow", Trigger::Push, None, Place::new(base.clone(), None, None));
            CiFacts {
                event: EventName::MergeQueue,
                no_sha: Some("a batch of Prow has several commits"),
                pull: PullRequestFacts { target: base, ..facts.pull },
                ..facts
            }
        }
        "periodic" => {
            let sha = variables.get("PULL_BASE_SHA");
            let facts = CiFacts::derived("Prow", Trigger::Schedule, sha, Place::new(base, None, None));
            CiFacts { event: EventName::Schedule, unknown: None, ..facts }
        }
        "postsubmit" => {
            let sha = variables.get("PULL_BASE_SHA");
            let facts = CiFacts::derived("Prow", Trigger::Push, sha, Place::new(base, None, None));
            CiFacts { ambiguous: facts.event == EventName::Branch, ..facts }
        }
        _ => CiFacts::derived("Prow", Trigger::Push, None, Place::default()),
    }
}

/// TeamCity (jetbrains.com/help/teamcity, "Predefined build parameters"). The branch is no environment variable.
pub(super) fn teamcity(variables: &CiVariables<'_>) -> CiFacts {
    let sha = variables.get("BUILD_VCS_NUMBER");
    let facts = CiFacts::derived("TeamCity", Trigger::Push, sha, Place::default());
    let text = "TeamCity gives the branch to no program: add `--ref refs/heads/%teamcity.build.branch%` to a build of branches";
    CiFacts {
        unknown: Some(text.to_owned()),
        run: RunFacts { number: variables.number("BUILD_NUMBER"), attempt: None },
        ..facts
    }
}

/// Bamboo (confluence.atlassian.com, "Bamboo variables"). It has no variable for a git tag.
pub(super) fn bamboo(variables: &CiVariables<'_>) -> CiFacts {
    let either = |one: &str, other: &str| variables.get(one).or_else(|| variables.get(other));
    let number = variables.pull_request("bamboo_repository_pr_key");
    let at = either("bamboo_planRepository_branchName", "bamboo_planRepository_branch");
    let branch = match number {
        Some(_) => variables.get("bamboo_repository_pr_sourceBranch").or(at),
        None => at,
    };
    let sha = variables.get("bamboo_planRepository_revision");
    let facts = CiFacts::derived("Bamboo", Trigger::Push, sha, Place::new(branch, None, number));
    CiFacts {
        pull: PullRequestFacts { target: variables.get("bamboo_repository_pr_targetBranch"), ..facts.pull },
        run: RunFacts { number: variables.number("bamboo_buildNumber"), attempt: None },
        ..facts
    }
}

/// Google Cloud Build (cloud.google.com/build/docs, "Substituting variable values"): its substitutions are environment variables if
/// `automapSubstitutions` is set, or if a step maps them.
pub(super) fn cloud_build(variables: &CiVariables<'_>) -> CiFacts {
    let number = variables.pull_request("_PR_NUMBER");
    let head = variables.get("_HEAD_BRANCH").filter(|_| number.is_some());
    let branch = head.or_else(|| variables.get("BRANCH_NAME"));
    let sha = variables.get("COMMIT_SHA").or_else(|| variables.get("REVISION_ID"));
    let place = Place::new(branch, variables.get("TAG_NAME"), number);
    let facts = CiFacts::derived("Google Cloud Build", Trigger::Push, sha, place);
    let names = variables.get("_HEAD_REPO_URL").zip(variables.get("REPO_FULL_NAME"));
    let unknown = facts.unknown.as_ref().map(|_| {
        "Google Cloud Build gives steps no branch and no git tag: set `automapSubstitutions: true` in the options of the build"
            .to_owned()
    });
    CiFacts {
        unknown,
        pull: PullRequestFacts {
            target: variables.get("_BASE_BRANCH"),
            fork: names.map(|(source, target)| !same_repository(&source, &target)),
            ..facts.pull
        },
        ..facts
    }
}

/// Whether a job of builds.sr.ht runs this.
pub(super) fn is_sourcehut(variables: &CiVariables<'_>) -> bool {
    variables.has("JOB_ID")
        && (variables.has("BUILD_SUBMITTER")
            || variables.get("JOB_URL").is_some_and(|it| it.contains(".sr.ht")))
}

/// builds.sr.ht (man.sr.ht, "builds.sr.ht"): git.sr.ht gives the ref, and hub.sr.ht submits patches from mailing lists.
pub(super) fn sourcehut(variables: &CiVariables<'_>) -> CiFacts {
    let place = Place::of_ref(&variables.get("GIT_REF").unwrap_or_default());
    let is_patch = variables.has("PATCHSET_ID") || variables.is("BUILD_REASON", "patchset");
    let number = variables.pull_request("PATCHSET_ID");
    let place =
        if is_patch { Place { of_pull_request: true, ..Place::new(None, None, number) } } else { place };
    let facts = CiFacts::derived("sourcehut", Trigger::Push, None, place);
    CiFacts {
        pull: PullRequestFacts { fork: is_patch.then_some(true), ..facts.pull },
        run: RunFacts { number: variables.number("JOB_ID"), attempt: None },
        ..facts
    }
}

/// Whether a step of Tekton runs this. Tekton sets no variables but this folder, and older versions only.
pub(super) fn is_tekton(variables: &CiVariables<'_>) -> bool {
    variables.is("HOME", "/tekton/home") || variables.0.keys().any(|name| name.starts_with("TEKTON_"))
}

/// Tekton (tekton.dev/docs, "Variable substitutions"): a step has only what its task passes on.
pub(super) fn tekton(_variables: &CiVariables<'_>) -> CiFacts {
    let facts = CiFacts::derived("Tekton", Trigger::Push, None, Place::default());
    let text = "Tekton gives steps no variables: pass the ref on as a parameter of the task";
    CiFacts { unknown: Some(text.to_owned()), ..facts }
}

/// A CI that this program does not know, or whose variables it does not read.
pub(super) fn unknown(variables: &CiVariables<'_>) -> CiFacts {
    let known = UNREAD.into_iter().find(|(variable, _)| variables.has(variable));
    let (name, text) = match known {
        Some((_, name)) => (name, format!("this program does not read the variables of {name}")),
        None => {
            let value = variables.get("CI").unwrap_or_default();
            let shown = super::facts::shown(&value);
            ("unknown CI", format!("`CI={shown}` is set, but no CI that this program knows"))
        }
    };
    let facts = CiFacts::derived(name, Trigger::Push, None, Place::default());
    CiFacts { unknown: Some(text), ..facts }
}

/// Whether a CI runs this whose variables this program does not read.
pub(super) fn is_unread(variables: &CiVariables<'_>) -> bool {
    UNREAD.iter().any(|(variable, _)| variables.has(variable))
        || (variables.has("CI") && variables.flag("CI") != Some(false))
}
