//! Sources that hold only a part of what their index lists. With the image store of containerd, `docker save` keeps the index and the
//! content of one platform: kubernetes-sigs/kind#3795, moby/moby#49473, reproducible-containers/diffoci#247.

use serde_json::Value;
use testkit::command::Folder;
use testkit::image::{OCI_INDEX, TestImage, TestLayer, Written, blob_path, to_archive};

fn folder(source: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.bundle]\nurl = \"oci:registry\"\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n[images.app]\n{source}\n"
    );
    Folder::with(&[("publish.toml", &text)])
}

fn image() -> TestImage {
    let layer = |platform: &str| vec![TestLayer::files(&[("text", platform.as_bytes())])];
    TestImage::new().platform("linux/amd64", layer("amd64")).platform("linux/arm64", layer("arm64"))
}

/// The digests of the entries of an index, each with whether it is an attestation.
fn entries(written: &Written) -> Vec<(String, bool)> {
    assert_eq!(written.media_type, OCI_INDEX);
    let index: Value = serde_json::from_slice(&written.bytes).expect("an index");
    let entries = index["manifests"].as_array().expect("entries").iter();
    let of = |entry: &Value| {
        let attestation = entry["platform"]["os"] == "unknown";
        (entry["digest"].as_str().expect("a digest").to_owned(), attestation)
    };
    entries.map(of).collect()
}

fn config_of(written: &Written, manifest: &str) -> String {
    let bytes = std::fs::read(blob_path(&written.directory, manifest)).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&bytes).expect("a manifest");
    manifest["layers"][0]["digest"].as_str().expect("a digest").to_owned()
}

fn remove(written: &Written, digest: &str) {
    std::fs::remove_file(blob_path(&written.directory, digest)).expect("removed");
}

#[test]
fn the_error_says_which_platforms_are_there() {
    // Without the manifest, and without a layer.
    for layer in [false, true] {
        let folder = folder("source = \"oci-archive:save.tar\"");
        let written = folder.image("image", &image());
        let arm = entries(&written)[1].0.clone();
        remove(&written, &if layer { config_of(&written, &arm) } else { arm });
        to_archive(&written.directory, &folder.path.join("save.tar"));
        let error = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1).error();
        for words in [
            "publish::source::platform",
            "holds only a part of its image: only `linux/amd64` is there; it lacks `linux/arm64`",
            "publish what is there with `platforms = [\"linux/amd64\"]`",
            "`docker-archive:save.tar`",
        ] {
            assert!(error.contains(words), "{words}\n{error}");
        }
        let text = folder.read("publish.toml") + "platforms = [\"linux/amd64\"]\n";
        folder.write("publish.toml", text);
        folder.apply("1.2.3").done().expect_code(0);
    }
}

#[test]
fn a_missing_attestation_is_not_called_a_platform() {
    let folder = folder("source = \"oci:image\"");
    let written = folder.image("image", &image().attested());
    let attestations: Vec<String> = entries(&written)
        .into_iter()
        .filter(|(_, attestation)| *attestation)
        .map(|(digest, _)| digest)
        .collect();
    remove(&written, &attestations[0]);
    let error = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1).error();
    assert!(error.contains("it lacks the attestations about `linux/amd64`"), "{error}");
    assert!(!error.contains("`platforms = ["), "{error}");
}

#[test]
fn each_archive_of_a_table_needs_only_its_own_platform() {
    let folder = folder(
        "source = { \"linux/amd64\" = \"oci-archive:amd.tar\", \"linux/arm64\" = \"oci-archive:arm.tar\" }",
    );
    for (name, absent) in [("amd.tar", 1), ("arm.tar", 0)] {
        let written = folder.image("image", &image());
        remove(&written, &entries(&written)[absent].0);
        to_archive(&written.directory, &folder.path.join(name));
    }
    let shown = folder.apply("1.2.3").wide().done().expect_code(0).shown();
    assert!(shown.contains("linux/amd64, linux/arm64"), "{shown}");
    // The other way round, nothing fits.
    let text = folder.read("publish.toml");
    folder.write(
        "publish.toml",
        text.replace("amd.tar", "swap").replace("arm.tar", "amd.tar").replace("swap", "arm.tar"),
    );
    let error = folder.run("plan --ref refs/tags/v1.2.4").wide().done().expect_code(1).error();
    assert!(error.contains("only `linux/arm64` is there; it lacks `linux/amd64`"), "{error}");
}

#[test]
fn an_image_without_a_platform_is_named_by_its_digest_as_before() {
    let folder = folder("source = \"oci:image\"");
    let written = folder.image(
        "image",
        &TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("text", b"amd64")])]).single(),
    );
    let layer = config_of(&written, &written.digest);
    remove(&written, &layer);
    let error = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1).error();
    assert!(error.contains(&format!("`{layer}` is not in the source")), "{error}");
}
