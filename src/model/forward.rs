//! What decides whether a forward tag moves: lines of versions, and the descent of commits. Plain data, which a saved plan
//! carries, so that an apply can decide again what others publish meanwhile.

use semver::Version;
use serde::{Deserialize, Serialize};

use super::Tag;

/// What decides whether a forward tag moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum PlannedForward {
    /// The versions of its line that the registry holds.
    Version(PlannedLine),
    /// The commits that images were built from.
    Commit(PlannedCommit),
}

/// The line of a forward tag: the versions for which its rule renders the same tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedLine {
    /// The version being published.
    #[schemars(with = "String")]
    pub version: Version,
    /// Whether pre-releases count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prereleases: bool,
    /// The template of the rule: a version is of the line where it renders the tag.
    pub template: String,
    /// The values of `[vars]` that the template uses.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub vars: serde_json::Map<String, serde_json::Value>,
    /// How versions are read out of the tags of the registry.
    pub readers: Vec<VersionReader>,
}

/// Reads versions out of tags: what stands around a full version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VersionReader {
    /// What stands before it.
    pub prefix: String,
    /// What stands after it.
    pub suffix: String,
}

impl VersionReader {
    /// The version that `tag` was rendered for.
    pub fn read(&self, tag: &Tag) -> Option<Version> {
        let version = tag.as_str().strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?;
        // A semantic version holds no `_`: what does was a `+`.
        Version::parse(&version.replacen('_', "+", 1)).ok()
    }
}

/// The commit of a forward tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedCommit {
    /// The commit being published, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What happens where the descent cannot be known.
    pub on_unknown: OnUnknown,
}

/// What happens to a forward tag where it cannot be known whether the commit being published descends from the tag's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// The tag moves, and the plan says so.
    #[default]
    Move,
    /// The tag stays, and the plan says so.
    Keep,
}

/// A version that a registry holds, and the tag that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The version.
    pub version: Version,
    /// The tag that stands for it.
    pub tag: Tag,
}

/// The version among `held`, lowest first, that keeps a forward tag from `version`.
pub fn newer<'a>(held: &'a [Held], version: &Version) -> Option<&'a Held> {
    held.last().filter(|highest| highest.version > *version)
}

/// How the commit being published stands to the one that a tag's present image was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Descent {
    /// It is the same, or comes after it.
    Descendant,
    /// It comes before it.
    Older,
    /// Neither comes before the other.
    Diverged,
    /// That cannot be known, and why.
    Unknown(String),
}
