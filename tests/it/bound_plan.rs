//! A saved plan is bound to its digest, and nothing that it says or leaves out spares an apply the search for secrets.

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
    change(&folder, |plan| plan["title"] = json!("something else"));
    let before = registry.log().len();
    let refused = folder.run(&format!("apply plan.json --expect {digest}")).wide().done().expect_code(1);
    assert!(
        refused.stderr().contains("is not the expected plan: its digest is sha256:"),
        "{}",
        refused.shown()
    );
    assert_eq!(registry.log().len(), before, "a request was sent");
    // The JSON of a plan names the plan too, without its file.
    let planned = folder.run(&format!("{PLAN} --json")).done().expect_code(0).stdout();
    let checksum = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["checksum"].clone();
    let again = folder.read("plan.json");
    assert_eq!(checksum(&planned), checksum(&again));
    let named = checksum(&again).as_str().expect("a digest").to_owned();
    change(&folder, |plan| plan["title"] = json!("something else"));
    let refused = folder.run(&format!("apply plan.json --expect {named}")).wide().done().expect_code(1);
    assert!(refused.stderr().contains("is not the expected plan"), "{}", refused.shown());
    let forged =
        folder.read("plan.json").replace(checksum(&folder.read("plan.json")).as_str().expect("one"), &named);
    folder.write("plan.json", forged);
    let refused = folder.run(&format!("apply plan.json --expect {named}")).wide().done().expect_code(1);
    assert!(refused.stderr().contains("its `checksum` does not match"), "{}", refused.shown());
    assert!(registry.requests("PUT", "").is_empty(), "something was sent");
    folder.write("plan.json", again);
    let _applied = folder.run(&format!("apply plan.json --expect {named}")).done().expect_code(0);
}

/// Makes a plan that lets `token` through, as only the environment of the plan says.
fn plan_without_search(folder: &Folder, policy: &str) {
    let _planned = folder.run(PLAN).env("BROKKR_PUBLISH_SECRETS__POLICY", policy).done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_decides_itself_what_it_searches_whatever_the_plan_says() {
    type Forgery = fn(&mut Value);
    let cases: [(&str, &str, Forgery); 10] = [
        ("off", "as it is", |_| {}),
        ("warn", "as it is", |_| {}),
        ("off", "without a word", |plan| {
            drop(plan.as_object_mut().expect("an object").shift_remove("not_searched"));
        }),
        ("warn", "without the search", |plan| {
            drop(plan.as_object_mut().expect("an object").shift_remove("secrets"));
        }),
        ("warn", "an empty search", |plan| {
            plan["secrets"]["repositories"]["images.app@one"] = json!({ "policy": "deny" });
            plan["secrets"]["findings"] = json!([]);
        }),
        ("warn", "policy off", |plan| {
            plan["secrets"]["repositories"]["images.app@one"]["policy"] = json!("off");
        }),
        ("warn", "left out", |plan| {
            let left_out = json!({ "blobs": 99, "bytes": 1, "why": "a tag reaches it" });
            plan["secrets"]["repositories"]["images.app@one"] =
                json!({ "policy": "deny", "left_out": left_out });
            plan["secrets"]["findings"] = json!([]);
        }),
        ("warn", "allowed", |plan| {
            plan["secrets"]["allow"] = json!([{ "path": "**", "reason": "none of your business" }]);
            plan["secrets"]["repositories"]["images.app@one"]["policy"] = json!("deny");
        }),
        ("warn", "declared private", |plan| {
            drop(plan.as_object_mut().expect("an object").shift_remove("secrets"));
            plan["repositories"][0]["visibility"] = json!({
                "declared": "private", "observed": "not-public", "action": "no-op"
            });
        }),
        ("warn", "a policy that is off elsewhere", |plan| {
            drop(plan.as_object_mut().expect("an object").shift_remove("secrets"));
            plan["not_searched"] =
                json!({ "images.app@one": { "code": "policy-off", "from": "publish.toml" } });
        }),
    ];
    for (policy, what, forge) in cases {
        let (registry, folder) = scene(&token(), "").await;
        plan_without_search(&folder, policy);
        change(&folder, forge);
        let done = folder.run("apply plan.json").done().expect_code(1);
        assert!(done.stderr().contains("publish::secrets::found"), "{policy}, {what}: {}", done.shown());
        assert!(registry.content().tags.is_empty(), "{policy}, {what}");
        std::fs::remove_file(folder.path.join("publish.toml")).expect("removed");
        let done = folder.run("apply plan.json").done().expect_code(1);
        assert!(done.stderr().contains("publish::secrets::found"), "{policy}, {what}: {}", done.shown());
        assert!(registry.content().tags.is_empty(), "{policy}, {what}, without publish.toml");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_search_are_those_of_the_apply() {
    let allow = "\n[[secrets.allow]]\nrule = \"github-token\"\nreason = \"a test\"\n";
    let off = "\n[secrets]\npolicy = \"off\"\n";
    for (more, arguments, variable, code) in [
        ("", "", "", 1),
        ("", "--set secrets.policy=warn", "", 0),
        ("", "", "warn", 0),
        ("", "", "off", 0),
        (allow, "", "", 0),
        (off, "", "", 0),
        (off, "", "deny", 1),
        (off, "--set secrets.policy=deny", "", 1),
    ] {
        let (_registry, folder) = scene(&token(), "").await;
        plan_without_search(&folder, "warn");
        let own = configuration(&[("one", "127.0.0.1:1")]) + more;
        folder.write("own.toml", own.as_str());
        std::fs::remove_file(folder.path.join("publish.toml")).expect("removed");
        let mut apply = folder.run(&format!("apply plan.json --config own.toml {arguments}"));
        if !variable.is_empty() {
            apply = apply.env("BROKKR_PUBLISH_SECRETS__POLICY", variable);
        }
        let done = apply.done().expect_code(code);
        let found = done.stderr().contains("publish::secrets::found");
        assert_eq!(found, code == 1, "{more} {arguments} {variable}: {}", done.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_allowances_of_a_plan_count_if_its_digest_is_given() {
    let allow = "\n[[secrets.allow]]\nrule = \"github-token\"\nreason = \"a test\"\n";
    let (_registry, folder) = scene(&token(), allow).await;
    let digest = digest_printed(&folder.run(PLAN).wide().done().expect_code(0).stderr());
    std::fs::remove_file(folder.path.join("publish.toml")).expect("removed");
    let refused = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(refused.stderr().contains("the plan lets it through"), "{}", refused.shown());
    let _applied = folder.run(&format!("apply plan.json --expect {digest}")).done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_keys_about_the_search_can_be_set_for_a_saved_plan() {
    let (_registry, folder) = scene("harmless", "").await;
    let _planned = folder.run(PLAN).done().expect_code(0);
    let refused = folder.run("apply plan.json --set registries.one.url=localhost:1").done().expect_code(1);
    assert!(refused.stderr().contains("`--set` cannot change it"), "{}", refused.shown());
    let wrong = folder.run("apply plan.json --set secrets.policy=of").done().expect_code(1);
    assert!(wrong.stderr().contains("publish::config::"), "{}", wrong.shown());
    std::fs::remove_file(folder.path.join("publish.toml")).expect("removed");
    let wrong = folder.run("apply plan.json --set secrets.policy=of").done().expect_code(1);
    assert!(wrong.stderr().contains("publish::config::"), "{}", wrong.shown());
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
