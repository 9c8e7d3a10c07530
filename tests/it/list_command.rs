//! `list`: what is published, as text, JSON and pages.

use testkit::command::Folder;
use testkit::image::{OCI_INDEX, TestImage, TestLayer};
use testkit::test_registry::{Quirks, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

fn configuration(registry: &TestRegistry) -> String {
    format!(
        "version = 1\n\n[registries.one]\nurl = \"{}/team\"\n\n[registries.dir]\nurl = \"oci:dist\"\n{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\n\n[images.tool]\nsource = \"oci:image\"\nregistries = [\"one\"]\ntags = [\"nightly\"]\n\n[tags.nightly]\non = \"schedule\"\ntemplate = \"nightly\"\nmutability = \"mutable\"\n",
        registry.host()
    )
}

/// A registry and a directory with three releases of `app`, the newest of which has a referrer and a signature of cosign 2.
async fn published() -> (TestRegistry, Folder) {
    let options = TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() };
    let registry = TestRegistry::start(options).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&registry))]);
    for version in ["1.2.3", "1.3.0"] {
        let built = image(version)
            .created("2026-11-20T10:00:00Z")
            .revision("0123456789abcdef0123456789abcdef01234567");
        folder.image("image", &built);
        folder.apply(version).done().expect_code(0);
    }
    let single = TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("text", b"2.0.0-rc.1")])]);
    folder.image("image", &single.single());
    folder.apply("2.0.0-rc.1").done().expect_code(0);
    let mut content = registry.content();
    let newest = content.tags[&("team/app".to_owned(), "v1.3.0".to_owned())].clone();
    let size = content.manifests[&("team/app".to_owned(), newest.clone())].bytes.len();
    let referrer = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{OCI_INDEX}\",\"artifactType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"manifests\":[],\"subject\":{{\"mediaType\":\"{OCI_INDEX}\",\"digest\":\"{newest}\",\"size\":{size}}}}}"
    );
    content.put("team/app", OCI_INDEX, referrer.as_bytes());
    let signature = newest.replace(':', "-") + ".sig";
    content.tag("team/app", &signature, OCI_INDEX, b"{\"schemaVersion\":2,\"manifests\":[]}");
    drop(content);
    (registry, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_images_with_their_tags() {
    let (registry, folder) = published().await;
    registry.forget_log();
    let done = folder.run("list").wide().done().expect_code(0);
    insta::assert_snapshot!("text", done.stdout().replace(&registry.host(), "registry.example"));
    let writes = ["PUT", "POST", "PATCH", "DELETE"].map(|method| registry.count(method, ""));
    assert_eq!(writes, [0; 4]);
    let json = folder.run("list --json --target images.app@one").done().expect_code(0).json();
    let images = json["repositories"][0]["images"].as_array().expect("images").clone();
    let versions: Vec<&str> =
        images.iter().map(|image| image["version"].as_str().expect("a version")).collect();
    assert_eq!(versions, ["2.0.0-rc.1", "1.3.0", "1.2.3"]);
    assert_eq!(images[1]["tags"], serde_json::json!(["v1.3.0", "latest", "v1", "v1.3"]));
    assert_eq!(images[1]["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(images[1]["created"], "2026-11-20T10:00:00Z");
    assert_eq!(images[1]["referrers"].as_array().map(Vec::len), Some(2), "{json:#}");
    assert_eq!(json["repositories"][0]["tags"], 7, "tags of signatures do not count");
    assert_eq!(json["repositories"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_ones_are_listed_and_all_on_demand() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&registry))]);
    for number in 0..12 {
        let name = format!("v1.{number}.0");
        let text = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{OCI_INDEX}\",\"manifests\":[],\"annotations\":{{\"n\":\"{number}\"}}}}"
        );
        registry.content().tag("team/app", &name, OCI_INDEX, text.as_bytes());
    }
    for (arguments, shown, older) in [("", 10, 2), (" --all", 12, 0)] {
        let json = folder
            .run(&format!("list --json --target images.app@one{arguments}"))
            .done()
            .expect_code(0)
            .json();
        let repository = &json["repositories"][0];
        assert_eq!(repository["images"].as_array().map(Vec::len), Some(shown));
        assert_eq!(repository["older"], older);
        assert_eq!(repository["images"][0]["version"], "1.11.0", "versions are numbers");
    }
    let unknown = folder.run("list --target images.nobody").done().expect_code(1);
    assert!(unknown.stderr().contains("publish::plan::target"), "{}", unknown.shown());
}

/// A list that is refused says nothing about what is published.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_list_is_not_an_empty_repository() {
    let quirks = Quirks { list: Some(403), ..Quirks::default() };
    let registry =
        TestRegistry::start(TestRegistryOptions { quirks, ..TestRegistryOptions::default() }).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&registry))]);
    let done = folder.run("list --target images.app@one").wide().done();
    assert!(!done.stdout().contains("no tag is published yet"), "{}", done.shown());
    assert!(done.shown().contains("does not list every tag"), "{}", done.shown());
    folder.run("list --target images.app@one --format html --out site").done().expect_code(0);
    let page = folder.read("site/images.app.html");
    assert!(!page.contains("Nothing is published yet."), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_hold_everything() {
    let (_registry, folder) = published().await;
    folder.run("list --format html").done().expect_code(1);
    folder.run("list --format html --out site").done().expect_code(0);
    let overview = folder.read("site/index.html");
    assert!(
        overview.contains("href=\"images.app.html\"") && overview.contains("id=\"search\""),
        "{overview}"
    );
    let page = folder.read("site/images.app.html");
    for text in [
        "docker pull",
        "image.digest=sha256:",
        "linux/amd64, linux/arm64",
        "2026-11-20",
        "<dt>Signatures</dt><dd>2</dd>",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(folder.read("site/images.tool.html").contains("Nothing is published yet."));
    folder.run("list --format html --out site").done().expect_code(0);
}
