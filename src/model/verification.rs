//! The answer of `verify`: for each repository, the tags that are in place, and the drift. It is data for machines:
//! `verify --json` prints its serialized form.

use serde::{Deserialize, Serialize};

use super::drift::{Finding, Note, TagDrift};
use super::plan::TagTarget;
use super::{Mutability, ResourceId};
use oci_registry::Tag;

/// The version of the verification format. A major version breaks readers, a minor version only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// The report about whether everything that was published is still in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verification {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The program that verified, with its version.
    pub generator: String,
    /// One line about what was verified, for people.
    pub title: String,
    /// Whether everything is in place: no tag drifted, and nothing else was found.
    pub stands: bool,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<VerifiedRepository>,
    /// Things that were declared or recorded, but could not be verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<Unverified>,
}

/// The results for one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VerifiedRepository {
    /// `images.NAME@REGISTRY`, which `--target` accepts.
    pub address: String,
    /// The resource that is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The full name, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub name: String,
    /// The last version of the image that any of its registries holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Every tag that should be here, those of the highest version first.
    pub tags: Vec<VerifiedTag>,
    /// Problems beyond the tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Notes that are worth reporting but are not drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// A tag that should be in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VerifiedTag {
    /// `images.NAME@REGISTRY:TAG`.
    pub address: String,
    /// The tag.
    pub tag: Tag,
    /// The rule that renders it.
    pub rule: String,
    /// Whether the tag may move.
    pub mutability: Mutability,
    /// The version of the tag; the tag of a branch has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The manifest that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<TagTarget>,
    /// The manifest that it should name, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<TagTarget>,
    /// The drift of the tag; left out if the tag is in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<TagDrift>,
}

/// Something that was declared or recorded, but could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unverified {
    /// The resource that is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The kind of thing that could not be verified.
    pub kind: UnverifiedKind,
    /// The name of the rule, the key of the annotation, or the file of the record.
    pub name: String,
    /// The reason; if it concerns versions, the reason for the first one.
    pub why: String,
    /// The versions concerned; empty if all are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// The kind of thing that could not be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnverifiedKind {
    /// A tag rule.
    Rule,
    /// An annotation of the image.
    Annotation,
    /// The content of a record about the image.
    Record,
}

impl Verification {
    /// The number of tags that are in place.
    pub fn in_place(&self) -> usize {
        self.tags().filter(|tag| tag.drift.is_none()).count()
    }

    /// The number of problems: tags that drifted, and findings beyond the tags.
    pub fn drifted(&self) -> usize {
        let findings: usize = self.repositories.iter().map(|repository| repository.findings.len()).sum();
        self.tags().filter(|tag| tag.drift.is_some()).count() + findings
    }

    fn tags(&self) -> impl Iterator<Item = &VerifiedTag> {
        self.repositories.iter().flat_map(|repository| &repository.tags)
    }
}
