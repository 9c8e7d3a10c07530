//! Properties of every tree and every declaration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::attestation::{attested, is_attestation};
use super::super::hostile_tests::Memory;
use super::super::images::images;
use super::super::{Source, walk};
use super::rewrite;
use crate::SourceSpec;
use crate::{AnnotationPlace, ImageSpec};
use oci_registry::media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use oci_registry::{Descriptor, Manifest, Platform};

const PLATFORMS: [&str; 4] = ["linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"];

/// A node that an index lists.
#[derive(Debug, Clone)]
enum IndexNode {
    /// An image for a platform; whether its entry gives the platform; whether there is an attestation about it.
    Image(usize, bool, bool, u8),
    Artifact(u8),
    Index(Vec<IndexNode>),
}

fn node() -> impl Strategy<Value = IndexNode> {
    let leaf = prop_oneof![
        6 => (0..PLATFORMS.len(), any::<bool>(), prop::bool::weighted(0.2), 0_u8..3)
            .prop_map(|(platform, listed, attested, number)| IndexNode::Image(platform, listed, attested, number)),
        1 => (0_u8..2).prop_map(IndexNode::Artifact),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(IndexNode::Index))
}

/// Writes a node, and returns its entries: the node itself, and the attestation about it.
fn put(memory: &mut Memory, node: &IndexNode) -> Vec<Value> {
    let manifest = |config: Value, number: u8| json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], "n": number });
    match node {
        IndexNode::Image(platform, listed, attested, number) => {
            let parts: Vec<&str> = PLATFORMS[*platform].split('/').collect();
            let mut members = json!({ "os": parts[0], "architecture": parts[1] });
            if let Some(variant) = parts.get(2) {
                members["variant"] = json!(variant);
            }
            let config = memory.json(OCI_CONFIG, &members);
            let mut entry = memory.json(OCI_MANIFEST, &manifest(config, *number));
            let about = entry["digest"].clone();
            if *listed {
                entry["platform"] = members;
            }
            let mut entries = vec![entry];
            if *attested {
                let config = memory.json(OCI_CONFIG, &json!({ "about": about }));
                let mut entry = memory.json(OCI_MANIFEST, &manifest(config, 0));
                entry["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
                entry["annotations"] = json!({ "vnd.docker.reference.digest": about });
                entries.push(entry);
            }
            entries
        }
        IndexNode::Artifact(number) => {
            let config = memory.put("application/vnd.oci.empty.v1+json", b"{}");
            vec![memory.json(OCI_MANIFEST, &manifest(config, *number))]
        }
        IndexNode::Index(nodes) => {
            let entries: Vec<Value> = nodes.iter().flat_map(|it| put(memory, it)).collect();
            vec![memory.json(OCI_INDEX, &json!({ "schemaVersion": 2, "manifests": entries, "z": 1.50 }))]
        }
    }
}

fn spec() -> impl Strategy<Value = ImageSpec> {
    let places = [AnnotationPlace::Root, AnnotationPlace::Manifests, AnnotationPlace::Descriptors];
    let texts =
        || prop_oneof![Just(BTreeMap::new()), Just(BTreeMap::from([("a".to_owned(), "1".to_owned())]))];
    let platforms = prop::sample::subsequence(PLATFORMS.to_vec(), 0..=2);
    (platforms, texts(), prop::sample::subsequence(places.to_vec(), 0..=3), texts()).prop_map(
        |(platforms, annotations, annotate, labels)| ImageSpec {
            platforms: platforms.iter().map(|it| it.parse().expect("a platform")).collect(),
            annotations,
            annotate,
            labels,
            ..ImageSpec::of(SourceSpec::Several(Vec::new()))
        },
    )
}

fn json_of(source: &dyn Source, blob: &Descriptor) -> Value {
    let mut bytes = Vec::new();
    source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
    serde_json::from_slice(&bytes).expect("json")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_published_content_is_the_declared_content(nodes in prop::collection::vec(node(), 0..5), spec in spec()) {
        let mut memory = Memory::default();
        let root = put(&mut memory, &IndexNode::Index(nodes)).remove(0);
        let source: Arc<dyn Source> = memory.with_root(&root);
        let before = walk(source.as_ref()).expect("content");
        let published = match rewrite(Arc::clone(&source), &spec) {
            Ok(published) => published,
            Err(error) => {
                let error = error.to_string();
                let known = ["lacks `", "refers to it by its digest", "would have no effect"];
                prop_assert!(known.iter().any(|it| error.contains(it)), "{}", error);
                return Ok(());
            }
        };
        let content = walk(published.as_ref()).expect("whole");
        let again = rewrite(Arc::clone(&published), &spec).expect("again");
        prop_assert!(Arc::ptr_eq(&again, &published), "a second rewrite changes nothing");
        prop_assert_eq!(content.root == before.root, Arc::ptr_eq(&published, &source));

        // Exactly the declared platforms are published, with all of their images.
        let wanted = |platform: &Platform| {
            spec.platforms.is_empty() || spec.platforms.iter().any(|it| platform.satisfies(it))
        };
        let expected: BTreeSet<_> = before.platforms.iter().filter(|it| wanted(it)).collect();
        prop_assert_eq!(content.platforms.iter().collect::<BTreeSet<_>>(), expected);
        let count = |source: &dyn Source| {
            let images = images(source).expect("images").into_iter();
            images.filter(|it| it.platform.as_ref().is_some_and(wanted)).count()
        };
        prop_assert_eq!(count(published.as_ref()), count(source.as_ref()));

        // The subject of every published attestation is published too.
        let present: BTreeSet<_> = content.manifests.iter().map(|it| it.digest().clone()).collect();
        for raw in &content.manifests {
            let Ok(Manifest::Index { manifests, .. }) = raw.parse() else { continue };
            for about in manifests.iter().filter(|it| is_attestation(it)).filter_map(attested) {
                prop_assert!(present.contains(&about), "{}", about);
            }
        }
        for image in images(published.as_ref()).expect("images").iter().filter(|it| it.platform.is_some()) {
            let manifest = json_of(published.as_ref(), &image.descriptor);
            let config = serde_json::from_value(manifest["config"].clone()).expect("a descriptor");
            let labels = &json_of(published.as_ref(), &config)["config"]["Labels"];
            prop_assert_eq!(labels == &json!({ "a": "1" }), !spec.labels.is_empty());
            let annotated = !spec.annotations.is_empty() && spec.annotate.contains(&AnnotationPlace::Manifests);
            prop_assert_eq!(manifest["annotations"] == json!({ "a": "1" }), annotated);
            prop_assert!(manifest["n"].is_number());
        }
        let root = json_of(published.as_ref(), &content.root);
        prop_assert_eq!(&root["z"], &json!(1.5));
    }
}
