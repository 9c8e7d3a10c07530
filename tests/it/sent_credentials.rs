//! Credentials go only to hosts that the run may send them to: none in a pull request from a fork, and from a saved plan only those that
//! the apply allows.

use serde_json::{Value, json};
use testkit::command::{Folder, ProgramRun};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

const PLAN: &str = "plan --ref refs/tags/v1.2.3";
const AUTH: &str = "auth = { username_env = \"USER_OF_REGISTRY\", password_env = \"WORD_OF_REGISTRY\" }\n";
const LOGIN: [(&str, &str); 2] = [("USER_OF_REGISTRY", "user"), ("WORD_OF_REGISTRY", "R7dQ2mVx9KcT4nLw")];

/// A registry that requires a login, and a folder that names it.
async fn scene() -> (TestRegistry, Folder) {
    let options = TestRegistryOptions {
        user: Some((LOGIN[0].1, LOGIN[1].1)),
        auth: RequiredCredentials::Basic,
        ..TestRegistryOptions::default()
    };
    let registry = TestRegistry::start(options).await;
    let folder = Folder::with(&[("publish.toml", &declared(&registry))]);
    folder.image("image", &image("text"));
    (registry, folder)
}

fn declared(registry: &TestRegistry) -> String {
    let url = format!("url = \"{}\"\n", registry.host());
    configuration(&[("one", &registry.host())]).replace(&url, &format!("{url}{AUTH}"))
}

/// The variables of a run of GitHub Actions for a pull request.
fn of_pull_request(run: ProgramRun, folder: &Folder, head: &str) -> ProgramRun {
    let repository = |name: &str| json!({ "full_name": name, "id": name.len() });
    let payload = json!({
        "action": "opened",
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": { "ref": "fix", "sha": "0".repeat(40), "repo": repository(head) },
            "base": { "ref": "main", "repo": repository("acme/app") },
        },
    });
    folder.write("event.json", payload.to_string());
    run.env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "pull_request_target")
        .env("GITHUB_REPOSITORY", "acme/app")
        .env("GITHUB_EVENT_PATH", folder.path.join("event.json"))
}

fn authorized(registry: &TestRegistry) -> usize {
    registry.log().iter().filter(|request| !request.header("authorization").is_empty()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_from_a_fork_sends_no_credentials() {
    for (head, arguments, sends) in
        [("acme/app", "", true), ("evil/app-fork", "", false), ("evil/app-fork", "--fork-credentials", true)]
    {
        for command in [PLAN, "verify", "auth check", "apply --auto-approve --ref refs/tags/v1.2.3"] {
            let (registry, folder) = scene().await;
            let run = folder.run(&format!("{arguments} {command}")).envs(&LOGIN);
            let done = of_pull_request(run, &folder, head).wide().done();
            assert_eq!(authorized(&registry) > 0, sends, "{head} {arguments} {command}: {}", done.shown());
            assert!(!done.shown().contains(LOGIN[1].1), "{}", done.shown());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_fork_says_that_nothing_is_sent() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::with(&[("publish.toml", &declared(&registry))]);
    folder.image("image", &image("text"));
    let plan = of_pull_request(folder.run(PLAN).envs(&LOGIN), &folder, "evil/app-fork").wide().done();
    let shown = plan.expect_code(0).stdout();
    assert!(shown.contains("credentials: none are sent: the pull request is from a fork"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_which_variable_goes_to_which_host() {
    let (registry, folder) = scene().await;
    let shown = folder.run(PLAN).envs(&LOGIN).wide().done().expect_code(0).stdout();
    let host = registry.host();
    let line = format!("credentials: USER_OF_REGISTRY to {host}, WORD_OF_REGISTRY to {host}");
    assert!(shown.contains(&line), "{shown}");
    let plan = folder.run(&format!("{PLAN} --json")).envs(&LOGIN).done().expect_code(0).json();
    let expected = json!([
        { "variable": "USER_OF_REGISTRY", "host": host },
        { "variable": "WORD_OF_REGISTRY", "host": host },
    ]);
    assert_eq!(plan["credentials"]["variables"], expected);
}

fn change(folder: &Folder, change: impl Fn(&mut Value)) {
    let mut plan = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    change(&mut plan);
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", plan.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_sends_no_other_variable_and_to_no_other_host() {
    let (registry, folder) = scene().await;
    let evil = TestRegistry::start(TestRegistryOptions::default()).await;
    let _planned = folder.run(&format!("{PLAN} --out plan.json")).envs(&LOGIN).done().expect_code(0);
    let saved = folder.read("plan.json");
    let other_host = |plan: &mut Value| {
        plan["registries"]["one"]["url"] = json!(evil.host());
        plan["repositories"][0]["name"] = json!(format!("{}/app", evil.host()));
    };
    let other_variable = |plan: &mut Value| plan["registries"]["one"]["auth"]["password_env"] = json!("HOME");
    let forgeries: [&dyn Fn(&mut Value); 2] = [&other_host, &other_variable];
    for forge in forgeries {
        folder.write("plan.json", saved.as_str());
        change(&folder, forge);
        registry.forget_log();
        let done = folder.run("apply plan.json").envs(&LOGIN).wide().done().expect_code(1);
        assert!(done.stderr().contains("publish::plan::limits"), "{}", done.shown());
        assert_eq!((registry.log().len(), evil.log().len()), (0, 0), "{}", done.shown());
    }
    folder.write("plan.json", saved);
    let _applied = folder.run("apply plan.json").envs(&LOGIN).done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_sends_only_where_it_is_allowed_to() {
    let (registry, folder) = scene().await;
    let _planned = folder.run(&format!("{PLAN} --out plan.json")).envs(&LOGIN).done().expect_code(0);
    let host = registry.host();
    let (in_file, allowed) = ("--set apply.registries=[\"ghcr.io\"]", format!("--only-registry {host}/app"));
    for (arguments, code) in [
        ("--only-registry ghcr.io/acme", 1),
        (in_file, 1),
        ("--only-variable OTHER", 1),
        ("--set apply.variables=[\"OTHER\"]", 1),
        (allowed.as_str(), 0),
        ("--only-variable USER_OF_REGISTRY WORD_OF_REGISTRY", 0),
    ] {
        for command in ["apply plan.json", "apply --auto-approve --ref refs/tags/v1.2.3"] {
            let done = folder.run(&format!("{command} {arguments}")).envs(&LOGIN).done().expect_code(code);
            let refused = done.stderr().contains("publish::plan::limits");
            assert_eq!(refused, code == 1, "{command} {arguments}: {}", done.shown());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_shows_the_plan_and_its_digest() {
    let (_registry, folder) = scene().await;
    let _planned = folder.run(&format!("{PLAN} --out plan.json")).envs(&LOGIN).done().expect_code(0);
    let digest = oci_registry::Digest::of(folder.read("plan.json").as_bytes());
    let events = folder.run("apply plan.json --json").envs(&LOGIN).done().expect_code(0).stdout();
    let first: Value = serde_json::from_str(events.lines().next().expect("an event")).expect("JSON");
    assert_eq!((&first["event"], &first["digest"]), (&json!("plan"), &json!(digest.as_str())));
    let shown = folder.run("apply plan.json").envs(&LOGIN).wide().done().expect_code(0).stdout();
    assert!(shown.contains("brokkr-publish plan") && shown.contains("v1.2.3"), "{shown}");
}
