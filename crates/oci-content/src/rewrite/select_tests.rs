//! The platforms that are published, and the entries that stay with them.

use serde_json::{Value, json};

use super::super::fixture::OCI_INDEX;
use super::fixture::{LayoutFixture, json_of_root, listed, manifest, names, root, selecting};

#[test]
fn others_are_left_out_with_their_attestations() {
    let tree = LayoutFixture::new();
    let [amd, arm, s390x] = ["linux/amd64", "linux/arm64/v8", "linux/s390x"].map(|it| tree.entry(it));
    let attestations = [&arm, &amd, &s390x].map(|it| tree.attestation(it));
    let dangling = tree.attestation(&tree.image("linux/386"));
    let entries = [&amd, &arm, &s390x, &attestations[0], &attestations[1], &attestations[2], &dangling]
        .map(Clone::clone);
    let members = json!({
        "annotations": { "b": "2", "a": "1" }, "artifactType": "application/vnd.example", "x.unknown": { "n": 1.0 },
    });
    let index = tree.index_with(&entries, &members);
    let content = tree.select(&index, &["linux/arm64", "linux/amd64"]).expect("published");
    let mut expected = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX });
    expected["manifests"] = json!([amd, arm, attestations[0], attestations[1]]);
    super::fixture::merge(&mut expected, &members);
    let bytes = content.manifests.last().expect("a root").bytes();
    assert_eq!(std::str::from_utf8(bytes).expect("text"), expected.to_string(), "in their order");
    assert_eq!(names(&content), ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(content.manifests.len(), 5);
}

#[test]
fn if_nothing_is_left_out_nothing_changes() {
    let tree = LayoutFixture::new();
    let [amd, arm] = ["linux/amd64", "linux/arm64"].map(|it| tree.entry(it));
    // An attestation about an image that is not in the index, an artifact, and an empty index stay.
    let dangling = tree.attestation(&tree.image("linux/386"));
    let index = tree.index(&[amd, tree.index(&[arm, dangling]), tree.artifact(&json!({})), tree.index(&[])]);
    let content = tree.select(&index, &["linux/arm64/v8", "linux/amd64"]).expect("published");
    assert_eq!(content.root.digest.as_str(), index["digest"]);
}

#[test]
fn nested_indexes_are_filtered_and_dropped_if_empty() {
    let tree = LayoutFixture::new();
    let [amd, arm] = ["linux/amd64", "linux/arm64"].map(|it| tree.entry(it));
    let (only_amd, only_arm) =
        (tree.index(std::slice::from_ref(&amd)), tree.index(std::slice::from_ref(&arm)));
    let mut both = tree.index(&[amd.clone(), arm, tree.attestation(&amd)]);
    both["annotations"] = json!({ "kept": "yes" });
    both["x.unknown"] = json!(null);
    let about = [&only_amd, &only_arm, &both].map(|it| tree.attestation(it));
    let deep = tree.index(&[tree.index(std::slice::from_ref(&only_arm))]);
    let entries = [&about[0], &about[1], &about[2], &only_amd, &only_arm, &both, &deep].map(Clone::clone);
    let index = tree.index(&entries);
    let content = tree.select(&index, &["linux/amd64"]).expect("published");
    let entries = root(&content)["manifests"].as_array().cloned().expect("entries");
    assert_eq!(entries.len(), 3, "{entries:?}");
    assert_eq!(entries[0], about[0], "the subject of the attestation is unchanged");
    assert_eq!(entries[1], only_amd);
    let keys: Vec<&String> = entries[2].as_object().expect("an entry").keys().collect();
    assert_eq!(keys, both.as_object().expect("an entry").keys().collect::<Vec<_>>());
    assert_eq!(entries[2]["annotations"], both["annotations"]);
    let inner = manifest(&content, &entries[2]["digest"]);
    assert_eq!(inner["manifests"], json!([amd, tree.attestation(&amd)]));
    assert_eq!(names(&content), ["linux/amd64"]);
}

#[test]
fn platforms_missing_from_the_index_are_read_from_configurations() {
    let tree = LayoutFixture::new();
    let amd = tree.image("linux/amd64");
    let mut empty = tree.image("linux/arm64");
    empty["platform"] = json!({ "os": "", "architecture": "" });
    let index = tree.index(&[amd.clone(), empty.clone()]);
    let content = tree.select(&index, &["linux/arm64"]).expect("published");
    assert_eq!(root(&content)["manifests"], json!([empty]));
    assert_eq!(names(&content), ["linux/arm64"]);
    assert_eq!(names(&tree.select(&index, &["linux/amd64"]).expect("published")), ["linux/amd64"]);
}

#[test]
fn several_entries_of_one_platform_are_all_kept() {
    let tree = LayoutFixture::new();
    let windows = ["10.0.17763.1", "10.0.20348.2"].map(|version| {
        let image = tree.image_with("windows/amd64", &json!({ "annotations": { "version": version } }));
        let mut entry = listed(&image, "windows/amd64");
        entry["platform"]["os.version"] = json!(version);
        entry
    });
    let index = tree.index(&[tree.entry("linux/amd64"), windows[0].clone(), windows[1].clone()]);
    let content = tree.select(&index, &["windows/amd64"]).expect("published");
    assert_eq!(root(&content)["manifests"], json!(windows));
    // If one image is listed for two platforms, the platform of the entry decides.
    let shared = tree.image("linux/amd64");
    let [one, two] = ["linux/amd64", "linux/arm64"].map(|it| listed(&shared, it));
    let content = tree.select(&tree.index(&[one, two.clone()]), &["linux/arm64"]).expect("published");
    assert_eq!(root(&content)["manifests"], json!([two]));
}

#[test]
fn artifacts_stay_with_their_subjects() {
    let tree = LayoutFixture::new();
    let [amd, arm] = ["linux/amd64", "linux/arm64"].map(|it| tree.entry(it));
    let subject = |it: &Value| json!({ "subject": { "mediaType": it["mediaType"], "digest": it["digest"], "size": it["size"] } });
    let [of_amd, of_arm] = [&amd, &arm].map(|it| tree.artifact(&subject(it)));
    let of_none = tree.artifact(&json!({ "annotations": { "of": "none" } }));
    let index = tree.index(&[of_amd.clone(), of_arm, of_none, amd.clone(), arm]);
    let content = tree.select(&index, &["linux/amd64"]).expect("published");
    assert_eq!(root(&content)["manifests"], json!([of_amd, amd]));
}

#[test]
fn entries_that_are_left_out_are_not_read() {
    let tree = LayoutFixture::new();
    let [amd, arm] = ["linux/amd64", "linux/arm64"].map(|it| tree.entry(it));
    let schema_1 = listed(
        &tree.layout.put("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}"),
        "linux/386",
    );
    let index = tree.index(&[amd, arm.clone(), schema_1]);
    let path =
        super::super::fixture::blob_path(tree.folder.path(), arm["digest"].as_str().expect("a digest"));
    std::fs::remove_file(path).expect("removed");
    assert_eq!(names(&tree.select(&index, &["linux/amd64"]).expect("published")), ["linux/amd64"]);
    assert!(tree.refused(&index, selecting(&["linux/arm64"])).contains("is not in it"));
    assert!(tree.refused(&index, selecting(&["linux/386"])).contains("schema 1"));
}

#[test]
fn a_single_image_must_be_for_the_declared_platform() {
    let tree = LayoutFixture::new();
    let image = tree.image("linux/arm/v7");
    let content = tree.select(&image, &["linux/arm"]).expect("published");
    assert_eq!(content.root.digest.as_str(), image["digest"]);
    assert!(tree.refused(&image, selecting(&["linux/arm/v6"])).contains("it is for `linux/arm/v7`"));
    assert!(tree.refused(&image, selecting(&["linux/arm", "linux/amd64"])).contains("lacks `linux/amd64`"));
    let artifact = tree.artifact(&json!({}));
    assert!(tree.refused(&artifact, selecting(&["linux/arm"])).contains("it names no platform"));
}

#[test]
fn docker_media_types_stay() {
    use super::super::fixture::{DOCKER_LIST, DOCKER_MANIFEST, TestImage, TestLayer};
    let folder = tempfile::tempdir().expect("a directory");
    let tree =
        LayoutFixture { layout: super::super::fixture::LayoutDirectory::create(folder.path()), folder };
    let image = ["linux/amd64", "linux/arm64"]
        .into_iter()
        .fold(TestImage::new(), |image, it| image.platform(it, vec![TestLayer::noise(1, 10)]))
        .docker();
    let written = image.write(tree.folder.path());
    let list = json!({ "mediaType": DOCKER_LIST, "digest": written.digest, "size": written.bytes.len() });
    let content = tree.select(&list, &["linux/arm64"]).expect("published");
    assert_eq!(
        (content.root.media_type.as_str(), &root(&content)["mediaType"]),
        (DOCKER_LIST, &json!(DOCKER_LIST))
    );
    assert_eq!(root(&content)["manifests"][0]["mediaType"], json!(DOCKER_MANIFEST));
    assert_eq!(json_of_root(&tree, &list)["manifests"].as_array().map(Vec::len), Some(2));
}
