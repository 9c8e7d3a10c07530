//! A rerun of a release always converges: `BuildKit` stamps another invocation id into the provenance of each build, so that the index
//! of the same images has another digest (docker/build-push-action#988, moby/buildkit#3009).

use testkit::command::Folder;
use testkit::image::{TestImage, TestLayer};
use testkit::test_registry::{TestRegistry, TestRegistryOptions};
use testkit::world::configuration;

/// An image of two platforms with the provenance of the build `invocation`.
fn build(text: &str, invocation: &str) -> TestImage {
    let layer = |platform: &str| vec![TestLayer::files(&[("text", format!("{text} {platform}").as_bytes())])];
    TestImage::new()
        .platform("linux/amd64", layer("amd64"))
        .platform("linux/arm64", layer("arm64"))
        .invocation(invocation)
}

/// The digests of the tags of `app`, by name.
fn tags(registry: &TestRegistry) -> Vec<(String, String)> {
    let content = registry.content();
    content.tags.iter().map(|((_, tag), digest)| (tag.clone(), digest.clone())).collect()
}

async fn registry() -> TestRegistry {
    TestRegistry::start(TestRegistryOptions::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_build_of_the_same_images_keeps_the_first_digest() {
    let registry = registry().await;
    let text = configuration(&[("one", &registry.host())]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    let first = folder.image("image", &build("1.2.3", "first")).digest;
    folder.apply("1.2.3").done().expect_code(0);
    let published = tags(&registry);
    assert!(published.len() == 4 && published.iter().all(|(_, digest)| *digest == first), "{published:?}");
    // The run was cut before the last tags, and the rerun builds again.
    registry.content().tags.retain(|(_, tag), _| tag != "latest" && tag != "v1");
    let second = folder.image("image", &build("1.2.3", "second")).digest;
    assert_ne!(first, second);
    let plan = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(0);
    insta::assert_snapshot!("plan", plan.stdout().replace(&registry.host(), "registry.example"));
    let done = folder.apply("1.2.3").wide().done().expect_code(0);
    assert!(done.shown().contains("same images"), "{}", done.shown());
    assert_eq!(tags(&registry), published, "{}", done.shown());
    // And again: nothing is sent.
    registry.forget_log();
    folder.apply("1.2.3").done().expect_code(0);
    assert_eq!((registry.count("PUT", ""), registry.count("POST", "")), (0, 0));
    assert_eq!(tags(&registry), published);
    folder.run("verify").done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_byte_of_an_image_is_a_conflict() {
    let registry = registry().await;
    let text = configuration(&[("one", &registry.host())]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &build("1.2.3", "first"));
    folder.apply("1.2.3").done().expect_code(0);
    let published = tags(&registry);
    let less = TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("text", b"1.2.3 amd64")])]);
    for (image, platforms) in [
        (build("1.2.3!", "second"), "[\"linux/amd64\", \"linux/arm64\"]"),
        (
            build("1.2.3", "second").annotation("org.opencontainers.image.revision", "1"),
            "[\"linux/amd64\", \"linux/arm64\"]",
        ),
        (less.invocation("second"), "[\"linux/amd64\"]"),
    ] {
        folder.write("publish.toml", text.replace("[\"linux/amd64\", \"linux/arm64\"]", platforms));
        folder.image("image", &image);
        let done = folder.apply("1.2.3").wide().done().expect_code(1);
        assert!(done.stderr().contains("publish::plan::conflict"), "{}", done.shown());
        assert_eq!(tags(&registry), published);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setting_makes_it_a_conflict() {
    let registry = registry().await;
    let text = configuration(&[("one", &registry.host())]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &build("1.2.3", "first"));
    folder.apply("1.2.3").done().expect_code(0);
    folder.image("image", &build("1.2.3", "second"));
    let project = text.replace("version = 1\n", "version = 1\n[project]\nsame_images = \"fail\"\n");
    let image = text.replace("[images.app]\n", "[images.app]\nsame_images = \"fail\"\n");
    for (text, code) in [(&project, 1), (&image, 1), (&text, 0)] {
        folder.write("publish.toml", text);
        folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(code);
    }
    let own = project.replace("[images.app]\n", "[images.app]\nsame_images = \"keep\"\n");
    folder.write("publish.toml", own).run("plan --ref refs/tags/v1.2.3").done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_registry_gets_the_first_digest_too() {
    let (one, two) = (registry().await, registry().await);
    let text = configuration(&[("one", &one.host())]);
    let both = configuration(&[("one", &one.host()), ("two", &two.host()), ("dir", "oci:dist")]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    let first = folder.image("image", &build("1.2.3", "first")).digest;
    folder.apply("1.2.3").done().expect_code(0);
    folder.image("image", &build("1.2.3", "second"));
    folder.write("publish.toml", both);
    let plan = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").wide().done().expect_code(0);
    assert!(plan.stdout().contains(first.get(..19).unwrap_or_default()), "{}", plan.shown());
    let done = folder.run("apply plan.json").wide().done().expect_code(0);
    for registry in [&one, &two] {
        let tags = tags(registry);
        assert!(
            tags.len() == 4 && tags.iter().all(|(_, digest)| *digest == first),
            "{tags:?} {}",
            done.shown()
        );
    }
    let index = folder.read("dist/app/index.json");
    assert_eq!(index.matches(&first).count(), 4, "{index}");
    // A registry that lost the release gets it back from the directory.
    let three = registry().await;
    folder.write("publish.toml", configuration(&[("dir", "oci:dist"), ("three", &three.host())]));
    folder.apply("1.2.3").done().expect_code(0);
    let tags = tags(&three);
    assert!(tags.len() == 4 && tags.iter().all(|(_, digest)| *digest == first), "{tags:?}");
    folder.run("verify").done().expect_code(0);
}
