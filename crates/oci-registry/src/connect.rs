//! Opening a registry by its endpoint: [`connect`].

use std::path::PathBuf;
use std::sync::Arc;

use super::credentials::{CredentialMemory, Keychain};
use super::directory::DirectoryRegistry;
use super::http::{HttpRegistry, RetryPolicy, Timeouts, repository_path};
use super::{CredentialKind, Credentials, Notify, Registry, RegistryError};
use crate::reference::RegistryEndpoint;
use crate::{RegistryLocation, RepositoryName};

/// The value of an environment variable, or `None`.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How to connect to a registry.
#[derive(Clone)]
pub struct ConnectOptions {
    /// The folder of `publish.toml`, which the paths of directory registries and `ca_file` are relative to.
    pub folder: PathBuf,
    /// Looks up environment variables: credentials, and the folders of credential files.
    pub environment: Environment,
    /// Whether to ask without credentials, as a stranger would, even if there are some.
    pub anonymous: bool,
    /// Remembers the answers of credential programs and token servers. All connections of a run share it, so that each
    /// program is asked once and each identity token is used once.
    pub credentials: CredentialMemory,
    /// The folder for files that live until the next reboot, `/run`: podman keeps its logins there on Linux if
    /// `XDG_RUNTIME_DIR` is not set. If `None`, that folder is not searched.
    pub run_folder: Option<PathBuf>,
    /// Receives retries and the registry's warnings.
    pub notify: Notify,
    /// How many blobs are sent to one registry at a time, at least 1. Eight times as many small requests are sent at
    /// the same time.
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

/// Opens the registry at `endpoint`. Sends nothing: the first request is the first that a repository makes. Names of
/// repositories must include the registry's namespace ([`RegistryLocation::repository`]).
///
/// # Errors
///
/// [`RegistryError::Credentials`] if a named variable is missing or a credential file is malformed;
/// [`RegistryError::Certificates`] if `ca_file`, `client_certificate` or `client_key` cannot be used.
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

/// Returns the credentials that [`connect`] uses for `repository` of the registry at `endpoint`, if there are any with
/// a password.
///
/// # Errors
///
/// [`RegistryError::Credentials`] if a named variable is missing or a credential file is malformed.
pub async fn find_credentials(
    endpoint: &RegistryEndpoint,
    repository: &RepositoryName,
    options: &ConnectOptions,
) -> Result<Option<Credentials>, RegistryError> {
    let RegistryLocation::Http { host, .. } = &endpoint.url else { return Ok(None) };
    let path = repository_path(host, repository);
    let (host, auth, options) = (host.clone(), endpoint.auth.clone(), options.clone());
    // Gathering reads files, which blocks.
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
