//! Walks over trees of every shape, in layouts that the tests write.

use std::path::Path;

use serde_json::{Value, json};

use super::super::fixture::{
    LayoutDirectory, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, TestImage, TestLayer, Written,
    describe,
};
use super::super::{Surroundings, open};
use super::*;
use crate::SourceSpec;

fn content(at: &Path) -> Result<Content, SourceError> {
    let spec = SourceSpec::One("oci:.".parse().expect("a source"));
    walk(open(&spec, &Surroundings::local(at))?.source.as_ref())
}

fn refused(at: &Path) -> String {
    content(at).expect_err("refused").to_string()
}

fn written(image: &TestImage) -> (Content, Written) {
    let folder = tempfile::tempdir().expect("a directory");
    let written = image.write(folder.path());
    (content(folder.path()).expect("content"), written)
}

fn digests<'a>(descriptors: impl IntoIterator<Item = &'a Descriptor>) -> Vec<String> {
    descriptors.into_iter().map(|it| it.digest.to_string()).collect()
}

fn names(platforms: &[Platform]) -> Vec<String> {
    platforms.iter().map(ToString::to_string).collect()
}

#[test]
fn an_index_with_attestations() {
    let shared = TestLayer::files(&[("shared", b"by both")]);
    let image = TestImage::new()
        .platform("linux/amd64", vec![shared.clone(), TestLayer::noise(1, 100)])
        .platform("linux/arm/v7", vec![shared, TestLayer::noise(2, 100)])
        .attested();
    let (content, written) = written(&image);
    assert_eq!(names(&content.platforms), ["linux/amd64", "linux/arm/v7"]);
    assert_eq!(content.manifests.len(), 5);
    let root = content.manifests.last().expect("a root");
    assert_eq!(root.descriptor(), content.root);
    assert_eq!(root.bytes(), written.bytes);
    let (mut found, mut expected) = (digests(&content.blobs), written.blobs);
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "each blob once");
    let sizes: u64 = content.blobs.iter().map(|blob| blob.size).sum();
    let manifests: u64 = content.manifests.iter().map(|it| it.bytes().len() as u64).sum();
    assert_eq!(content.total_size(), sizes + manifests);
}

#[test]
fn one_image_says_its_platform_in_its_configuration() {
    let image = TestImage::new().platform("linux/arm64/v8", vec![TestLayer::noise(1, 10)]).single();
    for image in [image.clone(), image.docker()] {
        let (content, written) = written(&image);
        assert_eq!(names(&content.platforms), ["linux/arm64/v8"]);
        assert_eq!(digests(&content.blobs), written.blobs, "configuration first, then layers");
        assert_eq!(content.manifests.len(), 1);
        assert_eq!(content.root.media_type, written.media_type);
    }
}

#[test]
fn docker_and_oci_manifests_may_be_mixed() {
    let folder = tempfile::tempdir().expect("a directory");
    let docker = TestImage::new()
        .platform("linux/amd64", vec![TestLayer::noise(1, 9)])
        .docker()
        .single()
        .reference("d");
    let oci = TestImage::new().platform("linux/arm64", vec![TestLayer::noise(2, 9)]).single().reference("o");
    let (docker, oci) = (docker.write(folder.path()), oci.write(folder.path()));
    let layout = LayoutDirectory::create(folder.path());
    // If the index gives no platforms, they are read from the configurations.
    let entries: Vec<Value> =
        [&docker, &oci].into_iter().map(|it| describe(&it.media_type, &it.bytes)).collect();
    let inner = layout.put(
        OCI_INDEX,
        &serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": entries })).expect("json"),
    );
    let outer = layout.put(
        OCI_INDEX,
        &serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": [inner, entries[0]] })).expect("json"),
    );
    layout.list(&outer, &["nested".to_owned()]);
    let spec = SourceSpec::One("oci:.:nested".parse().expect("a source"));
    let content = walk(open(&spec, &Surroundings::local(folder.path())).expect("opened").source.as_ref())
        .expect("content");
    assert_eq!(names(&content.platforms), ["linux/amd64", "linux/arm64"]);
    assert_eq!(content.manifests.len(), 4, "the image that is listed twice once");
    let order: Vec<&str> = content.manifests.iter().map(|it| it.digest().as_str()).collect();
    assert_eq!(order[..2], [docker.digest.as_str(), oci.digest.as_str()]);
    assert_eq!(order[2], inner["digest"].as_str().expect("a digest"));
}

#[test]
fn foreign_layers_are_listed_and_not_looked_for() {
    let layers = vec![TestLayer::foreign("https://example.com/base"), TestLayer::noise(1, 10)];
    let (content, written) = written(&TestImage::new().platform("windows/amd64", layers).single());
    assert_eq!(content.foreign.len(), 1);
    assert_eq!(content.foreign[0].urls, ["https://example.com/base"]);
    assert_eq!(digests(&content.blobs), written.blobs);
    // If the same bytes are a foreign layer in one image and an ordinary layer in another, they are sent.
    let mut own = TestLayer::foreign("https://example.com/base");
    (own.present, own.descriptor) = (true, json!({}));
    let image = TestImage::new()
        .platform("windows/amd64", vec![TestLayer::foreign("https://example.com/base")])
        .platform("linux/amd64", vec![own]);
    let (content, _) = self::written(&image);
    assert_eq!((content.foreign.len(), content.blobs.len()), (1, 3));
    let mut nowhere = TestLayer::foreign("x");
    nowhere.descriptor["urls"] = json!([]);
    let folder = tempfile::tempdir().expect("a directory");
    TestImage::new().platform("windows/amd64", vec![nowhere]).single().write(folder.path());
    assert!(refused(folder.path()).contains("is not in the source"));
}

#[test]
fn content_that_registries_refuse_is_refused_with_the_reason() {
    for (media_type, bytes, words) in [
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", &b"{}"[..], "schema 1"),
        ("application/vnd.oci.artifact.manifest.v1+json", b"{}", "neither an image nor an index"),
        (OCI_MANIFEST, b"{}", "`schemaVersion` is not 2"),
        (OCI_MANIFEST, b"\xff\xfe", "is damaged"),
    ] {
        let folder = tempfile::tempdir().expect("a directory");
        let layout = LayoutDirectory::create(folder.path());
        layout.list(&layout.put(media_type, bytes), &[]);
        let message = refused(folder.path());
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_digest_described_twice_must_be_described_the_same() {
    let folder = tempfile::tempdir().expect("a directory");
    let layout = LayoutDirectory::create(folder.path());
    let config = layout.put(OCI_CONFIG, b"{}");
    let mut layer = layout.put(OCI_LAYER_GZIP, b"layer");
    let mut layers = vec![layer.clone()];
    layer["size"] = json!(6);
    layers.push(layer);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
    layout.list(&layout.put(OCI_MANIFEST, &serde_json::to_vec(&manifest).expect("json")), &[]);
    assert!(refused(folder.path()).contains("described twice, with different sizes"));
}

#[test]
fn depth_and_number_are_bounded() {
    let folder = tempfile::tempdir().expect("a directory");
    let layout = LayoutDirectory::create(folder.path());
    let mut entry = layout.put(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
    for level in 1..=MAX_DEPTH {
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        entry = layout.put(OCI_INDEX, &serde_json::to_vec(&index).expect("json"));
        if level == MAX_DEPTH - 1 {
            layout.list(&entry, &["deep".to_owned()]);
        }
    }
    layout.list(&entry, &["deeper".to_owned()]);
    let walk_to = |reference: &str| {
        let spec = SourceSpec::One(format!("oci:.:{reference}").parse().expect("a source"));
        walk(open(&spec, &Surroundings::local(folder.path())).expect("opened").source.as_ref())
    };
    assert_eq!(walk_to("deep").expect("16 levels").manifests.len(), MAX_DEPTH);
    let message = walk_to("deeper").expect_err("17 levels").to_string();
    assert!(message.contains("more than 16 deep"), "{message}");

    let many: Vec<Value> = (0..=MAX_MANIFESTS)
        .map(|number| {
            let index = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"n":"{number}"}}}}"#);
            layout.put(OCI_INDEX, index.as_bytes())
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "manifests": many });
    layout.list(&layout.put(OCI_INDEX, &serde_json::to_vec(&index).expect("json")), &["wide".to_owned()]);
    let message = walk_to("wide").expect_err("too many").to_string();
    assert!(message.contains("more than 10000 manifests"), "{message}");
}
