//! A saved plan is bound to its digest, and what it leaves out does not spare an apply the search for secrets.

use serde_json::{Value, json};

use testkit::command::Folder;
use testkit::image::{TestImage, TestLayer};
use testkit::test_registry::{TestRegistry, TestRegistryOptions};
use testkit::world::configuration;

const PLAN: &str = "plan --ref refs/tags/v1.2.3 --out plan.json";

/// A public registry, and a folder with an image that holds `text`.
async fn scene(text: &str, more: &str) -> (TestRegistry, Folder) {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &(configuration(&[("one", &registry.host())]) + more))]);
    let layer = || vec![TestLayer::files(&[("app/config", text.as_bytes())])];
    folder
        .image("image", &TestImage::new().platform("linux/amd64", layer()).platform("linux/arm64", layer()));
    (registry, folder)
}

/// A token of GitHub's form that nobody has, put together here so that no scanner finds it in this file.
fn token() -> String {
    ["gh", "p_", "R7dQ2mVx9KcT4nLw8ZbH3sYf6JgA1p0uEoXi"].concat()
}

fn digest_printed(shown: &str) -> String {
    let digest = shown.split("--expect ").nth(1).and_then(|rest| rest.split_whitespace().next());
    digest.expect("a digest").to_owned()
}

fn change(folder: &Folder, change: impl Fn(&mut Value)) {
    let mut plan = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    change(&mut plan);
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", plan.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_than_the_expected_is_refused_before_any_request() {
    let (registry, folder) = scene("harmless", "").await;
    let digest = digest_printed(&folder.run(PLAN).wide().done().expect_code(0).stderr());
    assert_eq!(digest, oci_registry::Digest::of(folder.read("plan.json").as_bytes()).as_str());
    let saved = folder.read("plan.json");
    change(&folder, |plan| plan["title"] = json!("something else"));
    let before = registry.log().len();
    let refused = folder.run(&format!("apply plan.json --expect {digest}")).wide().done().expect_code(1);
    assert!(
        refused.stderr().contains("is not the expected plan: its digest is sha256:"),
        "{}",
        refused.shown()
    );
    assert_eq!(registry.log().len(), before, "a request was sent");
    folder.write("plan.json", saved);
    let _applied = folder.run(&format!("apply plan.json --expect {digest}")).done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_leaves_out_the_search_is_searched() {
    let keys = ["secrets", "not_searched"];
    for (policy, code) in [("warn", 1), ("off", 1)] {
        let (registry, folder) = scene(&token(), &format!("\n[secrets]\npolicy = \"{policy}\"\n")).await;
        let _planned = folder.run(PLAN).done().expect_code(0);
        change(&folder, |plan| {
            let plan = plan.as_object_mut().expect("an object");
            assert!(keys.iter().filter_map(|key| plan.shift_remove(*key)).count() > 0);
        });
        let done = folder.run("apply plan.json").done().expect_code(code);
        assert!(done.stderr().contains("publish::secrets::found"), "{policy}: {}", done.shown());
        assert!(registry.content().tags.is_empty(), "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_empties_the_search_is_searched() {
    let (registry, folder) = scene(&token(), "\n[secrets]\npolicy = \"warn\"\n").await;
    let _planned = folder.run(PLAN).done().expect_code(0);
    change(&folder, |plan| {
        let repository = &mut plan["secrets"]["repositories"]["images.app@one"];
        *repository = json!({ "policy": "deny" });
        plan["secrets"]["findings"] = json!([]);
    });
    let done = folder.run("apply plan.json").done().expect_code(1);
    assert!(done.stderr().contains("publish::secrets::found"), "{}", done.shown());
    assert!(registry.content().tags.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_plan_says_what_was_searched() {
    let (_registry, folder) = scene("harmless", "").await;
    let shown = |arguments: &str, variables: &[(&str, &str)]| {
        let plan = format!("{arguments} plan --ref refs/tags/v1.2.3");
        folder.run(plan.trim()).envs(variables).wide().done().expect_code(0).stdout()
    };
    assert!(shown("", &[]).contains("  secrets: none found in "), "{}", shown("", &[]));
    let variable = shown("", &[("BROKKR_PUBLISH_SECRETS__POLICY", "off")]);
    assert!(
        variable.contains("secrets: NOT SEARCHED: policy is off (from BROKKR_PUBLISH_SECRETS__POLICY)"),
        "{variable}"
    );
    let set = shown("--set secrets.policy=off", &[]);
    assert!(set.contains("secrets: NOT SEARCHED: policy is off (from --set)"), "{set}");
    folder.write("publish.toml", folder.read("publish.toml") + "\n[secrets]\npolicy = \"off\"\n");
    let file = shown("", &[]);
    assert!(file.contains("secrets: NOT SEARCHED: policy is off (from publish.toml)"), "{file}");
}
