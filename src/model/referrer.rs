//! What refers to a manifest: signatures, SBOMs and whatever else is attached to it, and how each is found.
//!
//! Two ways are in use. The manifest names its `subject` (image-spec 1.1, manifest.md): registries list it in their
//! referrers API, or clients list it in an index at the tag `ALGORITHM-HEX` (distribution-spec 1.1, "Referrers Tag
//! Schema"). Or it stands at a tag that is made of the digest it speaks of, as cosign has it by default.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Digest, RawManifest, Tag, media_type};

/// What cosign appends to `sha256-HEX` (cosign, `specs/SIGNATURE_SPEC.md`, "Tag-based discovery"): signatures, attestations, SBOMs.
const COSIGN_SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// How many digits of a digest stand in a tag of the referrers tag schema.
const TAG_DIGITS: usize = 64;

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Referrer {
    /// The manifest: with the type of the artifact, and its annotations, as lists of referrers have them.
    pub descriptor: Descriptor,
    /// What it refers to.
    pub subject: Digest,
    /// The tag by which it is found, made of the subject's digest as cosign does; without one it names its subject itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
}

impl Referrer {
    /// Of `manifest`, if it names `subject` as its subject.
    pub fn by_subject(manifest: &RawManifest, subject: &Digest) -> Option<Self> {
        let names_it = subject_of(manifest).as_ref() == Some(subject);
        names_it.then(|| Self { descriptor: describe(manifest), subject: subject.clone(), tag: None })
    }

    /// Of a manifest, [described](describe), which stands at `tag`, if that is of `subject`.
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

/// A referrer of what a plan publishes, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedReferrer {
    /// The manifest, and what it refers to.
    #[serde(flatten)]
    pub referrer: Referrer,
    /// What is to be done.
    pub action: ReferrerAction,
}

/// What is to be done with a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReferrerAction {
    /// It is not there, or cannot be found by its subject: it is sent, and listed.
    Send,
    /// It is there, and is found.
    NoOp,
    /// Its tag names another manifest, which holds signatures that this one lacks, and stays.
    Keep,
}

/// What a list of referrers says of a manifest (distribution-spec 1.1, "Listing Referrers").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
    config: Option<Typed>,
    subject: Option<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: String,
}

#[derive(Deserialize)]
struct Named {
    digest: Digest,
}

fn read(manifest: &RawManifest) -> Option<Described> {
    serde_json::from_slice(manifest.bytes()).ok()
}

/// The manifest that `manifest` names as its subject.
pub fn subject_of(manifest: &RawManifest) -> Option<Digest> {
    read(manifest)?.subject.map(|subject| subject.digest)
}

/// The descriptor of `manifest` in a list of referrers: with its annotations, and the type of its artifact, which is that of
/// its configuration where it has no other (distribution-spec 1.1, "Listing Referrers").
pub fn describe(manifest: &RawManifest) -> Descriptor {
    let mut descriptor = manifest.descriptor();
    if let Some(read) = read(manifest) {
        let config = read.config.map(|config| config.media_type);
        descriptor.artifact_type = read.artifact_type.filter(|it| !it.is_empty()).or(config);
        descriptor.annotations = read.annotations;
    }
    descriptor
}

/// The tag whose index lists what refers to `subject` where a registry has no list of its own (distribution-spec 1.1,
/// "Referrers Tag Schema").
pub fn fallback_tag(subject: &Digest) -> Option<Tag> {
    let digits = subject.hex().get(..TAG_DIGITS)?;
    format!("{}-{digits}", subject.algorithm()).parse().ok()
}

/// The tags of what cosign attaches to `subject`. None of a digest that makes too long a tag.
pub fn cosign_tags(subject: &Digest) -> Vec<Tag> {
    let tag = |suffix: &str| format!("{}-{}.{suffix}", subject.algorithm(), subject.hex()).parse().ok();
    COSIGN_SUFFIXES.into_iter().filter_map(tag).collect()
}

/// What the index at the fallback tag of `subject` lists; `None` where `manifest` is no such index. GitLab answers the tag with
/// the subject itself (oras-project/oras#2148).
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

/// The index at a fallback tag with `referrers` in it: what stands there, each entry as it is, and then what it lacks. `None`
/// where it lacks nothing.
///
/// # Errors
///
/// What stands at the tag is no list of referrers to `subject`, in words: it must not be overwritten.
pub fn with_referrers(
    present: Option<&RawManifest>,
    subject: &Digest,
    referrers: &[Descriptor],
) -> Result<Option<RawManifest>, String> {
    let mut index = match present {
        // The quirk of GitLab: nothing stands there.
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

/// Whether the manifest `new` may take the place of `old` at a tag of cosign's: where it has all that `old` has. Cosign adds
/// each signature to the layers of the manifest at the tag, so that one that lacks any would take a signature away. A layer is
/// its whole descriptor: the signature is an annotation of it, over a content that all signatures of an image share.
pub fn has_all_of(new: &RawManifest, old: &RawManifest) -> bool {
    use super::Manifest;
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
