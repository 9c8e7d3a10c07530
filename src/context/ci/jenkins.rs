//! Jenkins: its multibranch jobs, its git plugin, and the plugins that build pull requests.

use super::facts::{CiFacts, CiVariables, Place};
use crate::context::facts::{PullRequestFacts, RunFacts, Trigger};

/// The variables in which plugins give the number of a pull request, with those of its source and target branch and its head:
/// multibranch jobs, the GitHub pull request builder, the GitLab plugin, the Bitbucket plugin.
const PULL_REQUESTS: [[&str; 4]; 4] = [
    ["CHANGE_ID", "CHANGE_BRANCH", "CHANGE_TARGET", ""],
    ["ghprbPullId", "ghprbSourceBranch", "ghprbTargetBranch", "ghprbActualCommit"],
    ["gitlabMergeRequestIid", "gitlabSourceBranch", "gitlabTargetBranch", "gitlabMergeRequestLastCommit"],
    ["BITBUCKET_PULL_REQUEST_ID", "BITBUCKET_SOURCE_BRANCH", "BITBUCKET_TARGET_BRANCH", ""],
];

/// Names of remotes that clones have by habit. The git plugin puts the remote in front of the branch.
const REMOTES: [&str; 2] = ["origin/", "upstream/"];

pub(super) fn jenkins(variables: &CiVariables<'_>) -> CiFacts {
    let run = RunFacts { number: variables.number("BUILD_NUMBER"), attempt: None };
    let trigger =
        if variables.is("BUILD_CAUSE", "TIMERTRIGGER") || variables.is_true("BUILD_CAUSE_TIMERTRIGGER") {
            Trigger::Schedule
        } else {
            Trigger::Push
        };
    let commit = variables.get("GIT_COMMIT");
    if let Some([_, source, target, head]) =
        PULL_REQUESTS.into_iter().find(|[number, ..]| variables.has(number))
    {
        let number = PULL_REQUESTS.iter().find_map(|[number, ..]| variables.pull_request(number));
        let place = Place { of_pull_request: true, ..Place::new(variables.get(source), None, number) };
        let facts = CiFacts::derived("Jenkins", trigger, variables.get(head).or(commit), place);
        let fork =
            if source == "CHANGE_BRANCH" { variables.has("CHANGE_FORK").then_some(true) } else { None };
        let pull = PullRequestFacts { target: variables.get(target), fork, ..facts.pull };
        return CiFacts { may_merge: head.is_empty(), pull, run, ..facts };
    }
    if variables.has("GERRIT_CHANGE_NUMBER") && !variables.is("GERRIT_EVENT_TYPE", "change-merged") {
        let number = variables.pull_request("GERRIT_CHANGE_NUMBER");
        let place = Place { of_pull_request: true, ..Place::new(None, None, number) };
        let sha = variables.get("GERRIT_PATCHSET_REVISION").or(commit);
        let facts = CiFacts::derived("Jenkins", trigger, sha, place);
        let pull = PullRequestFacts { target: variables.get("GERRIT_BRANCH"), ..facts.pull };
        return CiFacts { pull, run, ..facts };
    }
    let place = match variables.get("TAG_NAME") {
        Some(tag) => Place::new(None, Some(tag), None),
        None => ["BRANCH_NAME", "GIT_BRANCH"]
            .iter()
            .find_map(|name| variables.get(name))
            .map(|name| named(&name))
            .unwrap_or_default(),
    };
    let facts = CiFacts::derived("Jenkins", trigger, commit, place);
    CiFacts { run, ..facts }
}

/// The place that a name of the git plugin means: `origin/main`, `refs/tags/v1`, `origin/tags/v1`, `PR-7`, `detached`.
fn named(name: &str) -> Place {
    let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
    if name.starts_with("refs/") {
        return Place::of_ref(name);
    }
    let name = REMOTES.iter().find_map(|remote| name.strip_prefix(remote)).unwrap_or(name);
    if name == "detached" || name == "HEAD" {
        return Place::default();
    }
    if let Some(tag) = name.strip_prefix("tags/") {
        return Place::new(None, Some(tag.to_owned()), None);
    }
    match pull_request(name) {
        Some(number) => Place { of_pull_request: true, ..Place::new(None, None, Some(number)) },
        None => Place::new(Some(name.to_owned()), None, None),
    }
}

/// The number in the name that a multibranch job or a refspec gives a pull request: `PR-7`, `MR-7-merge`, `pr/7/head`,
/// `pull/7/merge`, `merge-requests/7/head`.
fn pull_request(name: &str) -> Option<u64> {
    let jobs = ["PR-", "MR-"].iter().find_map(|prefix| name.strip_prefix(prefix));
    if let Some(rest) = jobs {
        let number = ["-merge", "-head"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
        return number.parse().ok();
    }
    let refs = ["pr/", "pull/", "merge-requests/"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let (number, rest) = refs.split_once('/')?;
    ["merge", "head"].contains(&rest).then(|| number.parse().ok())?
}
