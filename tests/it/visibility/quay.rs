//! Quay: each repository, by an OAuth token, which is not the credential that pushes.

use crate::visibility::{VisibilityFixture, assert_snapshot};
use testkit::quay_api::{QuayApi, READER, TOKEN};

const ROBOT: (&str, &str) = ("acme+ci", "robot-word");

async fn scene(keys: &str) -> (VisibilityFixture, QuayApi) {
    let quay = QuayApi::start().await;
    let keys = format!("provider = \"quay\"\napi_url = \"{}\"\n{keys}", quay.server.url());
    let own = quay.clone();
    let scene =
        VisibilityFixture::new(ROBOT, "public", &keys, move |repository| own.is_public(repository)).await;
    (scene, quay)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_it_is_by_hand_and_stays_red_until_somebody_does_it() {
    let (scene, quay) = scene("").await;
    quay.hold("acme/app", false);
    let done = scene.apply().done().expect_code(1);
    assert_snapshot("quay_by_hand_apply", &scene.steady(&done.error(), &quay.server.url()));
    let plan = scene.plan().done().expect_code(2);
    assert_snapshot("quay_by_hand_plan", &scene.steady(&plan.shown(), &quay.server.url()));
    scene.verify().done().expect_code(2);
    assert!(quay.server.lines().is_empty(), "nobody was asked: {:?}", quay.server.lines());
    quay.hold("acme/app", true);
    scene.verify().done().expect_code(0);
    scene.plan().done().expect_code(0);
    scene.apply().done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_it_is_set() {
    let (scene, quay) = scene("api_token_env = \"QUAY_API_TOKEN\"").await;
    quay.hold("acme/app", false);
    let plan = scene.plan().env("QUAY_API_TOKEN", TOKEN).done().expect_code(2);
    assert_eq!(VisibilityFixture::row(&plan), "~ visibility private → public set by the registry's API");
    scene.apply().env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    let changed = r#"POST /api/v1/repository/acme/app/changevisibility {"visibility":"public"}"#;
    assert_eq!(quay.server.changes(), [changed]);
    scene.verify().env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    // The API does not get the credential that pushes, and the registry does not get the API's token.
    for asked in quay.server.asked() {
        assert_eq!(asked.header("authorization"), format!("Bearer {TOKEN}"));
    }
    for request in scene.registry.log() {
        assert!(!request.header("authorization").contains(TOKEN));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_or_is_not_there_is_told() {
    let (scene, quay) = scene("api_token_env = \"QUAY_API_TOKEN\"").await;
    quay.hold("acme/app", false);
    let done = scene.apply().env("QUAY_API_TOKEN", READER).done().expect_code(1);
    assert_snapshot("quay_denied", &scene.steady(&done.error(), &quay.server.url()));
    assert!(!done.shown().contains(READER));
    let plan = scene.plan().done().expect_code(2);
    let row = VisibilityFixture::row(&plan);
    assert!(row.starts_with("! visibility private → public by hand: "), "{row}");
    assert!(row.contains("`QUAY_API_TOKEN`, named by `api_token_env`, is not set"), "{row}");
}
