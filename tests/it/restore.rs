//! A registry refuses a floating tag. If the refusal may pass, the tag is put again. If it lasts, the floating tags that the run moved
//! go back, in every registry, so that no release is half moved.

use insta::assert_snapshot;
use serde_json::{Value, json};

use brokkr_publish::model::record::Record;
use testkit::command::{EndedRun, Folder};
use testkit::image::Written;
use testkit::test_registry::{Deletes, Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

const RESTORE: &str = "";
const STOP: &str = "[apply]\non_tag_failure = \"stop\"\n";
const FLOATING: [&str; 3] = ["v1.2", "v1", "latest"];

fn refusal(status: u16, code: &str, message: &str) -> Fault {
    let body = json!({ "errors": [{ "code": code, "message": message }] }).to_string();
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.into_bytes())
}

/// A refusal that lasts.
fn lasting() -> Fault {
    refusal(400, "TAG_INVALID", "manifest tag did not match URI")
}

/// A text with each port and digest replaced.
fn steady(shown: &str) -> String {
    let shown = regex::Regex::new("127.0.0.1:[0-9]+").unwrap().replace_all(shown, "[REGISTRY]");
    regex::Regex::new("sha256:[0-9a-f]{12,64}").unwrap().replace_all(&shown, "sha256:[DIGEST]").into_owned()
}

/// Two registries, and a folder that publishes to both.
struct RestoreFixture {
    folder: Folder,
    registries: Vec<TestRegistry>,
}

impl RestoreFixture {
    async fn new(more: &str, options: TestRegistryOptions) -> Self {
        let registries = vec![TestRegistry::start(options.clone()).await, TestRegistry::start(options).await];
        let hosts: Vec<String> = registries.iter().map(TestRegistry::host).collect();
        let text = configuration(&[("a", hosts[0].as_str()), ("b", hosts[1].as_str())]);
        Self { folder: Folder::with(&[("publish.toml", &format!("{text}\n{more}"))]), registries }
    }

    /// Two registries that hold 1.2.2.
    async fn released(more: &str) -> (Self, Written) {
        let world = Self::new(more, TestRegistryOptions::default()).await;
        let before = world.folder.image("image", &image("1.2.2"));
        world.apply("1.2.2", "").expect_code(0);
        for registry in &world.registries {
            registry.forget_log();
        }
        world.folder.image("image", &image("1.2.3"));
        (world, before)
    }

    /// Lets the second registry refuse `latest`, but only after the first one took it.
    fn refuse_latest(&self) {
        let first = self.registries[0].clone();
        self.registries[1].hold(std::sync::Arc::new(move |request| {
            let is_latest = request.method == "PUT" && request.path.ends_with("/manifests/latest");
            let first = first.clone();
            Box::pin(async move {
                while is_latest && first.count("PUT", "/manifests/latest") == 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            })
        }));
        self.registries[1].on("PUT", "/manifests/latest", u32::MAX, lasting());
    }

    fn apply(&self, version: &str, more: &str) -> EndedRun {
        let arguments = format!("apply --auto-approve --ref refs/tags/v{version} {more}");
        self.folder.run(&arguments).wide().done()
    }

    fn tag(&self, registry: usize, tag: &str) -> Option<String> {
        let content = self.registries[registry].content();
        content.tags.get(&("app".to_owned(), tag.to_owned())).cloned()
    }

    /// The digests that the floating tags name, in both registries.
    fn floating(&self) -> Vec<Option<String>> {
        (0..2).flat_map(|it| FLOATING.map(|tag| self.tag(it, tag))).collect()
    }

    fn record(&self) -> Record {
        serde_json::from_str(&self.folder.read("record.json")).expect("a record")
    }

    /// The result of each change in the record, as `registry tag result`.
    fn results(&self) -> Vec<String> {
        let record: Value = serde_json::from_str(&self.folder.read("record.json")).expect("JSON");
        let changes = record["outcome"]["changes"].as_array().expect("changes");
        let text = |change: &Value, key: &str| change[key].as_str().expect("a text").to_owned();
        let line = |change: &Value| {
            let registry = if text(change, "address").contains("@a:") { "a" } else { "b" };
            format!("{registry} {} {}", text(change, "tag"), text(change, "result"))
        };
        changes.iter().map(line).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_refusal_in_one_registry_puts_the_tags_of_both_back() {
    let (world, before) = RestoreFixture::released(RESTORE).await;
    world.refuse_latest();
    let done = world.apply("1.2.3", "--record record.json").expect_code(1);
    let stdout = done.stdout();
    let (_, outcome) = stdout.split_once("\nPlan: ").expect("a plan");
    assert_snapshot!("restored", steady(&format!("Plan: {outcome}{}", done.error())));
    assert_eq!(world.floating(), vec![Some(before.digest.clone()); 6]);
    // The version stays, because it is published once.
    assert!((0..2).all(|it| world.tag(it, "v1.2.3").is_some()));
    let results = world.results();
    assert!(results.contains(&"b v1 restored".to_owned()), "{results:?}");
    assert!(results.contains(&"b latest failed".to_owned()), "{results:?}");
    assert!(
        results.iter().all(|it| it.starts_with("a v1.2.3 created") || !it.ends_with("moved")),
        "{results:?}"
    );
    let record = world.record();
    let schema = brokkr_publish::saved::json_schema::<Record>();
    let value: Value = serde_json::from_str(&world.folder.read("record.json")).expect("JSON");
    assert!(jsonschema::validator_for(&schema).expect("a schema").is_valid(&value));
    assert!(!record.success);
    // There is nothing left to roll back.
    let rolled = world.folder.run("rollback record.json --auto-approve").wide().done().expect_code(0);
    assert!(rolled.stdout().contains("Nothing to do"), "{}", rolled.shown());
    let shown = world.folder.run("show record.json").done().expect_code(0).stdout();
    assert!(shown.contains("restored"), "{shown}");
    // Once the registry takes the tag, the same command completes the release, and its record leads back.
    world.registries[1].forget_script();
    world.apply("1.2.3", "--record record.json").expect_code(0);
    let new = world.tag(0, "v1.2.3");
    assert_eq!(world.floating(), vec![new; 6]);
    world.folder.run("rollback record.json --auto-approve").done().expect_code(0);
    assert_eq!(world.floating(), vec![Some(before.digest); 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_restored_tag_is_an_event() {
    let (world, _) = RestoreFixture::released(RESTORE).await;
    world.registries[1].on("PUT", "/manifests/latest", u32::MAX, lasting());
    let done = world.apply("1.2.3", "--json").expect_code(1);
    let events: Vec<Value> =
        done.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let restored = |event: &&Value| event["event"] == "tag" && event["change"]["result"] == "restored";
    let restored: Vec<&Value> = events.iter().filter(restored).collect();
    let moved = |event: &&Value| event["event"] == "tag" && event["change"]["result"] == "moved";
    assert_eq!(restored.len(), events.iter().filter(moved).count());
    assert!(restored.len() >= 2, "{events:#?}");
    let finished = events.last().expect("an event");
    assert_eq!((finished["event"].as_str(), finished["success"].as_bool()), (Some("finished"), Some(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_leaves_every_tag_where_it_is() {
    let (world, before) = RestoreFixture::released(STOP).await;
    world.registries[1].on("PUT", "/manifests/latest", u32::MAX, lasting());
    let done = world.apply("1.2.3", "--record record.json").expect_code(1);
    assert!(!done.shown().contains("restored"), "{}", done.shown());
    let new = world.tag(1, "v1.2.3");
    assert_eq!((world.tag(1, "v1.2"), world.tag(1, "v1")), (new.clone(), new));
    assert_eq!(world.tag(1, "latest").as_ref(), Some(&before.digest));
    world.folder.run("rollback record.json --auto-approve").done().expect_code(0);
    assert_eq!(world.floating(), vec![Some(before.digest); 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_the_run_created_are_removed_again() {
    let options = TestRegistryOptions { deletes: Deletes::Tags, ..TestRegistryOptions::default() };
    let world = RestoreFixture::new(RESTORE, options).await;
    world.folder.image("image", &image("1.2.3"));
    world.registries[1].on("PUT", "/manifests/latest", u32::MAX, lasting());
    let done = world.apply("1.2.3", "--record record.json").expect_code(1);
    assert_eq!(world.floating(), vec![None; 6], "{}", done.shown());
    assert!(done.stdout().contains("restored (removed again)"), "{}", done.shown());
    assert!((0..2).all(|it| world.tag(it, "v1.2.3").is_some()));
    world.registries[1].forget_script();
    world.apply("1.2.3", "").expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tag_that_cannot_be_removed_is_reported() {
    let world = RestoreFixture::new(RESTORE, TestRegistryOptions::default()).await;
    world.folder.image("image", &image("1.2.3"));
    world.refuse_latest();
    let done = world.apply("1.2.3", "--record record.json").expect_code(1);
    assert_snapshot!("not_restored", steady(&done.error()));
    let results = world.results();
    assert!(results.contains(&"b v1 created".to_owned()), "{results:?}");
    let detail = world.record().outcome.changes.into_iter().filter_map(|change| change.detail);
    assert!(detail.into_iter().any(|detail| detail.starts_with("not restored: ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_a_tag_that_may_pass_are_repeated() {
    for fault in [
        refusal(403, "DENIED", "permission_denied: write_package"),
        refusal(403, "DENIED", "denied"),
        refusal(404, "NAME_UNKNOWN", "repository name not known to registry"),
        refusal(429, "TOOMANYREQUESTS", "retry-after: 10ms, allowed: 2000/minute"),
        refusal(408, "UNKNOWN", "timeout"),
        refusal(500, "UNKNOWN", "unknown error"),
        refusal(503, "UNAVAILABLE", "try again"),
    ] {
        for tag in ["v1.2.3", "latest"] {
            let (world, _) = RestoreFixture::released(RESTORE).await;
            world.registries[1].on("PUT", &format!("/manifests/{tag}"), 1, fault.clone());
            let done = world.apply("1.2.3", "").expect_code(0);
            assert!(done.shown().contains("retrying in"), "{}", done.shown());
            assert_eq!(world.floating(), vec![world.tag(0, "v1.2.3"); 6], "{fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_somebody_else_moved_meanwhile_stays() {
    let (world, before) = RestoreFixture::released(RESTORE).await;
    // As the last floating tag is refused, somebody moves one that the run has moved.
    let other = world.registries[1].content().put("app", "application/vnd.oci.image.index.v1+json", b"{}");
    let (registry, named) = (world.registries[1].clone(), other.clone());
    world.registries[1].hold(std::sync::Arc::new(move |request| {
        if request.method == "PUT" && request.path.ends_with("/manifests/latest") {
            registry.content().tags.insert(("app".to_owned(), "v1".to_owned()), named.clone());
        }
        Box::pin(std::future::ready(()))
    }));
    world.registries[1].on("PUT", "/manifests/latest", u32::MAX, lasting());
    let done = world.apply("1.2.3", "").expect_code(1);
    assert_eq!(world.tag(1, "v1"), Some(other), "{}", done.shown());
    assert_eq!(world.tag(1, "v1.2"), Some(before.digest.clone()));
    assert_eq!(world.tag(0, "v1"), Some(before.digest));
    assert!(done.stdout().contains("kept: somebody moved it to"), "{}", done.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_there_is_put_by_digest_once_before_a_tag_moves() {
    let (world, before) = RestoreFixture::released(RESTORE).await;
    world.apply("1.2.3", "--record record.json").expect_code(0);
    for registry in &world.registries {
        registry.forget_log();
    }
    // A rollback sends no content, and the registry refuses manifests by now.
    let by_digest = format!("/manifests/{}", before.digest);
    let full = refusal(401, "UNAUTHORIZED", "authentication required");
    world.registries[1].on("PUT", &by_digest, 1, full);
    let refused = world.folder.run("rollback record.json --auto-approve").wide().done().expect_code(1);
    let told = refused.stderr();
    assert!(told.contains("cannot put a manifest, so no tag was moved"), "{told}");
    let tags: usize = world.registries.iter().map(|it| it.count("PUT", "/manifests/v")).sum();
    assert_eq!(tags, 0, "no tag was put");
    world.folder.run("rollback record.json --auto-approve").done().expect_code(0);
    assert_eq!(world.floating(), vec![Some(before.digest); 6]);
    // A put with tags is one of the tags.
    let puts = world.registries[0].requests("PUT", &by_digest);
    assert_eq!(puts.iter().filter(|it| it.query.is_empty()).count(), 2, "once for each rollback");
}
