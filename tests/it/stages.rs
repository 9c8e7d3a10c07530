//! Three registries, of which one fails at any request: no tag has moved anywhere unless all content is everywhere, the
//! outcome says exactly what stands, and the same command again completes it.

use std::future::ready;
use std::sync::Arc;

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::diagnostic::Diagnostic;
use brokkr_publish::model::outcome::{ChangeResult, Outcome};
use brokkr_publish::run::{Run, Session};
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use crate::silent_reporter::SilentReporter;

use testkit::command::Folder;
use testkit::image::Written;
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

/// Three registries that hold 1.2.2, and the image of 1.2.3.
struct StagesFixture {
    folder: Folder,
    registries: Vec<TestRegistry>,
    new: Written,
}

impl StagesFixture {
    async fn new() -> Self {
        let mut registries = Vec::new();
        for _ in 0..3 {
            registries.push(TestRegistry::start(TestRegistryOptions::default()).await);
        }
        let hosts: Vec<String> = registries.iter().map(TestRegistry::host).collect();
        let places = [("a", hosts[0].as_str()), ("b", hosts[1].as_str()), ("c", hosts[2].as_str())];
        let folder = Folder::with(&[("publish.toml", &configuration(&places))]);
        folder.image("image", &image("1.2.2"));
        let mut world = Self { new: folder.image("image", &image("1.2.2")), folder, registries };
        let (_, problems) = world.apply("1.2.2", |_| {}).await;
        assert_eq!(problems, []);
        world.new = world.folder.image("image", &image("1.2.3"));
        world
    }

    async fn apply(&self, version: &str, meanwhile: impl FnOnce(&Self)) -> (Outcome, Vec<Diagnostic>) {
        let session = Session {
            config: Some(self.folder.path.join("publish.toml")),
            profile: None,
            set: Vec::new(),
            allow_outside: Vec::new(),
            flags: Flags { reference: Some(format!("refs/tags/v{version}")), ..Flags::default() },
            environment: Environment::new(),
            working_folder: self.folder.path.clone(),
        };
        let mut run = Run::new(&session, 4, Arc::new(SilentReporter)).expect("a configuration");
        let plan = run.plan(&[]).await.expect("a plan");
        meanwhile(self);
        let (_sender, cancel) = watch::channel(false);
        run.apply(&plan, cancel).await
    }

    /// The digest that a tag names in a registry.
    fn tag(&self, registry: usize, tag: &str) -> Option<String> {
        let content = self.registries[registry].content();
        content.tags.get(&("app".to_owned(), tag.to_owned())).cloned()
    }

    /// Whether a registry holds all content of the new image.
    fn is_complete(&self, registry: usize) -> bool {
        let content = self.registries[registry].content();
        let key = |digest: &str| ("app".to_owned(), digest.to_owned());
        content.manifests.contains_key(&key(&self.new.digest))
            && self.new.blobs.iter().all(|digest| {
                content.blobs.contains_key(&key(digest)) || content.manifests.contains_key(&key(digest))
            })
    }

    fn registry_of(&self, repository: &str) -> usize {
        let host = |registry: &TestRegistry| repository.starts_with(&format!("{}/", registry.host()));
        self.registries.iter().position(host).expect("one of the three")
    }
}

const TAGS: [&str; 4] = ["v1.2.3", "v1.2", "v1", "latest"];

/// Fails each request in turn with its `fault`, in runs of their own; returns how many requests there were, and how many of the
/// runs failed.
async fn each_request(registry: usize, fault: impl Fn(usize) -> Fault) -> (usize, usize) {
    // The runs mostly wait: for an answer, or for the next attempt.
    let runs = stream::iter(0..).map(|request| one_request(registry, request, fault(request))).buffered(8);
    let failed: Vec<bool> = runs.take_while(|it| ready(it.is_some())).filter_map(ready).collect().await;
    (failed.len(), failed.iter().filter(|failed| **failed).count())
}

/// Fails one request; returns whether the run failed, or nothing if there were fewer requests.
async fn one_request(registry: usize, request: usize, fault: Fault) -> Option<bool> {
    let world = StagesFixture::new().await;
    let old: Vec<Option<String>> = TAGS.iter().map(|tag| world.tag(0, tag)).collect();
    let (outcome, problems) =
        world.apply("1.2.3", |world| world.registries[registry].nth(request, fault)).await;
    if world.registries[registry].takes_back() {
        assert_eq!(problems, []);
        return None;
    }
    let failed = !problems.is_empty();
    let place = format!("registry {registry}, request {request}: {problems:#?}");
    let moved = (0..3).any(|it| TAGS.iter().zip(&old).any(|(tag, old)| world.tag(it, tag) != *old));
    let complete = (0..3).all(|it| world.is_complete(it));
    assert!(complete || !moved, "a tag moved before all content was there; {place}");
    let floating =
        (0..3).any(|it| TAGS[1..].iter().zip(&old[1..]).any(|(tag, old)| world.tag(it, tag) != *old));
    let immutable = (0..3).all(|it| world.tag(it, TAGS[0]).as_ref() == Some(&world.new.digest));
    assert!(immutable || !floating, "a floating tag moved before the immutable ones; {place}");
    let is_new = |it: usize, tag: &str| world.tag(it, tag).as_ref() == Some(&world.new.digest);
    let new: usize = (0..3).map(|it| TAGS[1..].iter().filter(|tag| is_new(it, tag)).count()).sum();
    assert!(new == 0 || new == 9, "{new} of 9 floating tags name the new image; {place}");
    for change in &outcome.changes {
        let found = world.tag(world.registry_of(&change.repository), change.tag.as_str());
        let (after, before) = (
            change.after.as_ref().map(|it| it.digest.to_string()),
            change.before.as_ref().map(|it| it.digest.to_string()),
        );
        let exact = match change.result {
            ChangeResult::Created | ChangeResult::Moved | ChangeResult::Unchanged => found == after,
            ChangeResult::Skipped | ChangeResult::Restored => found == before,
            // A failed change was not made, or could not be read back.
            ChangeResult::Failed => found == before || found == after,
            // The registry showed something else for a moment.
            ChangeResult::Stale => found != after,
            ChangeResult::Kept | ChangeResult::Removed => false,
        };
        assert!(exact, "{} is {found:?}, told was {:?}; {place}", change.address, change.result);
    }
    assert_eq!(outcome.changes.len(), 12);
    let (_, problems) = world.apply("1.2.3", |_| {}).await;
    assert_eq!(problems, [], "the same again; {place}");
    for it in 0..3 {
        assert!(world.is_complete(it), "{place}");
        for tag in TAGS {
            assert_eq!(world.tag(it, tag).as_ref(), Some(&world.new.digest), "{tag}; {place}");
        }
    }
    Some(failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_refuses_any_one_request() {
    for registry in 0..3 {
        let (requests, failed) = each_request(registry, |_| Fault::Early(403)).await;
        assert!(requests > 20, "only {requests} requests");
        // An upload session that does not work is replaced, tags that are not put together are put alone, and the refusal of a tag
        // may pass.
        assert!(failed > requests / 3 && failed < requests, "{failed} of {requests} requests failed the run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_refuses_any_one_request_in_another_way() {
    const STATUSES: [u16; 7] = [400, 401, 404, 405, 409, 413, 422];
    let (requests, failed) = each_request(1, |request| Fault::Early(STATUSES[request % 7])).await;
    assert!(requests > 20 && failed > 0, "{failed} of {requests} requests failed the run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_whose_answer_lies_once() {
    let wrong = format!("sha256:{}", "0".repeat(64));
    let lies = [
        ("docker-content-digest", wrong),
        ("docker-content-digest", String::new()),
        ("location", String::new()),
    ];
    let (requests, _) = each_request(1, |request| Fault::Headers(vec![lies[request % 3].clone()])).await;
    assert!(requests > 20, "only {requests} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_whose_answer_is_lost_once() {
    let (requests, failed) = each_request(1, |_| Fault::Lost).await;
    assert!(requests > 20, "only {requests} requests");
    assert_eq!(failed, 0, "what passes is sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_misses_for_a_moment_what_it_has() {
    let world = StagesFixture::new().await;
    let body = br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}"#;
    let refused = Fault::Answer(404, vec![("content-type", "application/json".to_owned())], body.to_vec());
    world.registries[1].on("PUT", "/manifests/sha256:", 2, refused.clone());
    let (_, problems) = world.apply("1.2.3", |_| {}).await;
    assert_eq!(problems, []);
    assert_eq!(world.tag(1, "latest").as_ref(), Some(&world.new.digest));
    // Not for ever: then no tag moves anywhere.
    let world = StagesFixture::new().await;
    world.registries[1].on("PUT", "/manifests/sha256:", 1_000, refused);
    let (_, problems) = world.apply("1.2.3", |_| {}).await;
    assert!(problems[0].message.contains("MANIFEST_BLOB_UNKNOWN"), "{problems:?}");
    assert!((0..3).all(|registry| world.tag(registry, "v1.2.3").is_none()));
}
