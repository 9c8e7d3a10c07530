//! Several runs side by side, each of which publishes one part (`--partition K/N`), and limits of one run.

use testkit::command::Folder;
use testkit::test_registry::{TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

const IMAGES: usize = 30;

fn fleet(registry: &TestRegistry) -> Folder {
    let mut text = format!("version = 1\n\n[registries.one]\nurl = \"{}\"\n{RELEASE_RULES}", registry.host());
    for number in 0..IMAGES {
        text.push_str(&format!("\n[images.app-{number}]\nsource = \"oci:image\"\n"));
    }
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("1.2.3"));
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parts_of_a_fleet_are_all_of_it_and_share_no_repository() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = fleet(&registry);
    let mut planned: Vec<String> = Vec::new();
    for part in 1..=3 {
        let run = format!("plan --json --ref refs/tags/v1.2.3 --partition {part}/3");
        let plan = folder.run(&run).done().expect_code(0).json();
        let repositories = plan["repositories"].as_array().expect("repositories");
        assert_eq!(repositories.len(), IMAGES / 3);
        planned.extend(repositories.iter().map(|it| it["name"].as_str().expect("a name").to_owned()));
    }
    planned.sort();
    planned.dedup();
    assert_eq!(planned.len(), IMAGES);
    for part in 1..=3 {
        let run =
            format!("apply --auto-approve --ref refs/tags/v1.2.3 --partition {part}/3 --limit-rate 100M");
        folder.run(&run).done().expect_code(0);
        assert_eq!(registry.content().tags.len(), part * IMAGES / 3 * 4);
    }
}

#[test]
fn parts_and_rates_that_are_none() {
    let folder = Folder::with(&[("publish.toml", "version = 1\n")]);
    for option in
        ["--partition 0/3", "--partition 4/3", "--partition 3", "--limit-rate 10", "--limit-rate fast"]
    {
        let done = folder.run(&format!("apply --auto-approve {option}")).done().expect_code(1);
        assert!(done.stderr().contains("expected"), "{}", done.shown());
    }
}
