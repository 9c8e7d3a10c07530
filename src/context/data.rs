//! The context of a run as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ContextDoubt;
use super::facts::{HistoryFacts, PullRequestFacts, ReleaseFacts, RepositoryFacts, RunFacts, Trigger};
use crate::model::EventName;

/// The environment variables of the process, or those that a test sets.
pub type Environment = BTreeMap<String, String>;

/// The context of a run. Unknown values are `None`, and [`Context::absent`] gives the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Context {
    /// The event, by what the run stands on: a git tag's run is that of a tag, and a pull request's that of a pull request, whoever
    /// started it. On a branch, `schedule` and `manual` say what started it.
    pub event: EventName,
    /// The start of the run.
    #[serde(default, skip_serializing_if = "Trigger::is_push")]
    pub trigger: Trigger,
    /// The git ref in full: `refs/tags/v1.2.3`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit, 40 (or 64) hexadecimal digits. On a pull request, its head and not the merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
    /// The branch. On a pull request, its source branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The git tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The number of the pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// The default branch of the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
    /// The time of the commit, or `SOURCE_DATE_EPOCH`, in seconds since 1970. Never the current time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_time: Option<i64>,
    /// Whether tracked files differ from the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// The address of the git remote, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The CI that runs the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
    /// The environment variables that the configuration lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The time of the clock in seconds since 1970, if the configuration asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
    /// The git tags before the commit, if a template uses them.
    #[serde(skip)]
    pub history: HistoryFacts,
    /// The reasons why values are missing, by the name that templates use.
    #[serde(skip)]
    pub absent: BTreeMap<&'static str, String>,
    /// The difference between the work tree and the commit. Known if the commit is to be published.
    #[serde(skip)]
    pub work_tree: Option<WorkTree>,
    /// The doubts about the context.
    #[serde(skip)]
    pub doubts: Vec<ContextDoubt>,
    /// The release that the checked out commit is tagged as, although the run is that of a branch.
    #[serde(skip)]
    pub release_here: Option<String>,
    /// The reason why the event does not call for publishing: the CI says that something was deleted or edited.
    #[serde(skip)]
    pub idle: Option<String>,
    /// The reason why the event is unknown and another was assumed.
    #[serde(skip)]
    pub unknown_event: Option<String>,
    /// Facts that the CI gives about the pull request.
    #[serde(skip)]
    pub pull: PullRequestFacts,
    /// Facts that the CI gives about the release.
    #[serde(skip)]
    pub release: ReleaseFacts,
    /// Facts that the CI gives about the run.
    #[serde(skip)]
    pub run: RunFacts,
    /// Facts that the CI or the clone gives about the repository.
    #[serde(skip)]
    pub repository: RepositoryFacts,
}

/// The difference between the work tree and the commit that is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTree {
    /// The commit that is checked out, if it is another one than the commit that is published.
    pub other_commit: Option<String>,
    /// The tracked files that differ from the commit that is checked out, relative to the root of the repository.
    pub changed: Vec<String>,
}

impl Context {
    /// A context that knows only the event.
    pub fn new(event: EventName) -> Self {
        Self {
            event,
            trigger: Trigger::Push,
            reference: None,
            sha: None,
            branch: None,
            tag: None,
            pull_request: None,
            default_branch: None,
            commit_time: None,
            dirty: None,
            remote: None,
            ci: None,
            env: BTreeMap::new(),
            now: None,
            history: HistoryFacts::default(),
            absent: BTreeMap::new(),
            work_tree: None,
            doubts: Vec::new(),
            release_here: None,
            idle: None,
            unknown_event: None,
            pull: PullRequestFacts::default(),
            release: ReleaseFacts::default(),
            run: RunFacts::default(),
            repository: RepositoryFacts::default(),
        }
    }

    /// The words for this run that `on` of a tag rule may name. A git tag's run is that of a tag, whatever started it, and also what
    /// started it. On a branch, a run that a timer or a person started is only that, because it publishes other content of a commit
    /// that was published before. The run of a pull request is nothing else, whoever started it.
    pub fn events(&self) -> Vec<EventName> {
        let mut events = vec![self.event];
        match (self.event, self.trigger) {
            (EventName::Tag, Trigger::Schedule) => events.push(EventName::Schedule),
            (EventName::Tag, Trigger::Manual) => events.push(EventName::Manual),
            _ => {}
        }
        events
    }

    /// Whether a rule fires in this context whose `on` names the events `on`.
    pub fn fires(&self, on: &[EventName]) -> bool {
        self.events().iter().any(|event| on.contains(event))
    }

    /// Whether the run is that of a pull request, open or closed.
    pub fn is_of_pull_request(&self) -> bool {
        matches!(self.event, EventName::PullRequest | EventName::PullRequestClosed)
    }

    /// Whether the forge says that the release being published is a pre-release, whatever its git tag looks like.
    pub fn is_marked_prerelease(&self) -> bool {
        self.event == EventName::Tag && self.release.prerelease == Some(true)
    }

    /// The git tag that the run stands on, whatever started the run.
    pub fn tag_of_ref(&self) -> Option<&str> {
        let named = self.reference.as_deref().and_then(|reference| reference.strip_prefix("refs/tags/"));
        self.tag.as_deref().or(named)
    }

    /// The situation in a sentence: `at the git tag `v1.2.3``, `on the branch `main``.
    pub fn situation(&self) -> String {
        match (self.tag_of_ref(), self.pull_request, &self.branch) {
            (Some(tag), _, _) => format!("at the git tag `{tag}`"),
            (None, Some(number), _) => format!("on pull request {number}"),
            (None, None, Some(branch)) => format!("on the branch `{branch}`"),
            (None, None, None) => format!("on the event `{}`", self.event),
        }
    }

    /// The first seven digits of the commit.
    pub fn short_sha(&self) -> Option<&str> {
        self.sha.as_deref().map(|sha| sha.get(..7).unwrap_or(sha))
    }

    /// One line for people: `refs/tags/v1.2.4 at 9f3c2ab`.
    pub fn describe(&self) -> String {
        let place = match (&self.reference, self.pull_request) {
            (_, Some(number)) => format!("pull request {number}"),
            (Some(reference), None) => reference.clone(),
            (None, None) => self.event.to_string(),
        };
        let event = match self.event {
            EventName::Tag if !self.trigger.is_push() => format!(" ({})", self.trigger.as_str()),
            EventName::Schedule | EventName::Manual | EventName::MergeQueue | EventName::Other
                if place != self.event.as_str() =>
            {
                format!(" ({})", self.event)
            }
            _ => String::new(),
        };
        match self.short_sha() {
            Some(sha) => format!("{place}{event} at {sha}"),
            None => format!("{place}{event}"),
        }
    }
}
