//! The action that a plan takes on each referrer.

use oci_registry::Referrer;
use serde::{Deserialize, Serialize};

/// A referrer of the content that a plan publishes, and the action to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedReferrer {
    /// The referrer and its subject.
    #[serde(flatten)]
    pub referrer: Referrer,
    /// The action to take.
    pub action: ReferrerAction,
}

/// The action to take for a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReferrerAction {
    /// It is missing, or cannot be found by its subject: it is sent, and listed.
    Send,
    /// It is there, and can be found.
    NoOp,
    /// Its tag names another manifest, which stays because it has signatures that this one lacks.
    Keep,
}
