//! Registries that allow so many requests in a second: a release of many images keeps to that, whatever the limit is
//! (docker/build-push-action#1056, aws/containers-roadmap#1010, actions/runner-images#5690).

use testkit::command::Folder;
use testkit::test_registry::{Quirks, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

/// A configuration of so many images.
fn images(registry: &TestRegistry, count: usize) -> String {
    let mut text = format!("version = 1\n\n[registries.one]\nurl = \"{}\"\n{RELEASE_RULES}", registry.host());
    for number in 0..count {
        text.push_str(&format!("\n[images.app-{number}]\nsource = \"oci:image\"\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_keeps_to_the_limit_of_the_registry() {
    let quirks = Quirks { most_in_a_second: Some(60), ..Quirks::default() };
    let registry =
        TestRegistry::start(TestRegistryOptions { quirks, ..TestRegistryOptions::default() }).await;
    let folder = Folder::with(&[("publish.toml", &images(&registry, 12))]);
    folder.image("image", &image("1.2.3"));
    let done = folder.apply("1.2.3").done().expect_code(0);
    let (requests, refused) = (registry.log().len(), registry.refused());
    assert_eq!(registry.content().tags.len(), 48, "{}", done.shown());
    // The first refusals come for everything that is under way at once; from then on, few.
    assert!(requests > 400 && refused <= 32 + requests / 50, "{refused} of {requests} refused");
    registry.forget_log();
    folder.apply("1.2.3").done().expect_code(0);
    assert_eq!(registry.content().tags.len(), 48);
}
