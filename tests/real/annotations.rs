//! The annotations and labels that are written: from the project, from the image, or none; the bytes are the same in every run.

use serde_json::{Value, json};
use testkit::image;

use testkit::command::Folder;
use testkit::world::{digest, image, manifest};

const TEXT: &str = r#"version = 1

[project]
source = "https://github.com/acme/hello"
annotations = "standard"
title = "Hello"
description = "Says hello"
licenses = "MIT"
url = "https://hello.example"
documentation = "https://hello.example/docs"

[registries.local]
url = "oci:registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[images.standard]
source = "oci:image"

[images.own]
source = "oci:image"
annotations = { "org.opencontainers.image.title" = "{{ image.name }}", "com.example.event" = "{{ event }}" }

[images.none]
source = "oci:image"
annotations = "none"

[images.signed]
source = "oci:image"
referrers = true

[images.everywhere]
source = "oci:plain"
annotate = ["root", "manifests", "descriptors"]
labels = { "com.example.commit" = "{{ git.sha }}" }

[artifacts.notes]
artifact_type = "application/vnd.example.notes"
files = [{ path = "notes.txt", media_type = "text/plain" }]
"#;

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", TEXT), ("notes.txt", "first\n")]);
    folder.image("image", &image("hello"));
    let layer = |text: &str| vec![image::TestLayer::files(&[("text", text.as_bytes())])];
    let plain = image::TestImage::new()
        .platform("linux/amd64", layer("amd64"))
        .platform("linux/arm64", layer("arm64"));
    folder.image("plain", &plain);
    folder
}

fn apply(folder: &Folder) {
    let arguments = format!("apply --ref refs/tags/v1.2.3 --sha {SHA} --auto-approve");
    // 2026-01-02 03:04:05 UTC.
    folder.run(&arguments).env("SOURCE_DATE_EPOCH", "1767323045").done().expect_code(0);
}

fn at(folder: &Folder, name: &str) -> String {
    format!("oci:{}/registry/{name}:v1.2.3", folder.path.display())
}

fn standard() -> Value {
    json!({
        "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
        "org.opencontainers.image.description": "Says hello",
        "org.opencontainers.image.documentation": "https://hello.example/docs",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.ref.name": "v1.2.3",
        "org.opencontainers.image.revision": SHA,
        "org.opencontainers.image.source": "https://github.com/acme/hello",
        "org.opencontainers.image.title": "Hello",
        "org.opencontainers.image.url": "https://hello.example",
        "org.opencontainers.image.version": "1.2.3",
    })
}

#[test]
fn the_project_gives_the_standard_ones() {
    let folder = folder();
    apply(&folder);
    assert_eq!(manifest(&at(&folder, "standard"))["annotations"], standard());
    let mut own = standard();
    own["org.opencontainers.image.title"] = json!("own");
    own["com.example.event"] = json!("tag");
    assert_eq!(manifest(&at(&folder, "own"))["annotations"], own);
    assert_eq!(manifest(&at(&folder, "notes"))["annotations"], standard());
}

#[test]
fn nothing_changes_where_none_are_wanted_or_signatures_go_along() {
    let folder = folder();
    apply(&folder);
    let source = digest(&format!("oci:{}/image", folder.path.display()));
    assert!(source.is_some());
    assert_eq!(digest(&at(&folder, "none")), source);
    assert_eq!(digest(&at(&folder, "signed")), source);
    assert_ne!(digest(&at(&folder, "standard")), source);
}

#[test]
fn on_request_they_are_written_everywhere() {
    let folder = folder();
    apply(&folder);
    let index = manifest(&at(&folder, "everywhere"));
    assert_eq!(index["annotations"], standard());
    let entries = index["manifests"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    let layout = image::LayoutDirectory::create(&folder.path.join("registry/everywhere"));
    let read = |digest: &Value| -> Value {
        serde_json::from_slice(&layout.get(digest.as_str().expect("a digest"))).expect("JSON")
    };
    for entry in entries {
        assert_eq!(entry["annotations"], standard());
        let image = read(&entry["digest"]);
        assert_eq!(image["annotations"], standard());
        let configuration = read(&image["config"]["digest"]);
        assert_eq!(configuration["config"]["Labels"]["com.example.commit"], SHA);
    }
}

#[test]
fn every_run_writes_the_same_bytes() {
    let (one, other) = (folder(), folder());
    apply(&one);
    apply(&other);
    for name in ["standard", "own", "everywhere", "notes"] {
        let of_one = digest(&at(&one, name));
        assert!(of_one.is_some());
        assert_eq!(of_one, digest(&at(&other, name)), "{name}");
    }
    let again = format!("plan --ref refs/tags/v1.2.3 --sha {SHA} --detailed-exitcode");
    one.run(&again).env("SOURCE_DATE_EPOCH", "1767323045").done().expect_code(0);
}

#[test]
fn what_was_written_is_no_drift() {
    let folder = folder();
    apply(&folder);
    let told = folder.run("verify").done();
    assert_eq!(told.code(), Some(0), "{}", told.shown());
}
