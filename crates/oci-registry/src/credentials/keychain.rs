//! The sources of credentials, in order: [`Keychain`].

use std::fmt;

use super::files;
use super::program::{Program, ProgramLimits};
use super::{CredentialKind, CredentialMemory, Credentials, ci, file};
use crate::endpoint::CredentialVariables;
use crate::error::{CredentialError, RegistryError};
use crate::options::ConnectOptions;

/// One source of credentials.
#[derive(Debug)]
enum CredentialSource {
    /// The credentials in a file or in variables, by path.
    Held(file::CredentialEntries),
    /// A program that has credentials for the whole host.
    Program(Program),
}

/// The credentials for one host, from every source that has some, in order of precedence. Programs are asked only when
/// a repository needs credentials, and only once.
#[derive(Default)]
pub(crate) struct Keychain {
    host: String,
    sources: Vec<CredentialSource>,
    /// Whether to use no credentials, even if there are some.
    is_anonymous: bool,
    limits: Option<ProgramLimits>,
    memory: CredentialMemory,
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keychain")
            .field("host", &self.host)
            .field("sources", &self.sources)
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
        let keychain = |sources: Vec<CredentialSource>, is_anonymous: bool| Self {
            host: host.to_owned(),
            sources,
            is_anonymous,
            limits: Some(ProgramLimits {
                environment: options.environment.clone(),
                patience: options.timeouts.program,
            }),
            memory: options.credentials.clone(),
        };
        if options.anonymous {
            return Ok(keychain(Vec::new(), true));
        }
        let whole = |credentials| CredentialSource::Held(vec![(String::new(), credentials)]);
        if let Some(variables) = variables {
            let username = required(&variables.username_env, environment)?;
            let password = required(&variables.password_env, environment)?;
            let origin = format!("`{}` and `{}`", variables.username_env, variables.password_env);
            return Ok(keychain(vec![whole(Credentials::new(username, password, origin))], false));
        }
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut sources = Vec::new();
        let mut add = |contents: file::FileCredentials| {
            sources.extend(contents.programs.into_iter().map(CredentialSource::Program));
            sources.push(CredentialSource::Held(contents.entries));
        };
        if let Some(text) = variable("DOCKER_AUTH_CONFIG") {
            add(file::read(&text, host, "`DOCKER_AUTH_CONFIG`")?);
        }
        for file in files::all(&variable, options.run_folder.as_deref()) {
            if let Some(text) = file.text(&options.credentials, options.timeouts.program)? {
                add(file::read(&text, host, &file.shown)?);
            }
        }
        sources.extend(ci::of_job(host, &variable).map(whole));
        Ok(keychain(sources, false))
    }

    /// Uses `credentials` for everything on `host`, and no others.
    pub(crate) fn of(host: &str, credentials: Credentials, options: &ConnectOptions) -> Self {
        let sources = vec![CredentialSource::Held(vec![(String::new(), credentials)])];
        Self { host: host.to_owned(), sources, memory: options.credentials.clone(), ..Self::default() }
    }

    /// Returns the credentials that files and variables hold. Those of programs are known once the programs are asked.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Credentials> {
        self.sources
            .iter()
            .flat_map(|source| match source {
                CredentialSource::Held(entries) => entries.as_slice(),
                CredentialSource::Program(_) => &[],
            })
            .map(|(_, credentials)| credentials)
    }

    /// Returns the credentials for `repository`: the ones with the longest matching path in the first source that has
    /// any. A program without credentials is skipped.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Credentials`] if a program that has to be asked is missing, fails or gives no answer.
    pub(crate) async fn find(&self, repository: &str) -> Result<Option<Credentials>, RegistryError> {
        for source in &self.sources {
            let found = match source {
                CredentialSource::Held(entries) => {
                    let matching = entries.iter().filter(|(path, _)| is_below(repository, path));
                    let longest = matching.max_by_key(|(path, _)| path.len());
                    longest.map(|(path, credentials)| (path.as_str(), credentials.clone()))
                }
                CredentialSource::Program(program) => {
                    self.ask(program).await?.map(|credentials| ("", credentials))
                }
            };
            if let Some((path, credentials)) = found {
                self.log_origin(path, &credentials);
                return Ok(Some(credentials));
            }
        }
        let why = if self.is_anonymous {
            "asked without credentials, as a stranger would"
        } else {
            "no credentials were found"
        };
        self.memory.log_once(format!("{}: {why}", self.host));
        Ok(None)
    }

    /// Returns why no credentials for `repository` could be looked up, if a program failed that was already asked for
    /// them.
    pub(crate) async fn failure(&self, repository: &str) -> Option<RegistryError> {
        let has_program = self.sources.iter().any(|source| matches!(source, CredentialSource::Program(_)));
        if has_program { self.find(repository).await.err() } else { None }
    }

    /// Returns the origin of the credentials for `repository` in words for people, or the program that failed when it
    /// was asked for them; `None` if there are none.
    pub(crate) async fn origin(&self, repository: &str) -> Option<String> {
        if let Ok(found) = self.find(repository).await {
            return found.map(|credentials| credentials.origin().to_owned());
        }
        // Programs are asked in order, and the first failure ends the search.
        for source in &self.sources {
            if let CredentialSource::Program(program) = source
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
        let Some(limits) = &self.limits else { return Ok(None) };
        let answer = self.memory.answer(program, limits).await?;
        Ok(answer.map(|answer| answer.credentials(program.origin())))
    }

    /// Logs for `-v` which source the credentials came from, never the credentials.
    fn log_origin(&self, path: &str, credentials: &Credentials) {
        let (host, slash) = (&self.host, if path.is_empty() { "" } else { "/" });
        let what = match credentials.kind() {
            CredentialKind::Password => "credentials",
            CredentialKind::IdentityToken => "an identity token",
            CredentialKind::RegistryToken => "a registry token",
        };
        self.memory.log_once(format!("{host}{slash}{path}: {what} from {}", credentials.origin()));
    }
}

/// Whether `repository` is `path` or below it.
fn is_below(repository: &str, path: &str) -> bool {
    let rest = repository.strip_prefix(path);
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the value of a variable that the endpoint names.
fn required(name: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, RegistryError> {
    let value = environment(name);
    let missing = CredentialError::Variable { name: name.to_owned(), is_set: value.is_some() };
    value.filter(|value| !value.is_empty()).ok_or_else(|| missing.into())
}

#[cfg(test)]
#[path = "keychain_tests.rs"]
mod tests;
