//! Releases from `publish.toml` into a real `docker-registry`: what plan shows, what apply does, and that the contract
//! about tags holds. What may go wrong on the way is in `publish_faults.rs`, other places and shapes in
//! `publish_places.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // what goes wrong here fails a test

#[path = "support/command.rs"]
mod command;
#[path = "support/docker_registry.rs"]
mod docker_registry;
#[path = "support/image.rs"]
mod image;
#[path = "support/world.rs"]
mod world;

use command::Folder;
use docker_registry::{Auth, DockerRegistry};
use insta::assert_snapshot;
use world::{configuration, copy, digest, image, tags};

/// A registry, and a folder whose `publish.toml` publishes there.
struct Place {
    registry: DockerRegistry,
    folder: Folder,
}

impl Place {
    fn new() -> Self {
        let registry = DockerRegistry::start(&Auth::None);
        let url = format!("{}/team", registry.host());
        let folder = Folder::with(&[("publish.toml", &configuration(&[("local", &url)]))]);
        Self { registry, folder }
    }

    fn digest(&self, tag: &str) -> Option<String> {
        digest(&format!("docker://{}/team/app:{tag}", self.registry.host()))
    }

    fn tags(&self) -> Vec<String> {
        tags(&format!("{}/team/app", self.registry.host()))
    }

    /// A text with the port and every digest replaced.
    fn steady(&self, shown: &str) -> String {
        let shown = shown.replace(&self.registry.host(), "[REGISTRY]");
        let digests = regex::Regex::new("sha256:[0-9a-f]{12,64}").expect("a pattern");
        digests.replace_all(&shown, "sha256:[DIGEST]").into_owned()
    }

    /// Requests that change something.
    fn writes(&self) -> Vec<String> {
        let reads = ["GET ", "HEAD "];
        self.registry
            .requests()
            .into_iter()
            .filter(|request| !reads.iter().any(|read| request.starts_with(read)))
            .collect()
    }
}

#[test]
fn a_first_release_and_its_repetition() {
    let place = Place::new();
    let written = place.folder.image("image", &image("first"));
    let planned = place.folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(0);
    assert_snapshot!("first_plan", place.steady(&planned.shown()));
    assert_eq!(place.writes(), Vec::<String>::new(), "a plan writes nothing");
    let json = place.folder.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
    assert_eq!(json["repositories"][0]["content"]["root"]["digest"], written.digest.as_str());

    let applied = place.folder.apply("1.2.3").done().expect_code(0);
    assert!(applied.stdout().contains(&written.digest), "{}", applied.shown());
    assert_snapshot!("first_apply", place.steady(&applied.stdout()));
    assert_eq!(place.tags(), ["latest", "v1", "v1.2", "v1.2.3"]);
    for tag in place.tags() {
        assert_eq!(place.digest(&tag).as_ref(), Some(&written.digest), "{tag}");
    }
    world::pull(&format!("docker://{}/team/app:v1.2.3", place.registry.host()));

    let writes = place.writes().len();
    let again = place.folder.apply("1.2.3").done().expect_code(0);
    assert_snapshot!("second_apply", place.steady(&again.shown()));
    assert_eq!(
        place.writes().len(),
        writes,
        "a second apply writes nothing: {:?}",
        &place.writes()[writes..]
    );
}

#[test]
fn content_comes_before_tags_and_immutable_tags_before_floating_ones() {
    let place = Place::new();
    place.folder.publish("1.2.3");
    let puts: Vec<String> = place
        .writes()
        .into_iter()
        .filter(|it| it.starts_with("PUT ") && it.contains("/manifests/"))
        .collect();
    let at = |tag: &str| {
        puts.iter().position(|put| put.contains(&format!("/manifests/{tag} "))).unwrap_or_else(|| {
            panic!("no put of {tag} in {puts:#?}");
        })
    };
    let last_digest = puts.iter().rposition(|put| put.contains("/manifests/sha256:")).expect("by digest");
    assert!(last_digest < at("v1.2.3"), "{puts:#?}");
    for floating in ["v1.2", "v1", "latest"] {
        assert!(at("v1.2.3") < at(floating), "{puts:#?}");
    }
    let last_blob =
        place.registry.requests().iter().rposition(|it| it.contains("/blobs/uploads/")).expect("uploads");
    let first_tag = place
        .registry
        .requests()
        .iter()
        .position(|it| it.starts_with("PUT") && it.contains("/manifests/v1.2.3 "));
    assert!(Some(last_blob) < first_tag);
}

#[test]
fn forward_tags_never_move_back() {
    let place = Place::new();
    let _first = place.folder.publish("1.2.3");
    let second = place.folder.publish("1.2.4");
    let third = place.folder.publish("2.0.0");
    for (tag, expected) in [("v1", &second), ("v1.2", &second), ("v2", &third), ("latest", &third)] {
        assert_eq!(place.digest(tag).as_ref(), Some(expected), "{tag}");
    }

    let backport = place.folder.image("image", &image("1.2.5")).digest;
    let planned = place.folder.run("plan --ref refs/tags/v1.2.5").done().expect_code(0);
    assert_snapshot!("backport_plan", place.steady(&planned.stdout()));
    place.folder.apply("1.2.5").done().expect_code(0);
    for (tag, expected) in
        [("v1.2.5", &backport), ("v1.2", &backport), ("v1", &backport), ("v2", &third), ("latest", &third)]
    {
        assert_eq!(place.digest(tag).as_ref(), Some(expected), "{tag}");
    }

    // A first release of an old line must not take what belongs to a newer one.
    let old = place.folder.publish("0.9.0");
    for (tag, expected) in [("v0", &old), ("v0.9", &old), ("v1", &backport), ("latest", &third)] {
        assert_eq!(place.digest(tag).as_ref(), Some(expected), "{tag}");
    }
}

#[test]
fn a_pre_release_takes_no_forward_tag() {
    let place = Place::new();
    let first = place.folder.publish("1.2.3");
    let candidate = place.folder.image("image", &image("2.0.0-rc.1")).digest;
    let applied = place.folder.apply("2.0.0-rc.1").done().expect_code(0);
    assert_eq!(place.tags(), ["latest", "v1", "v1.2", "v1.2.3", "v2.0.0-rc.1"], "{}", applied.shown());
    assert_eq!(place.digest("v2.0.0-rc.1"), Some(candidate));
    assert_eq!(place.digest("latest"), Some(first));
}

#[test]
fn build_metadata_becomes_a_tag() {
    let place = Place::new();
    let digest = place.folder.publish("1.2.3+build.7");
    assert_eq!(place.digest("v1.2.3_build.7"), Some(digest));
}

#[test]
fn an_immutable_tag_is_written_once() {
    let place = Place::new();
    let first = place.folder.publish("1.2.3");
    place.folder.image("image", &image("rebuilt"));
    let writes = place.writes().len();
    for arguments in ["plan", "plan --detailed-exitcode", "apply --auto-approve"] {
        let done = place.folder.run(&format!("{arguments} --ref refs/tags/v1.2.3")).done().expect_code(1);
        if arguments == "apply --auto-approve" {
            assert_snapshot!("conflict", place.steady(&done.shown()));
        }
    }
    assert_eq!(place.writes().len(), writes, "a blocked plan writes nothing");
    assert_eq!(place.digest("v1.2.3").as_ref(), Some(&first));
    assert_eq!(place.digest("latest").as_ref(), Some(&first));

    let keep = "apply --auto-approve --ref refs/tags/v1.2.3 --set tags.version.on_conflict=keep";
    let kept = place.folder.run(keep).done().expect_code(0);
    assert_snapshot!("kept", place.steady(&kept.stdout()));
    assert!(
        kept.stdout().contains(&format!("app@{first}")),
        "what is kept is what to deploy by: {}",
        kept.shown()
    );
    assert_eq!(place.digest("v1.2.3").as_ref(), Some(&first));
}

#[test]
fn a_saved_plan_is_enough() {
    let place = Place::new();
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
    // What is in place as planned is no-op, not stale.
    place.folder.run("apply saved.json").done().expect_code(0);
}

#[test]
fn a_stale_plan_is_refused_by_name_before_anything_moves() {
    let place = Place::new();
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
    let place = Place::new();
    place.folder.publish("1.2.3");
    place.folder.image("image", &image("1.2.4"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.4").done().expect_code(0);
    let other = place.folder.image("other", &image("somebody else's"));
    copy(&other.directory, &format!("{}/team/app:v1.2.4", place.registry.host()));
    // The registry knows no way to delete a tag alone: its link in the storage is what makes it.
    let tag = place.registry.data().join("docker/registry/v2/repositories/team/app/_manifests/tags/v1.2");
    std::fs::remove_dir_all(tag).expect("removed");
    let refused = place.folder.run("apply saved.json").done().expect_code(1);
    assert_snapshot!("created_and_deleted", place.steady(&refused.shown()));
    assert_eq!(place.digest("v1.2"), None);
}

#[test]
fn a_plan_whose_file_says_something_else_now_is_refused() {
    let place = Place::new();
    place.folder.image("image", &image("planned"));
    place.folder.run("plan --out saved.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let text = place.folder.read("publish.toml");
    // A comment says nothing.
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
    let place = Place::new();
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
    with("a newer format", &|plan| plan["format_version"] = "2.0".into(), true);
    // Whoever forges a plan can forge its checksum: what contradicts itself is refused all the same.
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
    // The order of keys and spaces are not the plan.
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
    let place = Place::new();
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

#[test]
fn targets_narrow_a_plan() {
    let place = Place::new();
    place.folder.image("image", &image("narrow"));
    let run = |target: &str| {
        place.folder.run(&format!("apply --auto-approve --ref refs/tags/v1.2.3 --target {target}")).done()
    };
    run("images.app@local:v1.2.3").expect_code(0);
    assert_eq!(place.tags(), ["v1.2.3"]);
    run("images.app:v1 images.app:latest").expect_code(0);
    assert_eq!(place.tags(), ["latest", "v1", "v1.2.3"]);
    let unknown = run("images.ap").expect_code(1);
    assert_snapshot!("target_unknown", place.steady(&unknown.shown()));
    run("images.app").expect_code(0);
    assert_eq!(place.tags(), ["latest", "v1", "v1.2", "v1.2.3"]);
}

#[test]
fn exit_codes_tell_changes_from_none_and_from_errors() {
    let place = Place::new();
    let plan = "plan --detailed-exitcode --ref refs/tags/v1.2.3";
    let missing = place.folder.run(plan).done().expect_code(1);
    assert!(missing.stderr().contains("publish::source::missing"), "{}", missing.shown());
    place.folder.image("image", &image("codes"));
    place.folder.run(plan).done().expect_code(2);
    place.folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(0);
    place.folder.apply("1.2.3").done().expect_code(0);
    place.folder.run(plan).done().expect_code(0);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let place = Place::new();
    place.folder.image("image", &image("asked"));
    let refused = place.folder.run("apply --ref refs/tags/v1.2.3").done().expect_code(1);
    assert!(refused.stderr().contains("publish::apply::not_confirmed"), "{}", refused.shown());
    assert_eq!(place.tags(), Vec::<String>::new());
}

#[test]
fn events_are_json_lines() {
    let place = Place::new();
    let written = place.folder.image("image", &image("events"));
    let done = place.folder.run("apply --auto-approve --json --ref refs/tags/v1.2.3").done().expect_code(0);
    let stdout = done.stdout();
    let events: Vec<serde_json::Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"plan"), Some(&"finished")), "{stdout}");
    assert_eq!(events.last().expect("an event")["success"], true);
    assert_eq!(kinds.iter().filter(|kind| **kind == "tag").count(), 4, "{kinds:?}");
    assert!(events.last().expect("an event").to_string().contains(&written.digest));
    assert_eq!(done.stderr(), "");
}

#[test]
fn plans_are_as_their_schema_says() {
    let place = Place::new();
    place.folder.publish("1.2.3");
    place.folder.image("image", &image("1.2.4"));
    let plan = place.folder.run("plan --json --ref refs/tags/v1.2.4").done().expect_code(0).json();
    let schema = brokkr_publish::saved::json_schema::<brokkr_publish::model::plan::Plan>();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
