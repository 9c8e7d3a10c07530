//! Tests of stored logins: which file they go to, what Docker's programs see, and that the credential chain finds them again.
#![allow(clippy::expect_used, reason = "a fixture that cannot be written fails its test")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use super::*;

struct Home {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Home {
    fn new(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |value: &str| value.replace("HERE", &folder.path().display().to_string());
        let mut all: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), place(value))).collect();
        all.insert("HOME".to_owned(), place("HERE"));
        all.insert("PATH".to_owned(), place("HERE/bin:/bin:/usr/bin"));
        Self { folder, variables: all }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("written");
        if name.starts_with("bin/") {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        self
    }

    fn json(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_str(&text).expect("JSON")
    }

    fn options(&self) -> ConnectOptions {
        let variables = self.variables.clone();
        ConnectOptions {
            environment: Arc::new(move |name| variables.get(name).cloned()),
            run_folder: None,
            folder: self.folder.path().to_path_buf(),
            ..ConnectOptions::default()
        }
    }

    async fn store(&self, host: &str) -> StoredLogin {
        let credentials = Credentials::new("me", "pass:word", "a test");
        store_login(host, &credentials, None, &self.options()).await.expect("stored")
    }

    async fn found(&self, host: &str) -> Option<(String, String)> {
        let keychain = Keychain::gather(host, None, &self.options()).expect("a keychain");
        let found = keychain.find("acme/app").await.expect("an answer");
        found.map(|it| (it.username().to_owned(), it.password().to_owned()))
    }
}

const KEEPER: &str = r#"#!/bin/sh
cat > "$HOME/asked-$1"
case "$1" in
  get) if [ -f "$HOME/kept" ]; then echo '{"Username":"me","Secret":"pass:word"}'; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  store) cp "$HOME/asked-store" "$HOME/kept" ;;
  erase) rm "$HOME/kept" ;;
esac
"#;

#[tokio::test]
async fn a_login_goes_where_docker_and_podman_look() {
    for (variables, existing, file, host, key) in [
        (vec![], "", ".docker/config.json", "ghcr.io", "ghcr.io"),
        (vec![], "", ".docker/config.json", "docker.io", "https://index.docker.io/v1/"),
        (vec![("DOCKER_CONFIG", "HERE/d")], "", "d/config.json", "ghcr.io", "ghcr.io"),
        (vec![("REGISTRY_AUTH_FILE", "HERE/a.json")], "", "a.json", "docker.io", "docker.io"),
        (
            vec![("XDG_RUNTIME_DIR", "HERE/run")],
            "run/containers/auth.json",
            "run/containers/auth.json",
            "h:5000",
            "h:5000",
        ),
        (vec![("XDG_RUNTIME_DIR", "HERE/run")], "", ".docker/config.json", "ghcr.io", "ghcr.io"),
    ] {
        let mut home = Home::new(&variables);
        if !existing.is_empty() {
            home = home.with(existing, "{}");
        }
        let stored = home.store(host).await;
        assert!(stored.readable && stored.hidden_by.is_none(), "{stored:?}");
        assert_eq!(home.json(file)["auths"][key]["auth"], "bWU6cGFzczp3b3Jk", "{file}");
        let mode = home.path(file).metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(home.found(host).await, Some(("me".to_owned(), "pass:word".to_owned())));
        let erased = erase_login(host, None, &home.options()).await.expect("erased");
        assert_eq!(erased, [stored.place]);
        assert_eq!(home.found(host).await, None);
        assert!(erase_login(host, None, &home.options()).await.expect("nothing").is_empty());
    }
}

#[tokio::test]
async fn other_entries_and_settings_stay_in_their_order() {
    let text = r#"{"HttpHeaders":{"a":"b"},"auths":{"z":{"auth":"eDp5"},"https://ghcr.io/v2/":{"auth":"eDp5"}},"psFormat":"x"}"#;
    let home = Home::new(&[]).with(".docker/config.json", text);
    home.store("ghcr.io").await;
    let expected = text.replace(
        r#""https://ghcr.io/v2/":{"auth":"eDp5"}"#,
        r#""https://ghcr.io/v2/":{"auth":"bWU6cGFzczp3b3Jk"}"#,
    );
    assert_eq!(home.json(".docker/config.json").to_string(), expected);
}

#[tokio::test]
async fn the_program_that_the_file_names_keeps_the_password() {
    for text in [r#"{"credsStore":"keeper"}"#, r#"{"credHelpers":{"ghcr.io":"keeper"}}"#] {
        let home =
            Home::new(&[]).with(".docker/config.json", text).with("bin/docker-credential-keeper", KEEPER);
        let stored = home.store("ghcr.io").await;
        assert!(!stored.readable && stored.place.contains("docker-credential-keeper"), "{stored:?}");
        assert_eq!(
            home.json("asked-store"),
            json!({ "ServerURL": "ghcr.io", "Username": "me", "Secret": "pass:word" })
        );
        assert_eq!(home.json(".docker/config.json")["auths"], json!({ "ghcr.io": {} }));
        assert_eq!(home.found("ghcr.io").await, Some(("me".to_owned(), "pass:word".to_owned())));
        let erased = erase_login("ghcr.io", None, &home.options()).await.expect("erased");
        assert_eq!(erased, [stored.place]);
        assert_eq!(home.found("ghcr.io").await, None);
        assert_eq!(home.json(".docker/config.json")["auths"], json!({}));
    }
}

#[tokio::test]
async fn a_program_that_refuses_is_an_error_and_nothing_is_written() {
    let home = Home::new(&[])
        .with(".docker/config.json", r#"{"credsStore":"keeper"}"#)
        .with("bin/docker-credential-keeper", "#!/bin/sh\necho locked\nexit 1\n");
    let credentials = Credentials::new("me", "pass:word", "a test");
    let error = store_login("ghcr.io", &credentials, None, &home.options()).await.expect_err("locked");
    assert!(error.to_string().contains("locked") && !error.to_string().contains("pass:word"), "{error}");
    assert_eq!(home.json(".docker/config.json"), json!({ "credsStore": "keeper" }));
}

#[tokio::test]
async fn credentials_that_come_first_are_named() {
    let home = Home::new(&[("DOCKER_AUTH_CONFIG", r#"{"auths":{"ghcr.io":{"auth":"eDp5"}}}"#)]);
    assert_eq!(home.store("ghcr.io").await.hidden_by.as_deref(), Some("`DOCKER_AUTH_CONFIG`"));
}

#[tokio::test]
async fn a_malformed_file_is_left_alone_and_a_link_stays_a_link() {
    let home = Home::new(&[]).with(".docker/config.json", "{ secret");
    let credentials = Credentials::new("me", "pass:word", "a test");
    store_login("ghcr.io", &credentials, None, &home.options()).await.expect_err("malformed");
    assert_eq!(std::fs::read_to_string(home.path(".docker/config.json")).expect("a text"), "{ secret");
    let home = Home::new(&[]).with("real.json", "{}").with(".docker/x", "");
    std::os::unix::fs::symlink(home.path("real.json"), home.path(".docker/config.json")).expect("a link");
    home.store("ghcr.io").await;
    assert!(home.path(".docker/config.json").symlink_metadata().expect("a link").is_symlink());
    assert_eq!(home.json("real.json")["auths"]["ghcr.io"]["auth"], "bWU6cGFzczp3b3Jk");
}
