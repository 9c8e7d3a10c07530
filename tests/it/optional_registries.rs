//! Registries with `required = false`: a release does not fail because a mirror does, and always says so.

use testkit::command::Folder;
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

const TAGS: usize = 4;

fn refusal(status: u16) -> Fault {
    let body = br#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.to_vec())
}

/// Two registries, the second of which is not required, and a folder that publishes to both.
async fn with_mirror() -> (TestRegistry, TestRegistry, Folder) {
    let one = TestRegistry::start(TestRegistryOptions::default()).await;
    let mirror = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &mirrored(&one.host(), &mirror.host()))]);
    folder.image("image", &image("1.2.3"));
    (one, mirror, folder)
}

fn mirrored(one: &str, mirror: &str) -> String {
    let text = configuration(&[("one", one), ("mirror", mirror)]);
    let url = format!("url = \"{mirror}\"\n");
    text.replace(&url, &format!("{url}required = false\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_answers_gets_everything() {
    let (one, mirror, folder) = with_mirror().await;
    folder.apply("1.2.3").done().expect_code(0);
    assert_eq!((one.content().tags.len(), mirror.content().tags.len()), (TAGS, TAGS));
    folder.apply("1.2.3").done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_cannot_be_reached_is_left_out_of_the_plan() {
    let one = TestRegistry::start(TestRegistryOptions::default()).await;
    // Nothing listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let folder = Folder::with(&[("publish.toml", &mirrored(&one.host(), &gone.to_string()))]);
    folder.image("image", &image("1.2.3"));
    let planned = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").wide().done().expect_code(0);
    assert!(planned.stderr().contains("registry `mirror` is not required"), "{}", planned.shown());
    let done = folder.run("apply plan.json --record record.json").wide().done().expect_code(3);
    assert_eq!(one.content().tags.len(), TAGS);
    assert!(done.stdout().contains("Registry left out: `mirror`."), "{}", done.shown());
    assert!(done.stderr().contains("registry `mirror` is not required"), "{}", done.shown());
    let record = std::fs::read_to_string(folder.path.join("record.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record["outcome"]["left_out"][0]["registry"], "mirror");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_refuses_is_left_out_and_caught_up_with() {
    // Reading, pushing, and the tags at last.
    for (method, part) in [
        ("GET", "/tags/list"),
        ("POST", "/blobs/uploads/"),
        ("PUT", "/manifests/v1.2.3"),
        ("PUT", "/manifests/latest"),
    ] {
        let (one, mirror, folder) = with_mirror().await;
        for method in [method, if method == "GET" { "HEAD" } else { method }] {
            let part = if method == "GET" || method == "HEAD" { "/v2/app/" } else { part };
            mirror.on(method, part, 1000, refusal(405));
        }
        let done = folder.run("apply --auto-approve --ref refs/tags/v1.2.3").wide().done().expect_code(3);
        assert_eq!(one.content().tags.len(), TAGS, "{method} {part}");
        assert!(mirror.content().tags.len() < TAGS, "{method} {part}");
        assert!(done.stderr().contains("registry `mirror` is not required"), "{}", done.shown());
        mirror.forget_script();
        folder.apply("1.2.3").done().expect_code(0);
        assert_eq!(mirror.content().tags.len(), TAGS, "{method} {part}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_gets_nothing_if_a_required_registry_fails() {
    let (one, mirror, folder) = with_mirror().await;
    one.on("PUT", "/manifests/v1.2.3", 1000, refusal(405));
    folder.apply("1.2.3").done().expect_code(1);
    assert!(mirror.content().manifests.is_empty());
    assert_eq!(mirror.count("POST", "/blobs/uploads/"), 0);
}
