//! The tags that a context renders for a resource.

use super::tag_template::TagTemplate;
use super::version::ResourceVersion;
use crate::model::{Mutability, OnConflict};
use oci_registry::Tag;

/// The tags of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTags {
    /// The version of the resource in this context.
    pub version: ResourceVersion,
    /// Its tags, in the order of the rules, each once.
    pub tags: Vec<RenderedTag>,
    /// Forward tags that a pre-release does not take.
    pub held_back: Vec<RenderedTag>,
    /// The version of a chart, which may differ from that of the release.
    pub chart_version: Option<String>,
    /// The silent rules, with the reasons.
    pub silent: Vec<(String, String)>,
}

impl ResourceTags {
    /// The tags that a plan covers, including those that a pre-release does not take, because the plan shows them.
    pub fn all(&self) -> impl Iterator<Item = &RenderedTag> {
        self.tags.iter().chain(&self.held_back)
    }
}

/// A tag, and the template that rendered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedTag {
    /// The tag.
    pub tag: Tag,
    /// The name of what rendered it: see [`TagTemplate::name`].
    pub rule: String,
    /// Whether the tag may move.
    pub mutability: Mutability,
    /// The action if an immutable tag already names another digest.
    pub on_conflict: OnConflict,
}

impl RenderedTag {
    /// The `tag` that `template` rendered.
    pub fn new(tag: Tag, template: TagTemplate<'_>) -> Self {
        let (mutability, on_conflict) = (template.mutability(), template.on_conflict());
        Self { tag, rule: template.name().into_owned(), mutability, on_conflict }
    }

    /// Whether two templates of one resource rendered the same tag and treat it the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        self.tag == other.tag
            && self.mutability == other.mutability
            // Only immutable tags have conflicts.
            && (self.mutability != Mutability::Immutable || self.on_conflict == other.on_conflict)
    }
}
