//! Referrers of any media type are published as the bytes that they are, from a layout as from a registry. notaryproject/notation#660:
//! signatures that are manifests of the deprecated type `application/vnd.oci.artifact.manifest.v1+json` must stay usable.

use serde_json::{Value, json};
use testkit::command::{EndedRun, Folder};
use testkit::image::{
    DOCKER_CONFIG, DOCKER_MANIFEST, LayoutDirectory, OCI_INDEX, OCI_MANIFEST, Written, describe,
};
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const UNKNOWN: &str = "application/vnd.example.statement.v3+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";

/// A folder that publishes `source` with its referrers to `registry`.
fn folder(registry: &TestRegistry, source: &str) -> Folder {
    let host = registry.host();
    let text = format!(
        "version = 1\n[registries.home]\nurl = \"{host}\"\n{RELEASE_RULES}\n[images.app]\nsource = \"{source}\"\nreferrers = true\n"
    );
    Folder::with(&[("publish.toml", &text)])
}

fn subject(descriptor: &Value) -> Value {
    json!({ "mediaType": descriptor["mediaType"], "digest": descriptor["digest"], "size": descriptor["size"] })
}

/// Writes an image with a referrer of every kind, and returns them.
fn attach_all(folder: &Folder) -> (Written, Vec<Value>) {
    let written = folder.image("image", &image("signed"));
    let layout = LayoutDirectory::create(&written.directory);
    let root = describe(&written.media_type, &written.bytes);
    let put = |media_type: &str, manifest: Value| layout.put(media_type, manifest.to_string().as_bytes());
    let blob = |text: &str| layout.put("application/jose+json", text.as_bytes());
    let artifact = put(
        ARTIFACT,
        json!({ "mediaType": ARTIFACT, "artifactType": NOTATION, "blobs": [blob("artifact")], "subject": subject(&root) }),
    );
    let child = put(
        OCI_MANIFEST,
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob("child config"), "layers": [blob("child layer")] }),
    );
    let index = put(
        OCI_INDEX,
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "artifactType": "application/x.bundle", "manifests": [child], "subject": subject(&root) }),
    );
    let unknown = put(
        UNKNOWN,
        json!({ "mediaType": UNKNOWN, "layers": [blob("statement")], "subject": subject(&root), "more": { "of": ["it"] } }),
    );
    let docker = put(
        DOCKER_MANIFEST,
        json!({ "schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": layout.put(DOCKER_CONFIG, b"{}"),
            "layers": [blob("attestation")], "subject": subject(&root) }),
    );
    // The signature of a signature.
    let nested = put(
        ARTIFACT,
        json!({ "mediaType": ARTIFACT, "artifactType": "application/x.countersignature", "blobs": [], "subject": subject(&artifact) }),
    );
    (written, vec![artifact, index, unknown, docker, nested])
}

fn apply(folder: &Folder) -> EndedRun {
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3").wide().done()
}

/// The digests of the referrers that a client finds in a registry, starting from `root`.
fn found(registry: &TestRegistry, root: &str) -> Vec<String> {
    let content = registry.content();
    let mut open = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(subject) = open.pop() {
        let fallback = content.tags.get(&("app".to_owned(), subject.replace(':', "-")));
        let listed = fallback.map(|digest| &content.manifests[&("app".to_owned(), digest.clone())].bytes);
        let listed: Vec<String> = listed.map_or_else(Vec::new, |bytes| {
            let index: Value = serde_json::from_slice(bytes).expect("an index");
            let entries = index["manifests"].as_array().expect("entries").iter();
            entries.map(|entry| entry["digest"].as_str().expect("a digest").to_owned()).collect()
        });
        open.extend(listed.iter().cloned());
        found.extend(listed);
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referrer_of_any_type_travels_from_a_layout_and_between_registries() {
    for lists in [false, true] {
        let options = || TestRegistryOptions { referrers: lists, ..TestRegistryOptions::default() };
        let staging = TestRegistry::start(options()).await;
        let first = folder(&staging, "oci:image");
        let (written, referrers) = attach_all(&first);
        let layout = LayoutDirectory::create(&written.directory);
        for referrer in &referrers {
            layout.list(referrer, &[]);
        }
        let plan = first.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(0).shown();
        assert!(plan.contains("5 referrers") && plan.contains(NOTATION), "{plan}");
        apply(&first).expect_code(0);
        let production = TestRegistry::start(options()).await;
        let second = folder(&production, &format!("docker://{}/app:v1.2.3", staging.host()));
        apply(&second).expect_code(0);
        for registry in [&staging, &production] {
            for referrer in &referrers {
                let digest = referrer["digest"].as_str().expect("a digest").to_owned();
                let content = registry.content();
                let held = content.manifests.get(&("app".to_owned(), digest.clone())).expect("there");
                assert_eq!(held.bytes, layout.get(&digest), "{digest}");
                assert_eq!(held.media_type, referrer["mediaType"].as_str().expect("a type"));
            }
            if !lists {
                let mut wanted: Vec<&str> =
                    referrers.iter().map(|it| it["digest"].as_str().unwrap()).collect();
                wanted.sort_unstable();
                assert_eq!(found(registry, &written.digest), wanted);
            }
            let blobs = registry.content().blobs.len();
            assert_eq!(blobs, staging.content().blobs.len());
        }
        // Nothing is left to do.
        let again = second.run("plan --detailed-exitcode --ref refs/tags/v1.2.3").wide().done();
        assert_eq!(again.code(), Some(0), "{}", again.shown());
        assert!(again.shown().contains("in place"), "{}", again.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referrer_that_is_only_listed_is_named() {
    let staging = TestRegistry::start(TestRegistryOptions::default()).await;
    let first = folder(&staging, "oci:image");
    let (written, referrers) = attach_all(&first);
    let layout = LayoutDirectory::create(&written.directory);
    for referrer in &referrers {
        layout.list(referrer, &[]);
    }
    apply(&first).expect_code(0);
    // A cleanup deletes a manifest, and the list keeps it.
    let lost = referrers[0]["digest"].as_str().expect("a digest").to_owned();
    staging.content().manifests.remove(&("app".to_owned(), lost.clone()));
    let production = TestRegistry::start(TestRegistryOptions::default()).await;
    let second = folder(&production, &format!("docker://{}/app:v1.2.3", staging.host()));
    let done = apply(&second).expect_code(0).shown();
    let short: String = lost.chars().take(19).collect();
    assert!(done.contains("stays behind: the source lists it, but does not have it"), "{done}");
    assert!(done.contains(&short), "{done}");
    let json = second.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
    let left = &json["repositories"][0]["content"]["left_behind"];
    assert_eq!(left[0]["descriptor"]["digest"], json!(lost), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_the_registry_refuses_stops_the_run_before_any_tag() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = folder(&registry, "oci:image");
    let (written, referrers) = attach_all(&folder);
    let layout = LayoutDirectory::create(&written.directory);
    layout.list(&referrers[0], &[]);
    let digest = referrers[0]["digest"].as_str().expect("a digest").to_owned();
    let body =
        json!({ "errors": [{ "code": "MANIFEST_INVALID", "message": "manifest invalid" }] }).to_string();
    let refusal =
        Fault::Answer(400, vec![("content-type", "application/json".to_owned())], body.into_bytes());
    registry.on("PUT", &format!("/manifests/{digest}"), 1, refusal);
    let shown = apply(&folder).expect_code(1).shown();
    assert!(shown.contains(&digest), "{shown}");
    let content = registry.content();
    assert!(!content.tags.keys().any(|(_, tag)| tag.starts_with('v')), "{:?}", content.tags);
}
