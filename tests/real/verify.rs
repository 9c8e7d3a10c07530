//! `verify` with real registries and a directory: intact releases, and each way in which somebody can break one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brokkr_publish::model::verification::Verification;
use brokkr_publish::saved::printed_schema;
use insta::assert_snapshot;
use serde_json::Value;

use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, free_port, run};
use testkit::image::{TestImage, TestLayer, Written, blob_path};
use testkit::world::{configuration, copy, digest, image};

/// Two registries, a directory, and two releases in all three.
struct VerifyFixture {
    one: DockerRegistry,
    two: DockerRegistry,
    folder: Folder,
    /// The images of 1.0.0 and 1.1.0, each in a layout of its own.
    releases: [Written; 2],
}

impl VerifyFixture {
    fn new() -> Self {
        let (one, two) =
            (DockerRegistry::start(&AcceptedClients::None), DockerRegistry::start(&AcceptedClients::None));
        let registries = [("one", one.host()), ("two", two.host()), ("bundle", "oci:bundle".to_owned())];
        let registries: Vec<(&str, &str)> =
            registries.iter().map(|(name, url)| (*name, url.as_str())).collect();
        let folder = Folder::with(&[("publish.toml", &configuration(&registries))]);
        let releases = ["1.0.0", "1.1.0"].map(|version| {
            folder.publish(version);
            let kept = image(version).write(&folder.path.join(format!("kept-{version}")));
            assert_eq!(
                Some(&kept.digest),
                digest(&format!("docker://{}/app:v{version}", one.host())).as_ref()
            );
            kept
        });
        // The verified content is in the registries.
        fs::remove_dir_all(folder.path.join("image")).expect("removed");
        Self { one, two, folder, releases }
    }

    fn verify(&self, arguments: &str, code: i32) -> EndedRun {
        self.folder.run(&format!("verify {arguments}")).done().expect_code(code)
    }

    /// The output, which is the same in every run.
    fn shown(&self, done: &EndedRun) -> String {
        done.shown().replace(&self.one.host(), "ONE").replace(&self.two.host(), "TWO")
    }
}

/// Every drift and finding of `verify --json`, as `REGISTRY WHAT CODE`, after a check against the schema.
fn drift(done: &EndedRun) -> Vec<String> {
    let json = done.json();
    let validator =
        jsonschema::validator_for(&printed_schema::<Verification>("verification")).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{json:#}");
    let mut found = Vec::new();
    let each = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for repository in each(&json["repositories"]) {
        let registry = repository["registry"].as_str().expect("a name");
        for tag in each(&repository["tags"]).iter().filter(|tag| !tag["drift"].is_null()) {
            let (tag, code) =
                (tag["tag"].as_str().expect("a tag"), tag["drift"]["code"].as_str().expect("a code"));
            found.push(format!("{registry} {tag} {code}"));
        }
        for finding in each(&repository["findings"]) {
            let detail =
                ["platform", "key", "digest", "count"].into_iter().find_map(|key| match &finding[key] {
                    Value::Object(it) => Some(it["architecture"].to_string()),
                    Value::Null => None,
                    other => Some(other.to_string()),
                });
            let detail = detail.map(|it| format!(" {}", it.trim_matches('"'))).unwrap_or_default();
            found.push(format!("{registry} {}{detail}", finding["code"].as_str().expect("a code")));
        }
    }
    assert_eq!(json["stands"], found.is_empty());
    found
}

/// Deletes a manifest and each tag that names it, through the registry's own API.
fn delete(registry: &DockerRegistry, digest: &str) {
    let url = format!("http://{}/v2/app/manifests/{digest}", registry.host());
    run(Command::new("curl").args(["--fail", "--silent", "--request", "DELETE", &url]));
}

/// The path of the bytes of a digest in the registry's storage.
fn stored(registry: &DockerRegistry, digest: &str) -> PathBuf {
    let hex = digest.trim_start_matches("sha256:");
    registry.data().join("docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
}

/// Copies between layouts, without the program under test.
fn copy_to_layout(layout: &Path, to: &Path, tag: &str) {
    run(Command::new("skopeo")
        .args(["copy", "--all", "--quiet"])
        .args([format!("oci:{}", layout.display()), format!("oci:{}:{tag}", to.display())]));
}

#[test]
fn all_stands_whatever_the_run_is_about() {
    let world = VerifyFixture::new();
    assert_snapshot!(world.shown(&world.verify("", 0)));
    assert_eq!(drift(&world.verify("--json --deep", 0)), Vec::<String>::new());
    // On a schedule, as in a nightly job, and on a pull request from a fork.
    for (event, reference) in [("schedule", "refs/heads/main"), ("pull_request", "refs/pull/1/merge")] {
        let run = world.folder.run("verify").envs(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_REF", reference),
            ("GITHUB_SHA", "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c"),
        ]);
        let _done = run.done().expect_code(0);
    }
}

#[test]
fn a_run_asks_once_for_the_list_and_once_for_each_tag() {
    let world = VerifyFixture::new();
    let before = world.one.requests().len();
    world.verify("", 0);
    let asked: Vec<String> = world.one.requests().split_off(before);
    let count = |method: &str, part: &str| {
        asked.iter().filter(|line| line.starts_with(method) && line.contains(part)).count()
    };
    assert_eq!(count("GET", "/tags/list"), 1, "{asked:#?}");
    // v1.1.0, v1.1, v1, latest, v1.0.0, v1.0.
    assert_eq!(count("HEAD", "/manifests/"), 6, "{asked:#?}");
    // The root of the last version; its platforms are declared.
    assert_eq!(count("GET", "/manifests/sha256:"), 1, "{asked:#?}");
    assert!(asked.len() <= 9, "{asked:#?}");
}

#[test]
fn what_others_did_to_the_tags() {
    let world = VerifyFixture::new();
    let [old, new] = &world.releases;
    // Somebody moves a tag back, deletes a release, and rebuilds another under its tag.
    copy(&old.directory, &format!("{}/app:latest", world.one.host()));
    delete(&world.two, &old.digest);
    let rebuilt = world.folder.image("rebuilt", &image("rebuilt"));
    copy_to_layout(&rebuilt.directory, &world.folder.path.join("bundle/app"), "v1.1.0");
    let done = world.verify("", 2);
    assert_snapshot!(world.shown(&done));
    assert_eq!(
        drift(&world.verify("--json", 2)),
        ["one latest not_highest", "two v1.0.0 missing", "bundle v1.1.0 differs",]
    );
    let json = world.verify("--json --target images.app@one:latest", 2).json();
    let tag = &json["repositories"][0]["tags"][0];
    assert_eq!(tag["address"], "images.app@one:latest");
    assert_eq!(tag["observed"]["version"], "1.0.0");
    assert_eq!(tag["expected"]["version"], "1.1.0");
    assert_eq!(tag["expected"]["digest"], new.digest.as_str());
    world.verify("--target images.app@one:v1.1.0", 0);
    let refused = world.verify("--target images.app@one:v9", 1);
    assert!(refused.stderr().contains("publish::plan::target"), "{}", refused.shown());
}

#[test]
fn a_registry_that_lost_the_image() {
    let world = VerifyFixture::new();
    for release in &world.releases {
        delete(&world.two, &release.digest);
    }
    assert_eq!(drift(&world.verify("--json", 2)), ["two no_versions 2"]);
    let shown = world.verify("", 2).stdout();
    assert!(shown.contains("! versions   none → 1.1.0"), "{shown}");
}

#[test]
fn nothing_is_published_yet() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("one", &registry.host()), ("bundle", "oci:bundle")]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    let done = folder.run("verify").done().expect_code(0);
    assert!(done.stdout().contains("no release or branch is published yet"), "{}", done.shown());
    assert!(done.stdout().ends_with("\nVerify: there is nothing to verify.\n"), "{}", done.shown());
}

#[test]
fn what_is_declared_of_the_last_version() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("one", &registry.host())])
        + "annotations = { key = \"{{ version }}\", commit = \"{{ git.sha }}\" }\n";
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("1.0.0"));
    let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    folder.run(&format!("apply --auto-approve --ref refs/tags/v1.0.0 --sha {sha}")).done().expect_code(0);
    // Without a clone the commit is unknown, and so it is not compared with anything.
    assert_eq!(drift(&folder.run("verify --json").done().expect_code(0)), Vec::<String>::new());
    let verbose = folder.run("verify -v").done().expect_code(0).stdout();
    assert!(verbose.contains("images.app, annotation commit: `git.sha` has no value here"), "{verbose}");

    folder.write(
        "publish.toml",
        text.replace("\"linux/arm64\"]", "\"linux/arm64\", \"linux/s390x\"]")
            .replace("\"{{ version }}\"", "\"{{ version }}!\""),
    );
    assert_eq!(
        drift(&folder.run("verify --json").done().expect_code(2)),
        ["one missing_platform s390x", "one annotation key"]
    );
    let shown = folder.run("verify").done().stdout();
    assert!(shown.contains("! annotation   key \"1.0.0\" → \"1.0.0!\""), "{shown}");
    assert!(shown.contains("! platform     linux/s390x"), "{shown}");
}

#[test]
fn the_platform_of_a_single_image_is_in_its_configuration() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("one", &registry.host())]).replace(", \"linux/arm64\"", "");
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image(
        "image",
        &TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("a", b"b")])]).single(),
    );
    folder.apply("1.0.0").done().expect_code(0);
    folder.run("verify").done().expect_code(0);
    folder.write("publish.toml", text.replace("linux/amd64", "linux/arm64"));
    assert_eq!(drift(&folder.run("verify --json").done().expect_code(2)), ["one missing_platform arm64"]);
}

#[test]
fn content_that_is_missing_or_broken() {
    let world = VerifyFixture::new();
    let [old, new] = &world.releases;
    let child =
        |release: &Written, at: usize| release.images[at]["digest"].as_str().expect("a digest").to_owned();
    let bundle = world.folder.path.join("bundle/app");
    // A layer and an image of the new release are broken, and an image of the old one.
    let layer = new.blobs.iter().find(|blob| !old.blobs.contains(blob)).expect("a blob of its own");
    fs::remove_file(stored(&world.one, layer)).expect("removed");
    fs::remove_file(stored(&world.two, &child(new, 0))).expect("removed");
    let broken = stored(&world.two, &child(old, 1));
    let bytes = fs::read_to_string(&broken).expect("a manifest").replacen("\"size\"", "\"siZe\"", 1);
    fs::write(&broken, bytes).expect("written");
    fs::remove_file(blob_path(&bundle, &child(old, 0))).expect("removed");
    assert_eq!(drift(&world.verify("--json", 0)), Vec::<String>::new());

    let mut expected = vec![
        format!("one missing_blob {layer}"),
        format!("two missing_manifest {}", child(new, 0)),
        format!("two corrupt {}", child(old, 1)),
        format!("bundle missing_manifest {}", child(old, 0)),
    ];
    let mut found = drift(&world.verify("--json --deep", 2));
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let shown = world.verify("--deep", 2).stdout();
    assert!(shown.contains("drift: missing, but needed by v1.1.0, v1.1, v1 and 1 more"), "{shown}");
    // A single tag needs only its own content.
    assert_eq!(drift(&world.verify("--json --deep --target images.app:v1.0", 2)).len(), 2);

    // A root with other bytes.
    let root = blob_path(&bundle, &new.digest);
    fs::write(&root, fs::read_to_string(&root).expect("an index") + " ").expect("written");
    let found = drift(&world.verify("--json", 2));
    assert_eq!(
        found,
        ["bundle v1.1.0 corrupt", "bundle v1.1 corrupt", "bundle v1 corrupt", "bundle latest corrupt"]
    );
}

#[test]
fn a_record_remembers_what_no_registry_does() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &registry.host())]))]);
    folder.publish("1.0.0");
    let old = image("1.0.0").write(&folder.path.join("old"));
    let new = folder.image("image", &image("1.1.0"));
    folder.run("apply --auto-approve --ref refs/tags/v1.1.0 --record record.json").done().expect_code(0);
    folder.run("verify --record record.json").done().expect_code(0);
    folder.publish("1.2.0");
    folder.run("verify --record record.json").done().expect_code(0);

    // Both releases are deleted, and the floating tags moved back: the registry alone does not show that this was ever different.
    let newest = digest(&format!("docker://{}/app:latest", registry.host())).expect("there");
    delete(&registry, &newest);
    delete(&registry, &new.digest);
    for tag in ["v1", "latest"] {
        copy(&old.directory, &format!("{}/app:{tag}", registry.host()));
    }
    folder.run("verify").done().expect_code(0);
    assert_eq!(
        drift(&folder.run("verify --json --record record.json").done().expect_code(2)),
        ["one v1 not_as_recorded", "one latest not_as_recorded", "one v1.1.0 missing", "one v1.1 missing"]
    );

    // The output names images that are not declared any more.
    let renamed = folder.read("publish.toml").replace("[images.app]", "[images.other]");
    folder.write("renamed.toml", renamed);
    let done = folder.run("verify --config renamed.toml --record record.json").done().expect_code(0);
    assert!(
        done.stdout().contains("images.app, record record.json: `publish.toml` does not"),
        "{}",
        done.shown()
    );

    for (file, words) in [("publish.toml", "publish::plan::file"), ("nowhere.json", "nowhere.json")] {
        let refused = folder.run(&format!("verify --record {file}")).done().expect_code(1);
        assert!(refused.stderr().contains(words), "{}", refused.shown());
    }
    folder.run("plan --ref refs/tags/v1.3.0 --out plan.json").done().expect_code(0);
    let refused = folder.run("verify --record plan.json").done().expect_code(1);
    assert!(refused.stderr().contains("is a plan"), "{}", refused.shown());
}

#[test]
fn a_recorded_branch_may_only_have_moved_on() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("one", &registry.host())])
        + "\n[tags.branch]\non = \"branch\"\nmatch = \"main\"\ntemplate = \"{{ git.branch }}\"\nmutability = \"forward\"\n";
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.git(&["init", "--quiet"]);
    let mut commits = Vec::new();
    for name in ["first", "second", "third"] {
        folder.write("file", name);
        folder.git(&["add", "file"]);
        folder.git(&["commit", "--quiet", "--message", name]);
        commits.push(folder.git(&["rev-parse", "HEAD"]));
        folder.image(name, &image(name).revision(&commits[commits.len() - 1]));
    }
    let publish = |name: &str, sha: &str| {
        let source = format!("images.app.source=oci:{name}");
        let run = format!(
            "apply --auto-approve --ref refs/heads/main --sha {sha} --record {name}.json --set {source}"
        );
        folder.run(&run).done().expect_code(0);
    };
    publish("first", &commits[0]);
    publish("second", &commits[1]);
    folder.run("verify --record first.json second.json").done().expect_code(0);
    publish("third", &commits[2]);
    folder.run("verify --record second.json").done().expect_code(0);
    // Somebody restores the first one.
    copy(&folder.path.join("first"), &format!("{}/app:main", registry.host()));
    folder.run("verify").done().expect_code(0);
    assert_eq!(
        drift(&folder.run("verify --json --record second.json").done().expect_code(2)),
        ["one main not_as_recorded"]
    );
    // Without the history it is unknown, and the output says so.
    fs::remove_dir_all(folder.path.join(".git")).expect("removed");
    let done = folder.run("verify --record second.json").done().expect_code(0);
    assert!(done.stdout().contains("possibly backward"), "{}", done.shown());
}

#[test]
fn visibility_is_proved_by_an_anonymous_pull() {
    let open = DockerRegistry::start(&AcceptedClients::None);
    let closed = DockerRegistry::start(&AcceptedClients::Basic { username: "alice", password: "se:cret" });
    let text = configuration(&[("open", &open.host()), ("closed", &closed.host())]);
    let auth = "auth = { username_env = \"THE_USER\", password_env = \"THE_WORD\" }\n";
    let text = text.replace(&format!("{}\"\n", closed.host()), &format!("{}\"\n{auth}", closed.host()));
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("x"));
    let credentials = [("THE_USER", "alice"), ("THE_WORD", "se:cret")];
    folder.apply("1.0.0").envs(&credentials).done().expect_code(0);
    let verify = |open: &str, closed: &str, code: i32| {
        let set =
            format!("--set registries.open.visibility={open} --set registries.closed.visibility={closed}");
        let run = folder.run(&format!("verify --json {set}")).envs(&credentials);
        drift(&run.done().expect_code(code))
    };
    assert_eq!(verify("public", "private", 0), Vec::<String>::new());
    assert_eq!(verify("private", "public", 2), ["open visibility", "closed visibility"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_say_who_can_pull() {
    use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let text = configuration(&[("one", &registry.host())])
        .replace("[registries.one]\n", "[registries.one]\nvisibility = \"public\"\n");
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("x"));
    folder.apply("1.0.0").done().expect_code(0);
    for method in ["HEAD", "GET"] {
        registry.on(method, "/manifests/sha256:", 99, Fault::Answer(404, Vec::new(), Vec::new()));
    }
    let done = folder.run("verify").done().expect_code(2);
    assert!(done.stdout().contains("? visibility   unknown → public"), "{}", done.shown());
}

#[test]
fn registries_that_cannot_be_asked_are_all_named() {
    let there = DockerRegistry::start(&AcceptedClients::None);
    let ports = [free_port(), free_port()];
    let gone = ports.map(|port| format!("localhost:{port}"));
    let text = configuration(&[("there", &there.host()), ("gone", &gone[0]), ("lost", &gone[1])]);
    let folder = Folder::with(&[("publish.toml", &text)]);
    let refused = folder.run("verify --json").done().expect_code(1);
    assert_eq!(refused.stdout(), "");
    for host in &gone {
        assert!(refused.stderr().contains(&format!("{host}/app: ")), "{}", refused.shown());
    }
}

#[test]
fn nothing_from_a_registry_acts_on_the_terminal() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = configuration(&[("one", &registry.host())]) + "annotations = { key = \"good\" }\n";
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.publish("1.0.0");
    let evil = image("evil").annotation("key", "\u{1b}[31m\nVerify: 9 in place.\u{202e}");
    let written = folder.image("evil", &evil);
    for tag in ["v1.0.0", "v1.0", "v1", "latest"] {
        copy(&written.directory, &format!("{}/app:{tag}", registry.host()));
    }
    let done = folder.run("verify").done().expect_code(2);
    let shown = done.stdout();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("Verify: ")).count(), 1, "{shown}");
}
