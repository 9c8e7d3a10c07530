//! `[retention.NAME]`: which tags `prune` may remove, and when.

use crate::model::ResourceId;
use crate::model::retention::{Age, AgeFrom};

/// `[retention.NAME]`: which tags `prune` may remove, and when.
#[derive(Debug, Clone)]
pub struct Retention {
    /// The tags that it applies to.
    pub subject: RetentionSubject,
    /// The condition under which one of these tags is removed.
    pub condition: RetentionCondition,
    /// The start of the age of a tag.
    pub age_from: AgeFrom,
    /// The tags that stay besides.
    pub keep: KeptBesides,
    /// The resources whose repositories it applies to.
    pub resources: Vec<ResourceId>,
    /// The names of the registries that it applies to, among those that the resources are published to.
    pub registries: Vec<String>,
}

/// The tags that a retention keeps although they exceed its limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptBesides {
    /// Those of git tags that exist.
    pub git_tags: bool,
    /// Those of branches that exist.
    pub branches: bool,
    /// The files that name what is in use, relative to the folder of `publish.toml`.
    pub in_use: Vec<String>,
}

/// The tags that a retention applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionSubject {
    /// The tags that the tag rule of this name renders.
    Rule(String),
    /// The tags that one of these globs matches.
    Globs(Vec<String>),
    /// The manifests that have no tag.
    Untagged,
}

/// The condition under which a tag is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionCondition {
    /// The pull request that it was published for is closed.
    PullRequestClosed,
    /// All of the given limits are exceeded. At least one is given.
    Limits {
        /// The tag is not one of this many newest tags.
        keep_last: Option<u64>,
        /// The tag is older than this.
        older_than: Option<Age>,
        /// The version is not one of this many newest versions of its minor line.
        keep_per_minor: Option<u64>,
    },
}
