//! `[gates.NAME]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// A gate. Images whose source is a registry name it in `gates`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Gate")]
pub(in crate::config) struct RawGate {
    /// The evidence that the image in the source must have.
    #[schemars(required)]
    pub require: Option<RawEvidence>,
}

/// The evidence that a gate requires.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Evidence")]
pub(in crate::config) struct RawEvidence {
    /// The signer: a `key`, or an `identity` with its `issuer`. The image must have its signature.
    #[schemars(extend("examples" = [{ "key": "staging.pub" }]))]
    pub signature: Option<RawGateSigner>,
    /// The types of the attestations that the signer must have signed too.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["https://slsa.dev/provenance/v1"]]))]
    pub predicates: Option<Vec<String>>,
    /// Whether the signer must have attested an SBOM, as SPDX or CycloneDX.
    #[schemars(extend("default" = false))]
    pub sbom: Option<bool>,
    /// The least age of the image: hours, days or weeks.
    #[schemars(length(min = 1), extend("examples" = ["48h"]))]
    pub min_age: Option<String>,
    /// The greatest age of the image: hours, days or weeks.
    #[schemars(length(min = 1), extend("examples" = ["30d"]))]
    pub max_age: Option<String>,
}

/// The signer of the evidence.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GateSigner")]
pub(in crate::config) struct RawGateSigner {
    /// The file of the public key in PEM, relative to the folder of `publish.toml`.
    #[schemars(length(min = 1), extend("examples" = ["staging.pub"]))]
    pub key: Option<String>,
    /// The identity that the certificate shows: the URI of a workflow, or an e-mail address. Each `*` matches any text, such as the version in
    /// `…/release.yml@refs/tags/v*`.
    #[schemars(length(min = 1), extend("examples" = ["https://github.com/acme/hello/.github/workflows/release.yml@refs/heads/main"]))]
    pub identity: Option<String>,
    /// The issuer of the OIDC token.
    #[schemars(length(min = 1), extend("examples" = ["https://token.actions.githubusercontent.com"]))]
    pub issuer: Option<String>,
    /// The file of the trusted root, relative to the folder of `publish.toml`. Default: that of Sigstore's public instance.
    #[schemars(length(min = 1), extend("examples" = ["trusted_root.json"]))]
    pub trusted_root: Option<String>,
}
