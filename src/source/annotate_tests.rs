//! Annotations on roots.

use super::super::fixture::{Image, Layer};
use super::super::{Surroundings, open, walk};
use super::*;
use crate::model::SourceSpec;

fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn source(image: &Image) -> (tempfile::TempDir, Arc<dyn Source>) {
    let folder = tempfile::tempdir().expect("a directory");
    image.write(folder.path());
    let source =
        open(&SourceSpec::One("oci:.".parse().expect("a source")), &Surroundings::local(folder.path()))
            .expect("opened")
            .source;
    (folder, source)
}

fn image() -> Image {
    Image::new().platform("linux/amd64", vec![Layer::noise(1, 10)])
}

#[test]
fn they_are_merged_sorted_and_change_nothing_else() {
    for image in [image(), image().single()] {
        let image = image.annotation("z.kept", "1").annotation("b.changed", "old");
        let (_folder, source) = source(&image);
        let before = walk(source.as_ref()).expect("content");
        let new = annotations(&[("b.changed", "neu \"ü\""), ("a.added", "2")]);
        let after = walk(annotate(source, &new).expect("annotated").as_ref()).expect("content");
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
fn nothing_changes_where_there_is_nothing_to_write() {
    let (_folder, source) = source(&image().annotation("a", "1").annotation("b", "2"));
    let before = source.root().expect("a root");
    for same in [annotations(&[]), annotations(&[("a", "1")])] {
        let after = annotate(Arc::clone(&source), &same).expect("the same").root().expect("a root");
        assert_eq!(before, after);
    }
}

#[test]
fn the_same_annotations_give_the_same_bytes() {
    let (_folder, source) = source(&image());
    let new = annotations(&[("a", "1")]);
    let root = || annotate(Arc::clone(&source), &new).expect("annotated").root().expect("a root");
    assert_eq!(root(), root());
    let again = annotate(annotate(Arc::clone(&source), &new).expect("once"), &new).expect("twice");
    assert_eq!(again.root().expect("a root"), root());
}

#[test]
fn dockers_manifests_have_none() {
    for image in [image().docker(), image().docker().single()] {
        let (_folder, source) = source(&image);
        let Err(error) = annotate(source, &annotations(&[("a", "1")])) else { panic!("annotated") };
        let diagnostic = error.to_diagnostic();
        assert!(diagnostic.message.contains("`annotations` cannot be written"), "{diagnostic}");
        assert!(diagnostic.help.is_some_and(|help| help.contains("OCI media types")));
    }
}

#[test]
fn a_manifest_does_not_grow_beyond_what_registries_take() {
    let (_folder, source) = source(&image());
    let Err(error) = annotate(source, &annotations(&[("a", &"x".repeat(11 * 1024 * 1024))])) else {
        panic!("annotated")
    };
    assert!(error.to_string().contains("bytes with its `annotations`"), "{error}");
}
