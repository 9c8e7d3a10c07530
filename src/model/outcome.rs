//! What an apply did: each change with its result, and the references to deploy by.

use serde::{Deserialize, Serialize};

use super::plan::{ObservedVisibility, TagTarget};
use super::secret_search::SecretFinding;
use super::{Digest, Tag, Visibility};

/// What an apply did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outcome {
    /// Each change of the plan, in its order.
    pub changes: Vec<ChangeOutcome>,
    /// Each repository of the plan, with the reference that deployments should use.
    pub repositories: Vec<RepositoryOutcome>,
    /// What looks like a secret in what was to be sent, and was let through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretFinding>,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChangeOutcome {
    /// The address of the change in the plan.
    pub address: String,
    /// The repository's whole name.
    pub repository: String,
    /// The tag.
    pub tag: Tag,
    /// What the tag named before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TagTarget>,
    /// What the plan wants it to name; nothing where it is to be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TagTarget>,
    /// What became of it.
    pub result: ChangeResult,
    /// Why, where it is not as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeResult {
    /// The tag was created.
    Created,
    /// The tag was moved.
    Moved,
    /// The tag was removed.
    Removed,
    /// The tag named what it should already.
    Unchanged,
    /// The tag was kept: as planned, or since something newer was published meanwhile.
    Kept,
    /// It was not come to.
    Skipped,
    /// It was tried, and failed.
    Failed,
    /// The registry changed since the plan was made.
    Stale,
}

impl ChangeResult {
    /// Whether the change may be in the registry: what failed may have been put all the same.
    pub fn may_have_changed(self) -> bool {
        match self {
            Self::Created | Self::Moved | Self::Removed | Self::Failed => true,
            Self::Unchanged | Self::Kept | Self::Skipped | Self::Stale => false,
        }
    }
}

/// What became of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RepositoryOutcome {
    /// The address of the repository in the plan.
    pub address: String,
    /// The repository's whole name.
    pub repository: String,
    /// The digest that the plan publishes, where it publishes any; or the one first published, where that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The reference that deployments should use: `ghcr.io/colliery-io/brokkr-broker@sha256:…`. Set once the content is
    /// known to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What was pushed, in bytes.
    pub bytes_pushed: u64,
    /// How many blobs were pushed.
    pub blobs_pushed: usize,
    /// How many blobs were mounted from another repository.
    pub blobs_mounted: usize,
    /// How many blobs were there.
    pub blobs_present: usize,
    /// How many manifests were put by digest.
    pub manifests_put: usize,
    /// How many manifests that refer to the content were sent, or listed under what they refer to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub referrers_put: usize,
    /// The manifests without a tag that were deleted, since only what was removed reached them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests_deleted: Vec<Digest>,
    /// Who should be able to pull, and who is, where that was declared and asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<VisibilityOutcome>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Who should be able to pull, and who is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VisibilityOutcome {
    /// What `publish.toml` declares.
    pub declared: Visibility,
    /// What an anonymous pull showed after the tags were in place.
    pub observed: ObservedVisibility,
    /// What the registry's API says then, where it was asked and knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Visibility>,
    /// What it was before this run set it by the registry's API; left out where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_from: Option<Visibility>,
    /// Whether these agree.
    pub as_declared: bool,
}

impl Outcome {
    /// How many changes have `result`.
    pub fn count(&self, result: ChangeResult) -> usize {
        self.changes.iter().filter(|change| change.result == result).count()
    }
}
