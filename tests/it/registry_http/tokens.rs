//! Credentials, tokens and their renewal.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

#[tokio::test]
async fn a_repository_costs_one_token_to_read_and_one_to_push() {
    let scene = ClientFixture::with(tokens()).await;
    tagged(&scene.server, "a");
    let repository = scene.repository();
    let reads = (0..40).map(|_| async { repository.head_manifest(&at("v1")).await.expect("an answer") });
    assert_eq!(futures_util::future::join_all(reads).await.len(), 40);
    repository.list_tags().await.expect("tags");
    SmallImage::new("x").push(repository.as_ref(), "v2").await.expect("pushed");
    let asked = scene.server.requests("GET", "/token");
    let scope = "service=test&scope=repository%3Ao%2Fn%3Apull";
    assert_eq!(
        asked.iter().map(|it| it.query.as_str()).collect::<Vec<_>>(),
        [scope, &format!("{scope}%2Cpush")]
    );
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
    let scene = ClientFixture::with(tokens()).await;
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
    let scene = ClientFixture::with(tokens()).await;
    let repository = scene.repository();
    let image = SmallImage::new("renewed");
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    scene.server.revoke_tokens();
    let blob = Blob::noise(500_000, 2);
    // The session is open when the token dies: the PUT goes again to the same place.
    scene.server.on("PUT", UPLOADS, 1, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
    scene.push(&blob).await.expect("pushed");
    repository.put_manifest(&at("v2"), &image.index).await.expect("put");
    // One to read, and three to push.
    assert_eq!(scene.server.count("GET", "/token"), 4);
    assert!(scene.retries().is_empty());
}

fn bearer(scene: &ClientFixture) -> String {
    format!("Bearer realm=\"http://{}/token\",service=\"test\"", scene.server.host())
}

#[tokio::test]
async fn a_challenge_that_is_not_written_as_specified_is_answered() {
    for (status, challenge) in [
        (401, "Bearer realm=http://HOST/token,service=test"),
        (401, "Bearer realm=\"/token\",service=\"test\""),
        // moby/moby#17104 and others: 403 instead of 401.
        (403, "Bearer realm=\"http://HOST/token\",service=\"test\""),
    ] {
        let scene = ClientFixture::with(tokens()).await;
        tagged(&scene.server, "a");
        let challenge = challenge.replace("HOST", &scene.server.host());
        // At the first question, or later, if that is answered without one.
        for first in [true, false] {
            if !first {
                scene.server.on("GET", "/v2/", 1, answer(200, &[], "{}"));
            }
            let (method, part) = if first { ("GET", "/v2/") } else { ("HEAD", "/manifests/") };
            scene.server.on(method, part, 1, answer(status, &[("www-authenticate", &challenge)], ""));
            let repository = reached(&scene, r#"{"auths":{"HOST":{"auth":"YWxpY2U6c2VjcmV0"}}}"#);
            let found = repository.head_manifest(&at("v1")).await;
            assert!(found.expect("an answer").is_some(), "{status} {challenge} {first}");
        }
    }
}

#[tokio::test]
async fn credentials_that_are_not_sent_are_not_called_missing() {
    for (challenge, words) in [
        ("Negotiate", "`WWW-Authenticate: Negotiate`"),
        ("Bearer service=\"x\"", "`WWW-Authenticate: Bearer service=\"x\"`"),
        ("", "without asking for credentials"),
    ] {
        for status in [401, 403] {
            let scene = ClientFixture::with(tokens()).await;
            for method in ["GET", "HEAD"] {
                let headers: &[(&'static str, &str)] =
                    if challenge.is_empty() { &[] } else { &[("www-authenticate", challenge)] };
                scene.server.on(method, "", 9, answer(status, headers, ""));
            }
            let error = scene.repository().head_manifest(&at("v1")).await.expect_err("refused");
            let help = error.to_diagnostic().help.expect("a help");
            assert!(help.contains(words) && help.contains("`U` and `P`"), "{challenge} {status}: {help}");
        }
    }
}

#[tokio::test]
async fn a_location_that_leads_elsewhere_is_named_and_gets_no_credentials() {
    // moby/moby#17104: the registry names itself by another name, at which it requires the credentials again.
    let scene = ClientFixture::with(tokens()).await;
    let door = scene.server.door().await;
    let location = format!("http://{door}/v2/o/n/blobs/uploads/1?_state=a%2Fb%3D%3D");
    scene.server.on("POST", UPLOADS, 9, headers(&[("location", &location)]));
    let error = scene.push(&Blob::noise(1000, 1)).await.expect_err("refused");
    let help = error.to_diagnostic().help.expect("a help");
    assert!(help.contains(&format!("`http://{door}`")) && help.contains("`U` and `P`"), "{help}");
    assert!(!help.contains("no credentials") && !help.contains("none were found"), "{help}");
    let log = scene.server.log();
    assert!(log.iter().filter(|it| it.door == door).all(|it| it.header("authorization").is_empty()));

    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let scene = ClientFixture::with(tokens()).await;
    let location = format!("http://{closed}/upload");
    scene.server.on("POST", UPLOADS, 99, headers(&[("location", &location)]));
    let error = scene.push(&Blob::noise(1000, 1)).await.expect_err("nobody");
    let help = error.to_diagnostic().help.expect("a help");
    assert!(help.contains(&format!("uploads go to `http://{closed}`")), "{help}");
}

#[tokio::test]
async fn a_token_is_used_no_longer_than_it_lives() {
    let short = TestRegistryOptions { token_lifetime: Duration::from_secs(1), ..tokens() };
    let scene = ClientFixture::with(short).await;
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
    let scene =
        ClientFixture::with(TestRegistryOptions { user: Some(("alice", "another")), ..tokens() }).await;
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
    let diagnostic = error.to_diagnostic();
    assert_eq!(diagnostic.code, Code::RegistryUnauthorized);
    let expected =
        format!("GET http://{}/token: UNAUTHORIZED: wrong user name or password", scene.server.host());
    assert_eq!(diagnostic.message, expected);
    assert!(diagnostic.help.expect("a help").contains("`U` and `P`"));
    assert!(scene.retries().is_empty());

    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("HEAD", "/manifests/", 9, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
    assert_eq!(scene.server.count("HEAD", "/manifests/"), 2);
}

#[tokio::test]
async fn a_challenge_does_not_widen_the_right_to_read() {
    // Quay creates a repository as soon as a token to push to it is asked for. The challenge of a GET must not make that happen.
    let scene = ClientFixture::with(tokens()).await;
    tagged(&scene.server, "a");
    for scope in ["repository:o/n:pull,push", "repository:o/n:*", "repository:o/n:pull,push,delete"] {
        let challenge = format!("{},scope=\"{scope}\"", bearer(&scene));
        for method in ["HEAD", "GET"] {
            scene.server.on(method, "/manifests/", 1, answer(401, &[("www-authenticate", &challenge)], ""));
        }
        assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
        assert!(scene.repository().get_manifest(&at("v1")).await.expect("an answer").is_some());
    }
    let asked = scene.server.requests("GET", "/token");
    assert!(asked.len() > 1 && asked.iter().all(|it| it.query.ends_with("%3Apull")), "{asked:#?}");
}

#[tokio::test]
async fn the_way_of_removing_is_foreseen_without_the_right_to_delete() {
    for (auth, deletes, foreseen) in [
        (RequiredCredentials::Token, Deletes::Tags, None),
        (RequiredCredentials::Token, Deletes::Nothing, None),
        (RequiredCredentials::Basic, Deletes::Tags, Some(Deletion::Tags)),
        (RequiredCredentials::None, Deletes::Manifests, Some(Deletion::Manifests)),
    ] {
        let scene = ClientFixture::with(TestRegistryOptions { auth, deletes, ..tokens() }).await;
        tagged(&scene.server, "a");
        assert_eq!(scene.repository().foresee_deletion().await.expect("an answer"), foreseen, "{auth:?}");
        assert_eq!(scene.server.count("GET", "/token"), 0);
    }
}

#[tokio::test]
async fn reading_goes_on_where_pushing_is_refused() {
    let scene = ClientFixture::with(tokens()).await;
    tagged(&scene.server, "a");
    let body = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    scene.server.on("GET", "push", 9, answer(403, &[], body));
    assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
    let error = scene.push(&Blob::noise(10, 1)).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn basic_credentials_go_with_each_request() {
    let scene = ClientFixture::with(TestRegistryOptions {
        auth: RequiredCredentials::Basic,
        user: Some(("alice", "secret")),
        ..TestRegistryOptions::default()
    })
    .await;
    SmallImage::new("basic").push(scene.repository().as_ref(), "v1").await.expect("pushed");
    assert_eq!(scene.server.requests("PUT", "")[0].header("authorization"), "Basic YWxpY2U6c2VjcmV0");
}

#[tokio::test]
async fn bad_token_servers_are_said() {
    for (body, status) in [("", 200), ("{}", 200), (r#"{"token":"a\nb"}"#, 200), ("x", 302)] {
        let scene = ClientFixture::with(tokens()).await;
        scene.server.on("GET", "/token", 1, answer(status, &[("location", "http://127.0.0.1:1/")], body));
        let error = scene.repository().head_manifest(&at("v1")).await.expect_err(body);
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    }
    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("GET", "/token", 1, Fault::Endless);
    assert!(scene.repository().head_manifest(&at("v1")).await.is_err());
    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("GET", "/token", 2, answer(503, &[], ""));
    scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(scene.retries().len(), 2);
}

/// The registry of a scene, for a user whose Docker configuration is `config`.
fn reached(scene: &ClientFixture, config: &str) -> Arc<dyn Repository> {
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
    let open = ClientFixture::with(TestRegistryOptions {
        auth: RequiredCredentials::Token,
        ..TestRegistryOptions::default()
    })
    .await;
    tagged(&open.server, "a");
    let repository = reached(&open, config);
    assert!(repository.head_manifest(&at("v1")).await.expect("an answer").is_some());
    let blob = Blob::noise(10, 1);
    let error = repository.push_blob(&blob.descriptor, &blob.body(), None).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
    assert!(error.to_string().contains("`docker-credential-that-is-not-there`"), "{error}");

    // If the registry refuses to read without credentials, the error is the one of the program.
    let closed = ClientFixture::with(tokens()).await;
    let error = reached(&closed, config).head_manifest(&at("v1")).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
    let basic = TestRegistryOptions { auth: RequiredCredentials::Basic, ..tokens() };
    let closed = ClientFixture::with(basic).await;
    let error = reached(&closed, config).head_manifest(&at("v1")).await.expect_err("no program");
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
}

#[tokio::test]
async fn a_token_server_that_exchanges_nothing_is_said() {
    let config = r#"{"auths":{"HOST":{"identitytoken":"refresh"}}}"#;
    for status in [404, 405] {
        let scene = ClientFixture::with(tokens()).await;
        scene.server.on("POST", "/token", 1, answer(status, &[], ""));
        let error = reached(&scene, config).head_manifest(&at("v1")).await.expect_err("no exchange");
        assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
        let expected = "the token server does not exchange identity tokens, and `DOCKER_AUTH_CONFIG` has one";
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("refresh"), "{error}");
    }
    // A registry that wants a password can do nothing with one.
    let scene =
        ClientFixture::with(TestRegistryOptions { auth: RequiredCredentials::Basic, ..tokens() }).await;
    let error = reached(&scene, config).head_manifest(&at("v1")).await.expect_err("no password");
    assert!(error.to_string().contains("requires a user name and a password"), "{error}");
    assert!(scene.server.log().iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let scene = ClientFixture::with(tokens()).await;
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
    let scene = ClientFixture::with(tokens()).await;
    let realm = "Bearer realm=\"http://auth.example/token\",service=\"test\"";
    scene.server.on("GET", "/v2/", 9, answer(401, &[("www-authenticate", realm)], ""));
    let error = scene.repository().get_manifest(&at("v1")).await.expect_err("a refusal");
    let expected = "GET http://auth.example/token: the registry names a token server that does not speak https, so the credentials from `U` and `P` were not sent there";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.to_diagnostic().code, Code::RegistryCredentials);
}
