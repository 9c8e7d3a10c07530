//! Before an apply sends anything, it asks every repository whether it may. It reports all refusals together, and then sends
//! nothing.

use insta::assert_snapshot;
use serde_json::{Value, json};

use testkit::command::{EndedRun, Folder};
use testkit::test_registry::{Deletes, Fault, RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, configuration, image};

const UPLOADS: &str = "/blobs/uploads/";

/// As GHCR refuses.
fn denied(message: &str) -> Fault {
    let body = json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
    Fault::Answer(403, vec![("content-type", "application/json".to_owned())], body.into_bytes())
}

/// A text with each port, digest and random name replaced.
fn steady(shown: &str) -> String {
    let shown = regex::Regex::new("absent-[0-9a-f]+").unwrap().replace_all(shown, "absent-[RANDOM]");
    let shown = regex::Regex::new("127.0.0.1:[0-9]+").unwrap().replace_all(&shown, "[REGISTRY]").into_owned();
    regex::Regex::new("sha256:[0-9a-f]{12,64}").unwrap().replace_all(&shown, "sha256:[DIGEST]").into_owned()
}

fn apply(folder: &Folder, more: &str) -> EndedRun {
    let run = folder.run(&format!("apply --auto-approve --ref refs/tags/v1.2.3 {more}"));
    run.env("U", "alice").env("P", "secret").wide().done()
}

/// How many requests a registry got that change something.
fn changes(registry: &TestRegistry) -> usize {
    ["PUT", "PATCH"].into_iter().map(|method| registry.count(method, "")).sum()
}

async fn registries(count: usize) -> (Folder, Vec<TestRegistry>) {
    let mut registries = Vec::new();
    for _ in 0..count {
        registries.push(
            TestRegistry::start(TestRegistryOptions { cancels: false, ..TestRegistryOptions::default() })
                .await,
        );
    }
    let hosts: Vec<String> = registries.iter().map(TestRegistry::host).collect();
    let names = ["one", "two", "three"];
    let places: Vec<(&str, &str)> = names.into_iter().zip(hosts.iter().map(String::as_str)).collect();
    let folder = Folder::with(&[("publish.toml", &configuration(&places))]);
    folder.image("image", &image("1.2.3"));
    (folder, registries)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_registry_refuses_is_sent_to_none() {
    let (folder, registries) = registries(2).await;
    let refusal = denied("installation not allowed to Create organization package");
    registries[1].on("POST", UPLOADS, 1, refusal);
    let done = apply(&folder, "").expect_code(1);
    assert_snapshot!("refused", steady(&done.shown()));
    assert_eq!(registries.iter().map(changes).sum::<usize>(), 0);
    assert!(registries.iter().all(|it| it.content().tags.is_empty() && it.content().blobs.is_empty()));
    // Once it is allowed, the same command does it all.
    apply(&folder, "").expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_told_at_once() {
    let (folder, registries) = registries(3).await;
    registries[0].on("POST", UPLOADS, 1, denied("permission_denied: write_package"));
    registries[1].on("POST", UPLOADS, 1, denied("installation not allowed to Write organization package"));
    registries[2].on("POST", UPLOADS, 1, denied("You have exceeded a secondary rate limit"));
    let told = apply(&folder, "").expect_code(1).stderr();
    for words in ["write_package", "a pull request from a fork", "exceeded a secondary rate limit"] {
        assert!(told.to_lowercase().contains(words), "{told}");
    }
    assert_eq!(told.matches("so nothing was sent").count(), 3, "{told}");
    assert_eq!(told.matches("cannot find out whether").count(), 1, "a limit is no refusal: {told}");
    assert_eq!(registries.iter().map(changes).sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_changes_nothing_is_asked() {
    let (folder, registries) = registries(1).await;
    apply(&folder, "").expect_code(0);
    registries[0].forget_log();
    apply(&folder, "").expect_code(0);
    assert_eq!(changes(&registries[0]), 0);
    assert_eq!(registries[0].count("POST", "") + registries[0].count("DELETE", ""), 0);
    // Nor of a saved plan that is applied again, or is refused anyway.
    let text = folder.read("publish.toml").replace("template = \"latest\"", "template = \"newest\"");
    folder.write("publish.toml", text);
    folder.run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    folder.run("apply plan.json").done().expect_code(0);
    assert_eq!(registries[0].count("POST", ""), 1);
    registries[0].forget_log();
    folder.run("apply plan.json").done().expect_code(0);
    assert_eq!(registries[0].count("POST", "") + registries[0].count("DELETE", ""), 0);
    folder.image("image", &image("another"));
    apply(&folder, "").expect_code(1);
    assert_eq!(registries[0].count("POST", "") + registries[0].count("DELETE", ""), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_first_and_costs_no_token_of_its_own() {
    let registry = TestRegistry::start(TestRegistryOptions {
        auth: RequiredCredentials::Token,
        user: Some(("alice", "secret")),
        cancels: false,
        ..TestRegistryOptions::default()
    })
    .await;
    let host = registry.host();
    let url = format!("url = \"{host}\"\n");
    let auth = format!("{url}auth = {{ username_env = \"U\", password_env = \"P\" }}\n");
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &host)]).replace(&url, &auth))]);
    folder.image("image", &image("1.2.3"));
    let plan = folder.run("plan --out plan.json --ref refs/tags/v1.2.3").env("U", "alice").env("P", "secret");
    plan.done().expect_code(0);
    registry.forget_log();
    let run = folder.run("apply --json plan.json").env("U", "alice").env("P", "secret");
    let done = run.done().expect_code(0);
    // One to read the tags again, one without credentials, because `apply` decides about the search for secrets, and one to push.
    assert_eq!(registry.count("GET", "/token"), 3);
    let log: Vec<String> = registry.log().iter().map(|it| format!("{} {}", it.method, it.path)).collect();
    let changing: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|it| !it.starts_with("GET ") && !it.starts_with("HEAD "))
        .collect();
    // The first blob uses the session that showed that the credentials may push.
    assert_eq!(changing.first(), Some(&"POST /v2/app/blobs/uploads/"), "{log:#?}");
    assert!(changing.contains(&"PUT /v2/app/blobs/uploads/1"), "{log:#?}");
    assert_eq!(
        registry.count("POST", "/blobs/uploads/"),
        registry.count("PUT", "/blobs/uploads/"),
        "{log:#?}"
    );
    assert_eq!(registry.count("DELETE", ""), 0);
    let events = done.stdout();
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let stages: Vec<String> = events.filter_map(|it| it["stage"].as_str().map(str::to_owned)).collect();
    assert_eq!(stages, ["check", "preflight", "content", "immutable_tags", "floating_tags", "read_back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_go_only_where_deleting_is_allowed() {
    let registry = TestRegistry::start(TestRegistryOptions {
        deletes: Deletes::Manifests,
        ..TestRegistryOptions::default()
    })
    .await;
    let text = format!(
        "version = 1\n\n[registries.one]\nurl = \"{}\"\n{RELEASE_RULES}\n[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{{{ pr.number }}}}\"\nmutability = \"mutable\"\n\n[images.app]\nsource = \"oci:image\"\n\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("pr"));
    folder.run("apply --auto-approve --pr 12").done().expect_code(0);
    folder.run("prune --event pull_request_closed --pr 12 --out prune.json").done().expect_code(0);
    registry.forget_log();
    registry.on("DELETE", "/manifests/", 9, denied("requested access to the resource is denied"));
    let done = folder.run("apply prune.json").wide().done().expect_code(1);
    assert_snapshot!("refused_to_delete", steady(&done.shown()));
    assert_eq!(changes(&registry), 0);
    registry.forget_script();
    folder.run("apply prune.json").done().expect_code(0);
    assert!(registry.content().tags.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_in_the_same_registry_must_be_readable() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    let from = configuration(&[("one", &format!("{host}/staging"))]);
    let folder = Folder::with(&[("from.toml", &from)]);
    folder.image("image", &image("1.2.3"));
    folder.run("apply -c from.toml --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
    let to = configuration(&[("one", &format!("{host}/released"))])
        .replace("oci:image", &format!("docker://{host}/staging/app:v{{{{ version }}}}"));
    folder.write("publish.toml", &to);
    folder.run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    registry.forget_log();
    registry.on("GET", "/v2/staging/app/tags/list", 1, denied("requested access to the resource is denied"));
    let told = folder.run("apply plan.json").wide().done().expect_code(1).error();
    assert!(told.contains(&format!("cannot mount from {host}/staging/app, so nothing was sent")), "{told}");
    assert_eq!(changes(&registry), 0);
    folder.run("apply plan.json").done().expect_code(0);
}
