//! The answer of `verify`: of each repository which tags still stand, and what does not. Data for machines; serialized it
//! is what `verify --json` prints.

use serde::{Deserialize, Serialize};

use super::drift::{Finding, Note, TagDrift};
use super::plan::TagTarget;
use super::{Mutability, ResourceId, Tag};

/// What a verification looks like: major versions break readers, minor ones only add fields.
pub const FORMAT_VERSION: &str = "1.0";

/// Whether what was published still stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verification {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The program that verified, with its version.
    pub generator: String,
    /// One line about what was verified, for people.
    pub title: String,
    /// Whether everything stands: no tag drifted, and nothing else was found.
    pub stands: bool,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<VerifiedRepository>,
    /// What was declared or recorded, and could not be verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<Unverified>,
}

/// What was found in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VerifiedRepository {
    /// `images.NAME@REGISTRY`, which `--target` takes.
    pub address: String,
    /// What is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The whole name, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub name: String,
    /// The last version of the image that any of its registries holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Every tag that should stand here, those of the highest version first.
    pub tags: Vec<VerifiedTag>,
    /// What is wrong beyond the tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What is worth saying and is no drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// A tag that should stand.
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
    /// The version that it stands for; none of a branch's tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<TagTarget>,
    /// What it should name, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<TagTarget>,
    /// What is wrong with it; nothing where it is in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<TagDrift>,
}

/// Something that was declared or recorded, and could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unverified {
    /// What is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// What kind of thing it is.
    pub kind: UnverifiedKind,
    /// The name of the rule, the key of the annotation, or the file of the record.
    pub name: String,
    /// Why, for the first version where it is of versions.
    pub why: String,
    /// The versions that this is so of; none where it is so of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// What could not be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnverifiedKind {
    /// A tag rule.
    Rule,
    /// An annotation of the image.
    Annotation,
    /// What a record says of the image.
    Record,
}

impl Verification {
    /// How many tags are in place.
    pub fn in_place(&self) -> usize {
        self.tags().filter(|tag| tag.drift.is_none()).count()
    }

    /// How many things are not as they should be: tags, and what was found beyond them.
    pub fn drifted(&self) -> usize {
        let findings: usize = self.repositories.iter().map(|repository| repository.findings.len()).sum();
        self.tags().filter(|tag| tag.drift.is_some()).count() + findings
    }

    fn tags(&self) -> impl Iterator<Item = &VerifiedTag> {
        self.repositories.iter().flat_map(|repository| &repository.tags)
    }
}
