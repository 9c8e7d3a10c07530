//! Logins are shared with skopeo and podman: each reads and removes those of the other.

use std::process::Command;

use testkit::command::{EndedRun, Folder, clean};
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};

const SECRET: &str = "R7dQ2mVx9KcT4nLw";

fn log_in(folder: &Folder, host: &str) -> EndedRun {
    folder.run(&format!("login {host} --username user --password-stdin")).with_input(SECRET)
}

/// Runs another program in the home of the folder, and returns what it prints.
#[track_caller]
fn other(folder: &Folder, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    clean(&mut command, &folder.home());
    let output = command.args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_and_podman_read_what_login_writes() {
    let options = TestRegistryOptions {
        user: Some(("user", SECRET)),
        auth: RequiredCredentials::Basic,
        ..TestRegistryOptions::default()
    };
    let registry = TestRegistry::start(options).await;
    let host = registry.host();
    let folder = Folder::new();
    log_in(&folder, &host).expect_code(0);
    let file = folder.home().join(".docker/config.json").display().to_string();
    assert_eq!(other(&folder, "skopeo", &["login", "--get-login", "--authfile", &file, &host]), "user");
    assert_eq!(other(&folder, "podman", &["login", "--get-login", "--authfile", &file, &host]), "user");

    // The other way round: podman's own file takes the next login, and is emptied by the logout.
    folder.run(&format!("logout {host}")).done().expect_code(0);
    let login = ["login", "--username", "user", "--password", SECRET, "--tls-verify=false", &host];
    other(&folder, "skopeo", &login);
    let podman = folder.home().join(".run/containers/auth.json");
    assert!(podman.is_file(), "skopeo wrote elsewhere");
    let done = log_in(&folder, &host).expect_code(0);
    assert!(done.stderr().contains("containers/auth.json"), "{}", done.shown());
    folder.run(&format!("logout {host}")).done().expect_code(0);
    assert!(!std::fs::read_to_string(&podman).expect("a file").contains(&host));
}
