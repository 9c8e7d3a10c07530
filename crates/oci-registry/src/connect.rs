//! Opening a registry by its endpoint: [`connect`].

use std::sync::Arc;

use crate::credentials::{CredentialKind, Credentials, Keychain};
use crate::directory::DirectoryRegistry;
use crate::endpoint::RegistryEndpoint;
use crate::error::{CredentialError, RegistryError};
use crate::http::{HttpRegistry, LoginAnswer, repository_path};
use crate::options::ConnectOptions;
use crate::reference::{RegistryLocation, RepositoryName};
use crate::repository::Registry;

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

/// Asks the registry at `endpoint` whether it accepts `credentials`, without any repository, as `docker login` does.
///
/// # Errors
///
/// [`RegistryError::Unauthorized`] or [`RegistryError::Denied`] if it refuses them; others if it cannot be asked.
pub async fn verify_login(
    endpoint: &RegistryEndpoint,
    credentials: &Credentials,
    options: &ConnectOptions,
) -> Result<LoginAnswer, RegistryError> {
    let RegistryLocation::Http { host, .. } = &endpoint.url else { return Ok(LoginAnswer::NotAsked) };
    let keychain = Keychain::of(host, credentials.clone(), options);
    HttpRegistry::new(endpoint, host, keychain, options)?.check_login().await
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
    let keychain = gathered
        .unwrap_or_else(|error| Err(CredentialError::Interrupted { reason: error.to_string() }.into()))?;
    let found = keychain.find(&path).await?;
    Ok(found.filter(|credentials| credentials.kind() == CredentialKind::Password))
}
