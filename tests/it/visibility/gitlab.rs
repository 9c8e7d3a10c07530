//! GitLab: two settings of the project that the image belongs to, at any place in its path.

use crate::visibility::{VisibilityFixture, assert_snapshot};
use testkit::gitlab_api::{GitlabApi, READER, TOKEN};

const DEPLOYER: (&str, &str) = ("deploy-token", "deploy-word");
const IMAGE: &str = "[images.app]\nsource = \"oci:image\"\nrepository = \"tools/hello/app\"\n";

async fn scene(visibility: &str) -> (VisibilityFixture, GitlabApi) {
    let gitlab = GitlabApi::start().await;
    let keys = format!(
        "provider = \"gitlab\"\napi_url = \"{}\"\napi_token_env = \"GITLAB_API_TOKEN\"",
        gitlab.server.url()
    );
    let own = gitlab.clone();
    let public = move |repository: &str| own.is_public(repository);
    (VisibilityFixture::with_images(DEPLOYER, visibility, &keys, IMAGE, public).await, gitlab)
}

#[tokio::test(flavor = "multi_thread")]
async fn public_takes_both_settings_and_the_plan_says_so() {
    let (scene, gitlab) = scene("public").await;
    gitlab.hold("acme/tools/hello", "private", "enabled");
    let plan = scene.plan().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(2);
    assert_snapshot("gitlab_plan", &scene.steady(&plan.shown(), &gitlab.server.url()));
    scene.apply().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(0);
    assert_eq!(gitlab.settings("acme/tools/hello"), ("public".to_owned(), "enabled".to_owned()));
    scene.verify().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(0);
    // The longest path first, and each but once in a run.
    gitlab.server.forget();
    scene.plan().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(0);
    assert_eq!(
        gitlab.server.lines(),
        ["GET /api/v4/projects/acme%2Ftools%2Fhello%2Fapp", "GET /api/v4/projects/acme%2Ftools%2Fhello"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn private_leaves_the_code_alone() {
    let (scene, gitlab) = scene("private").await;
    gitlab.hold("acme/tools/hello", "public", "enabled");
    let plan = scene.plan().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(2);
    let expected = "~ visibility public → private set by the registry's API, for all images of the project `acme/tools/hello`";
    assert_eq!(VisibilityFixture::row(&plan), expected);
    scene.apply().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(0);
    assert_eq!(gitlab.settings("acme/tools/hello"), ("public".to_owned(), "private".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_is_a_visibility_of_its_own() {
    let (scene, gitlab) = scene("internal").await;
    gitlab.hold("acme/tools/hello", "private", "enabled");
    scene.apply().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(0);
    assert_eq!(gitlab.settings("acme/tools/hello"), ("internal".to_owned(), "enabled".to_owned()));
    // An anonymous pull cannot distinguish the two, but the API can.
    gitlab.hold("acme/tools/hello", "private", "enabled");
    scene.verify().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_stale_where_somebody_set_something_else() {
    let (scene, gitlab) = scene("public").await;
    gitlab.hold("acme/tools/hello", "private", "enabled");
    let plan = scene.run("plan --ref refs/tags/v1.0.0 --out plan.json").env("GITLAB_API_TOKEN", TOKEN);
    plan.done().expect_code(0);
    gitlab.hold("acme/tools/hello", "internal", "enabled");
    let done = scene.run("apply plan.json").env("GITLAB_API_TOKEN", TOKEN).done().expect_code(1);
    assert_snapshot("gitlab_stale", &scene.steady(&done.error(), &gitlab.server.url()));
    assert!(gitlab.server.changes().is_empty());
    assert!(scene.registry.content().tags.is_empty(), "nothing was sent");
    assert!(!scene.folder.read("plan.json").contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_sets_nothing() {
    let (scene, gitlab) = scene("public").await;
    gitlab.hold("acme/tools/hello", "private", "enabled");
    let done = scene.apply().env("GITLAB_API_TOKEN", READER).done().expect_code(1);
    assert_snapshot("gitlab_denied", &scene.steady(&done.error(), &gitlab.server.url()));
    assert_eq!(gitlab.settings("acme/tools/hello"), ("private".to_owned(), "enabled".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_leads_elsewhere_is_shown_no_token() {
    let (scene, gitlab) = scene("public").await;
    let elsewhere = GitlabApi::start().await;
    gitlab.hold("acme/tools/hello", "private", "enabled");
    let to = format!("{}/api/v4/projects/acme%2Ftools%2Fhello", elsewhere.server.url());
    gitlab.server.on("GET /api/v4/projects", 9, 302, &[("location", to.as_str())], "");
    scene.plan().env("GITLAB_API_TOKEN", TOKEN).done().expect_code(2);
    assert!(elsewhere.server.lines().is_empty());
}
