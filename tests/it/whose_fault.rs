//! Errors that know whose fault it is: rights that a command does not need, another host, the type of a manifest, a rule of the
//! registry. Each line names the public thread that reports the behaviour.

use testkit::command::{EndedRun, Folder};
use testkit::image::{TestImage, TestLayer, sha256};
use testkit::test_registry::{Deletes, Fault, RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, configuration, image};

fn answer(status: u16, body: &str) -> Fault {
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.as_bytes().to_vec())
}

/// A registry with a token server, and a folder that publishes there with credentials.
async fn with_tokens(deletes: Deletes) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(TestRegistryOptions {
        auth: RequiredCredentials::Token,
        user: Some(("alice", "secret")),
        deletes,
        ..TestRegistryOptions::default()
    })
    .await;
    let text = format!(
        "version = 1\n\n[registries.one]\nurl = \"{}\"\nauth = {{ username_env = \"U\", password_env = \"P\" }}\n{RELEASE_RULES}\n[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{{{ pr.number }}}}\"\nmutability = \"mutable\"\n\n[images.app]\nsource = \"oci:image\"\n\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("1.2.3"));
    (registry, folder)
}

fn run(folder: &Folder, arguments: &str) -> EndedRun {
    folder.run(arguments).env("U", "alice").env("P", "secret").wide().done()
}

/// The actions that tokens were asked for, each once, in order.
fn actions(registry: &TestRegistry) -> Vec<String> {
    let scopes = registry.requests("GET", "/token").into_iter().flat_map(|it| {
        let pairs = url::form_urlencoded::parse(it.query.as_bytes()).into_owned().collect::<Vec<_>>();
        pairs.into_iter().filter(|(key, _)| key == "scope").map(|(_, scope)| scope)
    });
    let mut actions: Vec<String> =
        scopes.map(|scope| scope.rsplit(':').next().unwrap_or_default().to_owned()).collect();
    actions.dedup();
    registry.forget_log();
    actions
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_asks_for_the_rights_that_it_needs() {
    // Quay creates a repository when a token to push to it is asked for (quay/quay, `endpoints/v2/v2auth.py`).
    let (registry, folder) = with_tokens(Deletes::Tags).await;
    let release = "--ref refs/tags/v1.2.3";
    for (arguments, code, expected) in [
        (format!("plan {release}"), 0, &["pull"][..]),
        (format!("plan {release} --out plan.json"), 0, &["pull"]),
        (format!("tags {release}"), 0, &[]),
        ("lint".to_owned(), 0, &[]),
        ("verify".to_owned(), 0, &["pull"]),
        ("auth check".to_owned(), 0, &["pull", "pull,push"]),
        (format!("apply --auto-approve {release}"), 0, &["pull", "pull,push"]),
        // Nothing is left to do, so nothing more is asked for.
        (format!("apply --auto-approve {release}"), 0, &["pull"]),
        ("verify".to_owned(), 0, &["pull"]),
        ("apply plan.json".to_owned(), 0, &["pull"]),
        ("auth check".to_owned(), 0, &["pull", "pull,push", "pull,push,delete"]),
        ("apply --auto-approve --pr 12 --record record.json".to_owned(), 0, &["pull", "pull,push"]),
        ("prune --event pull_request_closed --pr 12 --out prune.json".to_owned(), 0, &["pull"]),
        ("rollback record.json --out back.json".to_owned(), 0, &["pull"]),
        ("apply prune.json".to_owned(), 0, &["pull", "pull,push", "pull,push,delete"]),
    ] {
        let done = run(&folder, &arguments).expect_code(code);
        let mut asked = actions(&registry);
        asked.sort();
        asked.dedup();
        assert_eq!(asked, expected, "{arguments}\n{}", done.shown());
    }
    assert!(!registry.content().tags.contains_key(&("app".to_owned(), "pr-12".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_deletes_nothing_says_so_before_anything_is_sent() {
    // The plan reads, so it cannot know.
    let (registry, folder) = with_tokens(Deletes::Nothing).await;
    run(&folder, "apply --auto-approve --pr 12").expect_code(0);
    run(&folder, "prune --event pull_request_closed --pr 12 --out prune.json").expect_code(0);
    let told = run(&folder, "apply prune.json").expect_code(1).error();
    assert!(
        told.contains("cannot delete, so nothing was sent") && told.contains("deletes nothing"),
        "{told}"
    );
    assert!(registry.content().tags.contains_key(&("app".to_owned(), "pr-12".to_owned())));
}

/// The error of a release whose manifests are answered with `fault`, and the number of manifests that were sent.
async fn refused(image: &TestImage, part: &str, fault: Fault) -> (String, usize) {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let text = configuration(&[("one", &registry.host())])
        .replace("platforms = [\"linux/amd64\", \"linux/arm64\"]\n", "");
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", image);
    registry.on("PUT", part, 9_999, fault);
    (
        run(&folder, "apply --auto-approve --ref refs/tags/v1.2.3").expect_code(1).error(),
        registry.count("PUT", part),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_a_registry_does_not_take_is_named_by_its_type() {
    let one = TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 100)]).single();
    let index = "application/vnd.oci.image.index.v1+json";
    for (image, status, body, words) in [
        // falcosecurity/falcoctl#302, moby/buildkit#5747 (ECR)
        (
            &one,
            405,
            r#"{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"}]}"#,
            "application/vnd.oci.image.manifest.v1+json",
        ),
        // go-gitea/gitea#31861
        (&one, 404, "", "application/vnd.oci.image.manifest.v1+json"),
        // containerd/nerdctl#3838, distribution/distribution#2146
        (&one, 415, "", "--format docker"),
        (
            &one,
            400,
            r#"{"errors":[{"code":"MANIFEST_INVALID","message":"mediaType in manifest should be docker"}]}"#,
            "--format docker",
        ),
    ] {
        let (told, puts) = refused(image, "/manifests/", answer(status, body)).await;
        assert!(told.contains("does not take manifests of the type") && told.contains(words), "{told}");
        assert!(!told.contains("status page") && !told.contains("created before the first push"), "{told}");
        assert_eq!(puts, 1, "{told}");
    }
    let (told, _) = refused(&image("1.2.3"), "/manifests/sha256:", answer(415, "")).await;
    assert!(told.contains("rejected") && !told.contains(index), "the images come first: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_layer_is_named() {
    // distribution/distribution#2795, distribution/distribution#2232, google/go-containerregistry#1418
    let layers = vec![TestLayer::foreign("https://mcr.microsoft.com/layer"), TestLayer::noise(1, 100)];
    let layer = sha256(&layers[0].bytes);
    let windows = TestImage::new().platform("windows/amd64", layers).single();
    let body = format!(
        r#"{{"errors":[{{"code":"UNKNOWN","message":"unknown error","detail":{{}}}},{{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry","detail":"{layer}"}}]}}"#
    );
    let (told, puts) = refused(&windows, "/manifests/", answer(500, &body)).await;
    assert!(told.contains("foreign layer") && told.contains("validation.manifests.urls.allow"), "{told}");
    assert!(!told.contains("status page") && told.contains("registry::rejected"), "{told}");
    assert_eq!(puts, 1, "it is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_speaks_of_immutability_is_not_about_rights() {
    for (status, message) in [
        // docker/hub-feedback#2466, goharbor/harbor#9427
        (403, "The tag:app:v1.2.3 is immutable, cannot be overwrite."),
        (
            400,
            "The image tag 'v1.2.3' already exists and cannot be overwritten because the repository is immutable.",
        ),
        (412, "configured as immutable"),
    ] {
        let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
        let (told, _) = refused(&image("1.2.3"), "/manifests/v1.2.3", answer(status, &body)).await;
        assert!(told.contains("registry::rejected") && told.contains("immutable in the registry"), "{told}");
        assert!(!told.contains("right to"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_for_an_unreachable_registry_speaks_of_reading() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &port.to_string())]))]);
    folder.image("image", &image("1.2.3"));
    let told = run(&folder, "plan --ref refs/tags/v1.2.3").expect_code(1).error();
    assert!(told.contains("nothing could be read from the registry"), "{told}");
    assert!(!told.contains("not sent again"), "{told}");
}
