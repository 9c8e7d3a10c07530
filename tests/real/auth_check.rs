//! `auth check`: the permissions of the credentials in every declared repository, with real registries and with stand-ins that
//! refuse as GHCR and others do.

use brokkr_publish::diagnostic::ToDiagnostic;
use std::fs;
use std::path::Path;
use testkit::github_packages;
use testkit::{docker_registry, world};

use brokkr_publish::model::access::AccessReport;
use brokkr_publish::report::diagnostics::{github, json as render_json};
use brokkr_publish::saved::printed_schema;
use insta::assert_snapshot;
use oci_registry::{ErrorEnvelope, Refusal, RegistryError};
use serde_json::{Value, json};

use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::github_packages::{GithubPackages, Owner};
use testkit::test_registry::{Deletes, Fault, TestRegistry, TestRegistryOptions};

const UPLOADS: &str = "/blobs/uploads/";
const USER: AcceptedClients = AcceptedClients::Basic { username: "alice", password: "se:cret" };

/// A `publish.toml` of these registries (name, address, more keys) and images (name, more keys).
fn configuration(registries: &[(&str, &str, &str)], images: &[(&str, &str)]) -> String {
    let mut text = "version = 1\n".to_owned();
    for (name, url, more) in registries {
        text += &format!("\n[registries.{name}]\nurl = \"{url}\"\n{more}\n");
    }
    text += "\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";
    text +=
        "\n[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"\nmutability = \"mutable\"\n";
    for (name, more) in images {
        let source = if more.contains("source =") { "" } else { "source = \"oci:image\"\n" };
        text += &format!("\n[images.{name}]\n{source}{more}\n");
    }
    text
}

fn folder(registries: &[(&str, &str, &str)], images: &[(&str, &str)]) -> Folder {
    Folder::with(&[("publish.toml", &configuration(registries, images))])
}

const VARIABLES: &str = "auth = { username_env = \"THE_USER\", password_env = \"THE_WORD\" }";

fn check(folder: &Folder, more: &str) -> EndedRun {
    let run = folder.run(&format!("auth check {more}")).env("THE_USER", "alice").env("THE_WORD", "se:cret");
    run.wide().done()
}

/// The output of `--json`, checked against its schema.
fn report(folder: &Folder) -> Value {
    let report = check(folder, "--json").json();
    jsonschema::validate(&printed_schema::<AccessReport>("access"), &report).expect("as the schema says");
    report
}

fn steady(shown: &str) -> String {
    regex::Regex::new("(127.0.0.1|localhost):[0-9]+").unwrap().replace_all(shown, "[REGISTRY]").into_owned()
}

/// A refusal in the form of the specification.
fn refusal(status: u16, code: &str, message: &str) -> Fault {
    let body = json!({ "errors": [{ "code": code, "message": message }] }).to_string();
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.into_bytes())
}

/// The upload sessions that a registry keeps on its disk, each by the file with its start time. (If a session is cancelled, the
/// distribution registry 2.8 leaves an empty hash behind, for every client, and removes it later.)
fn sessions(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(data).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sessions(&path));
        } else if path.components().any(|part| part.as_os_str() == "_uploads")
            && path.file_name().is_some_and(|name| name == "startedat" || name == "data")
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_real_registry_is_asked_and_nothing_is_left_behind() {
    let registry = DockerRegistry::start(&USER);
    let host = registry.host();
    let places = [("private", host.as_str(), VARIABLES), ("bundle", "oci:dist", "")];
    let retention = "\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n";
    let text = configuration(&places, &[("app", ""), ("tool", "repository = \"team/tool\"")]) + retention;
    let folder = Folder::with(&[("publish.toml", &text)]);
    let done = check(&folder, "").expect_code(0);
    assert_snapshot!("granted_and_absent", steady(&done.shown()));
    assert_eq!(sessions(&registry.data()), Vec::<String>::new());
    assert!(!folder.path.join("dist").exists());
    let requests = registry.requests();
    assert!(
        requests.iter().any(|it| it.starts_with("DELETE /v2/app/blobs/uploads/") && it.ends_with(" 204"))
    );
    // Once the repositories exist, the check tests deletion instead of creation.
    folder.image("image", &world::image("x"));
    let run = folder.run("apply --auto-approve --ref refs/tags/v1.2.3");
    run.env("THE_USER", "alice").env("THE_WORD", "se:cret").done().expect_code(0);
    let done = check(&folder, "").expect_code(0);
    assert_snapshot!("granted", steady(&done.shown()));
    assert_eq!(sessions(&registry.data()), Vec::<String>::new());
}

#[test]
fn wrong_credentials_and_none_are_told_apart() {
    let registry = DockerRegistry::start(&USER);
    let host = registry.host();
    let folder = folder(&[("private", &host, VARIABLES)], &[("app", ""), ("tool", "")]);
    let run = folder.run("auth check").env("THE_USER", "alice").env("THE_WORD", "wr0ng").wide();
    let wrong = run.done().expect_code(1);
    assert!(!wrong.shown().contains("wr0ng"));
    assert_snapshot!("wrong", steady(&wrong.shown()));
    let missing = folder.run("auth check").env("THE_USER", "alice").wide().done().expect_code(1);
    assert_snapshot!("missing", steady(&missing.shown()));
    let nobody = self::folder(&[("private", &host, "")], &[("app", "")]);
    assert_snapshot!("nobody", steady(&check(&nobody, "").expect_code(1).shown()));
}

/// The check runs without those credentials, as `plan` and `apply` do.
#[test]
fn a_credential_program_that_fails_is_named_and_hinders_no_question() {
    let (opened, closed) = (DockerRegistry::start(&AcceptedClients::None), DockerRegistry::start(&USER));
    let (open, private) = (opened.host(), closed.host());
    let asked = |registries: &[(&str, &str, &str)], code| {
        let folder = folder(registries, &[("app", "")]);
        fs::create_dir_all(folder.home().join(".docker")).unwrap();
        let config = json!({ "credsStore": "absent" }).to_string();
        fs::write(folder.home().join(".docker/config.json"), config).unwrap();
        check(&folder, "").expect_code(code).shown()
    };
    let shown = asked(&[("open", &open, ""), ("private", &private, "")], 1);
    assert_snapshot!("program_failed", steady(&shown));
    // If a registry needs no credentials, nothing fails.
    asked(&[("open", &open, "")], 0);
}

#[test]
fn a_registry_under_maintenance_takes_nothing_and_says_so() {
    let registry = DockerRegistry::start_read_only(&AcceptedClients::None);
    let folder = folder(&[("local", &registry.host(), "")], &[("app", "")]);
    let done = check(&folder, "").expect_code(1);
    assert_snapshot!("read_only", steady(&done.shown()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_ghcr_has_the_lines_that_help() {
    let registry =
        TestRegistry::start(TestRegistryOptions { cancels: false, ..TestRegistryOptions::default() }).await;
    let host = format!("{}/acme", registry.host());
    let folder = folder(&[("ghcr", &host, "provider = \"github\"")], &[("app", "")]);
    for (message, code, words) in [
        ("installation not allowed to Create organization package", "denied", "first push"),
        ("installation not allowed to Write organization package", "denied", "from a fork"),
        ("permission_denied: write_package", "denied", "Manage Actions access"),
        (
            "permission_denied: The token provided does not match expected scopes",
            "denied",
            "settings/tokens/new",
        ),
        ("You have exceeded a secondary rate limit", "rate_limited", "wait a few minutes"),
    ] {
        registry.on("POST", UPLOADS, 1, refusal(403, "DENIED", message));
        let report = report(&folder);
        let push = &report["repositories"][0]["push"];
        assert_eq!(push["code"], format!("publish::registry::{code}"), "{push:#}");
        assert!(push["help"].as_str().unwrap().contains(words), "{push:#}");
        let limited = code == "rate_limited";
        assert_eq!(push["answer"], if limited { "unknown" } else { "refused" }, "{push:#}");
        let has_lines =
            push["help"].as_str().unwrap().contains("\npermissions:\n  contents: read\n  packages: write");
        assert_eq!(has_lines, !limited, "{push:#}");
        assert_eq!(report["granted"], false);
    }
    // In the output for people, the lines of the workflow stay separate lines.
    registry.on(
        "POST",
        UPLOADS,
        1,
        refusal(403, "DENIED", "installation not allowed to Create organization package"),
    );
    assert_snapshot!("ghcr_create", steady(&check(&folder, "").expect_code(1).shown()));
}

/// GHCR denies a token for a package that does not exist or that the user may not see; the upload shows which of the two it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_ghcr_denies_to_read_and_lets_push_is_not_there_yet() {
    let registry =
        TestRegistry::start(TestRegistryOptions { cancels: false, ..TestRegistryOptions::default() }).await;
    let host = format!("{}/acme", registry.host());
    let there = folder(&[("ghcr", &host, "provider = \"github\"")], &[("app", "")]);
    registry.on("GET", "/tags/list", 9, refusal(403, "DENIED", "denied"));
    let report = report(&there);
    let answers = &report["repositories"][0];
    assert_eq!(answers["read"]["answer"], "not_yet", "{answers:#}");
    assert_eq!(
        (&answers["push"]["answer"], &answers["create"]["answer"]),
        (&json!("granted"), &json!("granted"))
    );
    // On other registries, that is a robot without permission to read, and nothing works without it.
    let elsewhere = folder(&[("other", &host, "")], &[("app", "")]);
    let report = self::report(&elsewhere);
    assert_eq!(report["repositories"][0]["read"]["answer"], "refused", "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_created_first_is_named() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    for (status, code, message, words) in [
        (
            404,
            "NAME_UNKNOWN",
            "The repository with name 'team/app' does not exist in the registry with id '123456789012'",
            "aws ecr create-repository --repository-name team/app",
        ),
        (404, "NOT_FOUND", "project team not found", "create `team`"),
        (
            401,
            "UNAUTHORIZED",
            "unauthorized to access repository: team/app, action: push",
            "no project `team`",
        ),
    ] {
        let folder = folder(&[("there", &format!("{host}/team"), "")], &[("app", "")]);
        registry.on("POST", UPLOADS, 1, refusal(status, code, message));
        let report = report(&folder);
        let create = &report["repositories"][0]["create"];
        assert_eq!(create["answer"], "refused", "{create:#}");
        assert!(create["help"].as_str().unwrap().contains(words), "{create:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reason_of_many_repositories_is_told_once() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = format!("{}/acme", registry.host());
    let images = [("one", ""), ("two", ""), ("three", ""), ("four", "")];
    let folder = folder(&[("there", &host, "")], &images);
    let denied = refusal(403, "DENIED", "requested access to the resource is denied");
    for name in ["one", "two", "three"] {
        registry.on("POST", &format!("/acme/{name}{UPLOADS}"), 9, denied.clone());
    }
    assert_snapshot!("many", steady(&check(&folder, "").expect_code(1).shown()));
    // Repositories that are not selected are not checked.
    registry.forget_log();
    check(&folder, "--target images.four:v1.2.3").expect_code(0);
    assert!(registry.log().iter().all(|it| it.path == "/v2/" || it.path.contains("/four/")));
    let unknown = check(&folder, "--target images.five").expect_code(1);
    assert!(unknown.stderr().contains("publish::plan::target"), "{}", unknown.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_content_is_mounted_from_must_be_readable() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    registry.on("GET", "/v2/staging/app/tags/list", 1, refusal(403, "DENIED", "denied"));
    let source = format!("source = \"docker://{host}/staging/app:{{{{ version }}}}\"");
    let folder = folder(&[("there", &format!("{host}/released"), "")], &[("app", &source)]);
    let refused = report(&folder);
    let mount = &refused["repositories"][0]["mounts"][0];
    assert_eq!(
        (&mount["from"], &mount["answer"]),
        (&json!(format!("{host}/staging/app")), &json!("refused"))
    );
    assert_eq!(refused["granted"], false);
    assert_eq!(report(&folder)["repositories"][0]["mounts"][0]["answer"], "not_yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn to_delete_is_asked_where_a_retention_wants_it() {
    let retention = "\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\nimages = [\"app\"]\n";
    for (deletes, expected) in
        [(Deletes::Tags, "granted"), (Deletes::Manifests, "granted"), (Deletes::Nothing, "refused")]
    {
        let registry =
            TestRegistry::start(TestRegistryOptions { deletes, ..TestRegistryOptions::default() }).await;
        let images = [("app", ""), ("tool", "")];
        let text = configuration(&[("there", &registry.host(), "")], &images) + retention;
        let folder = Folder::with(&[("publish.toml", &text)]);
        folder.image("image", &world::image("x"));
        folder.run("apply --auto-approve --ref refs/tags/v1.2.3").done().expect_code(0);
        let report = report(&folder);
        assert_eq!(report["repositories"][0]["delete"]["answer"], expected, "{report:#}");
        assert_eq!(report["repositories"][1]["delete"]["answer"], "not_asked", "{report:#}");
        assert_eq!(registry.content().tags.len(), 2, "nothing is deleted by asking");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn github_tells_only_by_deleting_whether_it_may_be_done() {
    let registry =
        TestRegistry::start(TestRegistryOptions { cancels: false, ..TestRegistryOptions::default() }).await;
    let packages = GithubPackages::start(&registry, Owner::Organization).await;
    let retention = "\n[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n";
    let more = "provider = \"github\"\nauth = { username_env = \"U\", password_env = \"P\" }";
    let host = format!("{}/acme", registry.host());
    let text = configuration(&[("ghcr", &host, more)], &[("app", "")]) + retention;
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &world::image("x"));
    let run = |arguments: &str| {
        let run = folder.run(arguments).env("U", "octocat").env("P", github_packages::TOKEN);
        run.env("GITHUB_API_URL", packages.url()).wide().done()
    };
    run("apply --auto-approve --ref refs/tags/v1.2.3").expect_code(0);
    assert_snapshot!("untold", steady(&run("auth check").expect_code(0).shown()));
    // The check notices that the API hides the package from this token.
    packages.on("GET", "/packages/", 9, 404, &[], r#"{"message":"Package not found."}"#);
    let hidden = run("auth check").expect_code(1);
    assert!(hidden.stderr().contains("hides it from this token"), "{}", hidden.shown());
}

#[test]
fn a_directory_is_tried_and_left_as_it_was() {
    let folder = folder(&[("bundle", "oci:dist", "")], &[("app", "")]);
    folder.write("dist", "a file");
    let done = check(&folder, "").expect_code(1);
    assert_snapshot!("directory_is_a_file", done.shown());
    assert_eq!(folder.read("dist"), "a file");
}

#[test]
fn a_registry_that_is_down_is_unknown_and_no_refusal() {
    let host = format!("localhost:{}", docker_registry::free_port());
    let folder = folder(&[("gone", &host, ""), ("bundle", "oci:dist", "")], &[("app", "")]);
    let report = report(&folder);
    let answers = |at: usize| report["repositories"][at]["push"]["answer"].as_str().unwrap().to_owned();
    assert_eq!((answers(0), answers(1)), ("unknown".to_owned(), "granted".to_owned()));
    assert_eq!(report["repositories"][0]["push"]["code"], "publish::registry::unreachable");
}

#[test]
fn the_report_is_json() {
    let folder = folder(&[("bundle", "oci:dist", "")], &[("app", "")]);
    assert_snapshot!(check(&folder, "--json").expect_code(0).shown());
}

/// A refusal, in the form that a registry at this address uses.
fn refused(status: u16, host: &str, repository: &str, code: &str, message: &str) -> Refusal {
    let body = json!({ "errors": [{ "code": code, "message": message }] }).to_string();
    Refusal {
        request: format!("POST https://{host}/v2/{repository}/blobs/uploads/"),
        status,
        errors: ErrorEnvelope::parse(body.as_bytes()),
        repository: Some(repository.to_owned()),
        credentials: Some("`GITHUB_TOKEN`".to_owned()),
        insufficient: false,
        retry_after: None,
        attempts: 1,
        ..Refusal::default()
    }
}

#[test]
fn the_lines_of_a_workflow_stay_lines_in_annotations_and_json() {
    let ghcr =
        refused(403, "ghcr.io", "colliery-io/brokkr-broker", "DENIED", "permission_denied: write_package");
    let denied = RegistryError::Denied(Box::new(ghcr)).to_diagnostic();
    let annotation = github(std::slice::from_ref(&denied));
    assert!(annotation.contains("%0A%0Apermissions:%0A  contents: read%0A  packages: write"), "{annotation}");
    assert_eq!(annotation.lines().count(), 1);
    let document: Value = serde_json::from_str(&render_json(&[denied])).unwrap();
    let help = document["diagnostics"][0]["help"].as_str().unwrap();
    assert!(help.contains("\n\npermissions:\n  contents: read\n  packages: write"), "{help}");
}
