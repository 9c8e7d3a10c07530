//! The search for secrets in the content to send, as plans and records carry it: the policy, the allowances, the searched
//! content and the findings. It never contains the value of a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ResourceId;
pub use super::secret_policy::{BlockingSeverity, NotSearched, SecretPolicy, UnsearchedPolicy};
use super::words::toml_string;
use oci_registry::Digest;
use secret_scan::SecretSeverity;

/// A finding that is not a secret, and the reason. All given conditions must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecretAllowance {
    /// The rule that finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// A glob of the file in its layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The part of the configuration of an image that holds it, or the key of the annotation, as the finding shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The fingerprint of the value, or the beginning of it: `sha256:` and at least 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The reason why it is not a secret.
    pub reason: String,
}

/// The search for secrets in the content that a plan sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedSecrets {
    /// The identity of the rules that the search used.
    pub rules: Digest,
    /// The allowances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<SecretAllowance>,
    /// The least severity of a finding that blocks.
    #[serde(default, skip_serializing_if = "BlockingSeverity::is_default")]
    pub block: BlockingSeverity,
    /// The effect of a file that could not be searched to its end.
    #[serde(default, skip_serializing_if = "UnsearchedPolicy::is_default")]
    pub unsearched_policy: UnsearchedPolicy,
    /// The searched repositories by address, with the effect of a finding and the content to search.
    pub repositories: BTreeMap<String, SearchedRepository>,
    /// The amount of content that was searched.
    pub searched: SearchedContent,
    /// The findings, including allowed ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<SecretFinding>,
    /// Content that could not be searched, or only in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsearched: Vec<Unsearched>,
    /// Allowances that match nothing, if all content was searched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<SecretAllowance>,
}

/// The content that is searched before it is sent to a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SearchedRepository {
    /// The effect of a finding.
    pub policy: SecretPolicy,
    /// The manifests to search: those that no tag of the repository reaches yet, or all if the repository becomes public.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<Digest>,
    /// The blobs to search: those that no tag of the repository reaches yet, whether the repository holds them or not; or all if the
    /// repository becomes public.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Digest>,
    /// The published content that is not searched; left out if everything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}

/// Published content that is not searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// The number of blobs.
    pub blobs: usize,
    /// The size of the blobs, in bytes.
    pub bytes: u64,
    /// The reason, in words.
    pub why: String,
}

/// The amount of content that was searched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SearchedContent {
    /// The number of blobs.
    pub blobs: usize,
    /// The size of the blobs as they are sent, in bytes.
    pub bytes: u64,
    /// The number of blobs that an earlier run had searched with the same rules.
    pub from_cache: usize,
}

/// A secret that was found, or something that looks like one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecretFinding {
    /// The resource that is published.
    pub resource: ResourceId,
    /// The addresses of the repositories that it would be sent to.
    pub repositories: Vec<String>,
    /// The rule that found it.
    pub rule: String,
    /// The severity.
    pub severity: SecretSeverity,
    /// The place of the secret.
    pub place: SecretPlace,
    /// The value, shortened so that it can be recognized but not used.
    pub redacted: String,
    /// The fingerprint of the value, with which it can be allowed. Left out if somebody could find the value by trying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
    /// The fingerprint of the value in the run that found it. It is never written.
    #[serde(skip)]
    pub identity: Option<Digest>,
    /// The reason why it is allowed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The place from which a stranger can pull the content already, as an anonymous request showed. Such a finding does not block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Whether it blocks the plan.
    pub blocks: bool,
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SecretPlace {
    /// In a file, or in its name.
    File {
        /// The blob that contains the file.
        blob: Digest,
        /// The platforms of the images in an index that contain the blob.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        platforms: Vec<String>,
        /// The number of the layer in its image, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<usize>,
        /// The instruction that made the layer, shortened, without values that look like secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instruction: Option<String>,
        /// The path of the file, with `!/` between an archive and a file in it. Left out: the blob is the file, and has no name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// The line, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
        /// The number of the layer that deletes the file, from 1. The file is still in the image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted_by: Option<usize>,
    },
    /// In the configuration of an image.
    Config {
        /// The configuration.
        blob: Digest,
        /// The platforms of the images in an index that have this configuration.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        platforms: Vec<String>,
        /// The place in the configuration, for people: `` environment variable `TOKEN` ``.
        part: String,
    },
    /// In an annotation of a manifest or index.
    Annotation {
        /// The manifest.
        manifest: Digest,
        /// The key.
        key: String,
    },
}

impl SecretPlace {
    /// The path of the file, if the secret is in one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File { path, .. } => path.as_deref(),
            Self::Config { .. } | Self::Annotation { .. } => None,
        }
    }

    /// The part of a configuration, or the key of an annotation, if the secret is in one.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::File { .. } => None,
            Self::Config { part, .. } => Some(part),
            Self::Annotation { key, .. } => Some(key),
        }
    }
}

impl std::fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { blob, platforms, layer, instruction, path, line, deleted_by } => {
                let of = of(platforms);
                match (layer, instruction) {
                    (Some(layer), Some(instruction)) => write!(f, "layer {layer}{of} ({instruction}): ")?,
                    (Some(layer), None) => write!(f, "layer {layer}{of}: ")?,
                    (None, _) => write!(f, "{}{of}: ", blob.short(12))?,
                }
                f.write_str(path.as_deref().unwrap_or("its bytes"))?;
                if let Some(line) = line {
                    write!(f, " line {line}")?;
                }
                if let Some(layer) = deleted_by {
                    write!(f, " (layer {layer} deletes it, but it is still in the image)")?;
                }
                Ok(())
            }
            Self::Config { part, platforms, .. } => write!(f, "{part}{}", of(platforms)),
            Self::Annotation { key, .. } => write!(f, "annotation `{key}`"),
        }
    }
}

/// Returns ` of linux/amd64, linux/arm64`, or an empty text if there are no platforms.
fn of(platforms: &[String]) -> String {
    if platforms.is_empty() { String::new() } else { format!(" of {}", platforms.join(", ")) }
}

impl SecretFinding {
    /// One line about the finding: resource, place, rule and redacted value.
    pub fn title(&self) -> String {
        let Self { resource, place, rule, redacted, fingerprint, .. } = self;
        let fingerprint = fingerprint.as_ref().map(|it| format!(" [{}]", it.short(12)));
        format!("{resource} {place}: {rule} {redacted}{}", fingerprint.unwrap_or_default())
    }

    /// The entry of `allow` that allows exactly this finding, with a placeholder for the reason. A finding without a fingerprint is
    /// allowed by its rule and place.
    pub fn allowance(&self) -> String {
        let path = self.place.path().map(|path| format!(", path = {}", toml_string(&glob_of(path))));
        let value = self.fingerprint.as_ref().map(|it| format!(", value = \"{it}\""));
        let part = self.place.part().filter(|_| value.is_none());
        let part = part.map(|part| format!(", part = {}", toml_string(part)));
        let conditions: String = [path, part, value].into_iter().flatten().collect();
        format!("{{ rule = \"{}\"{conditions}, reason = \"…\" }}", self.rule)
    }
}

/// Returns a glob that matches only `path`.
fn glob_of(path: &str) -> String {
    let mut glob = String::new();
    for character in path.chars() {
        if "*?[]{}\\".contains(character) {
            glob.extend(['[', character, ']']);
        } else {
            glob.push(character);
        }
    }
    glob
}

/// Content that could not be searched, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unsearched {
    /// The resource that is published.
    pub resource: ResourceId,
    /// The blob.
    pub blob: Digest,
    /// The file in the blob. Left out: the blob itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The reason.
    pub reason: String,
}

impl PlannedSecrets {
    /// The findings that block the plan.
    pub fn blocking(&self) -> impl Iterator<Item = &SecretFinding> {
        self.findings.iter().filter(|finding| finding.blocks)
    }

    /// The findings that are neither allowed nor block the plan: they are reported, and the content is sent.
    pub fn let_through(&self) -> impl Iterator<Item = &SecretFinding> {
        self.findings.iter().filter(|finding| !finding.blocks && finding.allowed.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(path: &str) -> SecretFinding {
        SecretFinding {
            resource: ResourceId::image("app"),
            repositories: vec!["images.app@ghcr".to_owned()],
            rule: "github-token".to_owned(),
            severity: SecretSeverity::High,
            place: SecretPlace::File {
                blob: Digest::of(b"layer"),
                platforms: Vec::new(),
                layer: Some(3),
                instruction: Some("COPY . /app".to_owned()),
                path: Some(path.to_owned()),
                line: Some(2),
                deleted_by: None,
            },
            redacted: "ghp_… (40 characters)".to_owned(),
            fingerprint: Some(Digest::of(b"value")),
            identity: None,
            allowed: None,
            public: None,
            blocks: true,
        }
    }

    #[test]
    fn a_finding_names_image_layer_instruction_path_line_rule_and_a_redacted_value() {
        let short = Digest::of(b"value").short(12);
        assert_eq!(
            finding("app/.env").title(),
            format!(
                "images.app layer 3 (COPY . /app): app/.env line 2: github-token ghp_… (40 characters) [{short}]"
            )
        );
    }

    #[test]
    fn the_allowance_of_a_finding_is_toml_that_names_only_its_file() {
        for path in ["app/.env", "a/[b]*{c}?.txt", "a \"quoted\" \\ name", "a.jar!/b\u{1b}"] {
            let text = finding(path).allowance();
            let parsed: toml::Table = toml::from_str(&format!("a = {text}")).expect("TOML");
            let glob = parsed["a"]["path"].as_str().expect("a path");
            let glob = globset::GlobBuilder::new(glob).literal_separator(true).build().expect("a glob");
            assert!(glob.compile_matcher().is_match(path), "{path}");
            assert!(!glob.compile_matcher().is_match("a/b/c"), "{path}");
        }
    }
}
