//! Indexes assembled from tables of platforms and from lists.

use std::io::Read;

use tempfile::TempDir;

use super::super::fixture::{TestImage, TestLayer, Written};
use super::super::{open, walk};
use super::*;
use crate::SourceSpec;

struct LayoutFolder(TempDir);

impl LayoutFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn image(&self, name: &str, platforms: &[&str], attested: bool) -> Written {
        let mut image = TestImage::new();
        for platform in platforms {
            image = image.platform(platform, vec![TestLayer::files(&[("from", name.as_bytes())])]);
        }
        image = if attested { image.attested() } else { image };
        image = if platforms.len() == 1 && !attested { image.single() } else { image };
        image.write(&self.0.path().join(name))
    }

    fn open(&self, table: &[(&str, &str)]) -> Result<Arc<dyn Source>, SourceError> {
        let table = table
            .iter()
            .map(|(platform, spec)| ((*platform).to_owned(), spec.parse().expect("a source")))
            .collect();
        open(&SourceSpec::Platforms(table), &Surroundings::local(self.0.path())).map(|it| it.source)
    }

    fn refused(&self, table: &[(&str, &str)]) -> String {
        let Err(error) = self.open(table) else { panic!("{table:?} was accepted") };
        error.to_string()
    }
}

fn digest_of(entry: &serde_json::Value) -> &str {
    entry["digest"].as_str().expect("a digest")
}

#[test]
fn the_index_is_the_same_on_every_run() {
    let folder = LayoutFolder::new();
    let arm = folder.image("arm", &["linux/arm64/v8"], false);
    let amd = folder.image("amd", &["linux/amd64"], false);
    let table = [("linux/arm64", "oci:arm"), ("linux/amd64", "oci:amd")];
    let source = folder.open(&table).expect("assembled");
    let content = walk(source.as_ref()).expect("content");
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}},{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},"platform":{{"os":"linux","architecture":"arm64"}}}}]}}"#,
        amd.digest,
        amd.bytes.len(),
        arm.digest,
        arm.bytes.len()
    );
    let root = content.manifests.last().expect("a root");
    assert_eq!(std::str::from_utf8(root.bytes()).expect("text"), expected);
    for blob in content.blobs.iter().chain([&content.root]) {
        let mut bytes = Vec::new();
        source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
        assert_eq!(Digest::of(&bytes), blob.digest);
    }
    assert_eq!(folder.open(&table).expect("again").root().expect("a root"), content.root);
}

#[test]
fn one_platform_of_an_index_brings_its_attestations() {
    let folder = LayoutFolder::new();
    let both = folder.image("both", &["linux/amd64", "linux/arm64"], true);
    folder.image("arm", &["linux/arm/v6"], false);
    let source = folder.open(&[("linux/arm64", "oci:both"), ("linux/arm/v6", "oci:arm")]).expect("assembled");
    let content = walk(source.as_ref()).expect("content");
    let names: Vec<String> = content.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["linux/arm/v6", "linux/arm64"]);
    let index: serde_json::Value =
        serde_json::from_slice(content.manifests.last().expect("a root").bytes()).expect("json");
    let entries = index["manifests"].as_array().expect("entries");
    assert_eq!(entries.len(), 3);
    assert_eq!(digest_of(&entries[1]), digest_of(&both.images[1]));
    assert_eq!(entries[2]["annotations"]["vnd.docker.reference.digest"], entries[1]["digest"]);
    assert_eq!(entries[2]["platform"]["os"], "unknown");
}

#[test]
fn nested_indexes_give_their_images_with_attestations() {
    let folder = LayoutFolder::new();
    let inner = folder.image("both", &["linux/amd64", "linux/arm64"], true);
    let at = folder.0.path().join("both");
    let layout = super::super::fixture::LayoutDirectory::create(&at);
    let entry = super::super::fixture::describe(&inner.media_type, &inner.bytes);
    let outer = serde_json::json!({ "schemaVersion": 2, "manifests": [entry] });
    let outer = layout.put(media_type::OCI_INDEX, &serde_json::to_vec(&outer).expect("json"));
    layout.list(&outer, &["outer".to_owned()]);
    let source = folder
        .open(&[("linux/amd64", "oci:both:outer"), ("linux/arm64", "oci:both:outer")])
        .expect("assembled");
    let content = walk(source.as_ref()).expect("content");
    let index: serde_json::Value =
        serde_json::from_slice(content.manifests.last().expect("a root").bytes()).expect("json");
    let entries = index["manifests"].as_array().expect("entries");
    let about = |entry: &serde_json::Value| entry["annotations"]["vnd.docker.reference.digest"].clone();
    assert_eq!(entries.len(), 4);
    assert_eq!(
        [about(&entries[1]), about(&entries[3])],
        [&entries[0], &entries[2]].map(|it| it["digest"].clone())
    );
    assert_eq!(
        [digest_of(&entries[0]), digest_of(&entries[2])],
        [&inner.images[0], &inner.images[1]].map(digest_of)
    );
}

#[test]
fn each_source_must_be_for_its_platform() {
    let folder = LayoutFolder::new();
    folder.image("amd", &["linux/amd64"], false);
    folder.image("arm", &["linux/arm/v6"], false);
    folder.image("twice", &["linux/amd64", "linux/amd64/v1"], false);
    assert_eq!(
        folder.refused(&[("linux/amd64", "oci:amd"), ("linux/arm64", "oci:amd")]),
        "the source for `linux/arm64`, `oci:amd`, holds no image for that platform: its own configuration says `linux/amd64`"
    );
    assert!(folder.refused(&[("linux/arm", "oci:arm")]).contains("says `linux/arm/v6`"));
    assert!(
        folder.refused(&[("linux/amd64", "oci:twice")]).contains("holds several images for that platform")
    );
    assert!(
        folder
            .refused(&[("linux/arm64", "oci:amd"), ("linux/arm64/v8", "oci:amd")])
            .contains("`linux/arm64` and `linux/arm64/v8` are the same platform")
    );
    assert!(folder.refused(&[("linux/x86_64", "oci:amd")]).contains("is not an architecture"));
    assert!(folder.refused(&[]).contains("is empty"));
    assert!(folder.refused(&[("linux/arm64", "oci:absent")]).contains("does not exist"));
}

#[test]
fn a_part_that_lacks_a_blob_says_which_file() {
    let folder = LayoutFolder::new();
    let amd = folder.image("amd", &["linux/amd64"], false);
    let path = super::super::fixture::blob_path(&amd.directory, &amd.blobs[1]);
    std::fs::remove_file(&path).expect("removed");
    let message = folder.refused(&[("linux/amd64", "oci:amd")]);
    let file = path.strip_prefix(folder.0.path()).expect("a file in the folder");
    assert!(message.contains(&format!("expected `{}`", file.display())), "{message}");
}

impl LayoutFolder {
    fn several(&self, list: &[&str]) -> Result<Arc<dyn Source>, SourceError> {
        let list = list.iter().map(|spec| spec.parse().expect("a source")).collect();
        open(&SourceSpec::Several(list), &Surroundings::local(self.0.path())).map(|it| it.source)
    }

    fn several_refused(&self, list: &[&str]) -> String {
        let Err(error) = self.several(list) else { panic!("{list:?} was accepted") };
        assert!(matches!(error, SourceError::Platform { .. }), "{error:?}");
        error.to_string()
    }
}

#[test]
fn a_list_is_assembled_by_the_platforms_of_its_configurations() {
    let folder = LayoutFolder::new();
    let v7 = folder.image("v7", &["linux/arm/v7"], false);
    let v6 = folder.image("v6", &["linux/arm/v6"], true);
    let both = folder.image("both", &["linux/arm64", "linux/amd64"], true);
    let source = folder.several(&["oci:v7", "oci:both", "oci:v6"]).expect("assembled");
    let content = walk(source.as_ref()).expect("content");
    let platforms: Vec<String> = content.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64"]);
    let index: serde_json::Value =
        serde_json::from_slice(content.manifests.last().expect("a root").bytes()).expect("JSON");
    let entries = index["manifests"].as_array().expect("entries");
    assert_eq!(entries.len(), 4 + 3, "the attestations of three: {index:#}");
    assert!(entries.iter().any(|entry| digest_of(entry) == v7.digest));
    let single = |written: &Written, at: usize| written.images[at]["digest"].as_str().map(str::to_owned);
    assert_eq!(Some(digest_of(&entries[0]).to_owned()), single(&both, 1));
    assert_eq!(Some(digest_of(&entries[2]).to_owned()), single(&v6, 0));
    // The order of the list does not matter.
    let other = folder.several(&["oci:v6", "oci:v7", "oci:both"]).expect("assembled");
    assert_eq!(other.root().expect("a root"), content.root);
    let mut bytes = Vec::new();
    for blob in &content.blobs {
        source.open(blob).expect("opened").read_to_end(&mut bytes).expect("read");
    }
}

#[test]
fn a_platform_has_one_image_of_a_list() {
    let folder = LayoutFolder::new();
    folder.image("one", &["linux/arm64"], false);
    folder.image("two", &["linux/amd64", "linux/arm64/v8"], false);
    let error = folder.several_refused(&["oci:one", "oci:two"]);
    assert!(
        error.contains("`linux/arm64") && error.contains("`oci:one`") && error.contains("`oci:two`"),
        "{error}"
    );
    // Such a typo would leave out one platform.
    let error = folder.several_refused(&["oci:one", "oci:one"]);
    assert!(error.contains("two images are for `linux/arm64`"), "{error}");
    assert!(folder.several_refused(&[]).contains("hold no image"));
}

#[test]
fn an_image_of_a_list_must_name_its_platform() {
    let folder = LayoutFolder::new();
    let written = folder.image("image", &["linux/amd64"], false);
    let silent = String::from_utf8(written.bytes)
        .expect("text")
        .replace("application/vnd.oci.image.config.v1+json", "application/vnd.example.config+json");
    let layout = super::super::fixture::LayoutDirectory::create(&folder.0.path().join("artifact"));
    for digest in &written.blobs {
        let bytes = std::fs::read(super::super::fixture::blob_path(&folder.0.path().join("image"), digest));
        layout.put("x", &bytes.expect("a blob"));
    }
    let root = layout.put(media_type::OCI_MANIFEST, silent.as_bytes());
    layout.list(&root, &[]);
    let error = folder.several_refused(&["oci:image", "oci:artifact"]);
    assert!(error.contains("`oci:artifact` does not name its platform"), "{error}");
}

#[test]
fn versions_of_an_operating_system_are_platforms_of_their_own() {
    let folder = LayoutFolder::new();
    let write = |name: &str, version: &str| {
        let layout = super::super::fixture::LayoutDirectory::create(&folder.0.path().join(name));
        let config = serde_json::json!({
            "os": "windows", "architecture": "amd64", "os.version": version, "rootfs": { "type": "layers", "diff_ids": [] },
        });
        let config = layout.put(media_type::OCI_CONFIG, config.to_string().as_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST, "config": config, "layers": [],
        });
        let root = layout.put(media_type::OCI_MANIFEST, manifest.to_string().as_bytes());
        layout.list(&root, &[]);
    };
    write("new", "10.0.20348.1");
    write("old", "10.0.17763.9");
    write("again", "10.0.17763.9");
    let source = folder.several(&["oci:new", "oci:old"]).expect("assembled");
    let content = walk(source.as_ref()).expect("content");
    let versions: Vec<_> = content.platforms.iter().filter_map(|it| it.os_version.as_deref()).collect();
    assert_eq!(versions, ["10.0.17763.9", "10.0.20348.1"]);
    assert!(folder.several_refused(&["oci:new", "oci:old", "oci:again"]).contains("windows/amd64"));
}
