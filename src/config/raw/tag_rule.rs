//! `[tags.*]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NonEmptyText, OneOrMany};
use crate::model::forward::OnUnknown;
use crate::model::{EventName, Mutability, OnConflict};

/// A tag rule: the tag that some events of git make.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TagRule")]
pub(in crate::config) struct RawTagRule {
    /// The events that it fires on: one, or a list.
    #[schemars(required, extend("examples" = ["tag", ["branch", "pull_request"]]))]
    pub on: Option<OneOrMany<RawEventName>>,
    /// The tag, as a template: `v{{ version }}`, `sha-{{ git.short_sha }}`, `{{ git.branch | slug }}`.
    #[schemars(required, length(min = 1), extend("examples" = ["v{{ version }}", "latest", "sha-{{ git.short_sha }}"]))]
    pub template: Option<String>,
    /// Globs, one of which the branch (or the git tag, on `tag`) must match: one, or a list. Default: any.
    #[schemars(extend("examples" = ["release/*", ["main", "develop"]]))]
    pub r#match: Option<OneOrMany<NonEmptyText>>,
    /// A condition in the template language. The rule fires only if it is true.
    #[schemars(length(min = 1), extend("examples" = ["version.pre == ''"]))]
    pub when: Option<String>,
    /// The effect of a template that renders empty text: `"fail"` is an error, `"skip"` leaves the tag out.
    #[schemars(extend("default" = "fail", "examples" = ["skip"]))]
    pub when_empty: Option<WhenEmpty>,
    /// Whether the tag may move.
    #[schemars(extend("default" = "immutable"))]
    pub mutability: Option<Mutability>,
    /// The action if an immutable tag already names another digest.
    #[schemars(extend("default" = "fail"))]
    pub on_conflict: Option<OnConflict>,
    /// Whether a forward tag takes pre-releases such as 2.0.0-rc.1.
    #[schemars(extend("default" = false))]
    pub prereleases: Option<bool>,
    /// Whether the rule fires on a pull request from a fork. Default: nothing of a fork is published.
    #[schemars(extend("default" = false))]
    pub forks: Option<bool>,
    /// The action for a forward tag if it is unknown whether it would move forward. For a release, that is so if nothing shows
    /// the version of the image that the tag names: no version tag, annotation or label. Default: `keep`. For a branch, it
    /// is so in a shallow clone, or if the image does not record its commit. Default: `move`.
    pub on_unknown: Option<OnUnknown>,
}

/// The effect of a template that renders empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum WhenEmpty {
    /// An error.
    Fail,
    /// The rule is silent.
    Skip,
}

/// An event of git that a tag rule fires on.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Event")]
pub(in crate::config) enum RawEventName {
    /// A git tag was pushed, or a release was published.
    Tag,
    /// A branch was pushed.
    Branch,
    /// A pull or merge request was opened or changed.
    PullRequest,
    /// A timer fired.
    Schedule,
    /// Somebody started the run by hand.
    Manual,
    /// Code in a merge queue, which is not merged yet.
    MergeQueue,
    /// Anything else: a comment, something that was deleted, a deployment.
    Other,
}

impl From<RawEventName> for EventName {
    fn from(event: RawEventName) -> Self {
        match event {
            RawEventName::Tag => Self::Tag,
            RawEventName::Branch => Self::Branch,
            RawEventName::PullRequest => Self::PullRequest,
            RawEventName::Schedule => Self::Schedule,
            RawEventName::Manual => Self::Manual,
            RawEventName::MergeQueue => Self::MergeQueue,
            RawEventName::Other => Self::Other,
        }
    }
}
