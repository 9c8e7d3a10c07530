//! Secrets in content that a stranger can pull already are reported and do not block: in the layers of a base image, and in those that a
//! public repository has. An anonymous request is the proof.

use testkit::command::Folder;
use testkit::image::{TestImage, TestLayer};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::configuration;

const PLAN: &str = "plan --json --ref refs/tags/v1.2.3";

/// A token of GitHub's form that nobody has, put together here so that no scanner finds it in this file.
fn token() -> String {
    ["gh", "p_", "R7dQ2mVx9KcT4nLw8ZbH3sYf6JgA1p0uEoXi"].concat()
}

fn leak() -> TestLayer {
    TestLayer::files(&[("app/config", token().as_bytes())])
}

fn harmless() -> TestLayer {
    TestLayer::files(&[("app/readme", b"harmless")])
}

fn single(layers: Vec<TestLayer>) -> TestImage {
    TestImage::new().platform("linux/amd64", layers).single()
}

fn release(registry: &TestRegistry) -> String {
    configuration(&[("one", &registry.host())]).replace(", \"linux/arm64\"", "")
}

/// A registry that holds the image `base` with a secret.
struct Base {
    registry: TestRegistry,
    digest: String,
    _folder: Folder,
}

impl Base {
    async fn start() -> Self {
        let registry = TestRegistry::start(TestRegistryOptions::default()).await;
        let config = release(&registry).replace("images.app", "images.base");
        let folder = Folder::with(&[("publish.toml", &config)]);
        let written = folder.image("image", &single(vec![leak()]));
        let apply = folder.run("apply --auto-approve --ref refs/tags/v1.0.0 --set secrets.policy=off");
        let _applied = apply.done().expect_code(0);
        Self { registry, digest: written.digest, _folder: folder }
    }

    /// An image that is built on the base, as its annotations say.
    fn derived(&self, digest: &str) -> TestImage {
        single(vec![leak(), harmless()])
            .annotation(
                "org.opencontainers.image.base.name",
                &format!("{}/base:v1.0.0", self.registry.host()),
            )
            .annotation("org.opencontainers.image.base.digest", digest)
    }
}

/// A folder that publishes `image` to a public registry.
async fn target(image: &TestImage) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &release(&registry))]);
    folder.image("image", image);
    (registry, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_layer_of_a_public_base_image_does_not_block() {
    let base = Base::start().await;
    let (registry, folder) = target(&base.derived(&base.digest)).await;
    base.registry.forget_log();
    let plan = folder.run(PLAN).done().expect_code(0).json();
    let finding = &plan["secrets"]["findings"][0];
    assert_eq!((&finding["rule"], &finding["blocks"]), (&"github-token".into(), &false.into()), "{finding}");
    let place = finding["public"].as_str().expect("a place");
    assert!(place.starts_with(&format!("{}/base@sha256:", base.registry.host())), "{place}");
    assert!(base.registry.log().iter().all(|it| it.header("authorization").is_empty()));
    let shown = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(0).stdout();
    assert!(shown.contains("(anybody can pull it already: "), "{shown}");
    // A saved plan is decided about again.
    let _saved = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let _applied = folder.run("apply plan.json").done().expect_code(0);
    assert!(!registry.content().tags.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_image_that_no_stranger_can_pull_is_no_excuse() {
    let base = Base::start().await;
    let unknown = format!("sha256:{}", "0".repeat(64));
    let without = single(vec![leak(), harmless()]);
    for image in [base.derived(&unknown), without] {
        let (_registry, folder) = target(&image).await;
        let plan = folder.run(PLAN).done().expect_code(1).json();
        assert_eq!(plan["secrets"]["findings"][0]["blocks"], true, "{plan:#}");
    }
    let closed = TestRegistryOptions {
        user: Some(("user", "password")),
        auth: RequiredCredentials::Basic,
        ..TestRegistryOptions::default()
    };
    let registry = TestRegistry::start(closed).await;
    let name = format!("{}/base:v1.0.0", registry.host());
    let image = single(vec![leak(), harmless()])
        .annotation("org.opencontainers.image.base.name", &name)
        .annotation("org.opencontainers.image.base.digest", &base.digest);
    let (_target, folder) = target(&image).await;
    let plan = folder.run(PLAN).done().expect_code(1).json();
    assert_eq!(plan["secrets"]["findings"][0]["blocks"], true, "{plan:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_image_is_asked_for_only_if_a_finding_blocks() {
    let base = Base::start().await;
    let clean = single(vec![harmless()])
        .annotation("org.opencontainers.image.base.name", &format!("{}/base:v1.0.0", base.registry.host()))
        .annotation("org.opencontainers.image.base.digest", &base.digest);
    let (_registry, folder) = target(&clean).await;
    base.registry.forget_log();
    let _planned = folder.run(PLAN).done().expect_code(0);
    assert!(base.registry.log().is_empty(), "{:?}", base.registry.log().len());
}
