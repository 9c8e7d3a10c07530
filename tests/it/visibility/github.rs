//! GitHub: its API reads the visibility, and only a person can set it.

use crate::visibility::{VisibilityFixture, assert_snapshot};
use std::sync::{Arc, Mutex};
use testkit::command::ProgramRun;
use testkit::github_packages::{GithubPackages, Owner, TOKEN};
use testkit::test_registry::TestRegistry;

const USER: (&str, &str) = ("acme-ci", TOKEN);

async fn scene(visibility: &str, owner: Owner) -> (VisibilityFixture, GithubPackages) {
    let late: Arc<Mutex<Option<GithubPackages>>> = Arc::default();
    let own = late.clone();
    let public = move |_: &str| own.lock().expect("a lock").as_ref().is_some_and(GithubPackages::is_public);
    let scene = VisibilityFixture::new(USER, visibility, "provider = \"github\"", public).await;
    let registry: &TestRegistry = &scene.registry;
    let packages = GithubPackages::start(registry, owner).await;
    *late.lock().expect("a lock") = Some(packages.clone());
    (scene, packages)
}

fn asking(run: ProgramRun, packages: &GithubPackages) -> ProgramRun {
    run.env("GITHUB_API_URL", packages.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn making_a_package_public_is_by_hand_and_said_to_be_for_good() {
    for owner in [Owner::Organization, Owner::User] {
        let (scene, packages) = scene("public", owner).await;
        asking(scene.apply(), &packages).done().expect_code(1);
        let plan = asking(scene.plan(), &packages).done().expect_code(2);
        let row = VisibilityFixture::row(&plan);
        assert_eq!(row, "! visibility private → public by hand, where the registry lets you, irreversible");
        asking(scene.verify(), &packages).done().expect_code(2);
        packages.set_visibility("public");
        asking(scene.plan(), &packages).done().expect_code(0);
        asking(scene.apply(), &packages).done().expect_code(0);
        asking(scene.verify(), &packages).done().expect_code(0);
        assert!(packages.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", packages.lines());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_package_is_not_made_private_by_anybody() {
    let (scene, packages) = scene("private", Owner::Organization).await;
    packages.set_visibility("public");
    let done = asking(scene.apply(), &packages).done().expect_code(1);
    assert_snapshot("github_public_apply", &scene.steady(&done.error(), &packages.url()));
    let plan = asking(scene.plan(), &packages).done().expect_code(2);
    assert_snapshot("github_public_plan", &scene.steady(&plan.shown(), &packages.url()));
    let verify = asking(scene.verify(), &packages).done().expect_code(2);
    assert_snapshot("github_public_verify", &scene.steady(&verify.shown(), &packages.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_is_told_by_the_api_alone() {
    let (scene, packages) = scene("internal", Owner::Organization).await;
    packages.set_visibility("internal");
    asking(scene.apply(), &packages).done().expect_code(0);
    packages.set_visibility("private");
    let plan = asking(scene.plan(), &packages).done().expect_code(2);
    let row = VisibilityFixture::row(&plan);
    assert!(row.starts_with("! visibility private → internal by hand"), "{row}");
    assert!(row.ends_with("(GitHub has no API to change it)"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_api_tells_nothing_the_anonymous_pull_decides() {
    let (scene, packages) = scene("public", Owner::Organization).await;
    packages.set_visibility("public");
    asking(scene.apply(), &packages).done().expect_code(0);
    for (status, body) in [
        (403, r#"{"message":"Resource not accessible by integration"}"#),
        (404, r#"{"message":"Not Found"}"#),
        (200, r#"{"visibility":"secret"}"#),
        (200, r#"{"visibility":7}"#),
        (200, "{}"),
    ] {
        packages.on("GET", "/packages/container/app", 4, status, &[], body);
        asking(scene.plan(), &packages).done().expect_code(0);
        packages.forget_script();
    }
    packages.set_visibility("private");
    packages.on("GET", "/packages/container/app", 4, 403, &[], "{}");
    asking(scene.verify(), &packages).done().expect_code(2);
}
