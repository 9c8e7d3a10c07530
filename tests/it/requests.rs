//! How many requests a run takes. Plan and apply are one run: nothing is asked or downloaded twice, except that each tag is read
//! before it moves and after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::run::{Run, Session};
use tokio::sync::watch;

use crate::silent_reporter::SilentReporter;

use testkit::command::Folder;
use testkit::image::{TestImage, TestLayer};
use testkit::test_registry::{Logged, TestRegistry, TestRegistryOptions};

/// A release with an immutable tag and three that move forward.
fn configuration(registry: &TestRegistry, source: &str) -> String {
    let rule = |name: &str, template: &str, more: &str| {
        format!("[tags.{name}]\non = \"tag\"\ntemplate = \"{template}\"\n{more}")
    };
    let forward = "mutability = \"forward\"\n";
    [
        format!("version = 1\n[registries.r]\nurl = \"{}\"\n", registry.host()),
        rule("version", "v{{ version }}", ""),
        rule("minor", "v{{ version.major }}.{{ version.minor }}", forward),
        rule("major", "v{{ version.major }}", forward),
        rule("latest", "latest", forward),
        format!("[images.app]\nsource = \"{source}\"\n"),
    ]
    .concat()
}

/// An image with `layers` layers, the first of which is too large to be kept in memory.
fn image(layers: u64) -> TestImage {
    let size = |seed: u64| if seed == 0 { 5_000_000 } else { 100_000 };
    let layers = (0..layers).map(|seed| TestLayer::noise(seed, size(seed))).collect();
    TestImage::new().platform("linux/amd64", layers).single()
}

/// Plans and applies in one run, as `apply --auto-approve` does.
async fn apply(folder: &Folder) {
    let session = Session {
        config: Some(folder.path.join("publish.toml")),
        profile: None,
        set: Vec::new(),
        allow_outside: Vec::new(),
        flags: Flags { reference: Some("refs/tags/v1.2.3".to_owned()), ..Flags::default() },
        environment: Environment::new(),
        working_folder: folder.path.clone(),
    };
    let mut run = Run::new(&session, 4, Arc::new(SilentReporter)).expect("a configuration");
    let plan = run.plan(&[]).await.expect("a plan");
    let (_sender, cancel) = watch::channel(false);
    let (_, problems) = run.apply(&plan, cancel).await;
    assert_eq!(problems, []);
}

/// A registry, and a folder whose image was published there.
async fn released(layers: u64) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&registry, "oci:image"))]);
    folder.image("image", &image(layers));
    apply(&folder).await;
    (registry, folder)
}

fn lines(log: &[Logged]) -> Vec<String> {
    log.iter().map(Logged::line).collect()
}

/// How often each blob was downloaded.
fn downloads(log: &[Logged]) -> BTreeMap<String, usize> {
    let mut downloads = BTreeMap::new();
    for request in log.iter().filter(|it| it.method == "GET" && it.path.contains("/blobs/")) {
        *downloads.entry(request.path.clone()).or_default() += 1;
    }
    downloads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_release_and_the_same_again() {
    // Five blobs: four layers, and a configuration.
    let (registry, folder) = released(4).await;
    let log = registry.log();
    assert!(log.len() <= 26, "{} requests: {:#?}", log.len(), lines(&log));
    let count = |method: &str, part: &str| registry.count(method, part);
    // The registry does not know the repository, so the plan asks about one tag, by GET because it should not exist. The immutable one
    // is asked about before it is put; the list shows that there are no floating ones. After that each is read.
    let tags = |method| count(method, "/manifests/v") + count(method, "/manifests/latest");
    assert_eq!((tags("GET"), tags("HEAD")), (1 + 1, 4));
    assert_eq!((count("PUT", "/manifests/"), count("PUT", "/blobs/uploads/")), (5 + 1, 5));
    // The registry ignores `?tag=`, which one request shows.
    assert_eq!(count("PUT", "?tag="), 1);
    // Nothing is asked about small blobs of a new repository, and the question about permission is the first one's session.
    assert_eq!(count("HEAD", "/blobs/"), 0);
    assert_eq!((count("POST", "/blobs/uploads/"), count("DELETE", "/blobs/uploads/")), (5, 0));
    assert_eq!(downloads(&log), BTreeMap::new());
    registry.forget_log();
    apply(&folder).await;
    let log = registry.log();
    assert!(log.len() <= 6, "{} requests: {:#?}", log.len(), lines(&log));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_reads_each_blob_once() {
    for (layers, most) in [(1, 25), (4, 37)] {
        let (staging, _folder) = released(layers).await;
        staging.forget_log();
        let production = TestRegistry::start(TestRegistryOptions::default()).await;
        let source = format!("docker://{}/app:v1.2.3", staging.host());
        let folder = Folder::with(&[("publish.toml", &configuration(&production, &source))]);
        apply(&folder).await;
        let (from, to) = (staging.log(), production.log());
        let requests = from.len() + to.len();
        assert!(requests <= most, "{requests} requests: {:#?} {:#?}", lines(&from), lines(&to));
        let downloads = downloads(&from);
        assert_eq!(downloads.len() as u64, layers + 1, "each layer, and the configuration");
        assert!(downloads.values().all(|times| *times == 1), "{downloads:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_within_a_registry_mounts() {
    let (registry, _folder) = released(1).await;
    registry.forget_log();
    let source = format!("docker://{}/app:v1.2.3", registry.host());
    let text = configuration(&registry, &source).replace("[images.app]", "[images.production]");
    apply(&Folder::with(&[("publish.toml", &text)])).await;
    let log = registry.log();
    assert!(log.len() <= 36, "{} requests: {:#?}", log.len(), lines(&log));
    assert!(downloads(&log).values().all(|times| *times == 1), "{:#?}", downloads(&log));
    assert_eq!(registry.count("PUT", "/blobs/uploads/"), 0);
}
