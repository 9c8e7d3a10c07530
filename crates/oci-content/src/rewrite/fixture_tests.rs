//! Trees of manifests for the tests of this module, and the content that is published from them.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::fixture::{LayoutDirectory, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, describe};
use super::super::{Content, SourceError, Surroundings, open_image};
use crate::SourceSpec;
use crate::refusal;
use crate::{AnnotationPlace, ImageSpec};
use oci_registry::{Digest, RawManifest};

/// A layout under construction.
pub(super) struct LayoutFixture {
    pub(super) folder: TempDir,
    pub(super) layout: LayoutDirectory,
}

impl LayoutFixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let layout = LayoutDirectory::create(folder.path());
        Self { folder, layout }
    }

    pub(super) fn put(&self, media_type: &str, value: &Value) -> Value {
        self.layout.put(media_type, &serde_json::to_vec(value).expect("json"))
    }

    /// Writes an image for `platform`, and returns its entry without a platform.
    pub(super) fn image(&self, platform: &str) -> Value {
        self.image_with(platform, &json!({}))
    }

    /// Like [`LayoutFixture::image`], with `members` added to the manifest.
    pub(super) fn image_with(&self, platform: &str, members: &Value) -> Value {
        let mut config = platform_of(platform);
        config["config"] = json!({ "Env": ["A=1"] });
        config["rootfs"] = json!({ "type": "layers", "diff_ids": [] });
        let config = self.put(OCI_CONFIG, &config);
        let layer = self.layout.put(OCI_LAYER_GZIP, platform.as_bytes());
        let mut manifest =
            json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        merge(&mut manifest, members);
        self.put(OCI_MANIFEST, &manifest)
    }

    /// The entry of an image for `platform`, as an index has it.
    pub(super) fn entry(&self, platform: &str) -> Value {
        listed(&self.image(platform), platform)
    }

    /// The entry of an attestation about another entry.
    pub(super) fn attestation(&self, about: &Value) -> Value {
        let layer = self.layout.put("application/vnd.in-toto+json", about["digest"].to_string().as_bytes());
        let config = self.put(OCI_CONFIG, &json!({ "os": "unknown", "architecture": "unknown" }));
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        let mut entry = listed(&self.put(OCI_MANIFEST, &manifest), "unknown/unknown");
        entry["annotations"] = json!({
            "vnd.docker.reference.digest": about["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        });
        entry
    }

    /// An artifact without a platform (image-spec, manifest.md, "Guidelines for Artifact Usage").
    pub(super) fn artifact(&self, members: &Value) -> Value {
        let mut empty = self.layout.put("application/vnd.oci.empty.v1+json", b"{}");
        empty["data"] = json!("e30=");
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example",
            "config": empty, "layers": [empty],
        });
        merge(&mut manifest, members);
        self.put(OCI_MANIFEST, &manifest)
    }

    pub(super) fn index(&self, entries: &[Value]) -> Value {
        self.index_with(entries, &json!({}))
    }

    /// An index with `members` added.
    pub(super) fn index_with(&self, entries: &[Value], members: &Value) -> Value {
        let mut index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
        merge(&mut index, members);
        self.layout.put(OCI_INDEX, &serde_json::to_vec_pretty(&index).expect("json"))
    }

    /// Publishes `root` as `spec` says.
    pub(super) fn publish(&self, root: &Value, spec: ImageSpec) -> Result<Content, SourceError> {
        let name = root["digest"].as_str().expect("a digest").replace(':', "-");
        self.layout.list(root, std::slice::from_ref(&name));
        let source = SourceSpec::One(format!("oci:.:{name}").parse().expect("a source"));
        let surroundings = Surroundings::local(self.folder.path());
        let (pinned, published) = open_image(&ImageSpec { source, ..spec }, &surroundings)?;
        // The written content is the same on every run, and every byte of it can be read.
        let (_, again) = open_image(&pinned, &surroundings)?;
        assert_eq!(again.content.root, published.content.root);
        for blob in published.content.blobs.iter().chain([&published.content.root]) {
            let mut bytes = Vec::new();
            let mut reader = published.source.open(blob)?;
            std::io::Read::read_to_end(&mut reader, &mut bytes).expect("verified");
            assert_eq!((Digest::of(&bytes), bytes.len() as u64), (blob.digest.clone(), blob.size));
        }
        Ok(published.content)
    }

    /// Publishes the declared platforms of `root`.
    pub(super) fn select(&self, root: &Value, platforms: &[&str]) -> Result<Content, SourceError> {
        self.publish(root, selecting(platforms))
    }

    pub(super) fn refused(&self, root: &Value, spec: ImageSpec) -> String {
        let Err(error) = self.publish(root, spec) else { panic!("published") };
        refusal::message_and_help(&error)
    }
}

/// The spec of an unchanged image. [`LayoutFixture::publish`] fills in its source.
pub(super) fn as_is() -> ImageSpec {
    ImageSpec::of(SourceSpec::Several(Vec::new()))
}

pub(super) fn selecting(platforms: &[&str]) -> ImageSpec {
    let platforms = platforms.iter().map(|it| it.parse().expect("a platform")).collect();
    ImageSpec { platforms, ..as_is() }
}

pub(super) fn annotating(annotate: &[AnnotationPlace], pairs: &[(&str, &str)]) -> ImageSpec {
    ImageSpec { annotations: texts(pairs), annotate: annotate.to_vec(), ..as_is() }
}

pub(super) fn labelling(pairs: &[(&str, &str)]) -> ImageSpec {
    ImageSpec { labels: texts(pairs), ..as_is() }
}

fn texts(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// `descriptor` as the entry for `platform`.
pub(super) fn listed(descriptor: &Value, platform: &str) -> Value {
    let mut entry = descriptor.clone();
    entry["platform"] = platform_of(platform);
    entry
}

fn platform_of(platform: &str) -> Value {
    let parts: Vec<&str> = platform.split('/').collect();
    let mut members = json!({ "architecture": parts[1], "os": parts[0] });
    if let Some(variant) = parts.get(2) {
        members["variant"] = json!(variant);
    }
    members
}

pub(super) fn merge(object: &mut Value, members: &Value) {
    for (key, value) in members.as_object().expect("an object") {
        object[key] = value.clone();
    }
}

/// The root as JSON.
pub(super) fn root(content: &Content) -> Value {
    json_of(content.manifests.last().expect("a root"))
}

/// The manifest of that digest as JSON.
pub(super) fn manifest(content: &Content, digest: &Value) -> Value {
    let found =
        content.manifests.iter().find(|it| it.digest().as_str() == digest.as_str().expect("a digest"));
    json_of(found.expect("a manifest that is published"))
}

fn json_of(raw: &RawManifest) -> Value {
    assert_eq!(
        describe(raw.media_type(), raw.bytes())["digest"].as_str(),
        Some(raw.digest().as_str()),
        "computed"
    );
    serde_json::from_slice(raw.bytes()).expect("json")
}

pub(super) fn names(content: &Content) -> Vec<String> {
    content.platforms.iter().map(ToString::to_string).collect()
}

/// The content that `put` wrote, as JSON.
pub(super) fn json_of_root(tree: &LayoutFixture, descriptor: &Value) -> Value {
    let digest = descriptor["digest"].as_str().expect("a digest");
    serde_json::from_slice(&tree.layout.get(digest)).expect("json")
}
