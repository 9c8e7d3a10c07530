//! Whether a tag may move, and what to do when it may not.

use serde::{Deserialize, Serialize};

/// What may happen to a tag that exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mutability {
    /// Written once: another digest is a conflict.
    #[default]
    Immutable,
    /// Moves only to a higher version of its line, or to a descendant commit.
    Forward,
    /// Moves to whatever is published last.
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

/// What to do where an immutable tag already names another digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Block the plan.
    #[default]
    Fail,
    /// Keep the digest that was published first, and say so.
    Keep,
}
