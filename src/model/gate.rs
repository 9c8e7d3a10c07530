//! Gates: the evidence that an image must have before it is promoted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::retention::Age;

/// The evidence that a gate requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedGate {
    /// The signer of the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<GateSigner>,
    /// The predicate types of the attestations that the signer must have signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicates: Vec<String>,
    /// Whether the signer must have attested an SBOM.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sbom: bool,
    /// The least age of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age: Option<Age>,
    /// The greatest age of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Age>,
}

/// The signer of the evidence. It has a key, or an identity with its issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GateSigner {
    /// The public key: the file in a configuration, relative to its folder, and the text in PEM in a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The identity in the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer of its OIDC token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The file of the trusted root, relative to the folder of `publish.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
}

/// Gates by name.
pub type Gates = BTreeMap<String, PlannedGate>;
