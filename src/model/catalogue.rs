//! The published content: repositories, their images, and the tags of each.

use serde::Serialize;

use super::ResourceId;
use super::signing::SignerIdentity;
use super::visibility::ObservedVisibility;
use oci_registry::{Digest, Tag};

/// The version of the JSON form of a catalogue.
pub const CATALOGUE_VERSION: &str = "1.0";

/// The content that the registries hold of the declared images, charts and artifacts.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Catalogue {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The configuration, for people.
    pub title: String,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<CatalogueRepository>,
}

/// The content of one repository.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct CatalogueRepository {
    /// `images.NAME@REGISTRY`.
    pub address: String,
    /// The resource.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The full name.
    pub name: String,
    /// The visibility, as an anonymous pull showed it; left out for a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<ObservedVisibility>,
    /// The reason why the list of tags may lack some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// The number of tags, without those of referrers.
    pub tags: usize,
    /// The images, the newest version first, then those without a version.
    pub images: Vec<CatalogueImage>,
    /// The number of images that are not listed because there are newer ones.
    pub older: usize,
}

/// One image, chart or artifact.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CatalogueImage {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its tags, the most exact version first.
    pub tags: Vec<Tag>,
    /// The version that a tag shows, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The media type of the manifest, or the type of the artifact.
    pub media_type: String,
    /// Its platforms, without those of attestations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// The size of everything that it reaches, each blob once, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The time of the build, as the image states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The commit, as the image states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The manifests that refer to it: signatures, SBOMs, attestations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<CatalogueReferrer>,
    /// The signed statements about it, if that was asked; those that a declared signer signed come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<CatalogueStatement>,
    /// The declared signers that did not sign it, if that was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsigned_by: Vec<String>,
    /// The reason why something about it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// A signed statement about an image: a signature or an attestation, in a Sigstore bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CatalogueStatement {
    /// The manifest that carries it.
    pub manifest: Digest,
    /// The type of its predicate. Nothing has verified that of a statement of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The declared signer whose key or identity verifies it; left out for a statement of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The identity that the signer shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<SignerIdentity>,
}

/// A manifest that refers to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct CatalogueReferrer {
    /// Its digest.
    pub digest: Digest,
    /// Its artifact type, or its media type without one.
    pub artifact_type: String,
    /// The type of the predicate that it says it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// Whether it is a signature: of cosign, of Notation, or a Sigstore bundle that does not say that it is an attestation.
    pub is_signature: bool,
}
