//! The rules that say whether a tag may move, and what to do if it may not or does not.

use serde::{Deserialize, Serialize};

/// The ways in which an existing tag may move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mutability {
    /// Written once: another digest is a conflict.
    #[default]
    Immutable,
    /// Moves only to a higher version of its line, or to a descendant commit.
    Forward,
    /// Always moves to the content that was published last.
    Mutable,
}

impl Mutability {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immutable => "immutable",
            Self::Forward => "forward",
            Self::Mutable => "mutable",
        }
    }
}

/// The behavior if an immutable tag already names another digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Block the plan.
    #[default]
    Fail,
    /// Keep the digest that was published first, and report it.
    Keep,
}

/// The behavior if an immutable tag names an index of the same images as the one to publish: only their attestations differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnSameImages {
    /// Keep the digest that was published first, let the other tags of the run follow it, and report it.
    #[default]
    Keep,
    /// Treat the two as different content.
    Fail,
}

/// The behavior of an apply if a registry refuses a floating tag for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnTagFailure {
    /// Put the floating tags that the run moved back to the digests that they named before, in every repository.
    #[default]
    Restore,
    /// Leave every tag as it is.
    Stop,
}

impl OnTagFailure {
    /// Whether it is the default.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
