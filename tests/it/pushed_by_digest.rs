//! Images that a build pushed by digest just before: `{ digests, from }` waits until they are visible, and what they hold is searched
//! for secrets before a tag makes it reachable.
//!
//! thumbor/thumbor#1846, p2pool-starter-stack/pithead#429, VooZ2/terento#165: GHCR answers 404 to requests for a digest for seconds
//! after it was pushed.

use bytes::Bytes;
use serde_json::Value;
use testkit::command::{EndedRun, Folder};
use testkit::image::{OCI_MANIFEST, TestImage, TestLayer, Written, files_of};
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};

const RULES: &str = "\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";

fn not_found() -> Fault {
    Fault::Answer(404, Vec::new(), Vec::new())
}

/// A folder that publishes the images that `digests` names, from the repository that they are in.
fn folder(registry: &TestRegistry, more: &str) -> Folder {
    let host = registry.host();
    let text = format!(
        "version = 1\n{more}\n[registries.home]\nurl = \"{host}\"\n{RULES}\n[images.app]\nsource = {{ digests = \"digests\", from = \"docker://{host}/app\" }}\n"
    );
    Folder::with(&[("publish.toml", &text)])
}

/// Pushes a single image by digest, as a build does.
fn push(registry: &TestRegistry, folder: &Folder, platform: &str, layers: Vec<TestLayer>) -> Written {
    let written = folder.image("built", &TestImage::new().platform(platform, layers).single());
    let mut content = registry.content();
    for (name, bytes) in files_of(&written.directory) {
        if name.starts_with("blobs/") {
            content.blob("app", &Bytes::from(bytes));
        }
    }
    content.put("app", OCI_MANIFEST, &written.bytes);
    folder.write(&format!("digests/{}", written.digest.trim_start_matches("sha256:")), "");
    written
}

fn layers(text: &str) -> Vec<TestLayer> {
    vec![TestLayer::files(&[("text", text.as_bytes())])]
}

fn apply(folder: &Folder, version: &str) -> EndedRun {
    folder.apply(version).wide().done()
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_not_visible_yet_is_waited_for() {
    // The requests that are answered 404, by method, path and number.
    for late in [
        &[("GET", "/manifests/[0]", 2)][..],
        &[("GET", "/manifests/[0]", 1), ("GET", "/manifests/[1]", 2)],
        // The configuration is read, so that HEAD is not asked about it.
        &[("GET", "/blobs/[config]", 2)],
        &[("HEAD", "/blobs/", 1)],
        &[("HEAD", "/blobs/", 3)],
    ] {
        let registry = TestRegistry::start(TestRegistryOptions::default()).await;
        let folder = folder(&registry, "");
        let one = push(&registry, &folder, "linux/amd64", layers("one"));
        let two = push(&registry, &folder, "linux/arm64", layers("two"));
        let manifest: Value = serde_json::from_slice(&one.bytes).expect("a manifest");
        let config = manifest["config"]["digest"].as_str().expect("a digest");
        for (method, path, times) in late {
            let path =
                path.replace("[0]", &one.digest).replace("[1]", &two.digest).replace("[config]", config);
            registry.on(method, &path, *times, not_found());
        }
        let shown = apply(&folder, "1.2.3").expect_code(0).shown();
        assert!(shown.contains("is not visible yet"), "{late:?}\n{shown}");
        assert!(registry.content().tags.contains_key(&("app".to_owned(), "v1.2.3".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_there_costs_no_wait_and_no_request() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = folder(&registry, "");
    let one = push(&registry, &folder, "linux/amd64", layers("one"));
    let shown = apply(&folder, "1.2.3").expect_code(0).shown();
    assert!(!shown.contains("not visible"), "{shown}");
    assert_eq!(registry.count("GET", &format!("/manifests/{}", one.digest)), 1);
}

/// A layer with a token that no service gave out.
fn leak() -> TestLayer {
    let token = ["ghp", "_q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx61K3qf0"].concat();
    TestLayer::files(&[("app/.env", format!("GITHUB_TOKEN={token}\n").as_bytes())])
}

const DENY: &str = "[secrets]\npolicy = \"deny\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_pushed_by_digest_blocks_the_plan() {
    // A registry that everybody can pull from, and one whose repositories are searched because the policy says so.
    for more in ["", DENY] {
        let registry = TestRegistry::start(TestRegistryOptions::default()).await;
        let folder = folder(&registry, more);
        push(&registry, &folder, "linux/amd64", vec![TestLayer::files(&[("base", b"base")]), leak()]);
        let done = apply(&folder, "1.2.3").expect_code(1);
        assert!(done.error().contains("publish::secrets::found"), "{}", done.shown());
        assert!(registry.content().tags.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_content_that_no_tag_names_blocks_the_plan() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    let text = format!(
        "version = 1\n[registries.home]\nurl = \"{host}\"\n{RULES}\n[images.app]\nsource = \"oci:built\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    // An older version is tagged, so that the repository does not look empty.
    push(&registry, &folder, "linux/amd64", layers("one"));
    apply(&folder, "1.2.2").expect_code(0);
    push(&registry, &folder, "linux/amd64", vec![leak()]);
    let done = apply(&folder, "1.2.3").expect_code(1);
    assert!(done.error().contains("publish::secrets::found"), "{}", done.shown());
    // Once a tag names it, it is published: another tag makes nothing reachable, and the plan says so.
    let allowed = "\n[secrets]\nallow = [{ path = \"app/.env\", reason = \"a test\" }]\n";
    folder.write("publish.toml", format!("{text}{allowed}"));
    apply(&folder, "1.2.3").expect_code(0);
    folder.write(
        "publish.toml",
        format!("{text}[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"mutable\"\n"),
    );
    let plan = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").wide().done().expect_code(0).shown();
    assert!(
        plan.contains("2 blobs not searched: the tag `v1.2.3` of this repository names the same content"),
        "{plan}"
    );
    let saved: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    assert_eq!(saved["secrets"]["repositories"]["images.app@home"]["left_out"]["blobs"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_that_a_tag_reaches_are_not_searched_again() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    let text = format!(
        "version = 1\n[secrets]\nallow = [{{ path = \"app/.env\", reason = \"a test\" }}]\n[registries.home]\nurl = \"{host}\"\n{RULES}\n[images.app]\nsource = \"oci:built\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let image =
        |layers| TestImage::new().platform("linux/amd64", layers).platform("linux/arm64", vec![leak()]);
    folder.image("built", &image(vec![leak()]));
    apply(&folder, "1.2.2").expect_code(0);
    folder.write("publish.toml", text.replace("path = \"app/.env\"", "path = \"other\""));
    folder.image("built", &image(vec![leak(), TestLayer::files(&[("more", b"more")])]));
    let shown = apply(&folder, "1.2.3").expect_code(0).shown();
    assert!(shown.contains("not searched: `v1.2.2` of this repository reaches them already"), "{shown}");
    // Nothing is downloaded for that, and few manifests are read.
    assert_eq!(registry.count("GET", "/blobs/"), 0);
}
