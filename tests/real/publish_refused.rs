//! The messages for people if plan and apply refuse something: unusable sources, credentials, registries and directories.

use insta::assert_snapshot;
use serde_json::json;
use testkit::{docker_registry, image};

use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{TestImage, TestLayer};
use testkit::world::{configuration, image};

fn folder() -> Folder {
    Folder::with(&[("publish.toml", &configuration(&[("bundle", "oci:registry")]))])
}

fn plan(folder: &Folder) -> EndedRun {
    folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1)
}

/// Replaces each port and digest in a text.
fn steady(shown: &str) -> String {
    let mut text = shown.to_owned();
    for (pattern, name) in [
        // The line breaks depend on the length of the paths.
        ("\n  │ ", " "),
        ("sha256:[0-9a-f]{12,64}", "sha256:[DIGEST]"),
        ("[0-9a-f]{64}", "[HEX]"),
        // Several requests run at once, and any of them may fail first.
        ("(HEAD|GET) http://localhost:[0-9]+/v2/app/.*", "[REQUEST]"),
        ("localhost:[0-9]+", "localhost:[PORT]"),
    ] {
        text = regex::Regex::new(pattern).expect("a pattern").replace_all(&text, name).into_owned();
    }
    text
}

#[test]
fn a_source_that_is_missing() {
    assert_snapshot!(plan(&folder()).shown());
}

#[test]
fn a_source_without_a_platform() {
    let folder = folder();
    folder.image("image", &TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 10)]));
    assert_snapshot!(steady(&plan(&folder).shown()));
}

#[test]
fn a_source_that_is_no_layout() {
    let folder = folder();
    folder.write("image/oci-layout", "{}").write("image/index.json", "{");
    assert_snapshot!(plan(&folder).shown());
}

#[test]
fn a_source_of_another_kind() {
    let folder = folder();
    let written = folder.image("image", &image("x"));
    let root = json!({"mediaType": "application/vnd.example.thing", "digest": written.digest, "size": written.bytes.len()});
    let index = json!({"schemaVersion": 2, "manifests": [root]});
    folder.write("image/index.json", index.to_string());
    assert_snapshot!(steady(&plan(&folder).shown()));
}

#[test]
fn a_layer_that_is_not_what_its_digest_says() {
    let folder = folder();
    let written = folder.image("image", &image("broken"));
    let layer = image::blob_path(&written.directory, written.blobs.last().expect("a blob"));
    let mut bytes = std::fs::read(&layer).expect("read");
    bytes[0] ^= 1;
    std::fs::write(&layer, bytes).expect("written");
    let done = folder.apply("1.2.3").wide().env("BROKKR_PUBLISH_LOG", "off").done().expect_code(1);
    assert_snapshot!(steady(&done.error()));
}

#[test]
fn a_registry_that_does_not_answer() {
    let port = docker_registry::free_port();
    let folder = Folder::with(&[("publish.toml", &configuration(&[("gone", &format!("localhost:{port}"))]))]);
    folder.image("image", &image("x"));
    let done = plan(&folder);
    assert_snapshot!(steady(&done.error()));
}

#[test]
fn credentials_that_are_missing_or_wrong() {
    let registry = DockerRegistry::start(&AcceptedClients::Basic { username: "alice", password: "se:cret" });
    let text = configuration(&[("private", &registry.host())]).replace(
        &format!("url = \"{}\"\n", registry.host()),
        &format!(
            "url = \"{}\"\nauth = {{ username_env = \"THE_USER\", password_env = \"THE_WORD\" }}\n",
            registry.host()
        ),
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("x"));
    assert_snapshot!("credentials_missing", steady(&plan(&folder).shown()));
    let run = folder.run("plan --ref refs/tags/v1.2.3").wide();
    let wrong = run.env("THE_USER", "alice").env("THE_WORD", "wr0ng").done().expect_code(1);
    assert!(!wrong.shown().contains("wr0ng"));
    assert_snapshot!("credentials_wrong", steady(&wrong.shown()));
    let plain = Folder::with(&[("publish.toml", &configuration(&[("private", &registry.host())]))]);
    plain.image("image", &image("x"));
    assert_snapshot!("credentials_none", steady(&plan(&plain).shown()));
}

#[test]
fn a_directory_that_is_something_else() {
    let folder = folder();
    folder.image("image", &image("x"));
    folder.write("registry/app/index.html", "a web page");
    assert_snapshot!("directory_in_use", steady(&plan(&folder).shown()));
    let file = self::folder();
    file.image("image", &image("x"));
    file.write("registry", "a file");
    let done = file.run("apply --auto-approve --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert_snapshot!("directory_is_a_file", steady(&done.error()));
}

#[test]
fn an_apply_that_nobody_confirms() {
    let folder = folder();
    folder.image("image", &image("x"));
    let done = folder.run("apply --ref refs/tags/v1.2.3").wide().done().expect_code(1);
    assert_snapshot!(done.error());
}

#[test]
fn a_visibility_that_is_not_as_declared() {
    let registry = DockerRegistry::start(&AcceptedClients::Basic { username: "alice", password: "se:cret" });
    let text = configuration(&[("private", &registry.host())]).replace(
        &format!("url = \"{}\"\n", registry.host()),
        &format!(
            "url = \"{}\"\nvisibility = \"public\"\nauth = {{ username_env = \"THE_USER\", password_env = \"THE_WORD\" }}\n",
            registry.host()
        ),
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &image("x"));
    let run = folder.apply("1.2.3").wide().env("THE_USER", "alice").env("THE_WORD", "se:cret");
    assert_snapshot!(steady(&run.done().expect_code(1).error()));
}
