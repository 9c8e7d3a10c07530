//! Tests of the order of sources, and of the entries within one source.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;

fn options(variables: &[(&str, &str)]) -> ConnectOptions {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: HashMap<String, String> = variables.iter().map(owned).collect();
    ConnectOptions {
        environment: Arc::new(move |name| variables.get(name).cloned()),
        ..ConnectOptions::default()
    }
}

fn gather(host: &str, variables: &[(&str, &str)]) -> Result<Keychain, RegistryError> {
    Keychain::gather(host, None, &options(variables))
}

fn auths(entries: &[(&str, &str)]) -> String {
    let entries = entries.iter().map(|(key, user)| {
        ((*key).to_owned(), serde_json::json!({ "username": user, "password": "secret" }))
    });
    serde_json::json!({ "auths": entries.collect::<serde_json::Map<_, _>>() }).to_string()
}

async fn user(keychain: &Keychain, repository: &str) -> Option<String> {
    let found = keychain.find(repository).await.expect("an answer");
    found.map(|found| found.username().to_owned())
}

#[allow(clippy::unnecessary_wraps, reason = "what `user` gives")]
fn some(user: &str) -> Option<String> {
    Some(user.to_owned())
}

#[tokio::test]
async fn the_longest_path_wins() {
    let config = auths(&[("h", "all"), ("h/o", "owner"), ("h/o/n", "exact"), ("other", "x")]);
    let keychain = gather("h", &[("DOCKER_AUTH_CONFIG", &config)]).expect("a keychain");
    for (repository, expected) in
        [("o/n", "exact"), ("o/n/m", "exact"), ("o/nn", "owner"), ("oo/n", "all"), ("a", "all"), ("", "all")]
    {
        assert_eq!(user(&keychain, repository).await, some(expected), "{repository}");
    }
}

#[tokio::test]
async fn places_are_asked_in_order() {
    let home = tempfile::tempdir().expect("a directory");
    let home_path = home.path().to_str().expect("a path");
    let write = |path: &str, key: &str, user: &str| {
        let path = home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, auths(&[(key, user)])).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    write(".docker/config.json", "h", "docker");
    let mut variables = vec![("HOME", home_path)];
    assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a").await, some("docker"));
    write(".config/containers/auth.json", "h", "podman");
    assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a").await, some("podman"));
    write("run/containers/auth.json", "h", "runtime");
    let runtime = home.path().join("run");
    variables.push(("XDG_RUNTIME_DIR", runtime.to_str().expect("a path")));
    assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a").await, some("runtime"));
    let file = write("auth.json", "h/o", "file");
    variables.push(("REGISTRY_AUTH_FILE", &file));
    let keychain = gather("h", &variables).expect("a keychain");
    assert_eq!((user(&keychain, "o/n").await, user(&keychain, "p/n").await), (some("file"), some("runtime")));
    let config = auths(&[("h", "variable")]);
    variables.push(("DOCKER_AUTH_CONFIG", &config));
    let keychain = gather("h", &variables).expect("a keychain");
    assert_eq!(user(&keychain, "o/n").await, some("variable"));
    assert!(!format!("{keychain:?}").contains("secret"));
    assert_eq!(user(&gather("other", &variables).expect("a keychain"), "a").await, None);
}

#[tokio::test]
async fn the_credentials_of_a_job_come_last() {
    let job = [("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "me")];
    assert_eq!(user(&gather("ghcr.io", &job).expect("a keychain"), "a").await, some("me"));
    let config = auths(&[("ghcr.io/o", "owner")]);
    let more = [&job[..], &[("DOCKER_AUTH_CONFIG", config.as_str())]].concat();
    let keychain = gather("ghcr.io", &more).expect("a keychain");
    assert_eq!((user(&keychain, "o/a").await, user(&keychain, "p/a").await), (some("owner"), some("me")));
    let is_anonymous = ConnectOptions { anonymous: true, ..options(&more) };
    let keychain = Keychain::gather("ghcr.io", None, &is_anonymous).expect("a keychain");
    assert_eq!(user(&keychain, "o/a").await, None);
}

#[tokio::test]
async fn named_variables_must_be_there() {
    let named = CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() };
    let gather = |variables: &[(&str, &str)]| Keychain::gather("h", Some(&named), &options(variables));
    let keychain = gather(&[("U", "u"), ("P", "p")]).expect("a keychain");
    let found = keychain.find("a").await.expect("an answer");
    assert_eq!(found, Some(Credentials::new("u", "p", "`U` and `P`")));
    for (variables, words) in [
        (&[("P", "p")][..], "`U` is not set"),
        (&[("U", "u")], "`P` is not set"),
        (&[("U", "u"), ("P", "")], "`P` is empty"),
    ] {
        let error = gather(variables).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("config.json");
    std::fs::write(&file, [0xff, 0xfe]).expect("a file");
    let folder = home.path().to_str().expect("a path");
    let error = gather("h", &[("DOCKER_CONFIG", folder)]).expect_err("no text");
    assert!(error.to_string().contains("config.json"), "{error}");
    let missing = [("DOCKER_CONFIG", "/nonexistent"), ("REGISTRY_AUTH_FILE", "/dev/null/x")];
    assert!(gather("h", &missing).is_ok());
    assert!(gather("h", &[]).expect("a keychain").find("a").await.expect("an answer").is_none());
}
