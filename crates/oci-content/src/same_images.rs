//! Whether two indexes hold the same images.

use std::collections::BTreeMap;

use oci_registry::{Digest, Manifest, Platform, RawManifest};

use crate::attestation::is_attestation;

/// The annotation with the time of a build, which differs from build to build (OCI image spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

/// Whether two manifests hold the same images: the same manifests for the same platforms, in any order. Attestations do not count, and
/// neither does the time that an index was created; any other annotation of an index does. An image without an index is the same as
/// an index of that image alone.
///
/// False if one of them is neither an image nor an index, or holds no image.
pub fn are_same_images(one: &RawManifest, other: &RawManifest) -> bool {
    match (images(one), images(other)) {
        (Some(one), Some(other)) => {
            let one_image = one.annotations.is_none() || other.annotations.is_none();
            let mut entries = one.entries.iter().zip(&other.entries);
            one.entries.len() == other.entries.len()
                && entries.all(|((a, a_platform), (b, b_platform))| {
                    a == b && (one_image || a_platform == b_platform)
                })
                && (one_image || one.annotations == other.annotations)
        }
        _ => false,
    }
}

/// The images that a manifest holds.
struct HeldImages {
    /// The digest of each, with its platform if an index names it, in the order of the digests.
    entries: Vec<(Digest, Option<Platform>)>,
    /// The annotations of the index, except for the time; `None` without an index.
    annotations: Option<BTreeMap<String, String>>,
}

fn images(manifest: &RawManifest) -> Option<HeldImages> {
    match manifest.parse().ok()? {
        Manifest::Index { manifests, mut annotations, .. } => {
            let images = manifests.into_iter().filter(|entry| !is_attestation(entry));
            let mut entries: Vec<_> = images.map(|entry| (entry.digest, entry.platform)).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            annotations.remove(CREATED);
            (!entries.is_empty()).then_some(HeldImages { entries, annotations: Some(annotations) })
        }
        Manifest::Image { .. } => {
            Some(HeldImages { entries: vec![(manifest.digest().clone(), None)], annotations: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    fn digest(seed: &str) -> String {
        Digest::of(seed.as_bytes()).to_string()
    }

    fn image(seed: &str, architecture: &str) -> serde_json::Value {
        json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(seed), "size": 7,
            "platform": { "os": "linux", "architecture": architecture } })
    }

    fn attestation(seed: &str, of: &str) -> serde_json::Value {
        json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(seed), "size": 7,
            "platform": { "os": "unknown", "architecture": "unknown" },
            "annotations": { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest(of) } })
    }

    fn index(entries: &[serde_json::Value], annotations: &serde_json::Value) -> RawManifest {
        let text = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries, "annotations": annotations });
        RawManifest::new(INDEX, text.to_string().into_bytes())
    }

    #[test]
    fn only_images_count() {
        let none = || json!({});
        let (amd, arm) = (image("amd", "amd64"), image("arm", "arm64"));
        let first = index(&[amd.clone(), arm.clone(), attestation("one", "amd")], &none());
        let same = [
            index(&[amd.clone(), arm.clone(), attestation("two", "amd")], &none()),
            index(&[arm.clone(), amd.clone()], &none()),
            index(
                &[amd.clone(), arm.clone()],
                &json!({ "org.opencontainers.image.created": "2026-11-28T00:00:00Z" }),
            ),
        ];
        for other in same {
            assert!(are_same_images(&first, &other) && are_same_images(&other, &first));
        }
        let different = [
            index(&[amd.clone(), attestation("one", "amd")], &none()),
            index(&[amd.clone(), image("ARM", "arm64")], &none()),
            index(&[image("amd", "arm64"), image("arm", "amd64")], &none()),
            index(&[amd.clone(), arm.clone(), arm], &none()),
            index(&[attestation("one", "amd")], &none()),
            index(&[], &none()),
            index(&[amd, image("arm", "arm64")], &json!({ "org.opencontainers.image.revision": "1" })),
            RawManifest::new(INDEX, b"no manifest".to_vec()),
        ];
        for other in different {
            assert!(!are_same_images(&first, &other) && !are_same_images(&other, &first));
        }
    }

    #[test]
    fn an_index_of_one_image_is_that_image() {
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let text = json!({ "schemaVersion": 2, "mediaType": media_type, "layers": [],
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest("c"), "size": 7 } });
        let single = RawManifest::new(media_type, text.to_string().into_bytes());
        let entry = json!({ "mediaType": media_type, "digest": single.digest().to_string(), "size": 7,
            "platform": { "os": "linux", "architecture": "amd64" } });
        let attested = index(&[entry, attestation("one", "amd")], &json!({}));
        assert!(are_same_images(&single, &attested) && are_same_images(&attested, &single));
        assert!(!are_same_images(&single, &index(&[image("amd", "amd64")], &json!({}))));
    }
}
