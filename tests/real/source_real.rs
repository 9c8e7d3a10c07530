//! Sources that real programs made, compared with the output of those programs.
//!
//! Needs buildah, skopeo and umoci; fails if one is missing. The test does not use the network.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};
use testkit::image;

use brokkr_publish::content::publishable;
use brokkr_publish::model::content::ContentSpec;
use oci_content::ImageSpec;
use oci_content::SourceSpec;
use oci_content::{Content, Source, Surroundings, open, walk};
use oci_registry::{Descriptor, Digest, Platform};

use testkit::image::{TestImage, TestLayer, to_archive};

/// Runs a program in `folder`, and returns its output. The test fails if the program is missing or fails.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output: Output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("BUILDAH_ISOLATION", "chroot")
        .env("TMPDIR", folder)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{program}`, which this test needs: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// Runs buildah with a separate store in the folder.
struct Buildah<'a>(&'a Path);

impl Buildah<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let store = ["--storage-driver", "vfs", "--root", "root", "--runroot", "run"];
        let folder = self.0.to_str().expect("a path");
        let store: Vec<String> = store
            .iter()
            .map(|it| {
                if it.starts_with("ro") || *it == "run" { format!("{folder}/{it}") } else { (*it).to_owned() }
            })
            .collect();
        let all: Vec<&str> = store.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        run(self.0, "buildah", &all)
    }

    /// Builds an image from scratch with one file.
    fn image(&self, name: &str, architecture: &str) {
        fs::write(self.0.join("hello.txt"), format!("hello from {architecture}\n")).expect("written");
        let container = self.run(&["from", "scratch"]);
        self.run(&["copy", &container, "hello.txt", "/"]);
        self.run(&["config", "--os", "linux", "--arch", architecture, &container]);
        self.run(&["commit", &container, name]);
        self.run(&["rm", &container]);
    }
}

/// The digest of the manifest that skopeo reads there.
fn skopeo_digest(folder: &Path, source: &str) -> Digest {
    Digest::of(&raw(folder, source))
}

fn raw(folder: &Path, source: &str) -> Vec<u8> {
    let output = Command::new("skopeo")
        .args(["inspect", "--raw", source])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `skopeo`, which this test needs: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn read_all(source: &dyn Source, content: &Content) {
    for blob in content.blobs.iter().chain([&content.root]) {
        assert_eq!(Digest::of(&read(source, blob)), blob.digest);
    }
}

fn read(source: &dyn Source, blob: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
    assert_eq!(bytes.len() as u64, blob.size);
    bytes
}

fn content(folder: &Path, source: &str) -> Content {
    let spec = SourceSpec::One(source.parse().expect("a source"));
    let source =
        open(&spec, &Surroundings::local(folder)).unwrap_or_else(|error| panic!("{spec}: {error}")).source;
    let content = walk(source.as_ref()).unwrap_or_else(|error| panic!("{spec}: {error}"));
    read_all(source.as_ref(), &content);
    content
}

fn names(content: &Content) -> Vec<String> {
    content.platforms.iter().map(ToString::to_string).collect()
}

#[test]
fn images_that_buildah_writes() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let buildah = Buildah(at);
    buildah.image("hello", "arm64");
    for format in ["oci", "v2s2"] {
        buildah.run(&["push", "--format", format, "hello", &format!("oci:{}/{format}", at.display())]);
        buildah.run(&[
            "push",
            "--format",
            format,
            "hello",
            &format!("oci-archive:{}/{format}.tar:v1", at.display()),
        ]);
        for source in [
            format!("oci:{format}"),
            format!("oci-archive:{format}.tar"),
            format!("oci-archive:{format}.tar:v1"),
        ] {
            let content = content(at, &source);
            // This skopeo finds Docker manifests in a layout only without a reference.
            let without = source.trim_end_matches(":v1");
            assert_eq!(content.root.digest, skopeo_digest(at, without), "{source}");
            assert_eq!(names(&content), ["linux/arm64"], "{source}");
            assert_eq!((content.manifests.len(), content.blobs.len()), (1, 2), "{source}");
        }
    }
}

#[test]
fn an_index_that_buildah_writes() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let buildah = Buildah(at);
    buildah.run(&["manifest", "create", "both"]);
    for architecture in ["amd64", "arm64"] {
        buildah.image(architecture, architecture);
        buildah.run(&["manifest", "add", "both", architecture]);
    }
    buildah.run(&["manifest", "push", "--all", "both", &format!("oci-archive:{}/both.tar", at.display())]);
    let content = content(at, "oci-archive:both.tar");
    assert_eq!(names(&content), ["linux/amd64", "linux/arm64"]);
    assert_eq!(content.manifests.len(), 3);
    assert_eq!(content.root.digest, skopeo_digest(at, "oci-archive:both.tar"));
}

#[test]
fn several_images_in_a_layout_that_skopeo_writes() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    for (name, platform) in [("one", "linux/amd64"), ("two", "linux/arm64")] {
        TestImage::new().platform(platform, vec![TestLayer::noise(1, 1000)]).attested().write(&at.join(name));
        for reference in [name.to_owned(), format!("registry.example:5000/group/{name}:v1")] {
            run(at, "skopeo", &["copy", "--all", &format!("oci:{name}"), &format!("oci:all:{reference}")]);
        }
    }
    for (reference, platform) in [
        ("one", "linux/amd64"),
        ("two", "linux/arm64"),
        ("registry.example:5000/group/two:v1", "linux/arm64"),
    ] {
        let content = content(at, &format!("oci:all:{reference}"));
        assert_eq!(names(&content), [platform]);
        assert_eq!(content.root.digest, skopeo_digest(at, &format!("oci:all:{reference}")));
        assert_eq!(content.manifests.len(), 3, "the attestation is there");
    }
    let without = SourceSpec::One("oci:all".parse().expect("a source"));
    let Err(error) = open(&without, &Surroundings::local(at)) else { panic!("several images") };
    assert!(error.to_string().contains("holds 2 images: `one`, `two`"), "{error}");
}

#[test]
fn an_archive_that_tar_writes() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let written = TestImage::new()
        .platform("linux/amd64", vec![TestLayer::noise(1, 100_000)])
        .write(&at.join("layout"));
    for format in ["gnu", "pax", "posix", "ustar", "v7"] {
        // The names begin with `./`, and there are directories among the files.
        let archive = format!("{format}.tar");
        run(at, "tar", &["--format", format, "-C", "layout", "-cf", &archive, "."]);
        assert_eq!(content(at, &format!("oci-archive:{archive}")).root.digest.as_str(), written.digest);
    }
    run(at, "gzip", &["pax.tar"]);
    assert_eq!(content(at, "oci-archive:pax.tar.gz").root.digest.as_str(), written.digest);
}

#[test]
fn layouts_that_umoci_writes() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    run(at, "umoci", &["init", "--layout", "layout"]);
    run(at, "umoci", &["new", "--image", "layout:v1"]);
    run(at, "umoci", &["config", "--image", "layout:v1", "--architecture", "arm64", "--os", "linux"]);
    let content = content(at, "oci:layout:v1");
    assert_eq!(content.root.digest, skopeo_digest(at, "oci:layout:v1"));
    assert_eq!(names(&content), ["linux/arm64"]);
}

/// The real programs read the sources that this program changes: an assembled index, an annotated root.
#[test]
fn what_is_published_is_read_by_skopeo() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let buildah = Buildah(at);
    let mut table = BTreeMap::new();
    for architecture in ["arm64", "amd64"] {
        buildah.image(architecture, architecture);
        buildah.run(&["push", architecture, &format!("oci:{}/{architecture}", at.display())]);
        table.insert(
            format!("linux/{architecture}"),
            format!("oci:{architecture}").parse().expect("a source"),
        );
    }
    let platforms: Vec<Platform> =
        ["linux/amd64", "linux/arm64"].iter().map(|it| it.parse().expect("a platform")).collect();
    let annotations =
        BTreeMap::from([("org.opencontainers.image.source".to_owned(), "https://example.com".to_owned())]);
    let spec = ImageSpec { platforms, annotations, ..ImageSpec::of(SourceSpec::Platforms(table)) };
    let published = publishable(&ContentSpec::Image(spec), &Surroundings::local(at)).expect("published");
    let layout = image::LayoutDirectory::create(&at.join("out"));
    for manifest in &published.content.manifests {
        layout.put(manifest.media_type(), manifest.bytes());
    }
    for blob in &published.content.blobs {
        layout.put(&blob.media_type, &read(published.source.as_ref(), blob));
    }
    let root = published.content.manifests.last().expect("a root");
    layout.list(&image::describe(root.media_type(), root.bytes()), &[]);
    run(at, "skopeo", &["copy", "--all", "oci:out", "oci:copy"]);
    assert_eq!(skopeo_digest(at, "oci:copy"), published.content.root.digest);
    let arm = run(
        at,
        "skopeo",
        &["inspect", "--override-arch", "arm64", "--format", "{{.Architecture}}", "oci:out"],
    );
    assert_eq!(arm, "arm64");
}

#[test]
fn a_layout_made_here_is_one_for_skopeo() {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let index = TestImage::new()
        .platform("linux/amd64", vec![TestLayer::files(&[("hello.txt", b"hello")])])
        .platform("linux/arm/v7", vec![TestLayer::noise(3, 5000)])
        .attested()
        .revision("9f3c2ab")
        .write(&at.join("index"));
    to_archive(&index.directory, &at.join("index.tar"));
    run(at, "skopeo", &["copy", "--all", "oci-archive:index.tar", "oci:copy"]);
    assert_eq!(skopeo_digest(at, "oci:copy").as_str(), index.digest);
    let inspected = run(at, "skopeo", &["inspect", "--override-arch", "amd64", "oci:index"]);
    assert!(inspected.contains(r#""org.opencontainers.image.revision": "9f3c2ab""#), "{inspected}");
}
