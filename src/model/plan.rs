//! The plan: the changes to make, and the reasons for them. Serialized, it is the saved plan, from which `apply` works
//! without `publish.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credential_use::PlannedCredentials;
use super::forward::PlannedForward;
use super::gate::{GateEvidence, PlannedGate};
use super::optional::OptionalRegistries;
use super::problem::{PlannedProblem, ProblemSeverity};
use super::referrer::{PlannedReferrer, ReferrerAction};
use super::secret_search::{NotSearched, PlannedSecrets};
use super::signing::{PlannedSignature, PlannedSigner, RequiredApproval, SignatureAction};
use super::untagged::PlannedUntagged;
use super::{ContentSpec, Mutability, OnTagFailure, ResourceId, Visibility};
use helm_package::{ChartImage, ValueChange};
use oci_content::LeftBehind;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Descriptor, Digest, Platform, RepositoryName, Tag};

pub use super::reason::Reason;
pub use super::visibility::{ObservedVisibility, VisibilityAction, VisibilityChange};

/// The version of the plan format. Older programs refuse a newer major version; a minor version only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// The version of plans with signers, gates or required approvals. A program that only knows version 1 would ignore these, and put
/// tags without them, so that it must refuse the plan.
pub const GUARDED_FORMAT_VERSION: &str = "2.0";

/// The program that makes plans, with its version.
pub const GENERATOR: &str = concat!("brokkr-publish ", env!("CARGO_PKG_VERSION"));

/// Everything that `apply` would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The program that made the plan, with its version.
    pub generator: String,
    /// The purpose of the plan.
    #[serde(default)]
    pub kind: PlanKind,
    /// The folder that relative paths start at. In a file, it is relative to the folder of that file; in the output of
    /// `plan --json`, to the working directory.
    pub folder: String,
    /// The configuration that the plan was made from.
    pub config: PlannedConfig,
    /// The context that the plan was made in, with the fields that were known.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// One line about the context, for people.
    pub title: String,
    /// The behavior of an apply if a registry refuses a floating tag for good.
    #[serde(default, skip_serializing_if = "OnTagFailure::is_default")]
    pub on_tag_failure: OnTagFailure,
    /// The registries that are published to and those that sources are read from, by their names in `publish.toml`.
    pub registries: BTreeMap<String, RegistryEndpoint>,
    /// Those of them that a run may leave out; left out if all are required.
    #[serde(default, skip_serializing_if = "OptionalRegistries::is_empty")]
    pub optional: OptionalRegistries,
    /// The environment variables whose values go to these registries.
    #[serde(default, skip_serializing_if = "PlannedCredentials::is_empty")]
    pub credentials: PlannedCredentials,
    /// The approvals that `apply` requires; left out if none are required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<RequiredApproval>,
    /// The gates that images of registries must pass, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<String, PlannedGate>,
    /// The signers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signers: BTreeMap<String, PlannedSigner>,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<PlannedRepository>,
    /// The search for secrets in the content to send; left out if nothing had to be searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<PlannedSecrets>,
    /// The repositories that content is sent to without a search for secrets, by address, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_searched: BTreeMap<String, NotSearched>,
    /// The problems that the reader of the plan has to know. An error among them blocks the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<PlannedProblem>,
    /// Resources that are not published in this context, with the reason for each silent rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<SilentResource>,
    /// Retentions that do not act in this context, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub silent_retentions: BTreeMap<String, String>,
}

/// The purpose of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// Publish content and put its tags: `plan`.
    #[default]
    Publish,
    /// Move floating tags back to their previous digests: `rollback`.
    Rollback,
    /// Remove tags according to the declared retention: `prune`.
    Prune,
    /// Move floating tags away from a version, and mark it as withdrawn: `withdraw`.
    Withdrawal,
}

/// The configuration that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedConfig {
    /// The path of the file, as it was given.
    pub path: String,
    /// The digest of the merged configuration, layers included.
    pub digest: Digest,
    /// The digest of the file alone.
    pub file_digest: Digest,
    /// The profile that was active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// A resource that is not published in a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SilentResource {
    /// The resource.
    pub resource: ResourceId,
    /// Each of its rules, with the reason why it does not fire.
    pub rules: BTreeMap<String, String>,
}

/// The changes to make in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedRepository {
    /// `images.NAME@REGISTRY`, which `--target` accepts; `charts` and `artifacts` likewise.
    pub address: String,
    /// The resource that is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The repository in the registry, namespace included.
    pub repository: RepositoryName,
    /// The full name, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub name: String,
    /// The content to publish; left out if the plan only moves or removes tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<PlannedContent>,
    /// The change of each tag.
    pub changes: Vec<Change>,
    /// Manifests without a tag that are deleted after the tags, parents before children, because only tags and manifests that
    /// the plan removes reach them. If something else reaches one by then, it stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<Digest>,
    /// The signatures that the manifests of the tags are to have before the tags are put.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<PlannedSignature>,
    /// The manifests without a tag that a retention is about. Those that go are among `orphans`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untagged: Option<PlannedUntagged>,
    /// The declared and the actual visibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<VisibilityChange>,
}

/// The content to publish to a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedContent {
    /// The source of the content: enough to find it again, and pinned if it could move.
    pub source: ContentSpec,
    /// The manifest that is published.
    pub root: Descriptor,
    /// The values that are set in the `values.yaml` of a chart, because they name images of this plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueChange>,
    /// The platforms of its images.
    pub platforms: Vec<Platform>,
    /// The names of the gates that its source must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<String>,
    /// The evidence that opened the gates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<GateEvidence>,
    /// The referrers that are published with it, each after its subject: signatures, SBOMs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<PlannedReferrer>,
    /// The manifests that the source lists as referrers but that are not published, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<LeftBehind>,
    /// The amount of content to send.
    pub sending: PlannedSending,
}

/// The amount of an image's content to send to a repository. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedSending {
    /// The size of all blobs and manifests.
    pub bytes: u64,
    /// The part of that size that has to be sent.
    pub bytes_to_send: u64,
    /// The number of all blobs.
    pub blobs: usize,
    /// The number of blobs to push.
    pub blobs_to_push: usize,
    /// The number of blobs that the registry can mount from another of its repositories.
    pub blobs_to_mount: usize,
    /// The number of manifests to put.
    pub manifests_to_put: usize,
}

/// The change of one tag.
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
    /// The action to take.
    pub action: Action,
    /// The reason for the action.
    pub reason: Reason,
    /// The manifest that the tag names now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TagTarget>,
    /// The manifest that the tag will name; left out if the tag is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TagTarget>,
    /// The data that decides whether a forward tag moves, enough to decide again while others publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<PlannedForward>,
    /// The way to remove the tag.
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

/// A way to remove a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalMethod {
    /// The tag is removed alone. If the registry shows only to those who may delete whether it can do that, `apply` asks it,
    /// and goes by way of a placeholder if it cannot.
    Tag,
    /// The tag is moved to a manifest made for that purpose, which is then deleted.
    Placeholder,
    /// The manifest is deleted with all its tags, because all of them are to be removed.
    Manifest,
}

/// The manifest that a tag names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TagTarget {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The version of the manifest, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tag that shows the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_tag: Option<Tag>,
    /// The commit that it was built from, if that was looked up and the image names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

impl TagTarget {
    /// Returns a manifest about which nothing else is known.
    pub fn new(digest: Digest) -> Self {
        Self { digest, version: None, version_tag: None, revision: None }
    }
}

/// The action to take for a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The tag does not exist, and will be created.
    Create,
    /// The tag names another digest, and will move.
    Move,
    /// The tag exists, and will be removed.
    Remove,
    /// The tag already names the right digest.
    NoOp,
    /// The tag stays as it is, although the rule fired.
    Keep,
    /// The tag cannot name the wanted digest: the plan is blocked.
    Conflict,
}

impl Action {
    /// Whether the action changes the registry.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Create | Self::Move | Self::Remove)
    }
}

/// The number of changes of each kind in a plan.
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
    /// Tags that are kept although their rule fired.
    pub keep: usize,
    /// Tags that block the plan.
    pub conflict: usize,
    /// Visibilities that are set through the registry's API.
    pub set: usize,
    /// Visibilities that a person has to change.
    pub by_hand: usize,
    /// The size of all content, in bytes.
    pub bytes: u64,
    /// The part of that size that has to be sent, in bytes.
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

    /// Whether `apply` would refuse the plan.
    pub fn is_blocked(&self) -> bool {
        let conflict = |change: &Change| change.action == Action::Conflict;
        self.repositories.iter().flat_map(|it| &it.changes).any(conflict)
            || self.holds_secrets()
            || self.errors().next().is_some()
    }

    /// The problems that block the plan.
    pub fn errors(&self) -> impl Iterator<Item = &PlannedProblem> {
        self.problems.iter().filter(|problem| problem.severity == ProblemSeverity::Error)
    }

    /// Whether findings of secrets block the plan.
    pub fn holds_secrets(&self) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| secrets.blocking().next().is_some())
    }
}

impl PlannedRepository {
    /// Whether `apply` would change a tag here, send referrers of the content, sign something, or set the visibility.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| change.action.is_change())
            || !self.orphans.is_empty()
            || self.sends_referrers()
            || self.signs()
            || self.visibility.as_ref().is_some_and(|it| it.action == VisibilityAction::Set)
    }

    /// The images that the chart of this repository names, if it is one.
    pub fn images(&self) -> &[ChartImage] {
        let Some(PlannedContent { source: ContentSpec::Chart(chart), .. }) = &self.content else {
            return &[];
        };
        &chart.images
    }

    /// Whether a signature is to be made.
    pub fn signs(&self) -> bool {
        self.signatures.iter().any(|it| it.action == SignatureAction::Sign)
    }

    /// Whether a referrer of the content is to be sent.
    pub fn sends_referrers(&self) -> bool {
        let mut referrers = self.content.iter().flat_map(|content| &content.referrers);
        referrers.any(|it| it.action == ReferrerAction::Send)
    }

    /// The digest to deploy: that of the content, unless an immutable tag keeps the digest first published.
    pub fn deployable(&self) -> Option<&Digest> {
        let kept = self.changes.iter().find(|change| change.reason.keeps_first());
        let root = self.content.as_ref().map(|content| &content.root.digest);
        kept.and_then(Change::present).or(root)
    }

    /// Whether a tag here will name the published content, or a referrer of it is to be sent.
    pub fn places_content(&self) -> bool {
        let root = self.content.as_ref().map(|content| &content.root.digest);
        let names_it = |change: &Change| change.action.is_change() && change.wanted() == root;
        root.is_some() && (self.changes.iter().any(names_it) || self.sends_referrers())
    }

    /// Whether content is to become public, through the registry's API or by hand, that was not seen to be public yet.
    pub fn is_opened(&self) -> bool {
        let opened = |change: &VisibilityChange| {
            change.declared == Visibility::Public && change.observed != ObservedVisibility::Public
        };
        self.content.is_some() && self.visibility.as_ref().is_some_and(opened)
    }
}
