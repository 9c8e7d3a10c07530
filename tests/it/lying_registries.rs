//! Registries that say that they have content which they lack, or lack content that they have: a release is complete all the
//! same, or the error says what is left to do. Each line names the public thread that reports the behaviour.

use std::time::Duration;

use testkit::command::{EndedRun, Folder};
use testkit::test_registry::{Fault, MissesBlobs, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

const UPLOADS: &str = "/blobs/uploads/";

fn apply(folder: &Folder) -> EndedRun {
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").wide().done()
}

fn answer(status: u16, body: &str) -> Fault {
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.as_bytes().to_vec())
}

/// A registry, and a folder that publishes an image from its disk.
async fn from_disk(options: TestRegistryOptions) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(options).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &registry.host())]))]);
    folder.image("image", &image("1.2.3"));
    (registry, folder)
}

/// A registry that holds an image in `staging/app`, and a folder that publishes it from there, in the same registry.
async fn from_staging(options: TestRegistryOptions) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(options).await;
    let host = registry.host();
    let folder = Folder::with(&[("from.toml", &configuration(&[("one", &format!("{host}/staging"))]))]);
    folder.image("image", &image("1.2.3"));
    folder.run("apply -c from.toml --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
    let source = format!("docker://{host}/staging/app:v1.2.3");
    folder.write("publish.toml", configuration(&[("one", &host)]).replace("oci:image", &source));
    registry.forget_log();
    (registry, folder)
}

/// Asserts that the tag names a manifest whose content is all there.
fn assert_complete(registry: &TestRegistry, why: &str) {
    let content = registry.content();
    let key = |digest: &str| ("app".to_owned(), digest.to_owned());
    let root = content.tags.get(&("app".to_owned(), "v1.2.3".to_owned())).unwrap_or_else(|| panic!("{why}"));
    let read = |digest: &str| -> serde_json::Value {
        serde_json::from_slice(&content.manifests[&key(digest)].bytes).expect("JSON")
    };
    let named = |list: &serde_json::Value| -> Vec<String> {
        let entries = list.as_array().cloned().unwrap_or_default();
        entries.iter().map(|it| it["digest"].as_str().expect("a digest").to_owned()).collect()
    };
    for child in named(&read(root)["manifests"]) {
        let manifest = read(&child);
        for blob in
            named(&manifest["layers"]).into_iter().chain(named(&serde_json::json!([manifest["config"]])))
        {
            assert!(content.blobs.contains_key(&key(&blob)), "{why}: {blob} is missing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_claims_to_have_mounted_is_sent() {
    // estesp/manifest-tool#98 (Artifactory), goharbor/harbor#18541, goharbor/harbor#22863: the mount is claimed.
    for (misses_blobs, why) in [
        (None, "nothing is refused, and the blob is not there when it is asked for"),
        (Some(MissesBlobs { status: 400, names: 9 }), "the manifest is refused"),
    ] {
        let (registry, folder) = from_staging(TestRegistryOptions {
            claims_mounts: true,
            misses_blobs,
            ..TestRegistryOptions::default()
        })
        .await;
        apply(&folder).expect_code(0);
        assert_complete(&registry, why);
    }
    // The same, if HEAD confirms the claim: the refusal of the manifest is all that there is.
    for (status, names) in [(400, 9), (400, 1), (400, 0), (404, 9), (500, 1)] {
        let misses_blobs = Some(MissesBlobs { status, names });
        let (registry, folder) = from_staging(TestRegistryOptions {
            claims_mounts: true,
            misses_blobs,
            ..TestRegistryOptions::default()
        })
        .await;
        // The plan sees that the repository is new.
        registry.on("HEAD", "/v2/app/blobs/", 1, answer(404, ""));
        registry.on("HEAD", "/v2/app/blobs/", 999, answer(200, ""));
        let done = apply(&folder).expect_code(0);
        assert_complete(&registry, &format!("{status}, {names} named"));
        let (puts, mounts) = (registry.count("PUT", "/v2/app/blobs/"), registry.count("POST", "mount="));
        assert_eq!(puts, mounts, "each blob is mounted once, and then sent once\n{}", done.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_reports_without_having_it_is_sent() {
    // distribution/distribution#1662 and others: HEAD says 200 for a blob that is gone.
    for (status, names) in [(400, 1), (404, 0), (500, 9)] {
        let misses_blobs = Some(MissesBlobs { status, names });
        let (registry, folder) =
            from_disk(TestRegistryOptions { misses_blobs, ..TestRegistryOptions::default() }).await;
        registry.on("HEAD", "/blobs/", 999, answer(200, ""));
        let bodies = registry.content().blobs.len();
        assert_eq!(bodies, 0);
        // The repository must not look new, or nothing is asked about its blobs.
        registry.content().tag(
            "app",
            "old",
            "application/vnd.oci.image.index.v1+json",
            b"{\"manifests\":[]}",
        );
        apply(&folder).expect_code(0);
        assert_complete(&registry, &format!("{status}, {names} named"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_that_are_found_late_are_waited_for() {
    // thumbor/thumbor#1846, VooZ2/terento#165: a digest is not found for seconds after the push.
    let (registry, folder) = from_disk(TestRegistryOptions {
        child_lag: Duration::from_millis(1500),
        ..TestRegistryOptions::default()
    })
    .await;
    apply(&folder).expect_code(0);
    assert_complete(&registry, "late children");
    let sent = registry.count("PUT", UPLOADS);
    assert_eq!(sent, registry.content().blobs.len(), "nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_again_is_not_the_advice_if_it_cannot_help() {
    let (registry, folder) = from_disk(TestRegistryOptions::default()).await;
    let body = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#;
    registry.on("PUT", "/manifests/sha256:", 9_999, answer(400, body));
    let told = apply(&folder).expect_code(1).error();
    assert!(told.contains("accepted all bytes of this content, twice"), "{told}");
    assert!(told.contains("running again will not help"), "{told}");
    assert!(registry.content().tags.is_empty());
}
