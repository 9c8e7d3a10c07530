//! The context of a run as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::EventName;

/// The environment variables of the process, or those that a test sets.
pub type Environment = BTreeMap<String, String>;

/// The context of a run. Unknown values are `None`, and [`Context::absent`] gives the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Context {
    /// The event that started the run.
    pub event: EventName,
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
    /// The reasons why values are missing, by the name that templates use.
    #[serde(skip)]
    pub absent: BTreeMap<&'static str, String>,
    /// The reason why the event is unknown and `manual` was assumed.
    #[serde(skip)]
    pub unknown_event: Option<String>,
}

impl Context {
    /// A context that knows only the event.
    pub fn new(event: EventName) -> Self {
        Self {
            event,
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
            absent: BTreeMap::new(),
            unknown_event: None,
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
            EventName::Schedule | EventName::Manual if place != self.event.as_str() => {
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
