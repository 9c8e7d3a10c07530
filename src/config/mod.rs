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

use crate::model::content::{AnnotationPlace, ArtifactFile};
use crate::model::forward::OnUnknown;
use crate::model::reference::RegistryEndpoint;
use crate::model::retention::Age;
use crate::model::secret_search::{SecretAllowance, SecretPolicy};
use crate::model::{
    Compare, Digest, EventName, KeyPath, Mutability, OnConflict, Platform, RepositoryName, ResourceId,
    Visibility,
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
    /// `[tags.*]`, and a rule for the version of each chart.
    pub tags: IndexMap<String, TagRule>,
    /// `[images.*]`, `[charts.*]` and `[artifacts.*]`, in this order.
    pub resources: IndexMap<ResourceId, Resource>,
    /// `[secrets]`.
    pub secrets: Secrets,
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
    /// A name for people.
    pub title: Option<String>,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// Where to find out more.
    pub url: Option<String>,
    /// Where the documentation is.
    pub documentation: Option<String>,
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
    /// The name of the chart whose version this prints, of a rule that stands in `[charts.*]` and not in `[tags.*]`.
    pub chart: Option<String>,
}

impl TagRule {
    /// Where its template is written, of the rule called `name`.
    pub fn template_path<'a>(&'a self, name: &'a str) -> [&'a str; 3] {
        match &self.chart {
            Some(chart) => ["charts", chart, "version"],
            None => ["tags", name, "template"],
        }
    }

    /// The rule called `name`, for people.
    pub fn title(&self, name: &str) -> String {
        match &self.chart {
            Some(chart) => format!("the version of chart `{chart}`"),
            None => format!("tag rule `{name}`"),
        }
    }
}

/// What is published under one name: `[images.NAME]`, `[charts.NAME]` or `[artifacts.NAME]`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What it is.
    pub content: Content,
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
    /// The annotations written to it.
    pub annotations: Annotations,
}

/// What a resource is.
#[derive(Debug, Clone)]
pub enum Content {
    /// An image, or an index of images.
    Image(Image),
    /// A Helm chart.
    Chart(Chart),
    /// Files under an artifact type.
    Artifact(Artifact),
}

/// `[images.NAME]`: what images alone have.
#[derive(Debug, Clone)]
pub struct Image {
    /// Where its content comes from: templates.
    pub source: ImageSource,
    /// The platforms that are published; empty: all that the source has.
    pub platforms: Vec<Platform>,
    /// What annotations are written to; empty: the root.
    pub annotate: Vec<AnnotationPlace>,
    /// Labels written to the configurations: templates by key.
    pub labels: IndexMap<String, String>,
    /// Whether what refers to it is published with it.
    pub referrers: bool,
}

/// `[charts.NAME]`: what charts alone have.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The directory of the chart, or a packaged one: a template.
    pub source: String,
    /// The version that it is published as: a template.
    pub version: String,
    /// The version of the application in it: a template.
    pub app_version: Option<String>,
}

/// `[artifacts.NAME]`: what artifacts alone have.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Its type.
    pub artifact_type: String,
    /// Its files; their paths are templates.
    pub files: Vec<ArtifactFile>,
}

/// Annotations, as declared.
#[derive(Debug, Clone, Default)]
pub struct Annotations {
    /// Whether the standard ones are written, of which the project gives the values.
    pub standard: bool,
    /// Whether the source repository is written that the project declares.
    pub source: bool,
    /// Those that are spelled out, which win: templates by key.
    pub own: IndexMap<String, String>,
}

/// `[secrets]`.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// What a secret does, in every repository; `None`: it blocks the plan where the repository is public.
    pub policy: Option<SecretPolicy>,
    /// What is allowed. Paths start at the root of the layer, without a slash.
    pub allow: Vec<SecretAllowance>,
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
    /// Several, to assemble an index of.
    Several(Vec<String>),
    /// A folder of files named by digest, and the repository that holds what they name.
    Digests {
        /// The folder.
        digests: String,
        /// The repository.
        from: String,
    },
    /// A source for each platform, to assemble an index of.
    Platforms(IndexMap<Platform, String>),
}

impl ImageSource {
    /// Each template in it, and the key below `source` that holds it.
    pub fn templates(&self) -> Vec<(Option<String>, &str)> {
        let keyed = |key: &str, text| (Some(key.to_owned()), text);
        match self {
            Self::One(text) => vec![(None, text.as_str())],
            Self::Several(list) => list
                .iter()
                .enumerate()
                .map(|(index, text)| (Some(index.to_string()), text.as_str()))
                .collect(),
            Self::Digests { digests, from } => {
                vec![keyed("digests", digests.as_str()), keyed("from", from.as_str())]
            }
            Self::Platforms(table) => {
                table.iter().map(|(platform, text)| (Some(platform.to_string()), text.as_str())).collect()
            }
        }
    }
}

/// `[retention.NAME]`: which tags `prune` may remove, and when.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Which tags it is about.
    pub subject: RetentionSubject,
    /// What has to hold for one of them to go.
    pub condition: RetentionCondition,
    /// What it is about the repositories of.
    pub resources: Vec<ResourceId>,
    /// The names of the registries it is about, as far as the resources are published there.
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
