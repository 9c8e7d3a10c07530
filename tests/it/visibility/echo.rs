//! A server may repeat in its answer what it was sent. The program shows none of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::visibility::VisibilityFixture;
use testkit::docker_hub_api::{DockerHubApi, PASSWORD, USER};
use testkit::gitlab_api::{GitlabApi, TOKEN as GITLAB_TOKEN};
use testkit::harbor_api::{ADMIN, HarborApi};
use testkit::quay_api::{QuayApi, TOKEN};
use testkit::test_registry::Fault;

const ROBOT: (&str, &str) = ("acme+ci", "robot-word");

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_repeats_a_bearer_token_gets_it_shown_to_nobody() {
    let quay = QuayApi::start().await;
    let keys = format!(
        "provider = \"quay\"\napi_url = \"{}\"\napi_token_env = \"QUAY_API_TOKEN\"",
        quay.server.url()
    );
    let own = quay.clone();
    let scene =
        VisibilityFixture::new(ROBOT, "public", &keys, move |repository| own.is_public(repository)).await;
    quay.hold("acme/app", false);
    let encoded = STANDARD.encode(TOKEN);
    for (status, body) in [
        (403, format!(r#"{{"message":"Authorization: Bearer {TOKEN} may not"}}"#)),
        (403, format!(r#"{{"errors":[{{"code":"DENIED","detail":{{"header":["{encoded}"]}}}}]}}"#)),
        (418, format!("no tea for {TOKEN}")),
        (200, format!(r#"{{"is_public":"Bearer {TOKEN}"}}"#)),
    ] {
        quay.server.on("GET /api/v1/repository", 1, status, &[], &body);
        let plan = scene.run("-v plan --json --ref refs/tags/v1.0.0").env("QUAY_API_TOKEN", TOKEN).done();
        let shown = plan.expect_code(0).shown();
        assert!(!shown.contains(TOKEN) && !shown.contains(&encoded), "{shown}");
    }
    for body in [format!("Bearer {TOKEN}"), format!(r#"{{"error_message":"{TOKEN} is no admin"}}"#)] {
        quay.server.on("POST /api/v1/repository", 1, 403, &[], &body);
        let done = scene.apply().env("QUAY_API_TOKEN", TOKEN).done().expect_code(1);
        assert!(done.error().contains("***"), "{}", done.shown());
        assert!(!done.shown().contains(TOKEN), "{}", done.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_repeats_basic_credentials_gets_them_shown_to_nobody() {
    let harbor = HarborApi::start().await;
    let keys = format!("provider = \"harbor\"\napi_url = \"{}\"", harbor.server.url());
    let own = harbor.clone();
    let scene =
        VisibilityFixture::new(ADMIN, "public", &keys, move |repository| own.is_public(repository)).await;
    harbor.hold("acme", "false");
    let pair = format!("{}:{}", ADMIN.0, ADMIN.1);
    let encoded = STANDARD.encode(&pair);
    for said in [format!("Basic {encoded}"), encoded.clone(), pair, ADMIN.1.to_owned()] {
        let body = serde_json::json!({ "errors": [{ "code": "FORBIDDEN", "message": said }] });
        harbor.server.on("PUT /api/v2.0/projects", 1, 403, &[], &body.to_string());
        let done = scene.apply().done().expect_code(1);
        assert!(done.error().contains("FORBIDDEN: ***"), "{}", done.shown());
        assert!(!done.shown().contains(ADMIN.1) && !done.shown().contains(&encoded), "{}", done.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_repeats_its_own_header_or_a_body_gets_neither_shown() {
    let gitlab = GitlabApi::start().await;
    let keys = format!(
        "provider = \"gitlab\"\napi_url = \"{}\"\napi_token_env = \"GITLAB_API_TOKEN\"",
        gitlab.server.url()
    );
    let scene = VisibilityFixture::new(ROBOT, "public", &keys, |_| false).await;
    gitlab.hold("acme/app", "private", "enabled");
    gitlab.server.on("PUT /api/v4/projects", 1, 403, &[], &format!(r#"{{"error":"{GITLAB_TOKEN}"}}"#));
    let done = scene.apply().env("GITLAB_API_TOKEN", GITLAB_TOKEN).done().expect_code(1);
    assert!(done.error().contains("***") && !done.shown().contains(GITLAB_TOKEN), "{}", done.shown());

    let hub = DockerHubApi::start().await;
    let keys = format!("provider = \"dockerhub\"\napi_url = \"{}\"", hub.server.url());
    let scene = VisibilityFixture::new((USER, PASSWORD), "private", &keys, {
        let own = hub.clone();
        move |repository| own.is_public(repository)
    })
    .await;
    hub.hold("acme/app", false);
    scene.apply().done().expect_code(0);
    hub.hold("acme/app", false);
    hub.server.on(
        "POST /v2/auth/token",
        1,
        400,
        &[],
        &format!(r#"{{"detail":"secret {PASSWORD} is wrong"}}"#),
    );
    let plan = scene.run("plan --json --ref refs/tags/v1.0.0").done().expect_code(0);
    assert!(plan.stdout().contains("secret *** is wrong"), "{}", plan.shown());
    assert!(!plan.shown().contains(PASSWORD), "{}", plan.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_repeats_credentials_gets_them_shown_to_nobody() {
    let scene = VisibilityFixture::new(ROBOT, "private", "", |_| false).await;
    let encoded = STANDARD.encode(format!("{}:{}", ROBOT.0, ROBOT.1));
    let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": format!("Basic {encoded}") }] });
    let answer = |body: String| Fault::Answer(403, Vec::new(), body.into_bytes());
    scene.registry.on("GET", "/token", 99, answer(body.to_string()));
    let done = scene.apply().done().expect_code(1);
    assert!(done.error().contains("***") && !done.shown().contains(&encoded), "{}", done.shown());
    // The tokens that the token server gives.
    let tokens: Vec<String> = (1..20).map(|number| format!("opaque-{number}")).collect();
    scene.registry.forget_script();
    scene.registry.on("POST", "/blobs/uploads/", 9, answer(format!("[{}]", tokens.join(" "))));
    let done = scene.apply().done().expect_code(1);
    let sent: Vec<String> = scene
        .registry
        .log()
        .iter()
        .filter(|request| request.method == "POST" && request.path.contains("/blobs/uploads/"))
        .map(|request| request.header("authorization").replace("Bearer ", ""))
        .filter(|token| !token.is_empty())
        .collect();
    assert!(!sent.is_empty());
    assert!(done.error().contains("***"), "{}", done.shown());
    let last = sent.last().expect("a token");
    assert!(!done.shown().contains(&format!("{last} ")), "{last} {}", done.shown());
}
