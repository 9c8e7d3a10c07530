//! The plan: what is to be changed, and why. Serialized, it is the saved plan, from which `apply` works without
//! `publish.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::forward::PlannedForward;
use super::reference::RegistryEndpoint;
use super::referrer::{PlannedReferrer, ReferrerAction};
use super::secret_search::PlannedSecrets;
use super::{
    ContentSpec, Descriptor, Digest, Mutability, Platform, RepositoryName, ResourceId, Tag, Visibility,
};

pub use super::reason::Reason;
pub use super::visibility::{ObservedVisibility, VisibilityAction, VisibilityChange};

/// What a saved plan looks like: major versions are refused by older programs, minor ones only add fields.
pub const FORMAT_VERSION: &str = "1.0";

/// The program that makes plans, with its version.
pub const GENERATOR: &str = concat!("brokkr-publish ", env!("CARGO_PKG_VERSION"));

/// Everything that `apply` would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The program that made the plan, with its version.
    pub generator: String,
    /// What the plan is for.
    #[serde(default)]
    pub kind: PlanKind,
    /// The folder that relative paths start at: in a file relative to the folder of the file, in what `plan --json` prints
    /// to the working directory.
    pub folder: String,
    /// The configuration that the plan was made from.
    pub config: PlannedConfig,
    /// The context that the plan was made in, with the fields that were known.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// One line about the context, for people.
    pub title: String,
    /// The registries, by the names that they have in `publish.toml`: those that are published to, and those that sources are
    /// read from.
    pub registries: BTreeMap<String, RegistryEndpoint>,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<PlannedRepository>,
    /// The search for secrets in what is to be sent; none where nothing was to be searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<PlannedSecrets>,
    /// Resources of which this context publishes nothing, with the reason for each silent rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<SilentResource>,
    /// Retentions that do not act in this context, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub silent_retentions: BTreeMap<String, String>,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// Content is published, and tags name it: `plan`.
    #[default]
    Publish,
    /// Floating tags go back to what they were: `rollback`.
    Rollback,
    /// Tags go, by declared retention: `prune`.
    Prune,
}

/// The configuration that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedConfig {
    /// The file, as it was named.
    pub path: String,
    /// The digest of the merged configuration, layers included.
    pub digest: Digest,
    /// The digest of the file alone.
    pub file_digest: Digest,
    /// The profile that was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// A resource that a context publishes nothing of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SilentResource {
    /// What it is.
    pub resource: ResourceId,
    /// Each of its rules, and why it does not fire.
    pub rules: BTreeMap<String, String>,
}

/// What is to be done in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedRepository {
    /// `images.NAME@REGISTRY`, which `--target` takes; `charts` and `artifacts` likewise.
    pub address: String,
    /// What is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The repository in the registry, namespace included.
    pub repository: RepositoryName,
    /// The whole name, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub name: String,
    /// What is published; a plan that only moves or removes tags has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<PlannedContent>,
    /// What is to be done with each tag.
    pub changes: Vec<Change>,
    /// Manifests without a tag that are deleted after the tags, parents before children: only what the plan removes reaches
    /// them. One that something else reaches by then stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<Digest>,
    /// Who should be able to pull, and who is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<VisibilityChange>,
}

/// What is published to a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedContent {
    /// Where it comes from: enough to find it again, and pinned where it could move.
    pub source: ContentSpec,
    /// The manifest that is published.
    pub root: Descriptor,
    /// The platforms of its images.
    pub platforms: Vec<Platform>,
    /// What refers to it and is published with it, each after its subject: signatures, SBOMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<PlannedReferrer>,
    /// What is to be sent.
    pub sending: PlannedSending,
}

/// What is to be sent of an image to a repository. Sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedSending {
    /// The size of all blobs and manifests.
    pub bytes: u64,
    /// What of it has to be sent.
    pub bytes_to_send: u64,
    /// Blobs in all.
    pub blobs: usize,
    /// Blobs to push.
    pub blobs_to_push: usize,
    /// Blobs that the registry can take from another repository of its own.
    pub blobs_to_mount: usize,
    /// Manifests to put.
    pub manifests_to_put: usize,
}

/// What is to be done with one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// `images.NAME@REGISTRY:TAG`.
    pub address: String,
    /// The tag.
    pub tag: Tag,
    /// The rule that rendered it, or the retention that removes it.
    pub rule: String,
    /// Whether the tag may move.
    pub mutability: Mutability,
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What the tag names now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TagTarget>,
    /// What the tag will name; nothing where it is to be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TagTarget>,
    /// What decides whether a forward tag moves, enough to decide again while others publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<PlannedForward>,
    /// How a tag is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<RemovalMethod>,
}

impl Change {
    /// The digest that the tag will name.
    pub fn wanted(&self) -> Option<&Digest> {
        self.after.as_ref().map(|after| &after.digest)
    }

    /// The digest that the tag names now.
    pub fn present(&self) -> Option<&Digest> {
        self.before.as_ref().map(|before| &before.digest)
    }
}

/// How a tag is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalMethod {
    /// The registry removes a tag alone.
    Tag,
    /// The tag is moved to a manifest made for that, which then is deleted.
    Placeholder,
    /// The manifest is deleted, with all its tags, which all are to be removed.
    Manifest,
}

/// What a tag names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TagTarget {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The version that it stands for, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tag by which the version is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_tag: Option<Tag>,
    /// The commit that it was built from, where that was asked and is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

impl TagTarget {
    /// A manifest of which nothing else is known.
    pub fn new(digest: Digest) -> Self {
        Self { digest, version: None, version_tag: None, revision: None }
    }
}

/// What is to be done with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The tag does not exist, and will.
    Create,
    /// The tag names something else, and will move.
    Move,
    /// The tag exists, and will not.
    Remove,
    /// The tag names what it should.
    NoOp,
    /// The tag stays as it is, although the rule fired.
    Keep,
    /// The tag cannot be what it should: the plan is blocked.
    Conflict,
}

impl Action {
    /// Whether the registry is changed.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Create | Self::Move | Self::Remove)
    }
}

/// How many changes of each kind a plan has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tags to create.
    pub create: usize,
    /// Tags to move.
    pub moves: usize,
    /// Tags to remove.
    pub remove: usize,
    /// Tags that are as they should be.
    pub no_op: usize,
    /// Tags kept although their rule fired.
    pub keep: usize,
    /// Tags that block the plan.
    pub conflict: usize,
    /// Visibilities that are set by the registry's API.
    pub set: usize,
    /// Visibilities that a person has to change.
    pub by_hand: usize,
    /// The size of all content, in bytes.
    pub bytes: u64,
    /// What of it has to be sent, in bytes.
    pub bytes_to_send: u64,
}

impl Plan {
    /// Counts the changes.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for repository in &self.repositories {
            if let Some(PlannedContent { sending, .. }) = &repository.content {
                summary.bytes = summary.bytes.saturating_add(sending.bytes);
                summary.bytes_to_send = summary.bytes_to_send.saturating_add(sending.bytes_to_send);
            }
            match repository.visibility.as_ref().map(|it| it.action) {
                Some(VisibilityAction::Set) => summary.set += 1,
                Some(VisibilityAction::ByHand) => summary.by_hand += 1,
                Some(VisibilityAction::NoOp | VisibilityAction::AfterApply) | None => {}
            }
            for change in &repository.changes {
                *match change.action {
                    Action::Create => &mut summary.create,
                    Action::Move => &mut summary.moves,
                    Action::Remove => &mut summary.remove,
                    Action::NoOp => &mut summary.no_op,
                    Action::Keep => &mut summary.keep,
                    Action::Conflict => &mut summary.conflict,
                } += 1;
            }
        }
        summary
    }

    /// Whether `apply` would change a registry.
    pub fn has_changes(&self) -> bool {
        self.repositories.iter().any(PlannedRepository::has_changes)
    }

    /// Whether `apply` would refuse.
    pub fn is_blocked(&self) -> bool {
        let conflict = |change: &Change| change.action == Action::Conflict;
        self.repositories.iter().flat_map(|it| &it.changes).any(conflict) || self.holds_secrets()
    }

    /// Whether secrets were found that block the plan.
    pub fn holds_secrets(&self) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| secrets.blocking().next().is_some())
    }
}

impl PlannedRepository {
    /// Whether `apply` would change a tag here, send what refers to the content, or set who may pull.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| change.action.is_change())
            || self.sends_referrers()
            || self.visibility.as_ref().is_some_and(|it| it.action == VisibilityAction::Set)
    }

    /// Whether something that refers to the content is to be sent.
    pub fn sends_referrers(&self) -> bool {
        let mut referrers = self.content.iter().flat_map(|content| &content.referrers);
        referrers.any(|it| it.action == ReferrerAction::Send)
    }

    /// The digest to deploy by: that of the content, unless an immutable tag keeps the one first published.
    pub fn deployable(&self) -> Option<&Digest> {
        let kept = self.changes.iter().find(|change| change.reason == Reason::KeptFirst);
        let root = self.content.as_ref().map(|content| &content.root.digest);
        kept.and_then(Change::present).or(root)
    }

    /// Whether a tag here is to name the content that is published, or something that refers to it is to be sent.
    pub fn places_content(&self) -> bool {
        let root = self.content.as_ref().map(|content| &content.root.digest);
        let names_it = |change: &Change| change.action.is_change() && change.wanted() == root;
        root.is_some() && (self.changes.iter().any(names_it) || self.sends_referrers())
    }

    /// Whether content of which nobody was seen to pull it without credentials is to be public: by the registry's API, or by hand.
    pub fn is_opened(&self) -> bool {
        let opened = |change: &VisibilityChange| {
            change.declared == Visibility::Public && change.observed != ObservedVisibility::Public
        };
        self.content.is_some() && self.visibility.as_ref().is_some_and(opened)
    }
}
