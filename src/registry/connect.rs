//! Opening a registry by its endpoint: [`connect`].

use std::path::PathBuf;
use std::sync::Arc;

use super::credentials::{CredentialMemory, Keychain};
use super::directory::DirectoryRegistry;
use super::http::{HttpRegistry, RetryPolicy, Timeouts, repository_path};
use super::{CredentialKind, Credentials, Notify, Registry, RegistryError};
use crate::model::reference::RegistryEndpoint;
use crate::model::{RegistryLocation, RepositoryName};

/// The value of an environment variable, or `None`.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How to connect to a registry.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Where relative directory registries and `ca_file` start: the folder of `publish.toml`.
    pub folder: PathBuf,
    /// Looks up environment variables: credentials, and where credential files lie.
    pub environment: Environment,
    /// Whether to ask as a stranger would, whatever credentials there are.
    pub anonymous: bool,
    /// What credential programs and token servers gave: to be shared by all connections of a run, so that each program is asked once,
    /// and each identity token serves once.
    pub credentials: CredentialMemory,
    /// The folder for what lives as long as the system runs, `/run`, where podman keeps its logins on Linux if `XDG_RUNTIME_DIR` is not
    /// set; `None`: it is not looked at.
    pub run_folder: Option<PathBuf>,
    /// Hears of retries and of the registry's warnings.
    pub notify: Notify,
    /// How many blobs are sent to one registry at a time. Small requests go beside them, eight times as many
    /// at a time. At least 1.
    pub parallelism: usize,
    /// How often and how long a failed request is sent again.
    pub retry: RetryPolicy,
    /// How long one step of a request may take.
    pub timeouts: Timeouts,
}

impl Default for ConnectOptions {
    /// The working directory, the environment of the process, no `/run`, nobody to notify, 8 blobs at a time, and the
    /// limits of [`RetryPolicy`] and [`Timeouts`].
    fn default() -> Self {
        Self {
            folder: PathBuf::from("."),
            environment: Arc::new(|name| std::env::var(name).ok()),
            anonymous: false,
            credentials: CredentialMemory::default(),
            run_folder: None,
            notify: Arc::new(|_| {}),
            parallelism: 8,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// Opens the registry at `endpoint`. Sends nothing: the first request is the first that a repository makes.
/// Names of repositories are full ones, the registry's namespace included
/// ([`RegistryLocation::repository`]).
///
/// # Errors
///
/// [`RegistryError::Credentials`] where a named variable is missing or a credential file malformed;
/// [`RegistryError::Certificates`] where `ca_file`, `client_certificate` or `client_key` cannot be used.
pub fn connect(
    endpoint: &RegistryEndpoint,
    options: &ConnectOptions,
) -> Result<Arc<dyn Registry>, RegistryError> {
    match &endpoint.url {
        RegistryLocation::Directory { path } => {
            Ok(Arc::new(DirectoryRegistry::new(options.folder.join(path), options.parallelism)))
        }
        RegistryLocation::Http { host, .. } => {
            let keychain = Keychain::gather(host, endpoint.auth.as_ref(), options)?;
            Ok(Arc::new(HttpRegistry::new(endpoint, host, keychain, options)?))
        }
    }
}

/// The credentials for `repository` of the registry at `endpoint`, where there are any with a password: those that [`connect`] uses.
///
/// # Errors
///
/// [`RegistryError::Credentials`] where a named variable is missing or a credential file malformed.
pub async fn find_credentials(
    endpoint: &RegistryEndpoint,
    repository: &RepositoryName,
    options: &ConnectOptions,
) -> Result<Option<Credentials>, RegistryError> {
    let RegistryLocation::Http { host, .. } = &endpoint.url else { return Ok(None) };
    let path = repository_path(host, repository);
    let (host, auth, options) = (host.clone(), endpoint.auth.clone(), options.clone());
    // Files are read.
    let gathered =
        tokio::task::spawn_blocking(move || Keychain::gather(&host, auth.as_ref(), &options)).await;
    let keychain = gathered.unwrap_or_else(|error| {
        Err(RegistryError::Credentials {
            reason: format!("credentials cannot be looked for: {error}"),
            help: "run the same command again".to_owned(),
        })
    })?;
    let found = keychain.find(&path).await?;
    Ok(found.filter(|credentials| credentials.kind() == CredentialKind::Password))
}
