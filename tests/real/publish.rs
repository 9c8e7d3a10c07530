//! Releases from `publish.toml` into a real `docker-registry`: the output of plan, the effects of apply, and the contract
//! about tags. Failures on the way are in `publish_faults.rs`, other places and shapes in
//! `publish_places.rs`.

use insta::assert_snapshot;
use testkit::place::PublishFixture;
use testkit::world;
use testkit::world::image;

#[test]
fn a_first_release_and_its_repetition() {
    let place = PublishFixture::new();
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
    let place = PublishFixture::new();
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
    // A put with `?tag=` asks the registry to move tags (distribution-spec, "Pushing a manifest with tags").
    let by_digest = |put: &String| put.contains("/manifests/sha256:") && !put.contains("?tag=");
    let last_digest = puts.iter().rposition(by_digest).expect("by digest");
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
    let place = PublishFixture::new();
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

    // A first release of an old line must not move tags of a newer one.
    let old = place.folder.publish("0.9.0");
    for (tag, expected) in [("v0", &old), ("v0.9", &old), ("v1", &backport), ("latest", &third)] {
        assert_eq!(place.digest(tag).as_ref(), Some(expected), "{tag}");
    }
}

#[test]
fn a_tag_that_is_behind_is_moved_by_the_newer_version_alone() {
    let place = PublishFixture::new();
    let first = place.folder.image("image", &image("1.2.3"));
    place.folder.apply("1.2.3").done().expect_code(0);
    place.folder.image("image", &image("1.2.4"));
    // The state after a run that is killed before it moves its floating tags.
    let cut = "apply --auto-approve --ref refs/tags/v1.2.4 --target images.app:v1.2.4";
    place.folder.run(cut).done().expect_code(0);
    let second = place.digest("v1.2.4");
    assert_eq!(place.digest("latest").as_ref(), Some(&first.digest));
    place.folder.image("image", &image("1.2.3"));
    // It looks as if 1.2.4 was rolled back, and 1.2.3 must not undo that.
    let again = place.folder.run("plan --detailed-exitcode --ref refs/tags/v1.2.3").done().expect_code(0);
    assert_snapshot!("behind_plan", place.steady(&again.stdout()));
    place.folder.apply("1.2.3").done().expect_code(0);
    assert_eq!(place.digest("latest").as_ref(), Some(&first.digest));
    place.folder.image("image", &image("1.2.4"));
    place.folder.apply("1.2.4").done().expect_code(0);
    for tag in ["latest", "v1", "v1.2"] {
        assert_eq!(place.digest(tag), second, "{tag}");
    }
}

#[test]
fn what_a_registry_lost_is_sent_again_before_a_tag_moves() {
    let place = PublishFixture::new();
    let written = place.folder.image("image", &image("1.2.3"));
    place.folder.apply("1.2.3").done().expect_code(0);
    let repository = place.registry.data().join("docker/registry/v2/repositories/team/app");
    let hex = |digest: &str| digest.trim_start_matches("sha256:").to_owned();
    let child = hex(written.images[0]["digest"].as_str().expect("a digest"));
    std::fs::remove_dir_all(repository.join("_manifests/revisions/sha256").join(child)).expect("a child");
    let blob = hex(&written.blobs[0]);
    std::fs::remove_dir_all(repository.join("_layers/sha256").join(blob)).expect("a blob");
    let stable = "apply --auto-approve --ref refs/tags/v1.2.3 --set tags.latest.template=stable";
    place.folder.run(stable).done().expect_code(0);
    world::pull(&format!("docker://{}/team/app:stable", place.registry.host()));
}

#[test]
fn a_pre_release_takes_no_forward_tag() {
    let place = PublishFixture::new();
    let first = place.folder.publish("1.2.3");
    let candidate = place.folder.image("image", &image("2.0.0-rc.1")).digest;
    let applied = place.folder.apply("2.0.0-rc.1").done().expect_code(0);
    assert_eq!(place.tags(), ["latest", "v1", "v1.2", "v1.2.3", "v2.0.0-rc.1"], "{}", applied.shown());
    assert_eq!(place.digest("v2.0.0-rc.1"), Some(candidate));
    assert_eq!(place.digest("latest"), Some(first));
}

#[test]
fn build_metadata_becomes_a_tag() {
    let place = PublishFixture::new();
    let digest = place.folder.publish("1.2.3+build.7");
    assert_eq!(place.digest("v1.2.3_build.7"), Some(digest));
}

#[test]
fn an_immutable_tag_is_written_once() {
    let place = PublishFixture::new();
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
fn targets_narrow_a_plan() {
    let place = PublishFixture::new();
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
    let place = PublishFixture::new();
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
    let place = PublishFixture::new();
    place.folder.image("image", &image("asked"));
    let refused = place.folder.run("apply --ref refs/tags/v1.2.3").done().expect_code(1);
    assert!(refused.stderr().contains("publish::apply::not_confirmed"), "{}", refused.shown());
    assert_eq!(place.tags(), Vec::<String>::new());
}

#[test]
fn events_are_json_lines() {
    let place = PublishFixture::new();
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
    let place = PublishFixture::new();
    place.folder.publish("1.2.3");
    place.folder.image("image", &image("1.2.4"));
    let plan = place.folder.run("plan --json --ref refs/tags/v1.2.4").done().expect_code(0).json();
    let schema = brokkr_publish::saved::json_schema::<brokkr_publish::model::plan::Plan>();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
