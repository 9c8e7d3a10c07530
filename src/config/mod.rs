//! `publish.toml`: from text to a checked [`Config`], or to every diagnostic at once.
//!
//! A [`ConfigFile`] is read and parsed once, and each profile is selected from it. The steps: `file` reads the text, `layers`
//! puts the layers of a profile above it, each parsed by `tree` into values with places, `merge` makes one value of them,
//! `structure` validates that value against the `schema`, which is made from the types of `raw`, and `check` makes a `Config`
//! of it.

mod check;
mod credentials;
mod declared;
mod declared_chart;
mod expand;
mod file;
mod format;
mod hints;
mod layers;
mod load;
mod merge;
mod overrides;
mod places;
mod raw;
mod repository;
mod repository_places;
mod retention;
mod schema;
mod strings;
mod structure;
mod suggest;
mod syntax;
mod tag_rule;
mod templates;
mod tree;
mod typed;
mod withdrawn;

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::model::gate::PlannedGate;
use crate::model::secret_search::{BlockingSeverity, SecretAllowance, SecretPolicy, UnsearchedPolicy};
use crate::model::signing::{ApproverIdentity, DeclaredPredicate, DeclaredSigner};
use crate::model::version::ReleaseForm;
use crate::model::{Compare, KeyPath, OnSameImages, OnTagFailure, ResourceId, Visibility};
use oci_content::{AnnotationPlace, ArtifactFile};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, Platform, RepositoryName};

pub use declared_chart::{DEFAULT_VERSION, DEFAULT_VERSION_WITHOUT_TIME, DeclaredChart, DeclaredChartImage};
pub use file::{find_config_file, read_whole};
pub use format::formatted;
pub use layers::syntax_problems;
pub use load::{ConfigFile, LoadOptions, Loaded, load, load_text};
pub use overrides::{Overrides, RESERVED_VARIABLES};
pub use places::Places;
pub use repository::{Lowered, RepositoryTemplate, lowered, lowered_diagnostic, registry_of_place};
pub use retention::{KeptBesides, Retention, RetentionCondition, RetentionSubject};
pub use schema::json_schema;
pub use tag_rule::TagRule;
pub use templates::DeclaredTemplate;
pub use withdrawn::version_of;

/// A checked configuration, in which every name resolves. Tables keep the order of the file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The folder of the file. Relative paths start here.
    pub folder: PathBuf,
    /// The digest of the merged configuration, layers included.
    pub digest: Digest,
    /// The active profile.
    pub profile: Option<String>,
    /// `[project]`.
    pub project: Project,
    /// `[vars]`, as values of templates.
    pub vars: IndexMap<String, serde_json::Value>,
    /// `[registries.*]`.
    pub registries: IndexMap<String, DeclaredRegistry>,
    /// `[tags.*]`.
    pub tags: IndexMap<String, TagRule>,
    /// `[images.*]`, `[charts.*]` and `[artifacts.*]`, in this order.
    pub resources: IndexMap<ResourceId, Resource>,
    /// `[gates.*]`. The keys of their signers are files.
    pub gates: IndexMap<String, PlannedGate>,
    /// `[signing.*]`.
    pub signing: IndexMap<String, DeclaredSigner>,
    /// `[apply]`.
    pub apply: ApplyRules,
    /// `[verify]`.
    pub verify: VerifyRules,
    /// `[secrets]`.
    pub secrets: Secrets,
    /// `[[checks]]`.
    pub checks: Vec<DeclaredCheck>,
    /// `[retention.*]`.
    pub retention: IndexMap<String, Retention>,
    /// The places where keys and values were written.
    pub places: Places,
}

/// `[project]`.
#[derive(Debug, Clone)]
pub struct Project {
    /// The address of the source repository, or `None` to use the git remote.
    pub source: Option<String>,
    /// The form of the git tags that mark a release.
    pub releases: ReleaseForm,
    /// Globs of git tags on which nothing has to be published.
    pub silent_tags: Vec<String>,
    /// The versions that are taken back, as written: with or without the prefix of their git tags.
    pub withdrawn: Vec<String>,
    /// Whether files are read from a work tree that is not the commit being published.
    pub allow_dirty: bool,
    /// The default branch, if neither the CI nor the clone names it.
    pub default_branch: Option<String>,
    /// The file that holds the version, or `None` to use the git tag of the event.
    pub version: Option<VersionFile>,
    /// The environment variables that templates may read.
    pub env: Vec<String>,
    /// Whether templates may read the time of the clock.
    pub wall_clock: bool,
    /// Annotations of everything that does not declare otherwise: templates by key.
    pub annotations: IndexMap<String, String>,
    /// Labels of every image that does not declare otherwise: templates by key.
    pub labels: IndexMap<String, String>,
    /// A name for people.
    pub title: Option<String>,
    /// A description in one sentence.
    pub description: Option<String>,
    /// The licences, as an SPDX expression.
    pub licenses: Option<String>,
    /// The address of a page with more information.
    pub url: Option<String>,
    /// The address of the documentation.
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
pub struct DeclaredRegistry {
    /// The address of the registry, and the way to connect to it.
    pub endpoint: RegistryEndpoint,
    /// The visibility of its repositories, unless an image declares its own.
    pub visibility: Option<Visibility>,
    /// Whether a run fails if the registry does.
    pub required: bool,
}

/// A resource that is published under one name: `[images.NAME]`, `[charts.NAME]` or `[artifacts.NAME]`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The content, by kind.
    pub content: DeclaredContent,
    /// The first of its repositories, below the namespace of each registry.
    pub repository: RepositoryName,
    /// The names of its places: the name of a registry, and for each further repository in that registry, its path behind it.
    pub registries: Vec<String>,
    /// The repository of each place.
    pub repositories: IndexMap<String, RepositoryName>,
    /// Its repositories as declared.
    pub declared_repositories: Vec<RepositoryTemplate>,
    /// The names of the registries of the repositories that name none.
    pub registries_of_all: Vec<String>,
    /// The names of its tag rules. The version of a chart is a tag of it besides.
    pub tags: Vec<String>,
    /// The form of the git tags that mark its release.
    pub releases: ReleaseForm,
    /// Its visibility.
    pub visibility: Option<Visibility>,
    /// The annotations written to it.
    pub annotations: Description,
    /// The names of the signers that sign it.
    pub sign: Vec<String>,
    /// The names of the gates that its source must pass.
    pub gates: Vec<String>,
    /// The predicates that they attest.
    pub attest: Vec<DeclaredPredicate>,
}

/// A resource with its id.
#[derive(Debug, Clone, Copy)]
pub struct NamedResource<'a> {
    /// The id.
    pub id: &'a ResourceId,
    /// The resource.
    pub resource: &'a Resource,
}

impl Config {
    /// Every resource, in the order of the file.
    pub fn named_resources(&self) -> impl Iterator<Item = NamedResource<'_>> {
        self.resources.iter().map(|(id, resource)| NamedResource { id, resource })
    }

    /// The resource `id`.
    pub fn named_resource(&self, id: &ResourceId) -> Option<NamedResource<'_>> {
        self.resources.get_key_value(id).map(|(id, resource)| NamedResource { id, resource })
    }
}

/// The content of a resource.
#[derive(Debug, Clone)]
pub enum DeclaredContent {
    /// An image, or an index of images.
    Image(DeclaredImage),
    /// A Helm chart.
    Chart(DeclaredChart),
    /// Files under an artifact type.
    Artifact(DeclaredArtifact),
}

impl DeclaredContent {
    /// The key of the resource that says where the content comes from.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Image(_) | Self::Chart(_) => "source",
            Self::Artifact(_) => "files",
        }
    }
}

/// `[images.NAME]`: the keys that only images have.
#[derive(Debug, Clone)]
pub struct DeclaredImage {
    /// The source of its content. Its strings are templates.
    pub source: ImageSource,
    /// The platforms that are published. Empty: all platforms of the source.
    pub platforms: Vec<Platform>,
    /// The places that annotations are written to. Empty: the root.
    pub annotate: Vec<AnnotationPlace>,
    /// The labels written to the configurations.
    pub labels: Description,
    /// Whether its referrers are published with it.
    pub referrers: bool,
    /// The behavior if an immutable tag names an index of the same images.
    pub same_images: OnSameImages,
}

/// `[artifacts.NAME]`: the keys that only artifacts have.
#[derive(Debug, Clone)]
pub struct DeclaredArtifact {
    /// Its type.
    pub artifact_type: String,
    /// Its files; their paths are templates.
    pub files: Vec<ArtifactFile>,
}

/// Annotations or labels, as declared.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Whether the standard ones are written. The project and the context give their values.
    pub standard: bool,
    /// Whether those are written that the project declares; among annotations, its source repository too.
    pub of_project: bool,
    /// Those that are declared one by one, as templates by key. They override the others.
    pub own: IndexMap<String, String>,
}

/// `[apply]`.
#[derive(Debug, Clone, Default)]
pub struct ApplyRules {
    /// The behavior if a registry refuses a floating tag for good.
    pub on_tag_failure: OnTagFailure,
    /// The limits of what a plan may send.
    pub limits: ApplyLimits,
    /// The approvals that a plan needs.
    pub require_approval: Option<DeclaredApproval>,
}

/// The limits of what a plan may send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyLimits {
    /// The places that it may send to, each with everything below it. Empty: anywhere.
    pub registries: Vec<String>,
    /// The environment variables that it may send. Empty: all that it names.
    pub variables: Vec<String>,
}

/// `require_approval` of `[apply]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredApproval {
    /// The files of the public keys, relative to the folder of `publish.toml`.
    pub keys: Vec<String>,
    /// The identities of those who approve without a key.
    pub identities: Vec<ApproverIdentity>,
    /// The file of the trusted root.
    pub trusted_root: Option<String>,
    /// The number of them that must approve.
    pub count: usize,
}

/// `[verify]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyRules {
    /// Whether the declared signatures are verified.
    pub signatures: bool,
}

/// `[secrets]`.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The effect of a secret, in every repository. `None`: it blocks the plan if the repository is public.
    pub policy: Option<SecretPolicy>,
    /// The least severity of a finding that blocks.
    pub block: BlockingSeverity,
    /// The effect of a file that could not be searched to its end.
    pub unsearched: UnsearchedPolicy,
    /// The origin of the policy: the name of the file, of the environment variable, or of the option.
    pub policy_from: String,
    /// The allowed findings. Their paths start at the root of the layer, without a slash.
    pub allow: Vec<SecretAllowance>,
}

/// `[[checks]]`.
#[derive(Debug, Clone)]
pub struct DeclaredCheck {
    /// The position in the list as written, which is its key in [`Places`].
    pub index: usize,
    /// The file, TOML, JSON or YAML, relative to the folder of `publish.toml`.
    pub file: String,
    /// The key in it.
    pub key: KeyPath,
    /// The template of the expected value.
    pub equals: String,
    /// How the two are compared.
    pub compare: Compare,
    /// The image whose version is used. `None`: the project's prefix decides.
    pub image: Option<String>,
}

/// `source` of an image. The strings are templates of [`oci_content::SourceSpec`]'s forms.
#[derive(Debug, Clone)]
pub enum ImageSource {
    /// One source.
    One(String),
    /// Several sources, to assemble an index from.
    Several(Vec<String>),
    /// The digests that a build pushed, and the repository that holds the manifests with these digests.
    Digests {
        /// A file that lists them, or a folder.
        digests: String,
        /// The repository.
        from: String,
        /// The target of `docker buildx bake`, if the file has several.
        target: Option<String>,
    },
    /// A source for each platform, to assemble an index from.
    Platforms(IndexMap<Platform, String>),
}

impl ImageSource {
    /// Each template of the source, with the key below `source` that holds it.
    pub fn templates(&self) -> Vec<(Option<String>, &str)> {
        let keyed = |key: &str, text| (Some(key.to_owned()), text);
        match self {
            Self::One(text) => vec![(None, text.as_str())],
            Self::Several(list) => list
                .iter()
                .enumerate()
                .map(|(index, text)| (Some(index.to_string()), text.as_str()))
                .collect(),
            Self::Digests { digests, from, target } => {
                let target = target.as_deref().map(|target| keyed("target", target));
                let both = [keyed("digests", digests.as_str()), keyed("from", from.as_str())];
                both.into_iter().chain(target).collect()
            }
            Self::Platforms(table) => {
                table.iter().map(|(platform, text)| (Some(platform.to_string()), text.as_str())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests;
