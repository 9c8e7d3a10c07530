//! Tags that retentions remove: from a real `docker-registry`, a directory, and a registry that deletes only tags. The
//! remaining tags can be pulled as before.

use insta::assert_snapshot;
use serde_json::Value;
use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image;
use testkit::test_registry::{Deletes, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, copy, digest, image, pull, tags};

const RETENTIONS: &str = r#"
[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"

[retention.pr]
rule = "pr"
on = "pull_request_closed"

[retention.commits]
rule = "sha"
keep_last = 2
older_than = "30d"

[images.app]
source = "oci:image"
"#;

/// The event after which the tags of pull request 12 are removed.
const CLOSED: &str = "--event pull_request_closed --pr 12";

fn folder(url: &str) -> Folder {
    let configuration =
        format!("version = 1\n\n[registries.place]\nurl = \"{url}\"\n{RELEASE_RULES}{RETENTIONS}");
    Folder::with(&[("publish.toml", &configuration)])
}

/// Makes an image, and gives it `tags` in the repository `app` at `host`, without the program under test.
fn put(folder: &Folder, host: &str, made: &image::TestImage, tags: &[&str]) -> String {
    let written = folder.image("made", made);
    for tag in tags {
        copy(&written.directory, &format!("{host}/app:{tag}"));
    }
    written.digest
}

/// Publishes one commit for each of these pull requests.
fn publish(folder: &Folder, pull_requests: &[u64]) {
    let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    for number in pull_requests {
        folder
            .run(&format!("apply --auto-approve --event pull_request --pr {number} --sha {sha}"))
            .done()
            .expect_code(0);
    }
}

/// The output, with the place and these digests replaced.
fn steady(done: &EndedRun, host: &str, digests: &[(&str, &str)]) -> String {
    let mut shown = done.shown().replace(host, "[PLACE]");
    for (digest, name) in digests {
        shown = shown.replace(&digest[..19], &format!("sha256:[{name}]"));
    }
    // The digest of the plan depends on the place.
    match shown.split_once("--expect sha256:") {
        Some((before, after)) => {
            format!("{before}--expect sha256:[PLAN]{}", after.get(64..).unwrap_or_default())
        }
        None => shown,
    }
}

#[test]
fn a_closed_pull_request_takes_its_tag_along_and_no_other() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    let shared = put(&folder, &host, &image("shared"), &["pr-12", "pr-123", "pr-1", "pr-12-x"]);
    let refused = folder.run(&format!("prune {CLOSED}")).wide().done().expect_code(1);
    assert_snapshot!("not_confirmed", steady(&refused, &host, &[(&shared, "shared")]));
    assert_eq!(tags(&format!("{host}/app")).len(), 4);

    let prune = format!("prune {CLOSED} --auto-approve --record record.json");
    let done = folder.run(&prune).wide().done().expect_code(0);
    assert_snapshot!("closed", steady(&done, &host, &[(&shared, "shared")]));
    assert_eq!(tags(&format!("{host}/app")), ["pr-1", "pr-12-x", "pr-123"]);
    for tag in ["pr-1", "pr-12-x", "pr-123"] {
        let reference = format!("docker://{host}/app:{tag}");
        assert_eq!(digest(&reference).as_deref(), Some(shared.as_str()));
        pull(&reference);
    }
    let again = folder.run(&format!("prune {CLOSED} --auto-approve")).done().expect_code(0);
    assert!(again.stdout().contains("Plan: nothing to remove."), "{}", again.shown());

    // The record contains the removed tags, and the tag can be restored.
    let shown = folder.run("show record.json").done().expect_code(0).stdout();
    assert!(shown.contains("app:pr-12 removed"), "{shown}");
    folder.run("rollback record.json --auto-approve").done().expect_code(0);
    assert_eq!(digest(&format!("docker://{host}/app:pr-12")), Some(shared));
}

#[test]
fn the_newest_stay_and_the_old_go() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    let made = |text: &str, created: &str| image(text).created(created);
    let mut digests = Vec::new();
    for (tag, created) in [
        ("sha-0000001", "2020-01-01T00:00:00Z"),
        ("sha-0000002", "2020-01-02T02:00:00+02:00"),
        ("sha-0000003", "2021-01-01T00:00:00.123456789Z"),
        ("sha-0000004", "1970-01-01T00:00:00Z"),
        ("v1.0.0", "2020-01-01T00:00:00Z"),
    ] {
        digests.push(put(&folder, &host, &made(tag, created), &[tag]));
    }
    let annotated = image("annotated").annotation("org.opencontainers.image.created", "2019-01-01T00:00:00Z");
    digests.push(put(&folder, &host, &annotated, &["sha-0000005"]));
    let named: Vec<(&str, &str)> =
        digests.iter().map(String::as_str).zip(["1", "2", "3", "4", "release", "5"]).collect();
    let done = folder.run("prune --event schedule --auto-approve").wide().done().expect_code(0);
    assert_snapshot!("limits", steady(&done, &host, &named));
    assert_eq!(
        tags(&format!("{host}/app")),
        ["sha-0000002", "sha-0000003", "sha-0000004", "v1.0.0"],
        "the newest two, and what has no time"
    );
    let every = folder.run("prune --event schedule -v").wide().done().expect_code(0);
    assert!(!every.stdout().contains(" kept   "), "{}", every.shown());
    for tag in ["sha-0000002", "sha-0000003", "sha-0000004"] {
        assert!(every.stdout().contains(&format!("= {tag}   sha256:")), "{}", every.shown());
    }
}

#[test]
fn where_nothing_can_be_deleted_the_plan_says_so() {
    let registry = DockerRegistry::start_without_deleting(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    let made = put(&folder, &host, &image("one"), &["pr-12"]);
    let done = folder.run(&format!("prune {CLOSED}")).wide().done().expect_code(0);
    assert_snapshot!("cannot_remove", steady(&done, &host, &[(&made, "one")]));
    assert_eq!(tags(&format!("{host}/app")), ["pr-12"]);
    assert!(!registry.requests().iter().any(|line| line.starts_with("PUT") && line.contains("brokkr")));
}

#[test]
fn a_directory_loses_tags_alone() {
    let folder = folder("oci:registry");
    folder.image("image", &image("one"));
    publish(&folder, &[12, 123]);
    let place = |tag: &str| digest(&format!("oci:{}/registry/app:{tag}", folder.path.display()));
    let before = place("pr-123");
    assert!(before.is_some() && place("pr-12") == before && place("sha-9f3c2ab") == before);
    folder.run(&format!("prune {CLOSED} --auto-approve")).done().expect_code(0);
    assert_eq!((place("pr-12"), place("pr-123"), place("sha-9f3c2ab")), (None, before.clone(), before));
    pull(&format!("oci:{}/registry/app:pr-123", folder.path.display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tags_are_deleted_alone_manifests_stay() {
    let registry =
        TestRegistry::start(TestRegistryOptions { deletes: Deletes::Tags, ..TestRegistryOptions::default() })
            .await;
    let host = registry.host();
    let folder = folder(&host);
    folder.image("image", &image("one"));
    publish(&folder, &[12, 123]);
    let before = registry.content().manifests.len();
    let done = folder.run(&format!("prune {CLOSED} --auto-approve --json")).done().expect_code(0);
    let plan: Value = serde_json::from_str(done.stdout().lines().next().unwrap()).unwrap();
    let change = &plan["plan"]["repositories"][0]["changes"][0];
    assert_eq!((&change["removal"], &change["rule"]), (&"tag".into(), &"pr".into()));
    assert_eq!(change["reason"]["why"], "pull request 12 is closed");
    assert_eq!(tags(&format!("{host}/app")), ["pr-123", "sha-9f3c2ab"]);
    assert_eq!(registry.content().manifests.len(), before);
}

#[test]
fn a_saved_plan_is_applied_as_it_was_approved() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    let first = put(&folder, &host, &image("first"), &["pr-12"]);
    // Nobody can confirm here: the plan is saved, and nothing else happens.
    let saved = folder.run(&format!("prune {CLOSED} --out plan.json")).wide().done().expect_code(0);
    assert_snapshot!("saved", steady(&saved, &host, &[(&first, "first")]));
    let json = folder.run(&format!("prune {CLOSED} --out other.json --json")).done().expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout()).unwrap()["plan"]["kind"], "prune");
    let schema = brokkr_publish::saved::json_schema::<brokkr_publish::model::plan::Plan>();
    let plan: Value = serde_json::from_str(&folder.read("plan.json")).unwrap();
    jsonschema::validate(&schema, &plan).expect("a plan");
    assert_eq!(tags(&format!("{host}/app")), ["pr-12"]);

    let moved = put(&folder, &host, &image("moved"), &["pr-12"]);
    let stale = folder.run("apply plan.json").wide().done().expect_code(1);
    let digests = [(first.as_str(), "first"), (moved.as_str(), "moved")];
    assert_snapshot!("stale", steady(&stale, &host, &digests));
    assert_eq!(digest(&format!("docker://{host}/app:pr-12")), Some(moved));

    put(&folder, &host, &image("first"), &["pr-12"]);
    let configuration = folder.read("publish.toml");
    folder.write("publish.toml", configuration.replace("keep_last = 2", "keep_last = 3"));
    let stale = folder.run("apply plan.json").done().expect_code(1);
    assert!(stale.stderr().contains("`publish.toml` changed since the plan was made"), "{}", stale.shown());
    folder.write("publish.toml", configuration);
    folder.run("apply plan.json").done().expect_code(0);
    assert_eq!(tags(&format!("{host}/app")), [""; 0]);
    folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn images_that_share_a_repository_are_pruned_together() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    let more = r#"
[tags.tool]
on = "pull_request"
template = "tool-pr-{{ pr.number }}"

[retention.tool]
rule = "tool"
on = "pull_request_closed"

[images.tool]
source = "oci:image"
repository = "app"
tags = ["tool"]
"#;
    let configuration = folder.read("publish.toml").replace(
        "[images.app]",
        "[images.app]\ntags = [\"version\", \"minor\", \"major\", \"latest\", \"sha\", \"pr\"]",
    );
    folder.write("publish.toml", format!("{configuration}{more}"));
    put(&folder, &host, &image("one"), &["pr-12", "tool-pr-12", "tool-pr-123"]);
    let json = folder.run(&format!("prune {CLOSED} --out plan.json --target images.tool")).done();
    let json = json.expect_code(0);
    assert!(
        json.stdout().contains("- tool-pr-12 ") && !json.stdout().contains("- pr-12 "),
        "{}",
        json.shown()
    );
    let done = folder.run(&format!("prune {CLOSED} --auto-approve --record record.json")).done();
    done.expect_code(0);
    let record: Value = serde_json::from_str(&folder.read("record.json")).unwrap();
    let repositories = record["plan"]["repositories"].as_array().unwrap();
    assert_eq!(repositories.len(), 1);
    let changes = repositories[0]["changes"].as_array().unwrap();
    let addresses: Vec<&str> = changes.iter().map(|it| it["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["images.app@place:pr-12", "images.tool@place:tool-pr-12"]);
    assert_eq!(tags(&format!("{host}/app")), ["tool-pr-123"]);
}

#[test]
fn a_repository_under_two_names_is_pruned_once() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let port = host.rsplit_once(':').unwrap().1;
    let other = if host.starts_with("localhost") { "127.0.0.1" } else { "localhost" };
    let folder = folder(&host);
    let more = format!(
        r#"
[registries.other]
url = "{other}:{port}"

[tags.tool]
on = "pull_request"
template = "tool-pr-{{{{ pr.number }}}}"

[retention.tool]
rule = "tool"
on = "pull_request_closed"

[images.tool]
source = "oci:image"
repository = "app"
registries = ["other"]
tags = ["tool"]
"#
    );
    let configuration = folder.read("publish.toml").replace(
        "[images.app]",
        "[images.app]\nregistries = [\"place\"]\ntags = [\"version\", \"minor\", \"major\", \"latest\", \"sha\", \"pr\"]",
    );
    folder.write("publish.toml", format!("{configuration}{more}"));
    put(&folder, &host, &image("one"), &["pr-12", "tool-pr-12", "tool-pr-123"]);
    // A target is resolved for its image.
    let prune = format!("prune {CLOSED} --out plan.json --target images.tool@other");
    let done = folder.run(&prune).done().expect_code(0);
    let planned = done.stdout();
    assert!(planned.contains("- tool-pr-12 ") && !planned.contains("- pr-12 "), "{}", done.shown());

    folder.run(&format!("prune {CLOSED} --auto-approve --record record.json")).done().expect_code(0);
    let record: Value = serde_json::from_str(&folder.read("record.json")).unwrap();
    let repositories = record["plan"]["repositories"].as_array().unwrap();
    assert_eq!(repositories.len(), 1);
    let changes = repositories[0]["changes"].as_array().unwrap();
    let addresses: Vec<&str> = changes.iter().map(|it| it["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["images.app@place:pr-12", "images.tool@other:tool-pr-12"]);
    assert_eq!(tags(&format!("{host}/app")), ["tool-pr-123"]);
}

#[test]
fn what_cannot_be_pruned_is_said() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let folder = folder(&host);
    put(&folder, &host, &image("one"), &["pr-12", "sha-0000001"]);
    for (name, arguments) in [
        ("no_number", "prune --event pull_request_closed --auto-approve"),
        ("unknown_target", "prune --event pull_request_closed --pr 12 --auto-approve --target images.ap"),
    ] {
        assert_snapshot!(name, steady(&folder.run(arguments).wide().done().expect_code(1), &host, &[]));
    }
    for (name, arguments) in [
        ("of_another_image", "prune --event pull_request_closed --pr 13 --target images.app"),
        (
            "of_a_tag",
            "prune --event pull_request_closed --pr 12 --target images.app:sha-0000001 --auto-approve",
        ),
    ] {
        assert_snapshot!(name, steady(&folder.run(arguments).wide().done().expect_code(0), &host, &[]));
    }
    assert_eq!(tags(&format!("{host}/app")), ["pr-12", "sha-0000001"]);
    let configuration = folder.read("publish.toml");
    let alone = configuration.replace("keep_last = 2\nolder_than = \"30d\"", "on = \"pull_request_closed\"");
    folder.write(
        "publish.toml",
        alone.replace("[retention.commits]\nrule = \"sha\"\non = \"pull_request_closed\"\n", ""),
    );
    assert_snapshot!("silent", folder.run("prune --event schedule").wide().done().expect_code(0).shown());
    let (without, _) = configuration.split_once("\n[retention.pr]").unwrap();
    folder.write("publish.toml", format!("{without}\n[images.app]\nsource = \"oci:image\"\n"));
    assert_snapshot!("none_declared", folder.run("prune").done().expect_code(1).shown());
}
