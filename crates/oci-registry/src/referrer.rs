//! Referrers of a manifest: signatures, SBOMs and anything else that is attached to it, and the ways to find them.
//!
//! Two ways are in use. The referrer names its `subject` (image-spec 1.1, manifest.md): then registries list it in their
//! referrers API, or clients list it in an index at the tag `ALGORITHM-HEX` (distribution-spec 1.1, "Referrers Tag
//! Schema"). Or the referrer has a tag that is made of the digest of its subject, which is the default of cosign.

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::manifest::RawManifest;
use crate::media_type;
use crate::tag::Tag;

/// The suffixes that cosign appends to `sha256-HEX` (cosign, `specs/SIGNATURE_SPEC.md`, "Tag-based discovery"): signatures,
/// attestations, SBOMs.
const COSIGN_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// The number of digits of a digest in a tag of the referrers tag schema.
const TAG_DIGITS: usize = 64;

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Referrer {
    /// The descriptor of the manifest, with the type of the artifact and its annotations, as in lists of referrers.
    pub descriptor: Descriptor,
    /// The digest of the manifest that it refers to.
    pub subject: Digest,
    /// The tag at which it is found, made of the subject's digest as cosign does. Without a tag, the manifest names its subject
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
}

impl Referrer {
    /// Returns the referrer `manifest`, if it names `subject` as its subject.
    pub fn by_subject(manifest: &RawManifest, subject: &Digest) -> Option<Self> {
        let names_it = subject_of(manifest).as_ref() == Some(subject);
        names_it.then(|| Self { descriptor: describe(manifest), subject: subject.clone(), tag: None })
    }

    /// Returns the referrer at `tag` with this [descriptor](describe), if `tag` is a tag of cosign for `subject`.
    pub fn by_tag(descriptor: Descriptor, subject: &Digest, tag: &Tag) -> Option<Self> {
        let is_its_tag = cosign_tags(subject).contains(tag);
        is_its_tag.then(|| Self { descriptor, subject: subject.clone(), tag: Some(tag.clone()) })
    }

    /// Whether both are the same manifest, found in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.descriptor.digest.clone(), it.subject.clone(), it.tag.clone());
        key(self) == key(other)
    }
}

/// The fields of a manifest that a list of referrers contains (distribution-spec 1.1, "Listing Referrers").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReferrerFields {
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
    config: Option<ConfigField>,
    subject: Option<SubjectField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigField {
    media_type: String,
}

#[derive(Deserialize)]
struct SubjectField {
    digest: Digest,
}

fn read(manifest: &RawManifest) -> Option<ReferrerFields> {
    serde_json::from_slice(manifest.bytes()).ok()
}

/// Returns the digest of the manifest that `manifest` names as its subject.
pub fn subject_of(manifest: &RawManifest) -> Option<Digest> {
    read(manifest)?.subject.map(|subject| subject.digest)
}

/// Returns the descriptor of `manifest` in a list of referrers: with its annotations and its artifact type. If it has no artifact
/// type, that is the type of its configuration (distribution-spec 1.1, "Listing Referrers").
pub fn describe(manifest: &RawManifest) -> Descriptor {
    let mut descriptor = manifest.descriptor();
    if let Some(read) = read(manifest) {
        let config = read.config.map(|config| config.media_type);
        descriptor.artifact_type = read.artifact_type.filter(|it| !it.is_empty()).or(config);
        descriptor.annotations = read.annotations;
    }
    descriptor
}

/// Returns the tag whose index lists the referrers of `subject` if a registry has no list of its own (distribution-spec 1.1,
/// "Referrers Tag Schema").
pub fn fallback_tag(subject: &Digest) -> Option<Tag> {
    let digits = subject.hex().get(..TAG_DIGITS)?;
    format!("{}-{digits}", subject.algorithm()).parse().ok()
}

/// Returns the tags of everything that cosign attaches to `subject`. There are none if the digest makes the tags too long.
pub fn cosign_tags(subject: &Digest) -> Vec<Tag> {
    let tag = |suffix: &str| format!("{}-{}.{suffix}", subject.algorithm(), subject.hex()).parse().ok();
    COSIGN_SUFFIXES.into_iter().filter_map(tag).collect()
}

/// Returns the entries of the index at the fallback tag of `subject`; `None` if `manifest` is not such an index. GitLab answers
/// a request for the tag with the subject itself (oras-project/oras#2148).
pub fn listed(manifest: &RawManifest, subject: &Digest) -> Option<Vec<Descriptor>> {
    #[derive(Deserialize)]
    struct List {
        manifests: Option<Vec<Descriptor>>,
    }
    if manifest.media_type() != media_type::OCI_INDEX || manifest.digest() == subject {
        return None;
    }
    let list: List = serde_json::from_slice(manifest.bytes()).ok()?;
    // Go writes `null` for an empty list.
    Some(list.manifests.unwrap_or_default())
}

/// Returns the index at a fallback tag with `referrers` in it: the present entries, unchanged, and then the missing ones. `None`
/// if nothing is missing.
///
/// # Errors
///
/// A message, if the content at the tag is not a list of referrers of `subject`, which must not be overwritten.
pub fn with_referrers(
    present: Option<&RawManifest>,
    subject: &Digest,
    referrers: &[Descriptor],
) -> Result<Option<RawManifest>, String> {
    let mut index = match present {
        // GitLab answers with the subject if the tag does not exist.
        Some(present) if present.digest() == subject => empty(),
        Some(present) => {
            let known = listed(present, subject).ok_or("it is not an index of referrers".to_owned())?;
            if referrers.iter().all(|it| known.iter().any(|other| other.digest == it.digest)) {
                return Ok(None);
            }
            let index: serde_json::Value =
                serde_json::from_slice(present.bytes()).map_err(|error| error.to_string())?;
            if !index.is_object() {
                return Err("it is not an index of referrers".to_owned());
            }
            index
        }
        None => empty(),
    };
    let mut entries = match index.get_mut("manifests").and_then(serde_json::Value::as_array_mut) {
        Some(entries) => std::mem::take(entries),
        None => Vec::new(),
    };
    for referrer in referrers {
        let digest = referrer.digest.as_str();
        let is_there = |entry: &serde_json::Value| {
            entry.get("digest").and_then(serde_json::Value::as_str) == Some(digest)
        };
        if !entries.iter().any(is_there) {
            entries.push(serde_json::to_value(referrer).map_err(|error| error.to_string())?);
        }
    }
    if let Some(object) = index.as_object_mut() {
        object.insert("manifests".to_owned(), serde_json::Value::Array(entries));
    }
    let bytes = serde_json::to_vec(&index).map_err(|error| error.to_string())?;
    Ok(Some(RawManifest::new(media_type::OCI_INDEX, bytes)))
}

fn empty() -> serde_json::Value {
    serde_json::json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [] })
}

/// Whether the manifest `new` may replace `old` at a tag of cosign: it must have every layer of `old`. Cosign adds each signature
/// to the layers of the manifest at the tag, so a manifest that lacks a layer would remove a signature. Whole descriptors are
/// compared, because the signature is an annotation of the layer, and all signatures of an image share the same content.
pub fn has_all_of(new: &RawManifest, old: &RawManifest) -> bool {
    use crate::manifest::Manifest;
    match (new.parse(), old.parse()) {
        (Ok(Manifest::Image { layers: new, .. }), Ok(Manifest::Image { layers: old, .. })) => {
            old.iter().all(|layer| new.contains(layer))
        }
        _ => new.digest() == old.digest(),
    }
}

#[cfg(test)]
#[path = "referrer_tests.rs"]
mod tests;
