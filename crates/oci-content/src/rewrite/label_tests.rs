//! Labels: in the configuration of each image, and in nothing else.

use serde_json::{Value, json};

use super::super::fixture::{DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST};
use super::fixture::{LayoutFixture, json_of_root, labelling, listed, manifest, names, root};
use crate::ImageSpec;

/// Publishes a single image with the configuration `config`, and returns the text of the new configuration.
fn labelled(config: &str, labels: &[(&str, &str)]) -> String {
    let tree = LayoutFixture::new();
    let config = tree.layout.put(OCI_CONFIG, config.as_bytes());
    let image = tree.put(OCI_MANIFEST, &json!({ "schemaVersion": 2, "config": config, "layers": null }));
    let content = tree.publish(&image, labelling(labels)).expect("published");
    let new = root(&content)["config"].clone();
    assert_eq!(new["mediaType"], json!(OCI_CONFIG));
    if new == config {
        assert_eq!(content.root.digest.as_str(), image["digest"], "not one byte");
    }
    let spec = crate::SourceSpec::One("oci:.".parse().expect("a source"));
    let spec = ImageSpec { source: spec, ..labelling(labels) };
    let at = super::super::Surroundings::local(tree.folder.path());
    let source = super::rewrite(super::super::open(&spec.source, &at).expect("opened").source, &spec);
    let source = source.expect("labelled");
    let mut text = String::new();
    let mut reader = source.open(&content.blobs[0]).expect("opened");
    std::io::Read::read_to_string(&mut reader, &mut text).expect("verified");
    text
}

#[test]
fn the_rest_of_a_configuration_keeps_its_position() {
    for (before, after) in [
        (
            r#"{ "z": 1.50, "config": { "Env": ["A=<b> \u003c"], "Labels": { "z": "0", "b": "old" }, "User": "" }, "os": "linux" }"#,
            r#"{"z":1.50,"config":{"Env":["A=<b> \u003c"],"Labels":{"a":"1","b":"2","z":"0"},"User":""},"os":"linux"}"#,
        ),
        (
            r#"{"config":{"Labels":null,"x":1},"os":"linux"}"#,
            r#"{"config":{"Labels":{"a":"1","b":"2"},"x":1},"os":"linux"}"#,
        ),
        (r#"{"config":null,"os":"linux"}"#, r#"{"config":{"Labels":{"a":"1","b":"2"}},"os":"linux"}"#),
        ("{}", r#"{"config":{"Labels":{"a":"1","b":"2"}}}"#),
        (
            r#"{ "config": {"Labels": {"b": "2", "a": "1"}} }"#,
            r#"{ "config": {"Labels": {"b": "2", "a": "1"}} }"#,
        ),
    ] {
        assert_eq!(labelled(before, &[("b", "2"), ("a", "1")]), after);
    }
}

#[test]
fn each_image_has_labels_and_attestations_have_none() {
    let tree = LayoutFixture::new();
    let artifact = tree.artifact(&json!({}));
    let index =
        tree.index(&[tree.index(&[tree.entry("linux/amd64")]), tree.image("linux/arm64"), artifact.clone()]);
    let content = tree.publish(&index, labelling(&[("a", "1")])).expect("published");
    let index = root(&content);
    assert_eq!(index["manifests"][2], artifact);
    let inner = manifest(&content, &index["manifests"][0]["digest"]);
    for (entry, old) in [
        (&inner["manifests"][0], tree.image("linux/amd64")),
        (&index["manifests"][1], tree.image("linux/arm64")),
    ] {
        assert_ne!(entry["digest"], old["digest"]);
        let (new, old) = (manifest(&content, &entry["digest"]), json_of_root(&tree, &old));
        assert_ne!(new["config"]["digest"], old["config"]["digest"]);
        assert_eq!(new["layers"], old["layers"]);
    }
    assert_eq!(names(&content), ["linux/amd64", "linux/arm64"]);
    let image = tree.entry("linux/amd64");
    let attested = tree.index(&[image.clone(), tree.attestation(&image)]);
    let error = tree.refused(&attested, labelling(&[("a", "1")]));
    assert!(error.starts_with("`labels` would change `sha256:"), "{error}");
    // Attestations about other images do not matter.
    let index = tree.index(&[image, tree.entry("linux/arm64"), tree.attestation(&tree.image("linux/arm64"))]);
    let spec = labelling(&[("a", "1")]);
    let spec = ImageSpec { platforms: vec!["linux/amd64".parse().expect("a platform")], ..spec };
    assert_eq!(
        root(&tree.publish(&index, spec).expect("published"))["manifests"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn docker_images_have_labels_too() {
    let tree = LayoutFixture::new();
    let config = tree.put(DOCKER_CONFIG, &json!({ "os": "linux", "architecture": "amd64" }));
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": [] });
    let content =
        tree.publish(&tree.put(DOCKER_MANIFEST, &manifest), labelling(&[("a", "1")])).expect("published");
    assert_eq!(root(&content)["mediaType"], json!(DOCKER_MANIFEST));
    assert_eq!(root(&content)["config"]["mediaType"], json!(DOCKER_CONFIG));
    assert_ne!(root(&content)["config"]["digest"], config["digest"]);
}

#[test]
fn content_without_an_image_configuration_cannot_have_labels() {
    let tree = LayoutFixture::new();
    for root in [tree.artifact(&json!({})), tree.index(&[]), tree.index(&[tree.artifact(&json!({}))])] {
        let error = tree.refused(&root, labelling(&[("a", "1")]));
        assert!(error.contains("`labels` would have no effect"), "{error}");
    }
}

#[test]
fn configurations_are_bounded_and_must_be_objects() {
    let tree = LayoutFixture::new();
    let image = tree.image("linux/amd64");
    let error = tree.refused(&image, labelling(&[("a", &"x".repeat(17 * 1024 * 1024))]));
    assert!(error.contains("bytes with its `labels`"), "{error}");
    for config in ["[]", r#"{"config":[]}"#, r#"{"config":{"Labels":{"a":1}}}"#, "{"] {
        let config: Value = tree.layout.put(OCI_CONFIG, config.as_bytes());
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
        let image = listed(&tree.put(OCI_MANIFEST, &manifest), "linux/amd64");
        let error = tree.refused(&tree.index(&[image]), labelling(&[("a", "1")]));
        assert!(error.contains("is damaged"), "{error}");
    }
}
