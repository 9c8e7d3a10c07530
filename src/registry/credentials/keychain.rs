//! The places that credentials come from, in order: [`Keychain`].

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Credentials;
use super::file::{self, Entries};
use crate::model::reference::CredentialVariables;
use crate::registry::RegistryError;

/// The largest credential file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The credentials for one host, from every place that has some, the first place first.
#[derive(Debug, Default)]
pub(in crate::registry) struct Keychain {
    places: Vec<Entries>,
}

impl Keychain {
    /// Gathers the credentials for `host`. Where `variables` names some, they are all there is. Else, in
    /// order: `DOCKER_AUTH_CONFIG` (as GitLab's runner has it), podman's files, Docker's file, and in a
    /// GitHub Actions job its own token for GitHub's registry.
    pub(in crate::registry) fn gather(
        host: &str,
        variables: Option<&CredentialVariables>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, RegistryError> {
        if let Some(variables) = variables {
            let username = required(&variables.username_env, environment)?;
            let password = required(&variables.password_env, environment)?;
            let origin = format!("`{}` and `{}`", variables.username_env, variables.password_env);
            return Ok(Self::of(vec![vec![(String::new(), Credentials::new(username, password, origin))]]));
        }
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut places = Vec::new();
        if let Some(text) = variable("DOCKER_AUTH_CONFIG") {
            places.push(file::read(&text, host, "`DOCKER_AUTH_CONFIG`")?);
        }
        for path in files(&variable) {
            if let Some(text) = read(&path)? {
                places.push(file::read(&text, host, &format!("`{}`", path.display()))?);
            }
        }
        let in_job = variable("GITHUB_ACTIONS").as_deref() == Some("true");
        if let (true, "ghcr.io", Some(token)) = (in_job, host, variable("GITHUB_TOKEN")) {
            // GHCR takes any user name with a token; the actor's is what GitHub's own documentation uses.
            let actor = variable("GITHUB_ACTOR").unwrap_or_else(|| "github-actions".to_owned());
            places.push(vec![(String::new(), Credentials::new(actor, token, "`GITHUB_TOKEN`"))]);
        }
        Ok(Self::of(places))
    }

    fn of(places: Vec<Entries>) -> Self {
        Self { places }
    }

    /// The credentials for `repository`: from the first place that has some, those with the longest matching
    /// path.
    pub(in crate::registry) fn find(&self, repository: &str) -> Option<&Credentials> {
        self.places.iter().find_map(|entries| {
            let matching = entries.iter().filter(|(path, _)| is_below(repository, path));
            matching.max_by_key(|(path, _)| path.len()).map(|(_, credentials)| credentials)
        })
    }
}

/// Whether `repository` is `path` or below it.
fn is_below(repository: &str, path: &str) -> bool {
    let rest = repository.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The value of a variable that the configuration names.
fn required(name: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, RegistryError> {
    let value = environment(name);
    let problem = if value.is_some() { "empty" } else { "not set" };
    value.filter(|value| !value.is_empty()).ok_or_else(|| RegistryError::Credentials {
        reason: format!("environment variable `{name}`, named by `auth`, is {problem}"),
        help: format!(
            "set `{name}`; in GitHub Actions, pass it to the step with `env:`; or remove `auth` to use the credential files of Docker and podman"
        ),
    })
}

/// The credential files, in order, whether they exist or not (containers-auth.json(5), docker-login(1)).
fn files(variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let home = folder("HOME").or_else(|| folder("USERPROFILE"));
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let podman = |folder: PathBuf| folder.join("containers/auth.json");
    let docker = folder("DOCKER_CONFIG").or_else(|| below_home(".docker"));
    let places = [
        folder("REGISTRY_AUTH_FILE"),
        folder("XDG_RUNTIME_DIR").map(podman),
        folder("XDG_CONFIG_HOME").or_else(|| below_home(".config")).map(podman),
        docker.map(|folder| folder.join("config.json")),
    ];
    places.into_iter().flatten().collect()
}

/// The text of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, RegistryError> {
    let error = |reason: String| RegistryError::Credentials {
        reason: format!("cannot read credentials from `{}`: {reason}", path.display()),
        help: "make it readable, or move it away and log in again".to_owned(),
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE => {
            return Err(error(format!("{} bytes are too many", metadata.len())));
        }
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        _ => {}
    }
    std::fs::read_to_string(path).map(Some).map_err(|cause| error(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn gather(host: &str, variables: &[(&str, &str)]) -> Result<Keychain, RegistryError> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        Keychain::gather(host, None, &|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    fn auths(entries: &[(&str, &str)]) -> String {
        let entries = entries.iter().map(|(key, user)| {
            ((*key).to_owned(), serde_json::json!({ "username": user, "password": "secret" }))
        });
        serde_json::json!({ "auths": entries.collect::<serde_json::Map<_, _>>() }).to_string()
    }

    fn user<'a>(keychain: &'a Keychain, repository: &str) -> Option<&'a str> {
        keychain.find(repository).map(Credentials::username)
    }

    #[test]
    fn the_longest_path_wins() {
        let config = auths(&[("h", "all"), ("h/o", "owner"), ("h/o/n", "exact"), ("other", "x")]);
        let keychain = gather("h", &[("DOCKER_AUTH_CONFIG", &config)]).expect("a keychain");
        for (repository, expected) in [
            ("o/n", "exact"),
            ("o/n/m", "exact"),
            ("o/nn", "owner"),
            ("oo/n", "all"),
            ("a", "all"),
            ("", "all"),
        ] {
            assert_eq!(user(&keychain, repository), Some(expected), "{repository}");
        }
    }

    #[test]
    fn places_are_asked_in_order() {
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
        assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a"), Some("docker"));
        write(".config/containers/auth.json", "h", "podman");
        assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a"), Some("podman"));
        write("run/containers/auth.json", "h", "runtime");
        let runtime = home.path().join("run");
        variables.push(("XDG_RUNTIME_DIR", runtime.to_str().expect("a path")));
        assert_eq!(user(&gather("h", &variables).expect("a keychain"), "a"), Some("runtime"));
        let file = write("auth.json", "h/o", "file");
        variables.push(("REGISTRY_AUTH_FILE", &file));
        let keychain = gather("h", &variables).expect("a keychain");
        assert_eq!((user(&keychain, "o/n"), user(&keychain, "p/n")), (Some("file"), Some("runtime")));
        let config = auths(&[("h", "variable")]);
        variables.push(("DOCKER_AUTH_CONFIG", &config));
        let keychain = gather("h", &variables).expect("a keychain");
        assert_eq!(user(&keychain, "o/n"), Some("variable"));
        assert!(!format!("{keychain:?}").contains("secret"));
        assert_eq!(user(&gather("other", &variables).expect("a keychain"), "a"), None);
    }

    #[test]
    fn the_token_of_a_job_is_for_its_registry_alone() {
        let job = [("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "me")];
        assert_eq!(user(&gather("ghcr.io", &job).expect("a keychain"), "a"), Some("me"));
        assert_eq!(user(&gather("ghcr.io", &job[..2]).expect("a keychain"), "a"), Some("github-actions"));
        assert_eq!(user(&gather("ghcr.io", &job[1..]).expect("a keychain"), "a"), None);
        assert_eq!(user(&gather("evil.io", &job).expect("a keychain"), "a"), None);
    }

    #[test]
    fn named_variables_must_be_there() {
        let named = CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() };
        let gather = |variables: &[(&str, &str)]| {
            let variables: HashMap<_, _> = variables.iter().copied().collect();
            Keychain::gather("h", Some(&named), &|name| variables.get(name).map(|value| (*value).to_owned()))
        };
        let keychain = gather(&[("U", "u"), ("P", "p")]).expect("a keychain");
        assert_eq!(keychain.find("a"), Some(&Credentials::new("u", "p", "`U` and `P`")));
        for (variables, words) in [
            (&[("P", "p")][..], "`U`, named by `auth`, is not set"),
            (&[("U", "u")], "`P`, named by `auth`, is not set"),
            (&[("U", "u"), ("P", "")], "`P`, named by `auth`, is empty"),
        ] {
            let error = gather(variables).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("config.json");
        std::fs::write(&file, [0xff, 0xfe]).expect("a file");
        let folder = home.path().to_str().expect("a path");
        let error = gather("h", &[("DOCKER_CONFIG", folder)]).expect_err("no text");
        assert!(error.to_string().contains("config.json"), "{error}");
        let missing = [("DOCKER_CONFIG", "/nonexistent"), ("REGISTRY_AUTH_FILE", "/dev/null/x")];
        assert!(gather("h", &missing).is_ok());
        assert!(gather("h", &[]).expect("a keychain").find("a").is_none());
    }
}
