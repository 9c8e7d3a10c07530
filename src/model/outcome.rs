//! The outcome of an apply: each change with its result, and the references to deploy by.

use serde::{Deserialize, Serialize};

use super::Visibility;
use super::optional::LeftOut;
use super::plan::{ObservedVisibility, TagTarget};
use super::secret_search::SecretFinding;
use super::signing::SignerIdentity;
use oci_registry::{Digest, Tag};

/// The outcome of an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outcome {
    /// Each change of the plan, in its order.
    pub changes: Vec<ChangeOutcome>,
    /// Each repository of the plan, with the reference that deployments should use.
    pub repositories: Vec<RepositoryOutcome>,
    /// The parts of the release that registries with `required = false` did not get. The next run catches up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Findings in the content to send that look like secrets, and that were let through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretFinding>,
}

/// The outcome of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangeOutcome {
    /// The address of the change in the plan.
    pub address: String,
    /// The full name of the repository.
    pub repository: String,
    /// The tag.
    pub tag: Tag,
    /// The manifest that the tag named before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TagTarget>,
    /// The manifest that the tag should name according to the plan; left out if the plan removes the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TagTarget>,
    /// The result of the change.
    pub result: ChangeResult,
    /// The reason, if the result is not as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeResult {
    /// The tag was created.
    Created,
    /// The tag was moved.
    Moved,
    /// The tag was removed.
    Removed,
    /// The tag already named the right digest.
    Unchanged,
    /// The tag was kept: as planned, or because something newer was published in the meantime.
    Kept,
    /// The change was not reached.
    Skipped,
    /// The change was tried, and failed.
    Failed,
    /// The registry changed since the plan was made.
    Stale,
    /// The tag was put, and put back to what it named before, because another tag of the run failed. `before` is what it names
    /// now; if that is left out, the tag was created and removed again.
    Restored,
}

impl ChangeResult {
    /// Whether the change may be in the registry. Even a failed change may have been put.
    pub fn may_have_changed(self) -> bool {
        match self {
            Self::Created | Self::Moved | Self::Removed | Self::Failed => true,
            Self::Unchanged | Self::Kept | Self::Skipped | Self::Stale | Self::Restored => false,
        }
    }
}

/// The outcome of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RepositoryOutcome {
    /// The address of the repository in the plan.
    pub address: String,
    /// The full name of the repository.
    pub repository: String,
    /// The digest that the plan publishes, if it publishes one; or the digest first published, if that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The reference that deployments should use: `ghcr.io/colliery-io/brokkr-broker@sha256:…`. It is set once the content is
    /// known to be in the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The number of bytes that were pushed.
    pub bytes_pushed: u64,
    /// The number of blobs that were pushed.
    pub blobs_pushed: usize,
    /// The number of blobs that were mounted from another repository.
    pub blobs_mounted: usize,
    /// The number of blobs that were already there.
    pub blobs_present: usize,
    /// The number of manifests that were put by digest.
    pub manifests_put: usize,
    /// The number of referrers of the content that were sent, or listed under their subject.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub referrers_put: usize,
    /// The signatures of the manifests that tags name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<SignatureOutcome>,
    /// The manifests without a tag that were deleted, because only removed tags and manifests reached them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests_deleted: Vec<Digest>,
    /// The declared and the actual visibility, if one is declared and it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<VisibilityOutcome>,
}

/// A signature that was made or found, and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignatureOutcome {
    /// The manifest that is signed.
    pub subject: Digest,
    /// The name of the signer.
    pub signer: String,
    /// The identity that the signature shows.
    pub identity: SignerIdentity,
    /// The predicate type of the statement.
    pub predicate_type: String,
    /// The manifest that carries the signature.
    pub manifest: Digest,
    /// Whether this run made it.
    pub made: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The declared and the actual visibility of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VisibilityOutcome {
    /// The visibility that `publish.toml` declares.
    pub declared: Visibility,
    /// The visibility that an anonymous pull showed after the tags were in place.
    pub observed: ObservedVisibility,
    /// The visibility that the registry's API reported after that, if it was asked and knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Visibility>,
    /// The visibility before this run set it through the registry's API; left out if this run did not set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_from: Option<Visibility>,
    /// Whether the actual visibility is as declared.
    pub as_declared: bool,
}

impl Outcome {
    /// The number of changes with this result.
    pub fn count(&self, result: ChangeResult) -> usize {
        self.changes.iter().filter(|change| change.result == result).count()
    }
}
