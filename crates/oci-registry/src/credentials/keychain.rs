//! The sources of credentials, in order: [`Keychain`].

use std::fmt;

use super::files;
use super::program::{Program, Surroundings};
use super::{CredentialKind, CredentialMemory, Credentials, ci, file};
use crate::reference::CredentialVariables;
use crate::{ConnectOptions, RegistryError};

/// One source of credentials.
#[derive(Debug)]
enum Place {
    /// The credentials in a file or in variables, by path.
    Held(file::Entries),
    /// A program that has credentials for the whole host.
    Program(Program),
}

/// The credentials for one host, from every source that has some, in order of precedence. Programs are asked only when
/// a repository needs credentials, and only once.
#[derive(Default)]
pub(crate) struct Keychain {
    host: String,
    places: Vec<Place>,
    /// Whether to use no credentials, even if there are some.
    stranger: bool,
    surroundings: Option<Surroundings>,
    memory: CredentialMemory,
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keychain")
            .field("host", &self.host)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

impl Keychain {
    /// Gathers the credentials for `host`. If `variables` names some, only these are used. Otherwise the sources are,
    /// in order: `DOCKER_AUTH_CONFIG` (as GitLab's runner has it), podman's files, Docker's file, and the credentials
    /// that a CI gives its jobs for its own registry. Within each file: the program in `credHelpers`, the program in
    /// `credsStore`, the entries of the file.
    pub(crate) fn gather(
        host: &str,
        variables: Option<&CredentialVariables>,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let environment = options.environment.as_ref();
        let keychain = |places: Vec<Place>, stranger: bool| Self {
            host: host.to_owned(),
            places,
            stranger,
            surroundings: Some(Surroundings {
                environment: options.environment.clone(),
                patience: options.timeouts.program,
            }),
            memory: options.credentials.clone(),
        };
        if options.anonymous {
            return Ok(keychain(Vec::new(), true));
        }
        let whole = |credentials| Place::Held(vec![(String::new(), credentials)]);
        if let Some(variables) = variables {
            let username = required(&variables.username_env, environment)?;
            let password = required(&variables.password_env, environment)?;
            let origin = format!("`{}` and `{}`", variables.username_env, variables.password_env);
            return Ok(keychain(vec![whole(Credentials::new(username, password, origin))], false));
        }
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut places = Vec::new();
        let mut add = |contents: file::Contents| {
            places.extend(contents.programs.into_iter().map(Place::Program));
            places.push(Place::Held(contents.entries));
        };
        if let Some(text) = variable("DOCKER_AUTH_CONFIG") {
            add(file::read(&text, host, "`DOCKER_AUTH_CONFIG`")?);
        }
        for file in files::all(&variable, options.run_folder.as_deref()) {
            if let Some(text) = file.text(&options.credentials, options.timeouts.program)? {
                add(file::read(&text, host, &file.shown)?);
            }
        }
        places.extend(ci::of_job(host, &variable).map(whole));
        Ok(keychain(places, false))
    }

    /// Returns the credentials for `repository`: the ones with the longest matching path in the first source that has
    /// any. A program without credentials is skipped.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Credentials`] if a program that has to be asked is missing, fails or gives no answer.
    pub(crate) async fn find(&self, repository: &str) -> Result<Option<Credentials>, RegistryError> {
        for place in &self.places {
            let found = match place {
                Place::Held(entries) => {
                    let matching = entries.iter().filter(|(path, _)| is_below(repository, path));
                    let longest = matching.max_by_key(|(path, _)| path.len());
                    longest.map(|(path, credentials)| (path.as_str(), credentials.clone()))
                }
                Place::Program(program) => self.ask(program).await?.map(|credentials| ("", credentials)),
            };
            if let Some((path, credentials)) = found {
                self.tell(path, &credentials);
                return Ok(Some(credentials));
            }
        }
        let why = if self.stranger {
            "asked without credentials, as a stranger would"
        } else {
            "no credentials were found"
        };
        self.memory.tell(format!("{}: {why}", self.host));
        Ok(None)
    }

    /// Returns why no credentials for `repository` could be looked up, if a program failed that was already asked for
    /// them.
    pub(crate) async fn failure(&self, repository: &str) -> Option<RegistryError> {
        let has_program = self.places.iter().any(|place| matches!(place, Place::Program(_)));
        if has_program { self.find(repository).await.err() } else { None }
    }

    /// Returns the origin of the credentials for `repository` in words for people, or the program that failed when it
    /// was asked for them; `None` if there are none.
    pub(crate) async fn origin(&self, repository: &str) -> Option<String> {
        if let Ok(found) = self.find(repository).await {
            return found.map(|credentials| credentials.origin().to_owned());
        }
        // Programs are asked in order, and the first failure ends the search.
        for place in &self.places {
            if let Place::Program(program) = place
                && self.ask(program).await.is_err()
            {
                return Some(format!("{} failed", program.shown()));
            }
        }
        None
    }

    /// Returns the memory of the run.
    pub(crate) fn memory(&self) -> &CredentialMemory {
        &self.memory
    }

    async fn ask(&self, program: &Program) -> Result<Option<Credentials>, RegistryError> {
        let Some(surroundings) = &self.surroundings else { return Ok(None) };
        let answer = self.memory.answer(program, surroundings).await?;
        Ok(answer.map(|answer| answer.credentials(program.origin())))
    }

    /// Logs for `-v` which source the credentials came from, never the credentials.
    fn tell(&self, path: &str, credentials: &Credentials) {
        let (host, slash) = (&self.host, if path.is_empty() { "" } else { "/" });
        let what = match credentials.kind() {
            CredentialKind::Password => "credentials",
            CredentialKind::IdentityToken => "an identity token",
            CredentialKind::RegistryToken => "a registry token",
        };
        self.memory.tell(format!("{host}{slash}{path}: {what} from {}", credentials.origin()));
    }
}

/// Whether `repository` is `path` or below it.
fn is_below(repository: &str, path: &str) -> bool {
    let rest = repository.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the value of a variable that the configuration names.
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

#[cfg(test)]
#[path = "keychain_tests.rs"]
mod tests;
