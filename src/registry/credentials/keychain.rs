//! The places that credentials come from, in order: [`Keychain`].

use std::fmt;

use super::files;
use super::program::{Program, Surroundings};
use super::{CredentialKind, CredentialMemory, Credentials, ci, file};
use crate::model::reference::CredentialVariables;
use crate::registry::{ConnectOptions, RegistryError};

/// One place.
#[derive(Debug)]
enum Place {
    /// What a file or variables hold, by path.
    Held(file::Entries),
    /// What a program has for the whole host.
    Program(Program),
}

/// The credentials for one host, from every place that has some, the first place first. Programs are asked only when a repository
/// needs credentials, and once.
#[derive(Default)]
pub(in crate::registry) struct Keychain {
    host: String,
    places: Vec<Place>,
    /// Whether there are to be no credentials, whatever the places hold.
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
    /// Gathers what there is for `host`. Where `variables` names some, they are all there is. Else, in
    /// order: `DOCKER_AUTH_CONFIG` (as GitLab's runner has it), podman's files, Docker's file, and what a CI gives its jobs for its
    /// own registry. Within each: the program of `credHelpers`, that of `credsStore`, what stands in the file.
    pub(in crate::registry) fn gather(
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

    /// The credentials for `repository`: from the first place that has some, those with the longest matching path. A program that has
    /// none is passed over.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Credentials`] where a program that had to be asked is missing, fails or gives no answer.
    pub(in crate::registry) async fn find(
        &self,
        repository: &str,
    ) -> Result<Option<Credentials>, RegistryError> {
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

    /// Why no credentials for `repository` could be looked up, where a program failed that was asked for them already.
    pub(in crate::registry) async fn failure(&self, repository: &str) -> Option<RegistryError> {
        let has_program = self.places.iter().any(|place| matches!(place, Place::Program(_)));
        if has_program { self.find(repository).await.err() } else { None }
    }

    /// Where the credentials for `repository` come from, in words for people, or which program failed that has to be asked for them;
    /// `None` where there are none.
    pub(in crate::registry) async fn origin(&self, repository: &str) -> Option<String> {
        if let Ok(found) = self.find(repository).await {
            return found.map(|credentials| credentials.origin().to_owned());
        }
        // Programs are asked in order, and the first that fails ends the search.
        for place in &self.places {
            if let Place::Program(program) = place
                && self.ask(program).await.is_err()
            {
                return Some(format!("{} failed", program.shown()));
            }
        }
        None
    }

    /// What the run remembers.
    pub(in crate::registry) fn memory(&self) -> &CredentialMemory {
        &self.memory
    }

    async fn ask(&self, program: &Program) -> Result<Option<Credentials>, RegistryError> {
        let Some(surroundings) = &self.surroundings else { return Ok(None) };
        let answer = self.memory.answer(program, surroundings).await?;
        Ok(answer.map(|answer| answer.credentials(program.origin())))
    }

    /// Says for `-v` which link of the chain it was, never what it holds.
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

#[cfg(test)]
#[path = "keychain_tests.rs"]
mod tests;
