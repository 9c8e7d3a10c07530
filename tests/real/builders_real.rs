//! Sources that podman, buildah and skopeo wrote: their directories and their store.
//!
//! Needs buildah, podman and skopeo; fails if one is missing. The test does not use the network.

use std::path::Path;

use brokkr_publish::content::{Published, publishable};
use brokkr_publish::model::content::ContentSpec;
use oci_content::{ImageSpec, SourceSpec, Surroundings};
use oci_registry::Digest;

use testkit::engine::{Store, run, run_in};

const FILES: [(&str, &str); 3] = [("one", "1\n"), ("two", "2\n"), ("three", "3\n")];

fn published(folder: &Path, source: &str) -> Published {
    let spec = ImageSpec::of(SourceSpec::One(source.parse().expect("a source")));
    let published = publishable(&ContentSpec::Image(spec), &Surroundings::local(folder))
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    for blob in &published.content.blobs {
        let mut blob = published.source.open(blob).expect("opened");
        std::io::copy(&mut blob, &mut std::io::sink()).expect("verified");
    }
    published
}

#[test]
fn a_directory_of_skopeo_and_of_podman_keeps_its_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.podman(&["save", "--format", "docker-dir", "--output", "podman-dir", "app:v1"]);
    store.podman(&["push", "--quiet", "app:v1", "oci:layout:v1"]);
    run_in(at, "skopeo", &["copy", "--preserve-digests", "oci:layout:v1", "dir:skopeo-dir"]);
    for name in ["podman-dir", "skopeo-dir"] {
        let raw = run_in(at, "skopeo", &["inspect", "--raw", &format!("dir:{name}")]);
        let root = published(at, &format!("dir:{name}")).content.root;
        assert_eq!(root.digest, Digest::of(raw.as_bytes()), "{name}");
    }
    let layout = published(at, "oci:layout:v1").content.root.digest;
    assert_eq!(published(at, "dir:skopeo-dir").content.root.digest, layout);
}

#[test]
fn an_image_in_the_store_is_the_same_as_from_podman_save() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.podman(&["save", "--output", "saved.tar", "app:v1"]);
    let from_archive = published(at, "docker-archive:saved.tar").content;
    let saved = &from_archive.root.digest;
    let id = store.podman(&["images", "--no-trunc", "--quiet", "app:v1"]);
    for name in ["app:v1", "localhost/app:v1", id.trim_start_matches("sha256:")] {
        let found = published(at, &format!("containers-storage:[vfs@root]{name}")).content;
        let blobs = |content: &oci_content::Content| {
            let mut digests: Vec<String> = content.blobs.iter().map(|blob| blob.digest.to_string()).collect();
            digests.sort();
            digests
        };
        // The manifest has the annotations of buildah too, which an archive does not keep.
        assert_eq!(blobs(&found), blobs(&from_archive), "{name}");
        let manifest =
            String::from_utf8_lossy(found.manifests.last().expect("a manifest").bytes()).into_owned();
        assert!(manifest.contains("\"annotations\":{\"org.opencontainers.image.base.digest\""), "{manifest}");
    }
    // A manifest list becomes an index of its images.
    store.buildah(&["manifest", "create", "all"]);
    store.buildah(&["manifest", "add", "all", "app:v1"]);
    let index = published(at, "containers-storage:[vfs@root]all").content;
    let alone = published(at, "containers-storage:[vfs@root]app:v1").content.root.digest;
    assert!(index.manifests.iter().any(|manifest| *manifest.digest() == alone));
    // A store of the driver that is usual.
    let mut overlay = std::process::Command::new("skopeo");
    let target = format!("containers-storage:[overlay@{0}/over+{0}/over-run]app:v1", at.display());
    overlay.args(["copy", "docker-archive:saved.tar", &target]).current_dir(at).env("TMPDIR", at);
    run(&mut overlay);
    assert_eq!(published(at, "containers-storage:[overlay@over]app:v1").content.root.digest, *saved);
}
