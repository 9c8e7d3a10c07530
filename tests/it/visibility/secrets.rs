//! The program searches content for secrets before it makes the content public, even if it sends nothing to do so.

use crate::visibility::VisibilityFixture;
use testkit::docker_hub_api::{DockerHubApi, PASSWORD, USER};
use testkit::harbor_api::{ADMIN, HarborApi};
use testkit::image::{TestImage, TestLayer};
use testkit::quay_api::{QuayApi, TOKEN};

const ROBOT: (&str, &str) = ("acme+ci", "robot-word");
const APP: &str = "[images.app]\nsource = \"oci:image\"\n";

/// A layer with a token that no service gave out.
fn leak() -> TestLayer {
    let token = ["ghp", "_q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx61K3qf0"].concat();
    TestLayer::files(&[("app/.env", format!("GITHUB_TOKEN={token}\n").as_bytes())])
}

fn write(scene: &VisibilityFixture, layers: Vec<TestLayer>) {
    let path = scene.folder.path.join("image");
    std::fs::remove_dir_all(&path).expect("the image before");
    TestImage::new().platform("linux/amd64", layers).write(&path);
}

/// A private repository of Quay with the leak in it as v1.0.0, and the keys of its registry.
async fn leaked(api_token: bool) -> (VisibilityFixture, QuayApi, String) {
    let quay = QuayApi::start().await;
    let token = if api_token { "api_token_env = \"QUAY_API_TOKEN\"" } else { "" };
    let keys = format!("provider = \"quay\"\napi_url = \"{}\"\n{token}", quay.server.url());
    let own = quay.clone();
    let scene =
        VisibilityFixture::new(ROBOT, "private", &keys, move |repository| own.is_public(repository)).await;
    quay.hold("acme/app", false);
    write(&scene, vec![leak()]);
    scene.apply().env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    quay.server.forget();
    (scene, quay, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_that_holds_a_secret_is_not_made_public() {
    let (scene, quay, keys) = leaked(true).await;
    scene.declare("public", &keys, APP);
    let plan = scene.plan().env("QUAY_API_TOKEN", TOKEN).done().expect_code(1);
    assert_eq!(VisibilityFixture::row(&plan), "~ visibility private → public set by the registry's API");
    assert!(plan.stdout().contains("app/.env line 1: github-token"), "{}", plan.shown());
    let done = scene.apply().env("QUAY_API_TOKEN", TOKEN).done().expect_code(1);
    assert!(done.error().contains("publish::secrets::found"), "{}", done.shown());
    assert!(quay.server.changes().is_empty(), "{:?}", quay.server.changes());
    assert!(!quay.is_public("acme/app"));
    // A path on the `allow` list is no secret.
    let allowed = "[secrets]\nallow = [{ path = \"app/.env\", reason = \"a test\" }]\n";
    scene.declare("public", &keys, &format!("{APP}\n{allowed}"));
    scene.apply().env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    assert!(quay.is_public("acme/app"));
    // From then on it is published: nothing is left to be searched.
    scene.declare("public", &keys, APP);
    let plan =
        scene.run("plan --json --ref refs/tags/v1.0.0").env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    assert_eq!(plan.json().get("secrets"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_a_private_repository_holds_is_searched_when_it_becomes_public() {
    for api_token in [true, false] {
        let (scene, quay, keys) = leaked(api_token).await;
        write(&scene, vec![leak(), TestLayer::files(&[("more", b"more")])]);
        scene.declare("public", &keys, APP);
        let run = || scene.run("apply --auto-approve --ref refs/tags/v1.1.0").env("QUAY_API_TOKEN", TOKEN);
        let done = run().done().expect_code(1);
        assert!(done.error().contains("publish::secrets::found"), "{}", done.shown());
        assert!(quay.server.changes().is_empty(), "{:?}", quay.server.changes());
        assert_eq!(scene.registry.content().tags.len(), 1, "v1.0.0 alone");
        // In a repository that everybody can pull from the layer is published already.
        quay.hold("acme/app", true);
        run().done().expect_code(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_searched_again_before_anything_becomes_public() {
    let (scene, quay, keys) = leaked(true).await;
    scene.declare("public", &keys, APP);
    let allowed = ("BROKKR_PUBLISH_SECRETS__ALLOW", "[{ path = \"app/.env\", reason = \"a test\" }]");
    let plan = scene.run("plan --ref refs/tags/v1.0.0 --out plan.json").envs(&[allowed]);
    plan.env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    // Somebody takes the allowance out of the plan that was approved.
    let mut value: serde_json::Value = serde_json::from_str(&scene.folder.read("plan.json")).expect("JSON");
    let members = value.as_object_mut().expect("an object");
    members.remove("checksum");
    let secrets = members["secrets"].as_object_mut().expect("the search");
    secrets.remove("allow");
    secrets.remove("findings");
    let parsed: brokkr_publish::model::plan::Plan = serde_json::from_value(value).expect("a plan");
    brokkr_publish::saved::save(&parsed, &scene.folder.path.join("edited.json")).expect("a file");
    let done = scene.run("apply edited.json").env("QUAY_API_TOKEN", TOKEN).done().expect_code(1);
    assert!(done.error().contains("publish::secrets::found"), "{}", done.shown());
    assert!(quay.server.changes().is_empty(), "{:?}", quay.server.changes());
    scene.run("apply plan.json").env("QUAY_API_TOKEN", TOKEN).done().expect_code(1);
    scene.run("apply plan.json").envs(&[allowed]).env("QUAY_API_TOKEN", TOKEN).done().expect_code(0);
    assert!(quay.is_public("acme/app"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_docker_hub_makes_public_at_first_is_searched_whatever_is_declared() {
    let hub = DockerHubApi::start().await;
    let keys = format!("provider = \"dockerhub\"\napi_url = \"{}\"", hub.server.url());
    let scene = VisibilityFixture::new((USER, PASSWORD), "private", &keys, |_| false).await;
    write(&scene, vec![leak()]);
    let plan = scene.plan().done().expect_code(1);
    assert!(plan.stdout().contains("github-token"), "{}", plan.shown());
    // One that was made before is what it is.
    hub.hold("acme/app", true);
    scene.plan().done().expect_code(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_strangers_can_read_what_is_not_there_yet_it_is_searched() {
    for (declared, open) in [("", true), ("", false), ("private", true), ("private", false)] {
        let scene = VisibilityFixture::new(ROBOT, "private", "", move |_| open).await;
        scene.declare(declared, "", APP);
        if declared.is_empty() {
            let text = scene.folder.read("publish.toml").replace("visibility = \"\"\n", "");
            scene.folder.write("publish.toml", text);
        }
        write(&scene, vec![leak()]);
        let plan = scene.plan().done();
        assert_eq!(plan.code(), Some(if open { 1 } else { 2 }), "{declared} {open} {}", plan.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_not_set_where_the_plan_could_not_say_so() {
    let harbor = HarborApi::start().await;
    let keys = format!("provider = \"harbor\"\napi_url = \"{}\"", harbor.server.url());
    let own = harbor.clone();
    let other = format!("{APP}\n[images.other]\nsource = \"oci:image\"\nvisibility = \"private\"\n");
    for images in [APP, other.as_str()] {
        let own = own.clone();
        let scene = VisibilityFixture::with_images(ADMIN, "public", &keys, images, move |repository| {
            own.is_public(repository)
        })
        .await;
        harbor.hold("acme", "false");
        let count = u32::try_from(images.matches("source").count()).expect("a count");
        harbor.server.on("GET /api/v2.0/projects/acme", count, 403, &[], "{}");
        let plan = scene.run("plan --ref refs/tags/v1.0.0 --out plan.json").done().expect_code(0);
        let row = VisibilityFixture::row(&plan);
        assert_eq!(row, "? visibility not there yet → public shown by an anonymous pull once it is there");
        // By now it answers.
        let done = scene.run("apply plan.json").done().expect_code(1);
        assert!(harbor.server.changes().is_empty(), "{:?}", harbor.server.changes());
        assert!(done.error().contains("publish::visibility::differs"), "{}", done.shown());
    }
    // The next plan says it, and then it is set.
    let scene = VisibilityFixture::with_images(ADMIN, "public", &keys, APP, move |repository| {
        own.is_public(repository)
    })
    .await;
    scene.apply().done().expect_code(0);
    assert_eq!(harbor.server.changes().len(), 1);
}
