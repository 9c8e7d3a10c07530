//! Registries that put several tags in one request (distribution-spec, end-7b; zot): all floating tags of a repository move at once.
//! With a registry that does less, says less or lies about it, the release ends the same.

use testkit::command::Folder;
use testkit::test_registry::{Fault, Quirks, TagsTogether, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, configuration, image};

const FLOATING: [&str; 3] = ["latest", "v1", "v1.2"];

async fn registry(tags_together: TagsTogether) -> TestRegistry {
    let quirks = Quirks { tags_together, ..Quirks::default() };
    TestRegistry::start(TestRegistryOptions { quirks, ..TestRegistryOptions::default() }).await
}

/// A registry that holds version 1.2.2, and a folder with the configuration.
async fn released(tags_together: TagsTogether) -> (TestRegistry, Folder) {
    let registry = registry(tags_together).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &registry.host())]))]);
    folder.publish("1.2.2");
    registry.forget_log();
    (registry, folder)
}

fn named(registry: &TestRegistry, tag: &str) -> Option<String> {
    registry.content().tags.get(&("app".to_owned(), tag.to_owned())).cloned()
}

/// How many requests put tags together, and how many put a floating tag alone.
fn puts(registry: &TestRegistry) -> (usize, usize) {
    let alone = FLOATING.iter().map(|tag| {
        let puts = registry.requests("PUT", &format!("/manifests/{tag}"));
        puts.iter().filter(|request| request.path.ends_with(&format!("/{tag}"))).count()
    });
    (registry.count("PUT", "?tag="), alone.sum())
}

#[track_caller]
fn expect_tags(registry: &TestRegistry, digest: &str) {
    for tag in FLOATING.iter().chain(&["v1.2.3"]) {
        assert_eq!(named(registry, tag).as_deref(), Some(digest), "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_floating_tags_of_a_repository_move_in_one_request() {
    for (kind, together, alone) in [
        (TagsTogether::Repeated, 1, 0),
        (TagsTogether::First(1), 1, 2),
        (TagsTogether::First(2), 1, 1),
        (TagsTogether::Ignored, 1, 3),
        (TagsTogether::Refused, 1, 3),
        // The tags are read before each is put alone, and name the digest already.
        (TagsTogether::Silent, 1, 0),
        // Reading the tags back shows it.
        (TagsTogether::Claimed, 1, 3),
    ] {
        let (registry, folder) = released(kind).await;
        let digest = folder.publish("1.2.3");
        expect_tags(&registry, &digest);
        assert_eq!(puts(&registry), (together, alone), "{kind:?}");
        registry.forget_log();
        folder.apply("1.2.3").done().expect_code(0);
        assert_eq!(puts(&registry), (0, 0), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_release_puts_its_floating_tags_in_one_request() {
    let registry = registry(TagsTogether::Repeated).await;
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &registry.host())]))]);
    let digest = folder.publish("1.2.3");
    expect_tags(&registry, &digest);
    assert_eq!(puts(&registry), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_cannot_is_asked_once() {
    for kind in [TagsTogether::Ignored, TagsTogether::Refused] {
        let registry = registry(kind).await;
        let mut text =
            format!("version = 1\n[registries.one]\nurl = \"{}\"\n{RELEASE_RULES}", registry.host());
        for name in ["app", "other", "third"] {
            text.push_str(&format!("\n[images.{name}]\nsource = \"oci:image\"\n"));
        }
        let folder = Folder::with(&[("publish.toml", &text)]);
        folder.publish("1.2.3");
        assert_eq!(registry.count("PUT", "?tag="), 1, "{kind:?}");
        assert_eq!(registry.content().tags.len(), 12);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_fails_leaves_no_tag_behind() {
    let faults = [
        Fault::Lost,
        Fault::Reset { after: 0 },
        Fault::Early(503),
        Fault::Answer(403, Vec::new(), Vec::new()),
        Fault::Answer(414, Vec::new(), Vec::new()),
    ];
    for fault in faults {
        let (registry, folder) = released(TagsTogether::Repeated).await;
        registry.on("PUT", "?tag=", 1, fault.clone());
        let digest = folder.publish("1.2.3");
        expect_tags(&registry, &digest);
        assert_eq!(registry.count("PUT", "?tag="), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_that_moved_together_are_put_back_if_another_registry_refuses_one() {
    let (one, two) = (registry(TagsTogether::Repeated).await, registry(TagsTogether::Ignored).await);
    let text = configuration(&[("one", &one.host()), ("two", &two.host())]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    let before = folder.publish("1.2.2");
    folder.image("image", &image("1.2.3"));
    let refusal = r#"{"errors":[{"code":"DENIED","message":"the tag is immutable"}]}"#;
    let headers = vec![("content-type", "application/json".to_owned())];
    two.on("PUT", "/manifests/latest", 100, Fault::Answer(403, headers, refusal.as_bytes().to_vec()));
    folder.apply("1.2.3").done().expect_code(1);
    for registry in [&one, &two] {
        for tag in FLOATING {
            assert_eq!(named(registry, tag).as_deref(), Some(before.as_str()), "{tag}");
        }
    }
    two.forget_script();
    let digest = folder.publish("1.2.3");
    expect_tags(&one, &digest);
    expect_tags(&two, &digest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_that_somebody_moved_is_not_put_together_with_the_others() {
    let (registry, folder) = released(TagsTogether::Repeated).await;
    folder.image("image", &image("1.2.3"));
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let foreign =
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    registry.content().tag("app", "latest", "application/vnd.oci.image.index.v1+json", foreign);
    let done = folder.run("apply plan.json").done().expect_code(1);
    assert_eq!(registry.count("PUT", "?tag="), 0, "{}", done.shown());
}
