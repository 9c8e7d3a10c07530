//! Gates: the evidence that an image must have before it is promoted.

use std::collections::BTreeMap;
use std::fmt;

use oci_registry::Digest;
use serde::{Deserialize, Serialize};

use super::retention::Age;
use super::signing::SignerIdentity;

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
    /// The limits of what a report of the signer about vulnerabilities may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerabilities: Option<VulnerabilityLimits>,
    /// The condition that must hold, in CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// The signer of the evidence. It has a key, or an identity with its issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GateSigner {
    /// The public key: the file in a configuration, relative to its folder, and the text in PEM in a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The identity in the certificate. Each `*` matches any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer of its OIDC token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whether a timestamp of a trusted authority shows the time, as an entry in a log does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timestamps: bool,
    /// The file of the trusted root, relative to the folder of `publish.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
}

/// The most vulnerabilities that an image may have: of each severity, the worse ones included. Left out: any number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VulnerabilityLimits {
    /// Critical ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<usize>,
    /// High and critical ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<usize>,
    /// Medium, high and critical ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<usize>,
    /// All whose severity is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<usize>,
    /// Those whose severity is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<usize>,
    /// The greatest age of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Age>,
}

impl VulnerabilityLimits {
    /// Returns the limit of each severity that has one.
    pub fn limits(&self) -> impl Iterator<Item = (Severity, usize)> {
        let all = [
            (Severity::Critical, self.critical),
            (Severity::High, self.high),
            (Severity::Medium, self.medium),
            (Severity::Low, self.low),
            (Severity::Unknown, self.unknown),
        ];
        all.into_iter().filter_map(|(severity, limit)| Some((severity, limit?)))
    }

    /// Returns the limits that allow none of this severity or a worse one.
    pub fn none_of(severity: Severity) -> Self {
        let mut limits = Self::default();
        *match severity {
            Severity::Critical => &mut limits.critical,
            Severity::High => &mut limits.high,
            Severity::Medium => &mut limits.medium,
            Severity::Low => &mut limits.low,
            Severity::Unknown => &mut limits.unknown,
        } = Some(0);
        limits
    }
}

/// The severity of a vulnerability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It is not known.
    Unknown,
    /// Below 4.0 in CVSS, and those that are called negligible or information.
    Low,
    /// From 4.0.
    Medium,
    /// From 7.0.
    High,
    /// From 9.0.
    Critical,
}

impl Severity {
    /// Returns the severity that a scanner writes as `word`, or as a score of CVSS.
    pub fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" | "info" | "none" => Self::Low,
            other => other.parse().map_or(Self::Unknown, Self::of_score),
        }
    }

    /// Returns the severity of a score (CVSS 3.1, section 5).
    pub fn of_score(score: f64) -> Self {
        match score {
            it if (9.0..=10.0).contains(&it) => Self::Critical,
            it if (7.0..9.0).contains(&it) => Self::High,
            it if (4.0..7.0).contains(&it) => Self::Medium,
            it if (0.0..4.0).contains(&it) => Self::Low,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// The number of vulnerabilities of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VulnerabilityCounts {
    /// Critical ones.
    pub critical: usize,
    /// High ones.
    pub high: usize,
    /// Medium ones.
    pub medium: usize,
    /// Low ones.
    pub low: usize,
    /// Those whose severity is unknown.
    pub unknown: usize,
}

impl VulnerabilityCounts {
    /// The number of a severity.
    pub fn of_mut(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Unknown => &mut self.unknown,
        }
    }

    /// The number of this severity and the worse ones.
    pub fn from(self, severity: Severity) -> usize {
        match severity {
            Severity::Unknown => self.unknown,
            Severity::Critical => self.critical,
            Severity::High => self.critical + self.high,
            Severity::Medium => self.critical + self.high + self.medium,
            Severity::Low => self.critical + self.high + self.medium + self.low,
        }
    }
}

/// A piece of evidence that opened a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GateEvidence {
    /// The name of the gate.
    pub gate: String,
    /// The kind of evidence: `signature`, `attestation`, `sbom`, `age`, `vulnerabilities` or `condition`.
    pub kind: String,
    /// The value that was judged, in words: an age, numbers of vulnerabilities, or a condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The predicate type of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The signer of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerIdentity>,
    /// The manifest that carries the statement, in the repository of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
}

/// Gates by name.
pub type Gates = BTreeMap<String, PlannedGate>;
