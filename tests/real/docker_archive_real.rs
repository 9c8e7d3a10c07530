//! Docker archives that real programs wrote, and how real programs read the images that are published from them.
//!
//! Needs buildah, podman, skopeo, umoci, and dockerd as root; fails if one is missing. The test does not use the network.

use std::fs;
use std::io::Read;
use std::path::Path;
use testkit::image;

use brokkr_publish::content::{Published, publishable};
use brokkr_publish::model::content::ContentSpec;
use oci_content::ImageSpec;
use oci_content::SourceSpec;
use oci_content::Surroundings;
use oci_registry::Digest;

use testkit::engine::{Store, TestEngine, run_in};

fn published(folder: &Path, source: &str) -> Published {
    let spec = ImageSpec::of(SourceSpec::One(source.parse().expect("a source")));
    publishable(&ContentSpec::Image(spec), &Surroundings::local(folder))
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn refused(folder: &Path, source: &str) -> String {
    let spec = ImageSpec::of(SourceSpec::One(source.parse().expect("a source")));
    match publishable(&ContentSpec::Image(spec), &Surroundings::local(folder)) {
        Ok(_) => panic!("{source} was taken"),
        Err(error) => error.to_string(),
    }
}

/// Writes the published content to the layout `name`.
fn write(folder: &Path, published: &Published, name: &str) {
    let layout = image::LayoutDirectory::create(&folder.join(name));
    for manifest in &published.content.manifests {
        layout.put(manifest.media_type(), manifest.bytes());
    }
    for blob in &published.content.blobs {
        let mut bytes = Vec::new();
        published.source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
        layout.put(&blob.media_type, &bytes);
    }
    let root = published.content.manifests.last().expect("a root");
    layout.list(&image::describe(root.media_type(), root.bytes()), &["v1".to_owned()]);
}

/// Compares the published content with the results of skopeo, podman and umoci: the digest, and the files in it.
fn judged(folder: &Path, published: &Published, name: &str, files: &[(&str, &str)]) {
    write(folder, published, name);
    let raw = run_in(folder, "skopeo", &["inspect", "--raw", &format!("oci:{name}:v1")]);
    assert_eq!(Digest::of(raw.as_bytes()), published.content.root.digest, "{name}");
    // skopeo reads every byte, and compares each layer with the configuration.
    run_in(folder, "skopeo", &["copy", &format!("oci:{name}:v1"), &format!("oci:{name}-copy:v1")]);
    let bundle = format!("{name}-bundle");
    run_in(folder, "umoci", &["unpack", "--image", &format!("{name}:v1"), &bundle]);
    for (file, contents) in files {
        let unpacked = fs::read_to_string(folder.join(&bundle).join("rootfs").join(file)).expect("unpacked");
        assert_eq!(unpacked, *contents, "{name}: {file}");
    }
    let other = folder.join(format!("{name}-store"));
    fs::create_dir_all(&other).expect("a folder");
    let other = Store::new(&other);
    image::to_archive(&folder.join(name), &folder.join(format!("{name}-layout.tar")));
    other.podman(&["load", "--input", &format!("{}/{name}-layout.tar", folder.display())]);
    let mounted = other.podman(&["image", "mount", "localhost/v1"]);
    for (file, contents) in files {
        assert_eq!(
            fs::read_to_string(Path::new(&mounted).join(file)).expect("mounted"),
            *contents,
            "{name}: {file}"
        );
    }
    other.podman(&["image", "unmount", "--all"]);
}

const FILES: [(&str, &str); 3] = [("one", "1\n"), ("two", "2\n"), ("three", "3\n")];

#[test]
fn images_that_podman_buildah_and_skopeo_save() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.podman(&["save", "--output", "podman.tar", "app:v1"]);
    store.podman(&["save", "--output", "again.tar", "app:v1"]);
    store.buildah(&["push", "app:v1", "docker-archive:buildah.tar:app:v1"]);
    run_in(at, "skopeo", &["copy", "docker-archive:podman.tar", "docker-archive:skopeo.tar:other:v2"]);
    let podman = published(at, "docker-archive:podman.tar");
    judged(at, &podman, "podman", &FILES);
    assert_eq!(podman.content.blobs.len(), 4);
    assert_eq!(podman.content.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64"]);
    // The image is the same for every program that wrote it.
    for source in [
        "docker-archive:again.tar",
        "docker-archive:buildah.tar:app:v1",
        "docker-archive:podman.tar:localhost/app:v1",
        "docker-archive:podman.tar:app:v1",
        "docker-archive:podman.tar:@0",
        "docker-archive:skopeo.tar:docker.io/library/other:v2",
    ] {
        assert_eq!(published(at, source).content.root, podman.content.root, "{source}");
    }
    for (program, name) in [("gzip", "podman.tar.gz"), ("zstd", "podman.tar.zst")] {
        run_in(at, program, &["--keep", "podman.tar"]);
        let source = format!("docker-archive:{name}");
        assert_eq!(published(at, &source).content.root, podman.content.root, "{source}");
    }
    let error = refused(at, "docker-archive:podman.tar:app:v2");
    assert!(error.contains("holds no image `app:v2`: `localhost/app:v1`"), "{error}");
    // Layers that are already compressed keep their bytes.
    store.podman(&["save", "--format", "oci-archive", "--output", "oci.tar", "app:v1"]);
    let error = refused(at, "docker-archive:oci.tar");
    assert!(error.contains("is not a Docker archive"), "{error}");
}

#[test]
fn several_images_in_one_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("one:v1", &FILES[..1]);
    store.image("two:v1", &FILES[..2]);
    store.podman(&["tag", "two:v1", "registry.example:5000/group/two:v2"]);
    store.podman(&[
        "save",
        "--multi-image-archive",
        "--output",
        "both.tar",
        "one:v1",
        "two:v1",
        "registry.example:5000/group/two:v2",
    ]);
    let error = refused(at, "docker-archive:both.tar");
    assert!(error.contains("holds 2 images: `localhost/one:v1`, `localhost/two:v1`"), "{error}");
    store.podman(&["save", "--output", "two.tar", "two:v1"]);
    let alone = published(at, "docker-archive:two.tar").content.root;
    for reference in ["two:v1", "registry.example:5000/group/two:v2"] {
        let both = published(at, &format!("docker-archive:both.tar:{reference}"));
        assert_eq!(both.content.root, alone, "{reference}");
    }
    judged(at, &published(at, "docker-archive:both.tar:one:v1"), "first", &FILES[..1]);
}

#[test]
fn images_that_docker_saves() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.buildah(&["push", "app:v1", "docker-archive:buildah.tar:app:v1"]);
    let engine = TestEngine::docker(at);
    let path = |name: &str| at.join(name).to_str().expect("a path").to_owned();
    engine.run(&["load", "--input", &path("buildah.tar")]);
    engine.run(&["tag", "app:v1", "ghcr.io/group/app:v2"]);
    engine.run(&["save", "--output", &path("docker.tar"), "app:v1", "ghcr.io/group/app:v2"]);
    engine.run(&["save", "--output", &path("again.tar"), "app:v1"]);
    let docker = published(at, "docker-archive:docker.tar");
    judged(at, &docker, "docker", &FILES);
    for source in [
        "docker-archive:again.tar",
        "docker-archive:docker.tar:ghcr.io/group/app:v2",
        "docker-archive:buildah.tar",
    ] {
        assert_eq!(published(at, source).content.root, docker.content.root, "{source}");
    }
    // An image without the history of its layers, and one that has the same layer twice.
    fs::create_dir(at.join("tree")).expect("a folder");
    fs::write(at.join("tree/file"), "imported\n").expect("written");
    run_in(at, "tar", &["-C", "tree", "-cf", "tree.tar", "file"]);
    engine.run(&["import", &path("tree.tar"), "imported:v1"]);
    engine.run(&["save", "--output", &path("imported.tar"), "imported:v1"]);
    judged(at, &published(at, "docker-archive:imported.tar"), "imported", &[("file", "imported\n")]);
}
