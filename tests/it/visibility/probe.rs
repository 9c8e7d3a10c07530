//! The anonymous pull: what its answers mean, and that nobody's credentials are in it.

use std::time::Duration;

use base64::Engine as _;
use brokkr_publish::model::plan::ObservedVisibility;
use brokkr_publish::visibility::{probe, probe_absent};
use oci_registry::Digest;
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{ConnectOptions, RetryPolicy, connect};

use crate::visibility::VisibilityFixture;
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};

#[tokio::test]
async fn limits_and_faults_are_unknown_and_never_private() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let endpoint = RegistryEndpoint::of(registry.host().parse().expect("a location"));
    let retry = RetryPolicy { attempts: 1, total: Duration::from_secs(5), ..RetryPolicy::default() };
    let options = ConnectOptions { retry, ..ConnectOptions::default() };
    let anonymous = connect(&endpoint.anonymous(), &options).expect("a registry");
    let anonymous = anonymous.repository(&"acme/app".parse().expect("a name"));
    for (status, expected) in [
        (401, ObservedVisibility::NotPublic),
        (403, ObservedVisibility::NotPublic),
        (404, ObservedVisibility::Unknown),
        (408, ObservedVisibility::Unknown),
        (418, ObservedVisibility::Unknown),
        (429, ObservedVisibility::Unknown),
        (500, ObservedVisibility::Unknown),
        (502, ObservedVisibility::Unknown),
        (503, ObservedVisibility::Unknown),
    ] {
        registry.on("HEAD", "/manifests/", 1, Fault::Answer(status, Vec::new(), Vec::new()));
        let seen = probe(anonymous.as_ref(), anonymous.as_ref(), &Digest::of(b"")).await;
        assert_eq!(seen.observed, expected, "{status}");
        assert_eq!(seen.why.is_some(), expected == ObservedVisibility::Unknown, "{status}");
        registry.forget_script();
        registry.on("HEAD", "/manifests/", 1, Fault::Answer(status, Vec::new(), Vec::new()));
        let absent = match status {
            401 | 403 => ObservedVisibility::Absent,
            404 => ObservedVisibility::Public,
            _ => ObservedVisibility::Unknown,
        };
        assert_eq!(probe_absent(anonymous.as_ref(), &Digest::of(b"")).await, absent, "{status}");
        registry.forget_script();
    }
}

/// GHCR and GitLab answer 404 to strangers who ask for content of a private repository.
#[tokio::test]
async fn content_that_strangers_do_not_find_is_private_only_if_it_is_there() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let endpoint = RegistryEndpoint::of(registry.host().parse().expect("a location"));
    let connected = connect(&endpoint, &ConnectOptions::default()).expect("a registry");
    let repository = connected.repository(&"acme/app".parse().expect("a name"));
    let manifest = br#"{"schemaVersion":2,"manifests":[]}"#;
    let digest = registry.content().put("acme/app", "application/vnd.oci.image.index.v1+json", manifest);
    let digest: Digest = digest.parse().expect("a digest");
    let not_found = || Fault::Answer(404, Vec::new(), Vec::new());
    // HEAD of the stranger, GET with credentials, GET of the stranger.
    for (gets, expected) in [(0, ObservedVisibility::Public), (2, ObservedVisibility::NotPublic)] {
        registry.on("HEAD", "/manifests/", 1, not_found());
        if gets > 0 {
            registry.nth(gets, not_found());
        }
        let seen = probe(repository.as_ref(), repository.as_ref(), &digest).await;
        assert_eq!((seen.observed, seen.why), (expected, None));
        registry.forget_script();
    }
}

/// A credential file of Docker or podman with a user that may do everything.
fn credential_file(host: &str, user: (&str, &str)) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", user.0, user.1));
    serde_json::json!({ "auths": { host: { "auth": pair } } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_credentials_are_in_it_wherever_they_are() {
    let user = ("alice", "alice-word");
    let scene = VisibilityFixture::new(user, "private", "", |_| false).await;
    scene.apply().done().expect_code(0);
    let file = credential_file(&scene.registry.host(), user);
    scene.folder.write("credentials/config.json", &file).write("credentials/auth.json", &file);
    scene.folder.write("runtime/containers/auth.json", &file);
    let at = |path: &str| scene.folder.path.join(path);
    let home = scene.folder.home();
    std::fs::create_dir_all(home.join(".docker")).expect("a folder");
    std::fs::write(home.join(".docker/config.json"), &file).expect("written");
    let everywhere = |run: testkit::command::ProgramRun| {
        run.env("DOCKER_CONFIG", at("credentials"))
            .env("DOCKER_AUTH_CONFIG", &file)
            .env("REGISTRY_AUTH_FILE", at("credentials/auth.json"))
            .env("XDG_RUNTIME_DIR", at("runtime"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_TOKEN", "github-word")
    };
    // With `auth`, and from the files.
    for auth in [true, false] {
        if !auth {
            let text = scene.folder.read("publish.toml");
            let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("auth = ")).collect();
            scene.folder.write("publish.toml", text.join("\n"));
        }
        scene.registry.forget_log();
        let verified = everywhere(scene.verify()).done().expect_code(0);
        assert!(!verified.shown().contains("alice-word"));
        // One token for who is known, and one attempt of nobody, who is refused.
        let tokens = scene.registry.requests("GET", "/token");
        let (named, nobody): (Vec<_>, Vec<_>) =
            tokens.into_iter().partition(|request| !request.header("authorization").is_empty());
        assert_eq!((named.len(), nobody.len()), (1, 1), "{auth}");
        for request in &nobody {
            assert!(
                request.query.ends_with("%3Apull") || request.query.ends_with(":pull"),
                "{}",
                request.query
            );
            assert!(!request.line().contains("alice") && request.headers.get("cookie").is_none());
        }
        everywhere(scene.plan()).done().expect_code(0);
        everywhere(scene.apply()).done().expect_code(0);
    }
}

#[test]
fn an_anonymous_endpoint_names_no_variable() {
    let auth = CredentialVariables { username_env: "A".to_owned(), password_env: "B".to_owned() };
    let url = "registry.example/acme".parse().expect("a location");
    let endpoint = RegistryEndpoint {
        auth: Some(auth),
        api_token_env: Some("C".to_owned()),
        ..RegistryEndpoint::of(url)
    };
    let json = serde_json::to_string(&endpoint.anonymous()).expect("JSON");
    assert_eq!(json, r#"{"url":"registry.example/acme"}"#);
}

/// Only a repository that is not there is `not there yet`. If another tag stands there, the probe asks for that one.
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_there_is_never_called_not_there_yet() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let user = ("alice", "alice-word");
    let absent = VisibilityFixture::new(user, "public", "", |_| true).await;
    let row = VisibilityFixture::row(&absent.plan().done());
    assert_eq!(row, "? visibility not there yet → public shown by an anonymous pull once it is there");
    for (public, expected) in [(true, None), (false, Some("! visibility private → public by hand"))] {
        let scene = VisibilityFixture::new(user, "public", "", move |_| public).await;
        scene.registry.content().tag("acme/app", "old", INDEX, br#"{"schemaVersion":2,"manifests":[]}"#);
        let shown = scene.plan().done().stdout();
        let row = shown.lines().find(|line| line.contains("visibility  "));
        let row = row.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(row.is_some(), expected.is_some(), "{shown}");
        assert!(row.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{shown}");
    }
    // It lists no tag, and still it is there.
    let scene = VisibilityFixture::new(user, "public", "", |_| true).await;
    let listed = || {
        let json = vec![("content-type", "application/json".to_owned())];
        Fault::Answer(200, json, br#"{"name":"acme/app","tags":[]}"#.to_vec())
    };
    scene.registry.on("GET", "/tags/list", 2, listed());
    let row = VisibilityFixture::row(&scene.plan().done());
    assert_eq!(
        row,
        "? visibility unknown → public the repository is there, but has no tag that could be pulled"
    );
}
