//! Credentials, tokens and their renewal.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

#[tokio::test]
async fn a_repository_costs_one_token() {
    let scene = Scene::with(tokens()).await;
    tagged(&scene.server, "a");
    let repository = scene.repository();
    let reads = (0..40).map(|_| async { repository.head_manifest(&at("v1")).await.expect("an answer") });
    assert_eq!(futures_util::future::join_all(reads).await.len(), 40);
    repository.list_tags().await.expect("tags");
    SmallImage::new("x").push(repository.as_ref(), "v2").await.expect("pushed");
    assert_eq!(scene.server.count("GET", "/token"), 1);
    // No request was sent in vain but the first.
    let refused = scene
        .server
        .log()
        .into_iter()
        .filter(|request| request.path.starts_with("/v2/") && request.header("authorization").is_empty());
    assert_eq!(refused.map(|request| request.path).collect::<Vec<_>>(), ["/v2/"]);
}

#[tokio::test]
async fn a_mount_asks_for_both_scopes() {
    let scene = Scene::with(tokens()).await;
    let blob = Blob::noise(100, 1);
    scene.server.content().blob("o/base", &blob.bytes);
    let outcome = scene.repository().push_blob(&blob.descriptor, &blob.body(), Some(&name("o/base"))).await;
    assert_eq!(outcome.expect("mounted"), BlobOutcome::Mounted);
    let asked = scene.server.requests("GET", "/token");
    assert_eq!(asked.len(), 1);
    let expected = "service=test&scope=repository%3Ao%2Fbase%3Apull&scope=repository%3Ao%2Fn%3Apull%2Cpush";
    assert_eq!(asked[0].query, expected);
}

#[tokio::test]
async fn a_token_that_dies_is_renewed() {
    let scene = Scene::with(tokens()).await;
    let repository = scene.repository();
    let image = SmallImage::new("renewed");
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    scene.server.revoke_tokens();
    let blob = Blob::noise(500_000, 2);
    // The session is open when the token dies: the PUT goes again to the same place.
    scene.server.on("PUT", UPLOADS, 1, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
    scene.push(&blob).await.expect("pushed");
    repository.put_manifest(&at("v2"), &image.index).await.expect("put");
    assert_eq!(scene.server.count("GET", "/token"), 3);
    assert!(scene.retries().is_empty());
}

fn bearer(scene: &Scene) -> String {
    format!("Bearer realm=\"http://{}/token\",service=\"test\"", scene.server.host())
}

#[tokio::test]
async fn a_token_is_used_no_longer_than_it_lives() {
    let short = Options { token_lifetime: Duration::from_secs(1), ..tokens() };
    let scene = Scene::with(short).await;
    tagged(&scene.server, "a");
    let repository = scene.repository();
    repository.head_manifest(&at("v1")).await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(900)).await;
    repository.head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(scene.server.count("GET", "/token"), 2);
    assert_eq!(scene.server.count("HEAD", "/manifests/"), 2);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let scene = Scene::with(Options { user: Some(("alice", "another")), ..tokens() }).await;
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
    let diagnostic = error.to_diagnostic();
    assert_eq!(diagnostic.code, Code::RegistryUnauthorized);
    let expected =
        format!("GET http://{}/token: UNAUTHORIZED: wrong user name or password", scene.server.host());
    assert_eq!(diagnostic.message, expected);
    assert!(diagnostic.help.expect("a help").contains("`U` and `P`"));
    assert!(scene.retries().is_empty());

    let scene = Scene::with(tokens()).await;
    scene.server.on("HEAD", "/manifests/", 9, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
    assert_eq!(scene.server.count("HEAD", "/manifests/"), 2);
}

#[tokio::test]
async fn reading_does_with_less_where_pushing_is_refused() {
    let scene = Scene::with(tokens()).await;
    tagged(&scene.server, "a");
    let body = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    scene.server.on("GET", "push", 9, answer(403, &[], body));
    assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
    let error = scene.push(&Blob::noise(10, 1)).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn basic_credentials_go_with_each_request() {
    let scene =
        Scene::with(Options { auth: Auth::Basic, user: Some(("alice", "secret")), ..Options::default() })
            .await;
    SmallImage::new("basic").push(scene.repository().as_ref(), "v1").await.expect("pushed");
    assert_eq!(scene.server.requests("PUT", "")[0].header("authorization"), "Basic YWxpY2U6c2VjcmV0");
}

#[tokio::test]
async fn bad_token_servers_are_said() {
    for (body, status) in [("", 200), ("{}", 200), (r#"{"token":"a\nb"}"#, 200), ("x", 302)] {
        let scene = Scene::with(tokens()).await;
        scene.server.on("GET", "/token", 1, answer(status, &[("location", "http://127.0.0.1:1/")], body));
        let error = scene.repository().head_manifest(&at("v1")).await.expect_err(body);
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    }
    let scene = Scene::with(tokens()).await;
    scene.server.on("GET", "/token", 1, Fault::Endless);
    assert!(scene.repository().head_manifest(&at("v1")).await.is_err());
    let scene = Scene::with(tokens()).await;
    scene.server.on("GET", "/token", 2, answer(503, &[], ""));
    scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(scene.retries().len(), 2);
}

/// The registry of a scene, for a user whose Docker configuration is `config`.
fn reached(scene: &Scene, config: &str) -> Arc<dyn Repository> {
    let config = config.replace("HOST", &scene.server.host());
    let options = ConnectOptions {
        environment: Arc::new(move |name| (name == "DOCKER_AUTH_CONFIG").then(|| config.clone())),
        ..ConnectOptions::default()
    };
    let endpoint = RegistryEndpoint::of(scene.server.host().parse().expect("a location"));
    connect(&endpoint, &options).expect("a registry").repository(&name("o/n"))
}

#[tokio::test]
async fn a_program_that_fails_hinders_only_who_needs_credentials() {
    let config = r#"{"credsStore":"that-is-not-there"}"#;
    let open = Scene::with(Options { auth: Auth::Token, ..Options::default() }).await;
    tagged(&open.server, "a");
    let repository = reached(&open, config);
    assert!(repository.head_manifest(&at("v1")).await.expect("an answer").is_some());
    let blob = Blob::noise(10, 1);
    let error = repository.push_blob(&blob.descriptor, &blob.body(), None).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
    assert!(error.to_string().contains("`docker-credential-that-is-not-there`"), "{error}");

    // If the registry refuses to read without credentials, the error is the one of the program.
    let closed = Scene::with(tokens()).await;
    let error = reached(&closed, config).head_manifest(&at("v1")).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
    let basic = Options { auth: Auth::Basic, ..tokens() };
    let closed = Scene::with(basic).await;
    let error = reached(&closed, config).head_manifest(&at("v1")).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
}

#[tokio::test]
async fn a_token_server_that_exchanges_nothing_is_said() {
    let config = r#"{"auths":{"HOST":{"identitytoken":"refresh"}}}"#;
    for status in [404, 405] {
        let scene = Scene::with(tokens()).await;
        scene.server.on("POST", "/token", 1, answer(status, &[], ""));
        let error = reached(&scene, config).head_manifest(&at("v1")).await.expect_err("no exchange");
        assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
        let expected = "the token server does not exchange identity tokens, and `DOCKER_AUTH_CONFIG` has one";
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("refresh"), "{error}");
    }
    // A registry that wants a password can do nothing with one.
    let scene = Scene::with(Options { auth: Auth::Basic, ..tokens() }).await;
    let error = reached(&scene, config).head_manifest(&at("v1")).await.expect_err("no password");
    assert!(error.to_string().contains("requires a user name and a password"), "{error}");
    assert!(scene.server.log().iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let scene = Scene::with(tokens()).await;
    let repository = reached(&scene, r#"{"auths":{"HOST":{"registrytoken":"as-it-is"}}}"#);
    let error = repository.head_manifest(&at("v1")).await.expect_err("not one of the registry");
    assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
    let sent = scene.server.requests("HEAD", "/manifests/");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header("authorization"), "Bearer as-it-is");
    assert_eq!(scene.server.count("GET", "/token") + scene.server.count("POST", "/token"), 0);
}

#[tokio::test]
async fn a_token_server_elsewhere_is_not_asked_in_plain_text() {
    let scene = Scene::with(tokens()).await;
    let realm = "Bearer realm=\"http://auth.example/token\",service=\"test\"";
    scene.server.on("GET", "/v2/", 9, answer(401, &[("www-authenticate", realm)], ""));
    let error = scene.repository().get_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(
        error.to_string().ends_with("the registry names a token server that does not speak https"),
        "{error}"
    );
}
