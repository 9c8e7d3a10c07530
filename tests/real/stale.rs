//! Saved plans: apply needs nothing else, and each way in which one can be stale is refused by name.

use insta::assert_snapshot;
use testkit::place::PublishFixture;
use testkit::world::{copy, image};

#[test]
fn a_saved_plan_is_enough() {
    let place = PublishFixture::new();
    let written = place.folder.image("image", &image("saved"));
    let saved = place.folder.run("plan --out saved.json --ref refs/tags/v1.2.3").done().expect_code(0);
    assert!(saved.stderr().contains("apply saved.json"), "{}", saved.shown());
    let shown = place.folder.run("show saved.json").done().expect_code(0);
    assert_eq!(shown.stdout(), saved.stdout(), "show shows what plan showed");
    std::fs::remove_file(place.folder.path.join("publish.toml")).expect("removed");
    for wrong in [
        "apply saved.json --ref refs/tags/v9.9.9",
        "apply saved.json --set a=b",
        "apply saved.json --target images.app",
    ] {
        let refused = place.folder.run(wrong).done().expect_code(1);
        assert!(refused.stderr().contains("publish::command::usage"), "{}", refused.shown());
    }
    let applied = place.folder.run("apply saved.json").done().expect_code(0);
    assert!(applied.stdout().contains(&written.digest), "{}", applied.shown());
    assert_eq!(place.digest("latest"), Some(written.digest));
    // Tags that already have their planned digests are no-op, not stale.
    place.folder.run("apply saved.json").done().expect_code(0);
}

#[test]
fn a_stale_plan_is_refused_by_name_before_anything_moves() {
    let place = PublishFixture::new();
    let first = place.folder.publish("1.2.3");
    place.folder.image("image", &image("1.2.4"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.4").done().expect_code(0);
    let other = place.folder.image("other", &image("somebody else's"));
    copy(&other.directory, &format!("{}/team/app:v1", place.registry.host()));
    let writes = place.writes().len();
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("stale", place.steady(&refused.shown()));
    assert_eq!(place.writes().len(), writes, "{:?}", &place.writes()[writes..]);
    assert_eq!(place.digest("v1.2.4"), None);
    assert_eq!(place.digest("latest").as_ref(), Some(&first));
    assert_eq!(place.digest("v1"), Some(other.digest));
}

#[test]
fn a_tag_that_was_created_or_deleted_since_is_refused_by_name() {
    let place = PublishFixture::new();
    place.folder.publish("1.2.3");
    place.folder.image("image", &image("1.2.4"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.4").done().expect_code(0);
    let other = place.folder.image("other", &image("somebody else's"));
    copy(&other.directory, &format!("{}/team/app:v1.2.4", place.registry.host()));
    // The registry cannot delete a tag alone: the test removes the tag's link in the storage.
    let tag = place.registry.data().join("docker/registry/v2/repositories/team/app/_manifests/tags/v1.2");
    std::fs::remove_dir_all(tag).expect("removed");
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("created_and_deleted", place.steady(&refused.shown()));
    assert_eq!(place.digest("v1.2"), None);
}

#[test]
fn a_plan_whose_file_says_something_else_now_is_refused() {
    let place = PublishFixture::new();
    place.folder.image("image", &image("planned"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let text = place.folder.read("publish.toml");
    // A comment has no effect.
    place.folder.write("publish.toml", format!("# A comment.\n{text}"));
    place.folder.run("apply saved.json --json").done().expect_code(0);
    place.folder.write("publish.toml", text.replace("template = \"latest\"", "template = \"newest\""));
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("config_changed", place.steady(&refused.shown()));
    place.folder.write("publish.toml", text.replace("/team", "/other"));
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("another_registry", place.steady(&refused.shown()));
}

#[test]
fn a_plan_that_was_changed_is_refused() {
    let place = PublishFixture::new();
    let written = place.folder.image("image", &image("planned"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let plan: serde_json::Value = serde_json::from_str(&place.folder.read("saved.json")).expect("JSON");
    let mut forms: Vec<(&str, serde_json::Value)> = Vec::new();
    let mut with = |name, change: &dyn Fn(&mut serde_json::Value), sealed: bool| {
        let mut plan = plan.clone();
        change(&mut plan);
        if sealed {
            brokkr_publish::saved::seal(&mut plan);
        }
        forms.push((name, plan));
    };
    let other = format!("sha256:{}", "1".repeat(64));
    with("a tag", &|plan| plan["repositories"][0]["changes"][0]["tag"] = "v9.9.9".into(), false);
    with("no checksum", &|plan| drop(plan.as_object_mut().map(|plan| plan.shift_remove("checksum"))), false);
    with("a newer format", &|plan| plan["format_version"] = "3.0".into(), true);
    // An attacker who forges a plan can forge its checksum too: a plan that contradicts itself is still refused.
    with("another registry", &|plan| plan["registries"]["local"]["url"] = "localhost:1/team".into(), true);
    with(
        "another digest",
        &|plan| {
            plan["repositories"][0]["changes"][0]["after"]["digest"] = other.as_str().into();
        },
        true,
    );
    with(
        "a tag twice",
        &|plan| {
            let changes = plan["repositories"][0]["changes"].as_array_mut().expect("changes");
            let first = changes[0].clone();
            changes.push(first);
        },
        true,
    );
    let mut shown = String::new();
    for (name, plan) in forms {
        place.folder.write("forged.json", plan.to_string());
        let refused = place.folder.run("apply forged.json").wide().done().expect_code(1);
        let error = refused.stderr().split_once("error: ").map(|(_, error)| error.to_owned());
        shown.push_str(&format!("{name}: {}\n", place.steady(&error.unwrap_or_default())));
    }
    assert_snapshot!("forged", shown);
    // The order of keys and the spaces are not part of the plan.
    let mut reordered = serde_json::Map::new();
    for (key, value) in plan.as_object().expect("an object").iter().rev() {
        reordered.insert(key.clone(), value.clone());
    }
    place.folder.write("same.json", serde_json::to_string_pretty(&reordered).expect("JSON"));
    let applied = place.folder.run("apply same.json").done().expect_code(0);
    assert!(applied.stdout().contains(&written.digest), "{}", applied.shown());
}

#[test]
fn a_changed_source_is_refused() {
    let place = PublishFixture::new();
    place.folder.image("image", &image("planned"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.3").done().expect_code(0);
    place.folder.image("image", &image("rebuilt"));
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("source_changed", place.steady(&refused.shown()));
    assert_eq!(place.tags(), Vec::<String>::new());
    std::fs::remove_dir_all(place.folder.path.join("image")).expect("removed");
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert!(refused.stderr().contains("publish::source::missing"), "{}", refused.shown());
}
