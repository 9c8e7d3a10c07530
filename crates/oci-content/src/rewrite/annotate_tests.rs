//! Annotations are written to the declared places, and nothing else changes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::fixture::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, TestImage, TestLayer};
use super::super::{Source, Surroundings, open, walk};
use super::fixture::{LayoutFixture, annotating, json_of_root, listed, manifest, root};
use super::rewrite;
use crate::AnnotationPlace::{Descriptors, Manifests, Root};
use crate::SourceSpec;

fn source(image: &TestImage) -> (tempfile::TempDir, Arc<dyn Source>) {
    let folder = tempfile::tempdir().expect("a directory");
    image.write(folder.path());
    let source =
        open(&SourceSpec::One("oci:.".parse().expect("a source")), &Surroundings::local(folder.path()))
            .expect("opened")
            .source;
    (folder, source)
}

fn image() -> TestImage {
    TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 10)])
}

#[test]
fn annotations_are_merged_sorted_and_change_nothing_else() {
    for image in [image(), image().single()] {
        let image = image.annotation("z.kept", "1").annotation("b.changed", "old");
        let (_folder, source) = source(&image);
        let before = walk(source.as_ref()).expect("content");
        let new = annotating(&[], &[("b.changed", "neu \"ü\""), ("a.added", "2")]);
        let after = walk(rewrite(source, &new).expect("annotated").as_ref()).expect("content");
        assert_eq!(before.blobs, after.blobs);
        assert_eq!(before.platforms, after.platforms);
        assert_eq!(before.root.media_type, after.root.media_type);
        assert_ne!(before.root.digest, after.root.digest);
        let count = before.manifests.len() - 1;
        assert_eq!(before.manifests[..count], after.manifests[..count]);
        let text = String::from_utf8(after.manifests[count].bytes().to_vec()).expect("text");
        let expected = r#""annotations":{"a.added":"2","b.changed":"neu \"ü\"","z.kept":"1"}}"#;
        assert!(text.ends_with(expected), "{text}");
        let order = ["schemaVersion", "mediaType", "annotations"].map(|key| text.find(key).expect("a key"));
        assert!(order.is_sorted(), "{text}");
    }
}

#[test]
fn nothing_changes_if_there_is_nothing_to_write() {
    let (_folder, source) = source(&image().annotation("a", "1").annotation("b", "2"));
    for same in [annotating(&[], &[]), annotating(&[Root], &[]), annotating(&[Root], &[("a", "1")])] {
        let after = rewrite(Arc::clone(&source), &same).expect("the same");
        assert!(Arc::ptr_eq(&after, &source));
    }
}

#[test]
fn the_same_annotations_give_the_same_bytes() {
    let (_folder, source) = source(&image());
    let new = annotating(&[Root, Manifests, Descriptors], &[("a", "1")]);
    let annotated = rewrite(Arc::clone(&source), &new).expect("annotated");
    let twice = rewrite(Arc::clone(&annotated), &new).expect("twice");
    assert!(Arc::ptr_eq(&annotated, &twice));
    let again = rewrite(source, &new).expect("again").root().expect("a root");
    assert_eq!(annotated.root().expect("a root"), again);
}

#[test]
fn a_child_that_changes_is_described_anew_in_every_index_above() {
    let tree = LayoutFixture::new();
    let mut inline = tree.entry("linux/amd64");
    inline["data"] = json!("not looked at");
    inline["x.unknown"] = json!([1.50]);
    let inner = tree.index(&[inline]);
    let artifact = tree.artifact(&json!({}));
    let outer = tree.index(&[inner, tree.entry("linux/arm64"), artifact.clone()]);
    let spec = annotating(&[Manifests], &[("a", "1")]);
    let content = tree.publish(&outer, spec).expect("published");
    let index = root(&content);
    assert_eq!(index.get("annotations"), None);
    assert_eq!(index["manifests"][2], artifact, "no image");
    let inner = manifest(&content, &index["manifests"][0]["digest"]);
    let entry = &inner["manifests"][0];
    let image = manifest(&content, &entry["digest"]);
    assert_eq!(image["annotations"], json!({ "a": "1" }));
    assert_eq!(manifest(&content, &index["manifests"][1]["digest"])["annotations"], json!({ "a": "1" }));
    assert_eq!(entry["platform"], json!({ "architecture": "amd64", "os": "linux" }));
    assert_eq!(entry["x.unknown"], json!([1.5]));
    let text = serde_json::to_vec(&image).expect("json");
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &text);
    assert_eq!(entry["data"], json!(data), "inline content is that of the new digest");
    assert_eq!(entry["size"], json!(text.len()));
}

#[test]
fn entries_keep_the_annotations_that_they_have() {
    let tree = LayoutFixture::new();
    let mut amd = tree.entry("linux/amd64");
    amd["annotations"] = json!({ "z": "0", "a": "old" });
    // Only its configuration gives its platform.
    let unlisted = tree.image("linux/arm64");
    let attestation = tree.attestation(&amd);
    let nested = tree.index(&[tree.entry("linux/s390x")]);
    let index = tree.index(&[amd, unlisted, attestation.clone(), nested.clone()]);
    let content = tree.publish(&index, annotating(&[Descriptors], &[("a", "1")])).expect("published");
    let index = root(&content);
    let annotations: Vec<&Value> = (0..4).map(|it| &index["manifests"][it]["annotations"]).collect();
    assert_eq!(*annotations[0], json!({ "a": "1", "z": "0" }));
    assert_eq!(*annotations[1], json!({ "a": "1" }));
    assert_eq!(index["manifests"][2], attestation);
    assert_eq!(*annotations[3], Value::Null, "an index is no image");
    let inner = manifest(&content, &index["manifests"][3]["digest"]);
    assert_eq!(inner["manifests"][0]["annotations"], json!({ "a": "1" }));
    assert_eq!(index.get("annotations"), None);
}

#[test]
fn the_subject_of_an_attestation_does_not_change() {
    let tree = LayoutFixture::new();
    let image = tree.entry("linux/amd64");
    let attestation = tree.attestation(&image);
    let index = tree.index(&[image.clone(), attestation]);
    let error = tree.refused(&index, annotating(&[Root, Manifests], &[("a", "1")]));
    let expected =
        format!("`annotations` would change `{}`, but `", image["digest"].as_str().expect("a digest"));
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("docker buildx build --label"), "{error}");
    tree.publish(&index, annotating(&[Root, Descriptors], &[("a", "1")]))
        .expect("its subject does not change");
    // An artifact refers to an image by `subject`.
    let artifact = tree.artifact(&json!({ "subject": tree.image("linux/amd64") }));
    let index = tree.index(&[artifact, image]);
    assert!(
        tree.refused(&index, annotating(&[Manifests], &[("a", "1")])).contains("refers to it by its digest")
    );
    // An image that has the annotations already does not change.
    let image = tree.image_with("linux/amd64", &json!({ "annotations": { "a": "1" } }));
    let index = tree.index(&[tree.attestation(&image), listed(&image, "linux/amd64")]);
    let content = tree.publish(&index, annotating(&[Manifests], &[("a", "1")])).expect("as it is");
    assert_eq!(content.root.digest.as_str(), index["digest"]);
}

#[test]
fn docker_manifests_cannot_have_annotations() {
    for image in [image().docker(), image().docker().single()] {
        let (_folder, source) = source(&image);
        let Err(error) = rewrite(source, &annotating(&[], &[("a", "1")])) else { panic!("annotated") };
        assert!(error.to_string().contains("`annotations` cannot be written"), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("OCI media types")));
    }
    let (_folder, source) = source(&image().docker());
    let Err(error) = rewrite(source, &annotating(&[Descriptors], &[("a", "1")])) else { panic!("annotated") };
    assert!(error.to_string().contains("written to the entries of manifest `sha256:"), "{error}");
}

#[test]
fn a_mixed_index_is_annotated_if_its_parts_allow_it() {
    let tree = LayoutFixture::new();
    let mut docker = json_of_root(&tree, &tree.image("linux/arm64"));
    docker["mediaType"] = json!(DOCKER_MANIFEST);
    let docker = listed(&tree.put(DOCKER_MANIFEST, &docker), "linux/arm64");
    let index = tree.index(&[tree.entry("linux/amd64"), docker.clone()]);
    let content = tree.publish(&index, annotating(&[Root, Descriptors], &[("a", "1")])).expect("published");
    assert_eq!(root(&content)["manifests"][1]["annotations"], json!({ "a": "1" }));
    assert!(tree.refused(&index, annotating(&[Manifests], &[("a", "1")])).contains(DOCKER_MANIFEST));
    let list =
        json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [tree.entry("linux/amd64")] });
    let list = tree.put(DOCKER_LIST, &list);
    let content = tree.publish(&list, annotating(&[Manifests], &[("a", "1")])).expect("published");
    assert_eq!(content.root.media_type, DOCKER_LIST);
}

#[test]
fn annotations_without_a_place_are_refused() {
    let tree = LayoutFixture::new();
    for (root, words) in [
        (tree.image("linux/amd64"), "no index, because it is a single image"),
        (tree.index(&[]), "no images"),
        (tree.index(&[tree.artifact(&json!({}))]), "no images"),
    ] {
        let error = tree.refused(&root, annotating(&[Descriptors], &[("a", "1")]));
        assert!(error.contains("would have no effect") && error.contains(words), "{error}");
    }
    // A single artifact is both the root and a manifest.
    let artifact = tree.artifact(&json!({}));
    let content = tree.publish(&artifact, annotating(&[Manifests], &[("a", "1")])).expect("published");
    assert_eq!(root(&content)["annotations"], json!({ "a": "1" }));
    assert_eq!(root(&content)["layers"][0]["data"], json!("e30="), "inline content stays");
    assert_eq!(root(&content)["artifactType"], json!("application/vnd.example"));
}

#[test]
fn a_manifest_does_not_grow_beyond_the_limit_of_registries() {
    let (_folder, source) = source(&image());
    let long = "x".repeat(11 * 1024 * 1024);
    for place in [Root, Manifests, Descriptors] {
        let spec = annotating(&[place], &[("a", &long)]);
        let Err(error) = rewrite(Arc::clone(&source), &spec) else { panic!("annotated") };
        assert!(error.to_string().contains("bytes with its `annotations`"), "{error}");
    }
    // The total is held in memory, so it is limited too.
    let tree = LayoutFixture::new();
    let entries: Vec<Value> = (0..100)
        .map(|it| listed(&tree.image_with("linux/amd64", &json!({ "n": it })), "linux/amd64"))
        .collect();
    let index = tree.index(&entries);
    let long = "x".repeat(1024 * 1024);
    for (place, words) in [(Manifests, "more than 64 MiB"), (Descriptors, "bytes with its `annotations`")] {
        let error = tree.refused(&index, annotating(&[place], &[("a", &long)]));
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(index["mediaType"], OCI_INDEX);
}
