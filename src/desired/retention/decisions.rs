//! The tags of a repository, and the decisions about them.

use crate::model::retention::{KeepReason, RemovalReason};
use oci_registry::{Digest, Tag};

/// A tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTag {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The time when the registry got the content, or the latest time that it states, in seconds since 1970, if it is known. Times before 1980 count as unknown.
    pub created: Option<i64>,
    /// The time when the image says it was made, if that was asked.
    pub stated: Option<i64>,
}

/// The decisions about the tags of one repository that a retention matches, in the order of the listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The tags that go.
    pub remove: Vec<RemovedTag>,
    /// The tags that stay.
    pub keep: Vec<KeptTag>,
}

/// A tag that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedTag {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The first retention that removes it.
    pub retention: String,
    /// The reason for the removal.
    pub reason: RemovalReason,
}

/// A tag that stays although a retention matches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTag {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The first retention that matches it.
    pub retention: String,
    /// The reason why the tag stays.
    pub reason: KeepReason,
}
