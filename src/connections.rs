//! Connections to registries. Each registry is opened once in a run, with credentials and without, and all of them share
//! the answers of credential programs and token servers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Environment;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::event::{Event, Reporter};
use crate::visibility::{self, VisibilityProvider};
#[cfg(doc)]
use oci_registry::TagLookup;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{
    ConnectOptions, CredentialMemory, Notice, Registry, RegistryError, Repository, RetryPolicy, UploadRate,
};
use oci_registry::{Digest, RegistryLocation, RepositoryName, Tag, TagListing};

/// The connections of a run.
pub struct Connections {
    options: ConnectOptions,
    /// Whether no credentials are sent at all: the configuration may be that of a stranger.
    is_anonymous: bool,
    /// Registries by endpoint, with credentials (`false`) and without (`true`).
    open: Mutex<HashMap<(String, bool), Arc<dyn Registry>>>,
    providers: Mutex<HashMap<String, Arc<dyn VisibilityProvider>>>,
}

/// The connection to one repository.
pub struct Connection {
    /// Uses credentials.
    pub repository: Arc<dyn Repository>,
    /// Uses no credentials.
    pub anonymous: Arc<dyn Repository>,
    /// Answers who may pull.
    pub visibility: Arc<dyn VisibilityProvider>,
}

/// The failure of one repository.
#[derive(Debug, thiserror::Error)]
#[error("{repository}: {error}")]
pub struct RepositoryFailure {
    /// The full name of the repository.
    pub repository: String,
    /// The cause.
    #[source]
    pub error: RegistryError,
}

impl ToDiagnostic for RepositoryFailure {
    fn to_diagnostic(&self) -> Diagnostic {
        self.error.to_diagnostic().about(&self.repository)
    }
}

impl RepositoryFailure {
    /// Returns every result, or a diagnostic for every failure.
    pub fn none_of<T>(results: impl IntoIterator<Item = Result<T, Self>>) -> Result<Vec<T>, Vec<Diagnostic>> {
        let (mut values, mut diagnostics) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(value) => values.push(value),
                Err(failure) => diagnostics.push(failure.to_diagnostic()),
            }
        }
        if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
    }
}

impl Connections {
    /// Starts without any connection. Relative paths of endpoints start at `folder`.
    pub fn new(
        folder: PathBuf,
        environment: &Environment,
        parallelism: usize,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        let environment = environment.clone();
        let options = ConnectOptions {
            folder,
            environment: Arc::new(move |name| environment.get(name).cloned()),
            notify: Arc::new(move |notice| report(reporter.as_ref(), &notice)),
            credentials: CredentialMemory::default(),
            user_agent: concat!("brokkr-publish/", env!("CARGO_PKG_VERSION")).to_owned(),
            run_folder: Some(PathBuf::from("/run")),
            // Blobs that share a reading wait for each other, so each must get a connection.
            parallelism: parallelism.max(1),
            ..ConnectOptions::default()
        };
        Self { options, is_anonymous: false, open: Mutex::default(), providers: Mutex::default() }
    }

    /// Sends at most so many bytes of blobs in a second.
    #[must_use]
    pub fn with_upload_rate(self, bytes: u64) -> Self {
        let options = ConnectOptions { upload_rate: Some(UploadRate::new(bytes)), ..self.options };
        Self { options, ..self }
    }

    /// Sends no credentials anywhere.
    #[must_use]
    pub fn without_credentials(self) -> Self {
        let options = ConnectOptions { anonymous: true, ..self.options };
        Self { options, is_anonymous: true, ..self }
    }

    /// Whether no credentials are sent.
    pub fn is_anonymous(&self) -> bool {
        self.is_anonymous
    }

    /// Returns how often and for how long a failed request is sent again.
    pub fn retry_policy(&self) -> &RetryPolicy {
        &self.options.retry
    }

    fn registry(
        &self,
        endpoint: &RegistryEndpoint,
        anonymous: bool,
    ) -> Result<Arc<dyn Registry>, RegistryError> {
        let anonymous = anonymous || self.is_anonymous;
        let key = (serde_json::to_string(endpoint).unwrap_or_default(), anonymous);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = open.get(&key) {
            return Ok(registry.clone());
        }
        let registry = if anonymous {
            let options = ConnectOptions { anonymous: true, ..self.options.clone() };
            oci_registry::connect(&endpoint.anonymous(), &options)?
        } else {
            oci_registry::connect(endpoint, &self.options)?
        };
        open.insert(key, registry.clone());
        Ok(registry)
    }

    /// Returns the repository, reached with credentials.
    pub fn repository(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError> {
        Ok(self.registry(endpoint, false)?.repository(name))
    }

    /// Returns the repository, reached without credentials: the proof of who may pull needs a connection of its own. The
    /// facts about the host are shared.
    pub fn anonymous(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError> {
        Ok(self.registry(endpoint, true)?.repository(name))
    }

    /// Returns the repository, reached without credentials by a connection that has asked nothing yet. A token that a stranger
    /// got while the repository was public may pull from it for a while after it became private, so it proves nothing.
    pub fn stranger(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError> {
        let options = ConnectOptions { anonymous: true, ..self.options.clone() };
        Ok(oci_registry::connect(&endpoint.anonymous(), &options)?.repository(name))
    }

    /// Returns the API that reads and sets who may pull from the registry.
    pub fn visibility(&self, endpoint: &RegistryEndpoint) -> Arc<dyn VisibilityProvider> {
        let key = serde_json::to_string(endpoint).unwrap_or_default();
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            if self.is_anonymous {
                visibility::without_credentials()
            } else {
                visibility::provider(endpoint, &self.options)
            }
        };
        Arc::clone(providers.entry(key).or_insert_with(open))
    }

    /// Returns the connection to a repository.
    pub fn connection(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Connection, RegistryError> {
        let repository = self.repository(endpoint, name)?;
        let anonymous = match &endpoint.url {
            RegistryLocation::Http { .. } => self.anonymous(endpoint, name)?,
            RegistryLocation::Directory { .. } => repository.clone(),
        };
        Ok(Connection { repository, anonymous, visibility: self.visibility(endpoint) })
    }

    /// Returns the connection to each repository of `at`, or everything that is wrong with the registries, each problem once.
    pub fn connections<'p>(
        &self,
        at: impl IntoIterator<Item = (&'p RegistryEndpoint, &'p RepositoryName)>,
    ) -> Result<Vec<Connection>, Vec<Diagnostic>> {
        each_problem_once(at.into_iter().map(|(endpoint, name)| self.connection(endpoint, name)))
    }

    /// Returns each repository of `at`, reached with credentials, or everything that is wrong with the registries, each problem
    /// once.
    pub fn repositories<'p>(
        &self,
        at: impl IntoIterator<Item = (&'p RegistryEndpoint, &'p RepositoryName)>,
    ) -> Result<Vec<Arc<dyn Repository>>, Vec<Diagnostic>> {
        each_problem_once(at.into_iter().map(|(endpoint, name)| self.repository(endpoint, name)))
    }
}

/// Returns every result, or the diagnostics of all errors. Repositories of one registry fail for one reason.
fn each_problem_once<T>(
    results: impl IntoIterator<Item = Result<T, RegistryError>>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    let (mut values, mut diagnostics) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                let diagnostic = error.to_diagnostic();
                if !diagnostics.contains(&diagnostic) {
                    diagnostics.push(diagnostic);
                }
            }
        }
    }
    if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
}

/// Returns the digest that `tag` names, or `None` if there is no such tag, or none with a manifest. `listing` is the list of
/// tags, if one was read: see [`TagLookup`].
///
/// # Errors
///
/// The refusal of the registry.
pub async fn tag_digest(
    repository: &dyn Repository,
    tag: &Tag,
    listing: Option<&TagListing>,
) -> Result<Option<Digest>, RegistryError> {
    Ok(repository.look_up_tag(tag, listing).await?.found())
}

fn report(reporter: &dyn Reporter, notice: &Notice) {
    match notice {
        Notice::Retry { request, attempt, wait, cause } => reporter.report(&Event::Retry {
            request,
            attempt: *attempt,
            wait_milliseconds: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            cause,
        }),
        Notice::Warning { host, text } => reporter.report(&Event::RegistryWarning { host, text }),
    }
}
