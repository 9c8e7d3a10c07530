//! A tag rule, checked.

use crate::model::forward::OnUnknown;
use crate::model::{EventName, Mutability, OnConflict};

/// `[tags.NAME]`.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// The events it fires on.
    pub on: Vec<EventName>,
    /// The template of the tag.
    pub template: String,
    /// Globs, one of which the branch (or the git tag) must match. Empty: any.
    pub matches: Vec<String>,
    /// A condition in the template language.
    pub when: Option<String>,
    /// Whether the rule is silent if the template renders empty text. Otherwise that is an error.
    pub skips_empty: bool,
    /// Whether the tag may move.
    pub mutability: Mutability,
    /// The action if an immutable tag already names another digest.
    pub on_conflict: OnConflict,
    /// Whether a forward tag takes pre-releases.
    pub prereleases: bool,
    /// Whether it fires on a pull request from a fork.
    pub forks: bool,
    /// The action for a forward tag if it is unknown whether it would move forward; `None` for the default of the event.
    pub on_unknown: Option<OnUnknown>,
}
