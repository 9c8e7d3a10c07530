//! A rollback of a release, in a real `docker-registry` and in a directory: floating tags are restored, tags that did not
//! exist are removed if possible, immutable tags stay, and tags that somebody moved since are not changed.

use insta::assert_snapshot;
use serde_json::Value;
use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::test_registry::{Deletes, Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, copy, digest, image, tags};
use testkit::{command, docker_registry, world};

/// A folder that published 1.2.3, and then 2.0.0 with a record, and the places to read both.
struct Released {
    folder: Folder,
    /// The repository, in skopeo's form, up to the tag.
    place: String,
    first: String,
    second: String,
}

const REF: &str =
    "apply --auto-approve --ref refs/tags/v2.0.0 --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

impl Released {
    fn to(url: &str) -> Self {
        let folder = Folder::with(&[("publish.toml", &configuration(&[("place", url)]))]);
        let place = match url.strip_prefix("oci:") {
            Some(directory) => format!("oci:{}/{directory}/app", folder.path.display()),
            None => format!("docker://{url}/app"),
        };
        let first = folder.publish("1.2.3");
        let second = folder.image("image", &image("2.0.0")).digest;
        folder.run(&format!("{REF} --record record.json")).done().expect_code(0);
        // The record and the registry contain everything that a rollback needs.
        std::fs::remove_file(folder.path.join("publish.toml")).unwrap();
        std::fs::remove_dir_all(folder.path.join("image")).unwrap();
        Self { folder, place, first, second }
    }

    fn digest(&self, tag: &str) -> Option<String> {
        digest(&format!("{}:{tag}", self.place))
    }

    /// Points the tag `to` to the digest of the tag `from`, without the program under test.
    fn tag(&self, from: &str, to: &str) {
        let tls: &[&str] = if self.place.starts_with("docker:") {
            &["--src-tls-verify=false", "--dest-tls-verify=false"]
        } else {
            &[]
        };
        docker_registry::run(
            std::process::Command::new("skopeo")
                .args(["copy", "--all", "--quiet"])
                .args(tls)
                .args([format!("{}:{from}", self.place), format!("{}:{to}", self.place)]),
        );
    }

    fn rollback(&self, options: &str) -> command::ProgramRun {
        self.folder.run(&format!("rollback record.json {options}")).wide()
    }

    /// Asserts the digest of each tag.
    #[track_caller]
    fn expect(&self, tags: &[(&str, Option<&String>)]) {
        for (tag, expected) in tags {
            assert_eq!(self.digest(tag).as_ref(), *expected, "{tag}");
        }
    }

    #[track_caller]
    fn expect_rolled_back(&self) {
        let (first, second) = (Some(&self.first), Some(&self.second));
        self.expect(&[("v1.2.3", first), ("v1.2", first), ("v1", first), ("latest", first)]);
        self.expect(&[("v2.0.0", second), ("v2.0", None), ("v2", None)]);
    }

    #[track_caller]
    fn expect_released(&self) {
        let second = Some(&self.second);
        self.expect(&[("v2.0.0", second), ("v2.0", second), ("v2", second), ("latest", second)]);
    }

    /// The output, with the place and every digest replaced.
    fn steady(&self, done: &EndedRun) -> String {
        let place = self.place.trim_start_matches("docker://").trim_end_matches("/app");
        let mut shown = done.shown().replace(place, "[PLACE]");
        for (digest, name) in [(&self.first, "first"), (&self.second, "second")] {
            shown = shown.replace(&digest[..19], &format!("sha256:[{name}]"));
        }
        shown
    }
}

#[test]
fn a_plan_whose_content_is_gone_moves_nothing() {
    let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))]);
    let old = folder.publish("1.2.3");
    let new = folder.image("image", &image("2.0.0")).digest;
    folder.run("apply --auto-approve --ref refs/tags/v2.0.0 --record record.json").done().expect_code(0);
    folder.run("rollback record.json --out plan.json").done().expect_code(0);
    let blob = |digest: &str| {
        folder.path.join("registry/app/blobs/sha256").join(digest.trim_start_matches("sha256:"))
    };
    std::fs::remove_file(blob(&old)).expect("removed");
    let refused = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(
        refused.stderr().contains("neither its source nor the repository has it any more"),
        "{}",
        refused.shown()
    );
    for tag in ["latest", "v2", "v2.0"] {
        let place = format!("oci:{}/registry/app:{tag}", folder.path.display());
        assert_eq!(digest(&place).as_ref(), Some(&new), "{tag}");
    }
}

#[test]
fn the_record_that_is_read_is_not_written_over() {
    let folder = Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))]);
    folder.image("image", &image("1.2.3"));
    folder.run("apply --auto-approve --ref refs/tags/v1.2.3 --record record.json").done().expect_code(0);
    let written = folder.read("record.json");
    for option in ["--out", "--record"] {
        let refused = folder.run(&format!("rollback record.json --auto-approve {option} ./record.json"));
        let refused = refused.done().expect_code(1);
        assert!(refused.stderr().contains("publish::command::usage"), "{}", refused.shown());
        assert_eq!(folder.read("record.json"), written);
    }
}

#[test]
fn a_release_is_taken_back_in_a_registry() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let released = Released::to(&registry.host());
    let refused = released.rollback("").done().expect_code(1);
    assert_snapshot!("not_confirmed", released.steady(&refused));
    released.expect_released();

    let done = released.rollback("--auto-approve --record back.json").done().expect_code(0);
    assert_snapshot!("rolled_back", released.steady(&done));
    released.expect_rolled_back();
    world::pull(&format!("{}:latest", released.place));
    world::pull(&format!("{}:v2.0.0", released.place));
    assert_eq!(
        tags(&format!("{}/app", registry.host())),
        ["latest", "v1", "v1.2", "v1.2.3", "v2.0.0"],
        "no placeholder is left"
    );

    let again = released.rollback("").done().expect_code(0);
    assert_snapshot!("rolled_back_already", released.steady(&again));
    let shown = released.folder.run("show back.json").done().expect_code(0).stdout();
    assert!(
        shown.starts_with("brokkr-publish record — rollback of refs/tags/v2.0.0 at 9f3c2ab\n"),
        "{shown}"
    );

    // A rollback of the rollback.
    let done = released.folder.run("rollback back.json --auto-approve").wide().done().expect_code(0);
    assert_snapshot!("forward_again", released.steady(&done));
    released.expect_released();
}

#[test]
fn a_release_is_taken_back_in_a_directory() {
    let released = Released::to("oci:registry");
    let done = released.rollback("--auto-approve --json --record back.json").done().expect_code(0);
    let events: Vec<Value> =
        done.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events[0]["plan"]["kind"], "rollback");
    let results: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["event"] == "tag")
        .map(|event| (event["change"]["tag"].as_str().unwrap(), event["change"]["result"].as_str().unwrap()))
        .collect();
    assert_eq!(results, [("latest", "moved"), ("v2.0", "removed"), ("v2", "removed")]);
    released.expect_rolled_back();
    released.rollback("").done().expect_code(0);
    released.folder.run("rollback back.json --auto-approve").done().expect_code(0);
    released.expect_released();
}

#[test]
fn what_somebody_moved_since_is_left_alone() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let released = Released::to(&registry.host());
    let other = released.folder.image("other", &image("somebody's"));
    copy(&other.directory, &format!("{}/app:latest", registry.host()));
    let blocked = released.rollback("--auto-approve").done().expect_code(1);
    let shown = released.steady(&blocked).replace(&other.digest[..19], "sha256:[other]");
    assert_snapshot!("moved_since", shown);
    let second = Some(&released.second);
    released.expect(&[("latest", Some(&other.digest)), ("v2", second), ("v2.0", second)]);
    // The other tags can be rolled back.
    let targets = "--target images.app:v2 images.app:v2.0";
    released.rollback(&format!("--auto-approve {targets}")).done().expect_code(0);
    released.expect(&[("latest", Some(&other.digest)), ("v2", None), ("v2.0", None)]);
}

#[test]
fn where_nothing_can_be_removed_the_rest_goes_back() {
    let registry = DockerRegistry::start_without_deleting(&AcceptedClients::None);
    let released = Released::to(&registry.host());
    let done = released.rollback("--auto-approve").done().expect_code(0);
    assert_snapshot!("cannot_remove", released.steady(&done));
    let (first, second) = (Some(&released.first), Some(&released.second));
    released.expect(&[("latest", first), ("v2.0.0", second), ("v2.0", second), ("v2", second)]);
}

#[test]
fn a_saved_rollback_is_applied_as_it_was_approved() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let released = Released::to(&registry.host());
    // Nobody can confirm here: the plan is saved, and nothing else happens.
    let saved = released.rollback("--out plan.json").done().expect_code(0);
    assert!(
        saved.stderr().contains("To apply exactly this: brokkr-publish apply plan.json --expect sha256:"),
        "{}",
        saved.shown()
    );
    released.expect_released();
    let shown = released.folder.run("show plan.json").done().expect_code(0).stdout();
    assert!(shown.contains("Plan: 1 to move, 2 to remove, 1 kept."), "{shown}");
    let other = released.folder.image("other", &image("somebody's"));
    copy(&other.directory, &format!("{}/app:v2", registry.host()));
    let stale = released.folder.run("apply plan.json").done().expect_code(1);
    assert!(stale.stderr().contains("publish::plan::stale"), "{}", stale.shown());
    released.expect(&[("latest", Some(&released.second)), ("v2", Some(&other.digest))]);
    released.tag("v2.0.0", "v2");
    released.folder.run("apply plan.json").done().expect_code(0);
    released.expect_rolled_back();
    released.folder.run("apply plan.json").done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_failed_half_way_is_taken_back() {
    // In the first case it is refused, so `latest` never moved; in the second it moved, and every answer about it was lost.
    let refused = || Fault::Answer(400, Vec::new(), Vec::new());
    for (deletes, fault) in [(Deletes::Manifests, refused()), (Deletes::Tags, Fault::Lost)] {
        let registry =
            TestRegistry::start(TestRegistryOptions { deletes, ..TestRegistryOptions::default() }).await;
        let url = registry.host();
        let text = configuration(&[("place", &url)]) + "[apply]\non_tag_failure = \"stop\"\n";
        let folder = Folder::with(&[("publish.toml", &text)]);
        let first = folder.publish("1.2.3");
        folder.image("image", &image("2.0.0"));
        registry.on("PUT", "/manifests/latest", 100, fault);
        // The tag is read for the plan, for the check and just before it is put.
        registry.on("HEAD", "/manifests/latest", 3, Fault::Headers(Vec::new()));
        registry.on("HEAD", "/manifests/latest", 100, refused());
        registry.on("GET", "/manifests/latest", 100, refused());
        folder.run(&format!("{REF} --record record.json")).done().expect_code(1);
        let record: Value = serde_json::from_str(&folder.read("record.json")).expect("JSON");
        let results: Vec<&str> = record["outcome"]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["result"].as_str().unwrap())
            .collect();
        assert_eq!(results, ["created", "created", "created", "failed"]);
        registry.forget_script();
        let moved = digest(&format!("docker://{url}/app:latest")).as_ref() != Some(&first);
        assert_eq!(moved, deletes == Deletes::Tags);
        let done = folder.run("rollback record.json --auto-approve").done().expect_code(0);
        assert!(done.stdout().contains("2 removed"), "{}", done.shown());
        assert_eq!(digest(&format!("docker://{url}/app:latest")), Some(first));
        assert_eq!(tags(&format!("{url}/app")), ["latest", "v1", "v1.2", "v1.2.3", "v2.0.0"]);
    }
}

#[test]
fn a_manifest_goes_only_with_tags_that_the_plan_removes() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    for url in [registry.host(), "oci:registry".to_owned()] {
        let released = Released::to(&url);
        let folder = &released.folder;
        released.rollback("--out plan.json").done().expect_code(0);
        // A plan that removes 2.0.0 entirely, like one of `prune`.
        let mut plan: Value = serde_json::from_str(&folder.read("plan.json")).unwrap();
        plan["kind"] = "prune".into();
        for change in plan["repositories"][0]["changes"].as_array_mut().unwrap() {
            change.as_object_mut().unwrap().remove("after");
            change["action"] = "remove".into();
            change["removal"] = "manifest".into();
            change["reason"] = serde_json::json!({ "code": "expired", "why": "too old" });
        }
        brokkr_publish::saved::seal(&mut plan);
        folder.write("plan.json", plan.to_string());
        released.tag("latest", "somebody");
        let refused = folder.run("apply plan.json").wide().done().expect_code(1);
        assert!(refused.stderr().contains("it got another tag, `somebody`"), "{}", refused.shown());
        released.expect_released();
        released.tag("v1.2.3", "somebody");
        let done = folder.run("apply plan.json").done().expect_code(0);
        assert!(done.stdout().contains("4 removed"), "{}", done.shown());
        let first = Some(&released.first);
        released.expect(&[("v2.0.0", None), ("v2.0", None), ("v2", None), ("latest", None)]);
        released.expect(&[("v1.2.3", first), ("v1", first), ("somebody", first)]);
        folder.run("apply plan.json").done().expect_code(0);
    }
}

#[test]
fn content_that_is_gone_cannot_be_gone_back_to() {
    let released = Released::to("oci:registry");
    let hex = released.first.trim_start_matches("sha256:");
    let index = released.folder.path.join("registry/app/index.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    value["manifests"].as_array_mut().unwrap().retain(|it| it["digest"] != released.first.as_str());
    std::fs::write(&index, value.to_string()).unwrap();
    std::fs::remove_file(released.folder.path.join("registry/app/blobs/sha256").join(hex)).unwrap();
    let blocked = released.rollback("--auto-approve").done().expect_code(1);
    assert_snapshot!("content_gone", released.steady(&blocked));
    released.expect_released();
}

#[test]
fn records_that_are_none() {
    let released = Released::to("oci:registry");
    let folder = &released.folder;
    folder.write("text", "no JSON").write("half.json", r#"{"format_version": "1.0", "success": true"#);
    let record = folder.read("record.json");
    folder.write("edited.json", record.replace("\"created\"", "\"moved\""));
    let mut forged: Value = serde_json::from_str(&record).unwrap();
    forged["outcome"]["changes"].as_array_mut().unwrap().remove(0);
    brokkr_publish::saved::seal(&mut forged);
    folder.write("forged.json", forged.to_string());
    released.rollback("--out plan.json").done().expect_code(0);
    for name in ["nowhere.json", "text", "half.json", "edited.json", "forged.json", "plan.json"] {
        let refused = folder.run(&format!("rollback {name} --auto-approve")).wide().done().expect_code(1);
        assert!(refused.stderr().contains("publish::plan::file"), "{}", refused.shown());
        assert_snapshot!(format!("record_{}", name.replace('.', "_")), refused.shown());
    }
    let option = folder.run("rollback record.json --set a=b").done().expect_code(1);
    assert!(option.stderr().contains("`--set` cannot change it"), "{}", option.shown());
    let target = released.rollback("--target images.app:v3").done().expect_code(1);
    assert!(target.stderr().contains("publish::plan::target"), "{}", target.shown());
    released.expect_released();
}
