//! The results of `verify`: how a tag drifted, what else is wrong in a repository, and notes that are not drift.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Visibility;
use super::plan::ObservedVisibility;
use super::signing::SignerIdentity;
use super::standing::VersionEvidence;
use super::visibility::IRREVERSIBLE;
use super::words::first_of;
use oci_registry::{Digest, Platform, Tag};

/// A way in which a tag is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum TagDrift {
    /// The tag is missing.
    Missing {
        /// The registries of the image that have the tag.
        held_by: Vec<String>,
    },
    /// A forward tag does not name the highest version of its line that the registry holds.
    NotHighest {
        /// The highest version of the line.
        version: String,
        /// The tag of that version.
        tag: Tag,
    },
    /// A forward tag names a digest that no version in the registry has.
    NoVersion {
        /// The highest version of the line.
        version: String,
        /// The tag of that version.
        tag: Tag,
    },
    /// Other registries name another digest, and they are in the majority, or a record agrees with them.
    Differs {
        /// The registries that agree with each other.
        registries: Vec<String>,
    },
    /// The registries disagree, and nothing shows which of them is right.
    Disagree {
        /// The other digests, each with its registry.
        others: Vec<RegistryDigest>,
    },
    /// The tag names neither the digest in a record nor a later one.
    NotAsRecorded {
        /// The file of the record.
        record: String,
        /// The recorded version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// The content that the tag names has another digest than the registry reports.
    Corrupt {
        /// The digest of the bytes.
        found: Digest,
    },
}

/// The digest that a tag has in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RegistryDigest {
    /// The registry's name.
    pub registry: String,
    /// The digest.
    pub digest: Digest,
}

/// A problem in a repository beyond its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Finding {
    /// The repository holds no version of the image, but others do.
    NoVersions {
        /// The last version that others hold.
        version: String,
        /// The number of versions that they hold.
        count: usize,
    },
    /// No registry holds any version of the image, although git knows a release of it.
    Unpublished {
        /// The version.
        version: String,
        /// The git tag.
        git_tag: String,
    },
    /// A declared platform is not in the last version.
    MissingPlatform {
        /// The platform.
        platform: Platform,
        /// The tag of the version.
        tag: Tag,
    },
    /// An annotation of the last version is not as declared.
    Annotation {
        /// The key.
        key: String,
        /// The declared value, rendered for the version.
        declared: String,
        /// The value in the registry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<String>,
        /// The tag of the version.
        tag: Tag,
    },
    /// A manifest is missing.
    MissingManifest {
        /// The digest of the manifest.
        digest: Digest,
        /// The tags that need it.
        tags: Vec<Tag>,
    },
    /// A blob is missing.
    MissingBlob {
        /// The digest of the blob.
        digest: Digest,
        /// The tags that need it.
        tags: Vec<Tag>,
    },
    /// The bytes of a manifest or configuration do not have its digest.
    Corrupt {
        /// The digest that was requested.
        digest: Digest,
        /// The digest of the bytes.
        found: Digest,
        /// The tags that need it.
        tags: Vec<Tag>,
    },
    /// A manifest or configuration exists but cannot be parsed.
    Unreadable {
        /// Its digest.
        digest: Digest,
        /// The reason.
        why: String,
        /// The tags that need it.
        tags: Vec<Tag>,
    },
    /// An image that a published chart names is missing.
    MissingImage {
        /// The image.
        image: String,
        /// The tags of the charts that name it.
        tags: Vec<Tag>,
    },
    /// A manifest lacks a declared signature, or none of those that it has verifies.
    Unsigned {
        /// The digest of the manifest.
        digest: Digest,
        /// The name of the signer.
        signer: String,
        /// The identity that the signature should show.
        identity: SignerIdentity,
        /// The number of other signatures that the manifest has.
        others: usize,
        /// The tags that name it.
        tags: Vec<Tag>,
    },
    /// Nothing shows that a manifest passed a gate.
    Ungated {
        /// The digest of the manifest.
        digest: Digest,
        /// The name of the gate.
        gate: String,
        /// The evidence that the repository lacks.
        missing: Vec<String>,
        /// The tags that name it.
        tags: Vec<Tag>,
    },
    /// The visibility is not as declared.
    Visibility {
        /// The visibility that `publish.toml` declares.
        declared: Visibility,
        /// The visibility that an anonymous pull showed.
        observed: ObservedVisibility,
        /// The visibility that the registry's API reports, if it was asked and knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        setting: Option<Visibility>,
        /// Whether an apply sets it through the registry's API.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        settable: bool,
        /// Whether nobody can undo or correct it: GitHub does not make a public package private again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        irreversible: bool,
        /// The page where a person can change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings_url: Option<String>,
    },
}

/// Something worth reporting that is not drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Note {
    /// None of the image's registries has a release of it, or a branch that a rule names.
    NothingPublished,
    /// No rule of the image prints the full version, so the published versions are unknown.
    NoFullVersion,
    /// The registry did not report who can pull.
    VisibilityUnknown {
        /// The visibility that `publish.toml` declares.
        declared: Visibility,
    },
    /// The list of tags may lack some, so versions may be missing here.
    ListIncomplete {
        /// The reason why.
        why: String,
    },
    /// A forward tag names a higher version than the configuration's tags here.
    NewerStanding {
        /// The tag.
        tag: Tag,
        /// The version.
        version: String,
        /// The evidence for it.
        shown_by: VersionEvidence,
    },
    /// A tag moved since a record was written, and it is unknown whether it moved forward.
    MovedSince {
        /// The tag.
        tag: Tag,
        /// The file of the record.
        record: String,
        /// The reason why it is unknown.
        why: String,
    },
}

impl fmt::Display for TagDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { held_by } if held_by.is_empty() => f.write_str("drift: missing"),
            Self::Missing { held_by } => write!(f, "drift: missing; it is in {}", held_by.join(", ")),
            Self::NotHighest { tag, .. } => write!(f, "drift: {tag} is the highest"),
            Self::NoVersion { tag, .. } => {
                write!(f, "drift: no version has that digest; {tag} is the highest")
            }
            Self::Differs { registries } => {
                write!(f, "drift: another digest is in {}", registries.join(", "))
            }
            Self::Disagree { others } => {
                let others: Vec<String> = others
                    .iter()
                    .map(|other| format!("{} in {}", other.digest.short(12), other.registry))
                    .collect();
                write!(f, "drift: {}", others.join(", "))
            }
            Self::NotAsRecorded { record, .. } => {
                write!(f, "drift: neither the digest in `{record}` nor a later one")
            }
            Self::Corrupt { found } => write!(f, "drift: the bytes have the digest {}", found.short(12)),
        }
    }
}

impl Finding {
    /// The subject of the finding, in a word.
    pub fn subject(&self) -> &'static str {
        match self {
            Self::NoVersions { .. } | Self::Unpublished { .. } => "versions",
            Self::MissingPlatform { .. } => "platform",
            Self::Annotation { .. } => "annotation",
            Self::MissingManifest { .. } => "manifest",
            Self::MissingBlob { .. } => "blob",
            Self::Corrupt { .. } | Self::Unreadable { .. } => "content",
            Self::MissingImage { .. } => "image",
            Self::Unsigned { .. } => "signature",
            Self::Ungated { .. } => "gate",
            Self::Visibility { .. } => "visibility",
        }
    }
}

/// The number of tags that a finding lists by name.
const NAMED: usize = 3;

/// Lists tags for people: the first by name, then the number of the others.
fn list(tags: &[Tag]) -> String {
    first_of(&tags.iter().map(Tag::as_str).collect::<Vec<_>>(), NAMED)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVersions { count: 1, .. } => f.write_str("drift: other registries hold one version"),
            Self::NoVersions { count, .. } => write!(f, "drift: other registries hold {count} versions"),
            Self::Unpublished { git_tag, .. } => {
                write!(f, "drift: no registry holds a version, but the git tag {git_tag} is a release")
            }
            Self::MissingPlatform { tag, .. } => write!(f, "drift: declared, but not in {tag}"),
            Self::Annotation { tag, .. } => write!(f, "drift: {tag} does not have the declared value"),
            Self::MissingManifest { tags, .. } | Self::MissingBlob { tags, .. } => {
                write!(f, "drift: missing, but needed by {}", list(tags))
            }
            Self::Corrupt { found, tags, .. } => {
                write!(f, "drift: the bytes have the digest {}; needed by {}", found.short(12), list(tags))
            }
            Self::Unreadable { why, tags, .. } => {
                write!(f, "drift: cannot be read, but is needed by {}: {why}", list(tags))
            }
            Self::MissingImage { tags, .. } => {
                write!(f, "drift: missing, but named by {}", list(tags))
            }
            Self::Unsigned { signer, identity, others: 0, tags, .. } => {
                write!(f, "drift: not signed by {signer} with {identity}; named by {}", list(tags))
            }
            Self::Unsigned { signer, identity, tags, .. } => {
                write!(
                    f,
                    "drift: no signature verifies for {signer} with {identity}; named by {}",
                    list(tags)
                )
            }
            Self::Ungated { gate, missing, tags, .. } => {
                write!(f, "drift: no record of a promotion through {gate}")?;
                for what in missing {
                    write!(f, ", and it {what}")?;
                }
                write!(f, "; named by {}", list(tags))
            }
            Self::Visibility { settable: true, .. } => {
                f.write_str("drift: `apply` sets it through the registry's API")
            }
            Self::Visibility { irreversible: true, settings_url, declared, .. }
                if *declared != Visibility::Public =>
            {
                f.write_str(IRREVERSIBLE)?;
                settings_url.iter().try_for_each(|url| write!(f, ": {url}"))
            }
            Self::Visibility { settings_url: Some(url), irreversible, .. } => {
                write!(f, "by hand{}: {url}", if *irreversible { ", irreversible" } else { "" })
            }
            Self::Visibility { settings_url: None, .. } => {
                f.write_str("by hand, where the registry lets you")
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListIncomplete { why } => write!(f, "the list of tags may lack some: {why}"),
            Self::NewerStanding { version, shown_by, .. } => {
                write!(f, "it names {version}, which is newer, as {shown_by} shows")
            }
            Self::NothingPublished => f.write_str("no release or branch is published yet"),
            Self::NoFullVersion => {
                f.write_str("no rule prints the full version, so the published versions are unknown")
            }
            Self::VisibilityUnknown { declared } => {
                write!(f, "visibility is declared {}, but the registry did not report it", declared.as_str())
            }
            Self::MovedSince { tag, record, why } => {
                write!(f, "{tag} moved since `{record}` was written, possibly backward: {why}")
            }
        }
    }
}
