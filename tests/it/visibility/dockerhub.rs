//! Docker Hub: each repository, by a token of ten minutes.

use std::sync::Arc;

use crate::visibility::{VisibilityFixture, assert_snapshot};
use futures_util::future::BoxFuture;
use testkit::docker_hub_api::{DockerHubApi, PASSWORD, USER};
use testkit::test_registry::Logged;

async fn scene(visibility: &str) -> (VisibilityFixture, DockerHubApi) {
    let hub = DockerHubApi::start().await;
    let keys = format!("provider = \"dockerhub\"\napi_url = \"{}\"", hub.server.url());
    let own = hub.clone();
    // Nothing is known about a repository that got no push yet.
    let scene = VisibilityFixture::new((USER, PASSWORD), visibility, &keys, move |repository| {
        own.is_public(repository)
    });
    (scene.await, hub)
}

const SET_PRIVATE: &str = r#"POST /v2/repositories/acme/app/privacy {"is_private":true}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_push_is_made_what_is_declared_once_it_is_there() {
    let (scene, hub) = scene("private").await;
    let plan = scene.plan().done().expect_code(2);
    let row =
        "? visibility not there yet → private set by the registry's API once it is there, if it differs";
    assert_eq!(VisibilityFixture::row(&plan), row);
    assert!(hub.server.changes().is_empty());
    // The first push makes a public repository.
    hub.hold("acme/app", false);
    let plan = scene.plan().done().expect_code(2);
    assert_eq!(VisibilityFixture::row(&plan), "~ visibility public → private set by the registry's API");
    let done =
        scene.run("apply --auto-approve --ref refs/tags/v1.0.0 --record record.json").done().expect_code(0);
    assert_eq!(hub.server.changes(), [SET_PRIVATE]);
    assert!(done.stderr().contains("private, set from public, declared private"), "{}", done.shown());
    let record: serde_json::Value = serde_json::from_str(&scene.folder.read("record.json")).expect("JSON");
    let outcome = &record["outcome"]["repositories"][0]["visibility"];
    assert_eq!(
        *outcome,
        serde_json::json!({ "declared": "private", "observed": "not-public", "setting": "private",
            "set_from": "public", "as_declared": true })
    );
    // Content and tags came before.
    let log = scene.registry.log();
    let put = log.iter().position(|it| it.method == "PUT" && it.path.ends_with("/manifests/v1.0.0"));
    assert!(put.is_some());
    scene.plan().done().expect_code(0);
    scene.verify().done().expect_code(0);
    // Again: nothing is set twice.
    scene.apply().done().expect_code(0);
    assert_eq!(hub.server.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_appears_with_the_push_is_set_in_the_same_apply() {
    let (scene, hub) = scene("private").await;
    let known = hub.clone();
    // The push makes the repository, public by default.
    scene.registry.hold(Arc::new(move |request: &Logged| -> BoxFuture<'static, ()> {
        if request.method == "PUT" && request.path.ends_with("/manifests/v1.0.0") {
            known.hold("acme/app", false);
        }
        Box::pin(async {})
    }));
    scene.apply().done().expect_code(0);
    assert_eq!(hub.server.changes(), [SET_PRIVATE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_is_drift_that_an_apply_sets_right() {
    let (scene, hub) = scene("public").await;
    hub.hold("acme/app", false);
    scene.apply().done().expect_code(0);
    hub.hold("acme/app", true);
    let drift = scene.verify().done().expect_code(2);
    assert_snapshot("dockerhub_verify", &scene.steady(&drift.shown(), &hub.server.url()));
    let plan = scene.plan().done().expect_code(2);
    assert_snapshot("dockerhub_plan", &scene.steady(&plan.shown(), &hub.server.url()));
    // No tag has to change, and the apply is none the less one.
    let done = scene.apply().done().expect_code(0);
    assert_snapshot("dockerhub_apply", &scene.steady(&done.shown(), &hub.server.url()));
    assert!(hub.is_public("acme/app"));
    scene.verify().done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_on_the_way_is_asked_for_anew() {
    let (scene, hub) = scene("private").await;
    hub.hold("acme/app", false);
    hub.server.on(
        "POST /v2/repositories/acme/app/privacy",
        1,
        401,
        &[],
        r#"{"message":"token has expired"}"#,
    );
    scene.apply().done().expect_code(0);
    assert!(!hub.is_public("acme/app"));
    hub.expire();
    scene.plan().done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_waited_for_and_not_for_ever() {
    let (scene, hub) = scene("private").await;
    hub.hold("acme/app", false);
    scene.apply().done().expect_code(0);
    hub.hold("acme/app", false);
    hub.server.on("GET /v2/namespaces", 1, 429, &[("retry-after", "1")], "{}");
    let plan = scene.plan().done().expect_code(2);
    assert!(plan.stderr().contains("retrying in"), "{}", plan.shown());
    assert!(VisibilityFixture::row(&plan).starts_with("~ visibility public → private"));
    // An hour is too long to wait: the plan says what it does not know, and does not fail.
    let later = (jiff::Timestamp::now().as_second() + 3600).to_string();
    let headers = [("x-ratelimit-remaining", "0"), ("x-retry-after", later.as_str())];
    hub.server.on("GET /v2/namespaces", 9, 429, &headers, "{}");
    let plan = scene.plan().done().expect_code(2);
    let row = VisibilityFixture::row(&plan);
    assert!(row.starts_with("! visibility public → private by hand: https://hub.docker.com/"), "{row}");
    assert!(row.contains("429"), "{row}");
    assert!(hub.server.changes().len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_shape_is_refused() {
    let (scene, hub) = scene("private").await;
    hub.hold("acme/app", false);
    for body in [r#"{"is_private":"true"}"#, r#"{"is_private":1}"#, "{}", "[]", "<html>", ""] {
        hub.server.on("GET /v2/namespaces", 1, 200, &[], body);
        let plan = scene.plan().done().expect_code(2);
        assert!(
            VisibilityFixture::row(&plan).starts_with("? visibility not there yet → private"),
            "{}",
            plan.shown()
        );
    }
    assert!(hub.server.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_push_is_told_what_it_takes() {
    let (scene, hub) = scene("private").await;
    hub.hold("acme/app", false);
    hub.demote();
    let done = scene.apply().done().expect_code(1);
    assert_snapshot("dockerhub_denied", &scene.steady(&done.error(), &hub.server.url()));
    // The tags stay.
    assert_eq!(scene.registry.content().tags.len(), 1);
    assert!(hub.is_public("acme/app"));
    let verified = scene.verify().done().expect_code(2);
    assert!(!verified.shown().contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_make_no_plan_fail() {
    let (scene, hub) = scene("private").await;
    hub.hold("acme/app", false);
    hub.server.on("POST /v2/auth/token", 9, 401, &[], r#"{"detail":"Incorrect authentication credentials"}"#);
    scene.plan().done().expect_code(2);
    // The anonymous pull shows that the visibility was not set.
    let done = scene.apply().done().expect_code(1);
    assert!(done.error().contains("publish::visibility::differs"), "{}", done.shown());
}
