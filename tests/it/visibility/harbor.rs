//! Harbor: a whole project.

use crate::visibility::{VisibilityFixture, assert_snapshot};
use testkit::harbor_api::{ADMIN, HarborApi};

async fn scene(visibility: &str, images: &str) -> (VisibilityFixture, HarborApi) {
    let harbor = HarborApi::start().await;
    let keys = format!("provider = \"harbor\"\napi_url = \"{}\"", harbor.server.url());
    let own = harbor.clone();
    let public = move |repository: &str| own.is_public(repository);
    let scene = VisibilityFixture::with_images(ADMIN, visibility, &keys, images, public).await;
    (scene, harbor)
}

const APP: &str = "[images.app]\nsource = \"oci:image\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_that_the_whole_project_changes() {
    let (scene, harbor) = scene("public", APP).await;
    harbor.hold("acme", "false");
    let plan = scene.plan().done().expect_code(2);
    assert_snapshot("harbor_plan", &scene.steady(&plan.shown(), &harbor.server.url()));
    scene.apply().done().expect_code(0);
    assert_eq!(harbor.server.changes(), [r#"PUT /api/v2.0/projects/acme {"metadata":{"public":"true"}}"#]);
    scene.plan().done().expect_code(0);
    scene.verify().done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_images_of_a_project_are_set_once() {
    let other = format!("{APP}\n[images.other]\nsource = \"oci:image\"\n");
    let (scene, harbor) = scene("public", &other).await;
    harbor.hold("acme", "false");
    scene.apply().done().expect_code(0);
    assert_eq!(harbor.server.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_images_of_a_project_that_want_different_things_are_a_contradiction() {
    let other = format!("{APP}\n[images.other]\nsource = \"oci:image\"\nvisibility = \"private\"\n");
    let (scene, harbor) = scene("public", &other).await;
    harbor.hold("acme", "false");
    let plan = scene.plan().done().expect_code(2);
    let row = VisibilityFixture::row(&plan);
    assert!(row.contains("images.other@home is declared private, and is in the same project"), "{row}");
    scene.apply().done().expect_code(1);
    assert!(harbor.server.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_are_no_strings_of_the_two_are_refused() {
    let (scene, harbor) = scene("public", APP).await;
    harbor.hold("acme", "false");
    for body in [
        r#"{"metadata":{"public":true}}"#,
        r#"{"metadata":{"public":"yes"}}"#,
        r#"{"metadata":{}}"#,
        r#"{"metadata":[]}"#,
        "{}",
    ] {
        harbor.server.on("GET /api/v2.0/projects/acme", 1, 200, &[], body);
        let plan = scene.plan().done().expect_code(2);
        assert!(
            VisibilityFixture::row(&plan).starts_with("? visibility not there yet → public"),
            "{}",
            plan.shown()
        );
    }
    assert!(harbor.server.changes().is_empty());
}
