//! The events that can start a run.

use serde::{Deserialize, Serialize};

/// The kind of event that tag rules name in `on`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// A git tag was pushed, or a release was published.
    Tag,
    /// A branch was pushed.
    Branch,
    /// A pull or merge request was opened or changed.
    PullRequest,
    /// A pull or merge request was merged or closed.
    PullRequestClosed,
    /// A timer fired.
    Schedule,
    /// Somebody started the run by hand.
    Manual,
    /// Code in a merge queue, which is not merged yet.
    MergeQueue,
    /// Anything else: a comment, something that was deleted, a deployment.
    Other,
}

impl EventName {
    /// Every event, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Tag,
        Self::Branch,
        Self::PullRequest,
        Self::PullRequestClosed,
        Self::Schedule,
        Self::Manual,
        Self::MergeQueue,
        Self::Other,
    ];

    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Branch => "branch",
            Self::PullRequest => "pull_request",
            Self::PullRequestClosed => "pull_request_closed",
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::MergeQueue => "merge_queue",
            Self::Other => "other",
        }
    }
}

impl std::str::FromStr for EventName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|event| event.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not an event: expected one of {known}")
        })
    }
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
