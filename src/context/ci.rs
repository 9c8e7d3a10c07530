//! Reads the environment of each known CI. There is one pure function for each. The variables are those that the CIs document
//! as predefined.

use std::path::Path;

use super::data::Environment;
use super::error::ContextError;
use super::event_payload::EventPayload;
use super::git::is_commit_id;
use crate::model::EventName;

/// The facts that a CI gives about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiFacts {
    /// The CI's name.
    pub name: &'static str,
    /// The event that started the run.
    pub event: EventName,
    /// The git ref in full.
    pub reference: Option<String>,
    /// The commit, as the CI writes it.
    pub sha: Option<String>,
    /// Why the commit is unknown although the CI names one.
    pub no_sha: Option<&'static str>,
    /// The branch. On a pull request, its source branch.
    pub branch: Option<String>,
    /// The git tag.
    pub tag: Option<String>,
    /// The number of the pull request.
    pub pull_request: Option<u64>,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The reason why the event does not call for publishing: something was deleted or edited.
    pub idle: Option<String>,
    /// The contradiction between the variables.
    pub contradiction: Option<String>,
}

/// The variables of a CI. An empty variable counts as unset.
struct CiVariables<'a>(&'a Environment);

impl CiVariables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|it| it == value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

impl CiFacts {
    /// Facts whose ref follows from the branch, the tag and the pull request. So does the event, unless `timer_or_hand` says
    /// that a timer or a person started the run.
    fn derived(
        name: &'static str,
        timer_or_hand: Option<EventName>,
        sha: Option<String>,
        (branch, tag, pull_request): (Option<String>, Option<String>, Option<u64>),
        default_branch: Option<String>,
    ) -> Self {
        let implied = match (pull_request, &tag, &branch) {
            (Some(_), _, _) => EventName::PullRequest,
            (None, Some(_), _) => EventName::Tag,
            (None, None, Some(_)) => EventName::Branch,
            (None, None, None) => EventName::Manual,
        };
        let reference = match (pull_request, &tag, &branch) {
            (Some(number), _, _) => Some(format!("refs/pull/{number}/head")),
            (None, Some(tag), _) => Some(format!("refs/tags/{tag}")),
            (None, None, Some(branch)) => Some(format!("refs/heads/{branch}")),
            (None, None, None) => None,
        };
        // The run of a tag has no branch, even if the CI sets one. Several repeat the tag there.
        let branch = if tag.is_some() && pull_request.is_none() { None } else { branch };
        let event = timer_or_hand.unwrap_or(implied);
        Self {
            name,
            event,
            reference,
            sha,
            no_sha: None,
            branch,
            tag,
            pull_request,
            default_branch,
            idle: None,
            contradiction: None,
        }
    }
}

impl CiFacts {
    /// The commit in lower case, or the reason why there is none. It is validated because variables can be set to anything, and
    /// a commit id is used in tags and in calls of git.
    pub(super) fn commit(&self) -> (Option<String>, Option<String>) {
        let name = self.name;
        match &self.sha {
            Some(sha) if is_commit_id(sha) => (Some(sha.to_ascii_lowercase()), None),
            Some(sha) => {
                let sha: String = sha.escape_debug().take(80).collect();
                (None, Some(format!("{name} gives `{sha}`, which is not a commit id; `--sha` gives one")))
            }
            None => (None, self.no_sha.map(|reason| format!("{reason}; `--sha` gives one"))),
        }
    }
}

/// The facts of the CI in `environment`, including GitHub's event payload. `None` outside any known CI. A payload that cannot
/// be read is an error, unless the event is `simulated` anyway.
pub(super) fn discover_ci(
    environment: &Environment,
    simulated: bool,
) -> Result<Option<CiFacts>, ContextError> {
    let variables = CiVariables(environment);
    let payload = match variables.get("GITHUB_EVENT_PATH") {
        Some(path) if variables.is("GITHUB_ACTIONS", "true") => match EventPayload::read(Path::new(&path)) {
            Err(_) if simulated => EventPayload::default(),
            payload => payload?,
        },
        _ => EventPayload::default(),
    };
    Ok(read_with(environment, &payload))
}

/// The facts of the CI in `environment`, with GitHub's event payload given as JSON. Pure.
pub fn read_ci(environment: &Environment, payload: Option<&serde_json::Value>) -> Option<CiFacts> {
    read_with(environment, &payload.map(EventPayload::from_json).unwrap_or_default())
}

fn read_with(environment: &Environment, payload: &EventPayload) -> Option<CiFacts> {
    let variables = CiVariables(environment);
    let has = |name: &str| variables.get(name).is_some();
    Some(if variables.is("GITHUB_ACTIONS", "true") {
        github(&variables, payload)
    } else if has("GITLAB_CI") {
        gitlab(&variables)
    } else if has("BUILDKITE") {
        buildkite(&variables)
    } else if has("CIRCLECI") {
        circleci(&variables)
    } else if has("JENKINS_URL") {
        jenkins(&variables)
    } else if variables.is("CI", "woodpecker") {
        woodpecker(&variables)
    } else if has("DRONE") {
        drone(&variables)
    } else if has("TF_BUILD") {
        azure(&variables)
    } else if has("BITBUCKET_BUILD_NUMBER") {
        bitbucket(&variables)
    } else {
        return None;
    })
}

/// The actions of GitHub's event `release` that publish one.
const PUBLISHING_ACTIONS: [&str; 3] = ["published", "released", "prereleased"];

/// GitHub runs workflows on dozens of events, and most of them push nothing (docs.github.com, "Events that trigger workflows").
/// So an event that is not known to give a branch, a git tag or a pull request counts as started by hand.
fn github(variables: &CiVariables<'_>, payload: &EventPayload) -> CiFacts {
    let event_name = variables.get("GITHUB_EVENT_NAME").unwrap_or_default();
    let reference = variables.get("GITHUB_REF");
    let (branch, tag) = github_ref(variables);
    let of_pull_request = reference.as_deref().is_some_and(|reference| reference.starts_with("refs/pull/"));
    let event = match (event_name.as_str(), payload.action.as_deref()) {
        ("pull_request" | "pull_request_target", Some("closed")) => EventName::PullRequestClosed,
        ("pull_request" | "pull_request_target", _) => EventName::PullRequest,
        ("push" | "create" | "merge_group", _) if tag.is_some() && !payload.deleted => EventName::Tag,
        ("push" | "create" | "merge_group", _) if branch.is_some() && !payload.deleted => EventName::Branch,
        ("release", None) => EventName::Tag,
        ("release", Some(action)) if PUBLISHING_ACTIONS.contains(&action) => EventName::Tag,
        ("schedule", _) => EventName::Schedule,
        // Reviews, and other events that GitHub runs on the merge commit of a pull request.
        _ if of_pull_request => EventName::PullRequest,
        _ => EventName::Manual,
    };
    let facts = CiFacts {
        name: "GitHub Actions",
        event,
        reference,
        sha: variables.get("GITHUB_SHA"),
        no_sha: None,
        branch,
        tag,
        pull_request: None,
        default_branch: payload.default_branch.clone(),
        idle: github_idle(&event_name, payload),
        contradiction: github_contradiction(variables, payload),
    };
    match event {
        EventName::PullRequest | EventName::PullRequestClosed => {
            github_pull_request(variables, payload, facts)
        }
        EventName::Tag => {
            let tag = payload.release_tag.clone().or(facts.tag);
            let reference = tag.as_ref().map(|tag| format!("refs/tags/{tag}"));
            CiFacts { reference, branch: None, tag, ..facts }
        }
        _ => facts,
    }
}

/// The branch and the git tag of the run. `GITHUB_REF` has both the kind and the name; services derived from GitHub may give it
/// without the kind, or not at all.
fn github_ref(variables: &CiVariables<'_>) -> (Option<String>, Option<String>) {
    let reference = variables.get("GITHUB_REF").unwrap_or_default();
    let below = |prefix: &str| reference.strip_prefix(prefix).map(str::to_owned);
    match (below("refs/heads/"), below("refs/tags/")) {
        (None, None) => {
            let of_type = |kind: &str| {
                variables.get("GITHUB_REF_NAME").filter(|_| variables.is("GITHUB_REF_TYPE", kind))
            };
            (of_type("branch"), of_type("tag"))
        }
        known => known,
    }
}

/// The reason why an event of GitHub does not call for publishing although it may stand on a git tag.
fn github_idle(event_name: &str, payload: &EventPayload) -> Option<String> {
    match (event_name, payload.action.as_deref()) {
        ("push", _) if payload.deleted => Some("the ref was deleted".to_owned()),
        ("delete", _) => Some("the event is `delete`".to_owned()),
        ("release", Some(action)) if !PUBLISHING_ACTIONS.contains(&action) => {
            Some(format!("the release was only {action}"))
        }
        _ => None,
    }
}

/// The contradiction between the variables about the ref, or with the payload.
fn github_contradiction(variables: &CiVariables<'_>, payload: &EventPayload) -> Option<String> {
    let reference = variables.get("GITHUB_REF")?;
    let contradicts = |what: &str, value: &str| {
        let shown = |text: &str| text.escape_debug().take(200).collect::<String>();
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

/// The commit of a pull request is its head, which on GitHub only the payload contains. On services derived from GitHub the ref
/// may be the head.
fn github_pull_request(variables: &CiVariables<'_>, payload: &EventPayload, facts: CiFacts) -> CiFacts {
    // Without a payload, the ref is refs/pull/12/merge.
    let from_ref = || {
        let (number, what) = facts.reference.as_deref()?.strip_prefix("refs/pull/")?.split_once('/')?;
        Some((number.parse().ok()?, what))
    };
    let (number, what) = from_ref().unzip();
    let sha = payload.head_sha.clone().or_else(|| facts.sha.clone().filter(|_| what == Some("head")));
    let no_sha = match (&sha, what) {
        (Some(_), _) => None,
        (None, Some(_)) => Some("GITHUB_SHA is a temporary merge commit; the event payload has the head"),
        (None, None) => {
            Some("GITHUB_SHA is not a commit of the pull request; the event payload has the head")
        }
    };
    CiFacts {
        branch: payload.head_branch.clone().or_else(|| variables.get("GITHUB_HEAD_REF")),
        tag: None,
        pull_request: payload.pull_request.or(number),
        sha,
        no_sha,
        ..facts
    }
}

fn gitlab(variables: &CiVariables<'_>) -> CiFacts {
    let timer_or_hand = match variables.get("CI_PIPELINE_SOURCE").as_deref() {
        Some("schedule") => Some(EventName::Schedule),
        Some("web" | "api" | "trigger" | "pipeline" | "chat" | "parent_pipeline") => Some(EventName::Manual),
        _ => None,
    };
    let branch =
        variables.get("CI_COMMIT_BRANCH").or_else(|| variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"));
    // In pipelines for merged results, CI_COMMIT_SHA is a temporary merge commit, as on GitHub.
    let sha = variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| variables.get("CI_COMMIT_SHA"));
    let place = (branch, variables.get("CI_COMMIT_TAG"), variables.number("CI_MERGE_REQUEST_IID"));
    CiFacts::derived("GitLab CI", timer_or_hand, sha, place, variables.get("CI_DEFAULT_BRANCH"))
}

fn buildkite(variables: &CiVariables<'_>) -> CiFacts {
    let timer_or_hand = match variables.get("BUILDKITE_SOURCE").as_deref() {
        Some("schedule") => Some(EventName::Schedule),
        Some("ui" | "api") => Some(EventName::Manual),
        _ => None,
    };
    // The commit of a build that was started by hand may be the word HEAD.
    let sha = variables.get("BUILDKITE_COMMIT").filter(|sha| sha != "HEAD");
    let place = (
        variables.get("BUILDKITE_BRANCH"),
        variables.get("BUILDKITE_TAG"),
        variables.number("BUILDKITE_PULL_REQUEST"),
    );
    let default_branch = variables.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH");
    CiFacts::derived("Buildkite", timer_or_hand, sha, place, default_branch)
}

fn circleci(variables: &CiVariables<'_>) -> CiFacts {
    let from_address = || variables.get("CIRCLE_PULL_REQUEST")?.rsplit('/').next()?.parse().ok();
    let pull_request = variables.number("CIRCLE_PR_NUMBER").or_else(from_address);
    let place = (variables.get("CIRCLE_BRANCH"), variables.get("CIRCLE_TAG"), pull_request);
    CiFacts::derived("CircleCI", None, variables.get("CIRCLE_SHA1"), place, None)
}

fn jenkins(variables: &CiVariables<'_>) -> CiFacts {
    // BRANCH_NAME is `PR-12` in a pull request's build, and GIT_BRANCH carries the remote's name.
    let plain = || {
        let name = variables.get("BRANCH_NAME").or_else(|| variables.get("GIT_BRANCH"))?;
        Some(name.strip_prefix("origin/").unwrap_or(&name).to_owned())
    };
    let branch = variables.get("CHANGE_BRANCH").or_else(plain);
    let place = (branch, variables.get("TAG_NAME"), variables.number("CHANGE_ID"));
    CiFacts::derived("Jenkins", None, variables.get("GIT_COMMIT"), place, None)
}

fn woodpecker(variables: &CiVariables<'_>) -> CiFacts {
    let timer_or_hand = match variables.get("CI_PIPELINE_EVENT").as_deref() {
        Some("cron") => Some(EventName::Schedule),
        Some("manual") => Some(EventName::Manual),
        Some("pull_request_closed") => Some(EventName::PullRequestClosed),
        _ => None,
    };
    let branch = variables.get("CI_COMMIT_SOURCE_BRANCH").or_else(|| variables.get("CI_COMMIT_BRANCH"));
    let place = (branch, variables.get("CI_COMMIT_TAG"), variables.number("CI_COMMIT_PULL_REQUEST"));
    let sha = variables.get("CI_COMMIT_SHA");
    CiFacts::derived("Woodpecker", timer_or_hand, sha, place, variables.get("CI_REPO_DEFAULT_BRANCH"))
}

fn drone(variables: &CiVariables<'_>) -> CiFacts {
    let timer_or_hand = match variables.get("DRONE_BUILD_EVENT").as_deref() {
        Some("cron") => Some(EventName::Schedule),
        Some("custom" | "promote" | "rollback") => Some(EventName::Manual),
        _ => None,
    };
    let branch = variables.get("DRONE_SOURCE_BRANCH").or_else(|| variables.get("DRONE_BRANCH"));
    let place = (branch, variables.get("DRONE_TAG"), variables.number("DRONE_PULL_REQUEST"));
    let sha = variables.get("DRONE_COMMIT_SHA");
    CiFacts::derived("Drone", timer_or_hand, sha, place, variables.get("DRONE_REPO_BRANCH"))
}

fn azure(variables: &CiVariables<'_>) -> CiFacts {
    let timer_or_hand = match variables.get("BUILD_REASON").as_deref() {
        Some("Schedule") => Some(EventName::Schedule),
        Some("Manual") => Some(EventName::Manual),
        _ => None,
    };
    let source = variables.get("BUILD_SOURCEBRANCH").unwrap_or_default();
    let below = |prefix: &str| source.strip_prefix(prefix).map(str::to_owned);
    let from = variables.get("SYSTEM_PULLREQUEST_SOURCEBRANCH");
    let branch = from
        .map(|name| name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned())
        .or_else(|| below("refs/heads/"));
    let sha =
        variables.get("SYSTEM_PULLREQUEST_SOURCECOMMITID").or_else(|| variables.get("BUILD_SOURCEVERSION"));
    let pull_request = variables.number("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER");
    let place = (branch, below("refs/tags/"), pull_request);
    CiFacts::derived("Azure Pipelines", timer_or_hand, sha, place, None)
}

fn bitbucket(variables: &CiVariables<'_>) -> CiFacts {
    let place = (
        variables.get("BITBUCKET_BRANCH"),
        variables.get("BITBUCKET_TAG"),
        variables.number("BITBUCKET_PR_ID"),
    );
    CiFacts::derived("Bitbucket Pipelines", None, variables.get("BITBUCKET_COMMIT"), place, None)
}

#[cfg(test)]
#[path = "ci_tests.rs"]
mod tests;
