//! `[gates.NAME]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NonEmptyText, OneOrMany};
use crate::model::gate::Severity;

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
    /// The type of the attestation that the signer must have signed too, or a list of types.
    #[schemars(extend("examples" = ["https://slsa.dev/provenance/v1"]))]
    pub predicate: Option<OneOrMany<NonEmptyText>>,
    /// Whether the signer must have attested an SBOM, as SPDX or CycloneDX.
    #[schemars(extend("default" = false))]
    pub sbom: Option<bool>,
    /// The least age of the image: hours, days or weeks.
    #[schemars(length(min = 1), extend("examples" = ["48h"]))]
    pub min_age: Option<String>,
    /// The greatest age of the image: hours, days or weeks.
    #[schemars(length(min = 1), extend("examples" = ["30d"]))]
    pub max_age: Option<String>,
    /// The limit of vulnerabilities in the latest report that the signer attested: the severity of which there may be none, worse ones
    /// included, or the greatest number of each severity.
    #[schemars(extend("examples" = ["high", { "critical": 0, "high": 5, "max_age": "7d" }]))]
    pub vulnerabilities: Option<RawVulnerabilities>,
    /// The condition that must hold, in CEL (the Common Expression Language), about `image`, `signed`, `predicates`, `vulnerabilities`,
    /// `context` and `to`.
    #[schemars(length(min = 1), extend("examples" = ["predicates['https://slsa.dev/provenance/v1'].exists(p, p.runDetails.builder.id.startsWith('https://github.com/acme/'))"]))]
    pub when: Option<String>,
}

/// The limit of vulnerabilities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "VulnerabilityLimit")]
pub(in crate::config) enum RawVulnerabilities {
    /// None of this severity or a worse one.
    None(Severity),
    /// The greatest numbers.
    Most(RawMostVulnerabilities),
}

/// The greatest number of vulnerabilities of each severity, worse ones included. Default: any number.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MostVulnerabilities")]
pub(in crate::config) struct RawMostVulnerabilities {
    /// Critical ones.
    pub critical: Option<usize>,
    /// High and critical ones.
    pub high: Option<usize>,
    /// Medium, high and critical ones.
    pub medium: Option<usize>,
    /// All whose severity is known.
    pub low: Option<usize>,
    /// Those whose severity is unknown.
    pub unknown: Option<usize>,
    /// The greatest age of the report: hours, days or weeks.
    #[schemars(length(min = 1), extend("examples" = ["7d"]))]
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
    /// The issuer of the OIDC token. Default: that of GitHub Actions or GitLab, if the identity is a workflow there.
    #[schemars(length(min = 1), extend("examples" = ["https://token.actions.githubusercontent.com"]))]
    pub issuer: Option<String>,
    /// Whether a timestamp of an authority of the trusted root shows when it was signed, as an entry in the log Rekor does.
    #[schemars(extend("default" = false))]
    pub timestamps: Option<bool>,
    /// The file of the trusted root, relative to the folder of `publish.toml`. Default: that of Sigstore's public instance.
    #[schemars(length(min = 1), extend("examples" = ["trusted_root.json"]))]
    pub trusted_root: Option<String>,
}
