//! `publish.toml`: from text to a checked [`Config`], or to every diagnostic at once.
//!
//! The way through, which `load` goes: `file` reads the text, `layers` gathers what stands above it, `tree`
//! parses each into values with places, `merge` makes one value of them, `structure` holds that against the
//! `schema`, which is made from the types of `raw`, and `check` makes a `Config` of it.

mod check;
mod credentials;
mod file;
mod layers;
mod load;
mod merge;
mod overrides;
mod places;
mod raw;
mod schema;
mod strings;
mod structure;
mod suggest;
mod syntax;
mod tree;

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::model::forward::OnUnknown;
use crate::model::reference::RegistryEndpoint;
use crate::model::retention::Age;
use crate::model::{
    Compare, Digest, EventName, KeyPath, Mutability, OnConflict, Platform, RepositoryName, Visibility,
};

pub use file::find;
pub use load::{LoadOptions, Loaded, file_digest, load, load_text, profiles};
pub use overrides::RESERVED_VARIABLES;
pub use places::Places;
pub use schema::json_schema;

/// A checked configuration: every name in it resolves. Tables keep the order of the file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The folder of the file: relative paths start here.
    pub folder: PathBuf,
    /// The digest of the merged configuration, layers included.
    pub digest: Digest,
    /// The profile in force.
    pub profile: Option<String>,
    /// `[project]`.
    pub project: Project,
    /// `[vars]`, as values of templates.
    pub vars: IndexMap<String, serde_json::Value>,
    /// `[registries.*]`.
    pub registries: IndexMap<String, Registry>,
    /// `[tags.*]`.
    pub tags: IndexMap<String, TagRule>,
    /// `[images.*]`.
    pub images: IndexMap<String, Image>,
    /// `[[checks]]`.
    pub checks: Vec<Check>,
    /// `[retention.*]`.
    pub retention: IndexMap<String, Retention>,
    /// Where each key and value was written.
    pub places: Places,
}

/// `[project]`.
#[derive(Debug, Clone)]
pub struct Project {
    /// The address of the source repository; `None`: the git remote.
    pub source: Option<String>,
    /// What git tags that carry a release start with.
    pub tag_prefix: String,
    /// The file that holds the version; `None`: the git tag of the event.
    pub version: Option<VersionFile>,
}

/// A key of a file that holds the version.
#[derive(Debug, Clone)]
pub struct VersionFile {
    /// The file, TOML, JSON or YAML, relative to the folder of `publish.toml`.
    pub file: String,
    /// The key.
    pub key: KeyPath,
}

/// `[registries.NAME]`.
#[derive(Debug, Clone)]
pub struct Registry {
    /// How to reach it.
    pub endpoint: RegistryEndpoint,
    /// Who may pull from its repositories, unless an image says otherwise.
    pub visibility: Option<Visibility>,
}

/// `[tags.NAME]`.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// The events it fires on.
    pub on: Vec<EventName>,
    /// The template of the tag.
    pub template: String,
    /// Globs, of which the branch (or the git tag) must match one; empty: any.
    pub matches: Vec<String>,
    /// A condition in the language of templates.
    pub when: Option<String>,
    /// Whether the tag may move.
    pub mutability: Mutability,
    /// What to do where an immutable tag names another digest.
    pub on_conflict: OnConflict,
    /// Whether a forward tag takes pre-releases.
    pub prereleases: bool,
    /// What happens to a forward tag of a branch where the descent of the commit cannot be known.
    pub on_unknown: OnUnknown,
}

/// `[images.NAME]`.
#[derive(Debug, Clone)]
pub struct Image {
    /// Where its content comes from: templates.
    pub source: ImageSource,
    /// The repository, below the namespace of each registry.
    pub repository: RepositoryName,
    /// The names of its registries.
    pub registries: Vec<String>,
    /// The names of its tag rules.
    pub tags: Vec<String>,
    /// What git tags that carry its release start with, where it differs from the project's.
    pub tag_prefix: Option<String>,
    /// Who may pull it.
    pub visibility: Option<Visibility>,
    /// The platforms that must all be there.
    pub platforms: Vec<Platform>,
    /// Annotations of the root that is published: templates by key.
    pub annotations: IndexMap<String, String>,
}

/// `[[checks]]`.
#[derive(Debug, Clone)]
pub struct Check {
    /// The position in the list as written, which [`Places`] goes by.
    pub index: usize,
    /// The file, TOML, JSON or YAML, relative to the folder of `publish.toml`.
    pub file: String,
    /// The key in it.
    pub key: KeyPath,
    /// The template of what should stand there.
    pub equals: String,
    /// How the two are compared.
    pub compare: Compare,
    /// The image whose version counts; `None`: the project's prefix decides.
    pub image: Option<String>,
}

/// `source` of an image: strings are templates of [`crate::model::SourceSpec`]'s forms.
#[derive(Debug, Clone)]
pub enum ImageSource {
    /// One source.
    One(String),
    /// A source for each platform, to assemble an index of.
    Platforms(IndexMap<Platform, String>),
}

/// `[retention.NAME]`: which tags `prune` may remove, and when.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Which tags it is about.
    pub subject: RetentionSubject,
    /// What has to hold for one of them to go.
    pub condition: RetentionCondition,
    /// The names of the images whose repositories it is about.
    pub images: Vec<String>,
    /// The names of the registries it is about, as far as the images are published there.
    pub registries: Vec<String>,
}

/// Which tags a retention is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionSubject {
    /// Those that the tag rule of this name renders.
    Rule(String),
    /// Those that one of these globs matches.
    Globs(Vec<String>),
}

/// What has to hold for a tag to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionCondition {
    /// The pull request that it was published for is closed.
    PullRequestClosed,
    /// All of these that are given; one is.
    Limits {
        /// It is not one of so many of the newest.
        keep_last: Option<u64>,
        /// It is older than this.
        older_than: Option<Age>,
    },
}

#[cfg(test)]
mod tests;
