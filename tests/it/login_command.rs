//! `login` and `logout`: the registry is asked first, and the file is the one that Docker and podman read.

use serde_json::{Value, json};
use testkit::command::{EndedRun, Folder};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};
use testkit::world::configuration;

const SECRET: &str = "R7dQ2mVx9KcT4nLw";

async fn registry(auth: RequiredCredentials) -> TestRegistry {
    let options =
        TestRegistryOptions { user: Some(("user", SECRET)), auth, ..TestRegistryOptions::default() };
    TestRegistry::start(options).await
}

fn log_in(folder: &Folder, host: &str, password: &str, more: &str) -> EndedRun {
    let run = folder.run(&format!("login {host} --username user --password-stdin {more}"));
    run.with_input(&format!("{password}\n"))
}

fn file(folder: &Folder, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.home().join(name)).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_checked_kept_used_and_removed() {
    for auth in [RequiredCredentials::Basic, RequiredCredentials::Token] {
        let registry = registry(auth).await;
        let host = registry.host();
        let folder = Folder::new();
        folder.write("publish.toml", configuration(&[("here", &host)]));
        let refused = log_in(&folder, &host, "wrong", "").expect_code(1);
        assert!(refused.stderr().contains("registry::unauthorized"), "{}", refused.shown());
        assert!(!folder.home().join(".docker/config.json").exists());
        let done = log_in(&folder, "here", SECRET, "").expect_code(0);
        assert!(done.stderr().contains(&format!("Logged in to {host} as user")), "{}", done.shown());
        assert!(
            done.stderr().contains("the password is readable in `~/.docker/config.json`"),
            "{}",
            done.shown()
        );
        assert!(!done.shown().contains(SECRET), "{}", done.shown());
        let auth = "dXNlcjpSN2RRMm1WeDlLY1Q0bkx3";
        assert_eq!(file(&folder, ".docker/config.json"), json!({ "auths": { &host: { "auth": auth } } }));
        let check = folder.run("auth check").done();
        assert!(check.stdout().contains("~/.docker/config.json"), "{}", check.shown());
        let out = folder.run(&format!("logout {host}")).done().expect_code(0);
        assert!(out.stderr().contains("Logged out"), "{}", out.shown());
        assert_eq!(file(&folder, ".docker/config.json"), json!({ "auths": {} }));
        let again = folder.run(&format!("logout {host}")).done().expect_code(0);
        assert!(again.stderr().contains("There were no credentials"), "{}", again.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_asks_nobody_is_no_proof() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let folder = Folder::new();
    let done = log_in(&folder, &registry.host(), "anything", "--authfile auth.json").expect_code(0);
    assert!(done.stderr().contains("asks nobody for credentials"), "{}", done.shown());
    assert!(folder.read("auth.json").contains("auths"));
}

#[test]
fn a_password_on_the_command_line_is_warned_about_and_a_missing_one_refused() {
    let folder = Folder::new();
    for arguments in [
        "login localhost:1 --username user --password secretsecret",
        "login localhost:1 -u user -p secretsecret",
    ] {
        let done = folder.run(arguments).done().expect_code(1);
        assert!(done.stderr().contains("use `--password-stdin`"), "{}", done.shown());
        assert!(!done.shown().contains("secretsecret"), "{}", done.shown());
    }
    for arguments in [
        "login localhost:1",
        "login localhost:1 -u user",
        "login localhost:1 --password-stdin",
        "login oci:x",
    ] {
        let done = folder.run(arguments).done().expect_code(1);
        assert!(done.stderr().contains("command::usage"), "{}", done.shown());
    }
}
