//! The plan of a prune for manifests without a tag, with the proof that nothing that stays reaches those that go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::retention::Age;
use oci_registry::{Digest, Tag};

/// The manifests without a tag of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedUntagged {
    /// The retention.
    pub retention: String,
    /// The number of newest ones that stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u64>,
    /// The age up to which they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Age>,
    /// The number of manifests of the repository, all of which were read.
    pub manifests: usize,
    /// The number of its tags.
    pub tags: usize,
    /// The manifests that go.
    pub remove: Vec<Digest>,
    /// The manifests that stay, each with the reason.
    pub keep: Vec<KeptManifest>,
}

/// A manifest without a tag that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeptManifest {
    /// The manifest.
    pub digest: Digest,
    /// The reason.
    pub why: UntaggedReason,
}

/// The reason why a manifest without a tag stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum UntaggedReason {
    /// A manifest that stays lists it or refers to it.
    Reached {
        /// That manifest.
        by: Digest,
        /// A tag that leads there, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<Tag>,
    },
    /// It refers to a manifest that stays.
    Refers {
        /// That manifest.
        to: Digest,
    },
    /// A tag holds its signatures or other referrers.
    Referrers {
        /// The tag.
        tag: Tag,
    },
    /// Something outside of the registry still uses it.
    InUse,
    /// It is one of the newest.
    Newest {
        /// The number of newest ones that stay.
        keep_last: u64,
    },
    /// It is not old enough.
    Younger {
        /// The age up to which they stay.
        age: Age,
    },
    /// The registry does not say when it was put.
    TimeUnknown,
    /// It is younger than an hour, and may belong to a release in progress.
    Young,
}

impl UntaggedReason {
    /// The reason without names, for a count.
    pub fn kind(&self) -> String {
        match self {
            Self::Reached { tag: Some(_), .. } => "reached from a tag".to_owned(),
            Self::Reached { tag: None, .. } => "reached from one that stays".to_owned(),
            Self::Refers { .. } => "referrers of what stays".to_owned(),
            Self::Referrers { .. } => "with referrers under a tag".to_owned(),
            Self::InUse => "in use".to_owned(),
            Self::Newest { .. } => "newest".to_owned(),
            Self::Younger { age } => format!("younger than {age}"),
            Self::TimeUnknown => "of unknown age".to_owned(),
            Self::Young => "younger than an hour".to_owned(),
        }
    }
}

impl fmt::Display for UntaggedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached { by, tag: Some(tag) } => {
                write!(f, "{} needs it, which {tag} reaches", by.short(12))
            }
            Self::Reached { by, tag: None } => write!(f, "{} needs it, which stays", by.short(12)),
            Self::Refers { to } => write!(f, "it refers to {}, which stays", to.short(12)),
            Self::Referrers { tag } => write!(f, "{tag} holds its signatures or other referrers"),
            Self::InUse => f.write_str("it is in use"),
            Self::Newest { keep_last } => write!(f, "one of the newest {keep_last}"),
            Self::Younger { age } => write!(f, "younger than {age}"),
            Self::TimeUnknown => f.write_str("the registry does not say when it was put"),
            Self::Young => f.write_str("younger than an hour, so it may belong to a release in progress"),
        }
    }
}

impl PlannedUntagged {
    /// The limits in words: "older than 7d and beyond the newest 20".
    pub fn limits(&self) -> String {
        let age = self.older_than.map(|age| format!("older than {age}"));
        let beyond = self.keep_last.map(|count| format!("beyond the newest {count}"));
        age.into_iter().chain(beyond).collect::<Vec<_>>().join(" and ")
    }
}
