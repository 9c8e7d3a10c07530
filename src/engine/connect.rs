//! Connections to registries. Each is opened once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::apply::Connect;
use crate::context::Environment;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::event::{Event, Reporter};
use crate::visibility::{self, VisibilityProvider};
use oci_registry;
use oci_registry::RepositoryName;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{ConnectOptions, CredentialMemory, Notice, Registry, RegistryError, Repository};

/// The answers of credential programs and token servers. A process is one run. Its plan and its apply have separate connections,
/// but they ask each program once, and continue with the token that replaced an identity token.
static CREDENTIALS: LazyLock<CredentialMemory> = LazyLock::new(CredentialMemory::default);

/// Registries by endpoint, with credentials and without.
pub(crate) struct Connections {
    options: ConnectOptions,
    open: Mutex<HashMap<(String, bool), Arc<dyn Registry>>>,
    providers: Mutex<HashMap<String, Arc<dyn VisibilityProvider>>>,
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
            notify: Arc::new(move |notice| tell(reporter.as_ref(), &notice)),
            credentials: CREDENTIALS.clone(),
            run_folder: Some(PathBuf::from("/run")),
            // Blobs that share a reading wait for each other, so each must get a connection.
            parallelism: parallelism.max(1),
            ..ConnectOptions::default()
        };
        Self { options, open: Mutex::default(), providers: Mutex::default() }
    }

    fn registry(
        &self,
        endpoint: &RegistryEndpoint,
        anonymous: bool,
    ) -> Result<Arc<dyn Registry>, RegistryError> {
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
}

/// A repository with credentials and without, and the API for its visibility.
pub(crate) type Both = (Arc<dyn Repository>, Arc<dyn Repository>, Arc<dyn VisibilityProvider>);

impl Connections {
    /// Returns a connection to each of `places` both ways, or everything that is wrong with the registries, each problem once.
    pub fn both<'p>(
        &self,
        places: impl IntoIterator<Item = (&'p RegistryEndpoint, &'p RepositoryName)>,
    ) -> Result<Vec<Both>, Vec<Diagnostic>> {
        let (mut connected, mut diagnostics) = (Vec::new(), Vec::new());
        for (endpoint, name) in places {
            match (self.repository(endpoint, name), self.anonymous(endpoint, name)) {
                (Ok(repository), Ok(anonymous)) => {
                    connected.push((repository, anonymous, self.visibility(endpoint)));
                }
                (Err(error), _) | (_, Err(error)) => {
                    let diagnostic = error.to_diagnostic();
                    if !diagnostics.contains(&diagnostic) {
                        diagnostics.push(diagnostic);
                    }
                }
            }
        }
        if diagnostics.is_empty() { Ok(connected) } else { Err(diagnostics) }
    }
}

impl Connect for Connections {
    fn repository(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError> {
        Ok(self.registry(endpoint, false)?.repository(name))
    }

    fn anonymous(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError> {
        Ok(self.registry(endpoint, true)?.repository(name))
    }

    fn visibility(&self, endpoint: &RegistryEndpoint) -> Arc<dyn VisibilityProvider> {
        let key = serde_json::to_string(endpoint).unwrap_or_default();
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || visibility::provider(endpoint, &self.options);
        Arc::clone(providers.entry(key).or_insert_with(open))
    }
}

fn tell(reporter: &dyn Reporter, notice: &Notice) {
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
