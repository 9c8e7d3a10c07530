//! Logging in to registries and out of them: the credentials are checked by the registry, and kept where Docker and podman look.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::session::{Result, Session};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{
    ConnectOptions, Credentials, LoginAnswer, RegistryError, RegistryLocation, StoredLogin, erase_login,
    store_login, verify_login,
};

/// The result of a login.
#[derive(Debug)]
pub struct LoggedIn {
    /// The host.
    pub host: String,
    /// Whether the registry accepted the credentials; it may ask nobody for any.
    pub is_checked: bool,
    /// The place of the credentials.
    pub stored: StoredLogin,
}

/// Checks the credentials with `registry`, which is a host or a registry of publish.toml, and stores them in `file` or where Docker and
/// podman look for them.
///
/// # Errors
///
/// If the registry refuses them, or they cannot be stored.
pub async fn log_in(
    session: &Session,
    registry: &str,
    user: (&str, &str),
    file: Option<&Path>,
) -> Result<LoggedIn> {
    let (endpoint, host) = endpoint(session, registry)?;
    let credentials = Credentials::new(user.0, user.1, "the command line");
    let options = options(session);
    let problem = |error: RegistryError| vec![error.to_diagnostic().about(&host)];
    let answer = verify_login(&endpoint, &credentials, &options).await.map_err(problem)?;
    let stored = store_login(&host, &credentials, file, &options).await.map_err(problem)?;
    Ok(LoggedIn { is_checked: answer == LoginAnswer::Accepted, stored, host })
}

/// Removes the credentials for `registry` from `file`, or from everywhere that Docker and podman look. Returns the host, and the places
/// that had some.
///
/// # Errors
///
/// If a file or a program cannot be used.
pub async fn log_out(
    session: &Session,
    registry: &str,
    file: Option<&Path>,
) -> Result<(String, Vec<String>)> {
    let (_, host) = endpoint(session, registry)?;
    let places = erase_login(&host, file, &options(session)).await;
    let places = places.map_err(|error| vec![error.to_diagnostic().about(&host)])?;
    Ok((host, places))
}

fn options(session: &Session) -> ConnectOptions {
    let environment = session.environment.clone();
    ConnectOptions {
        folder: session.working_folder.clone(),
        environment: Arc::new(move |name| environment.get(name).cloned()),
        user_agent: concat!("brokkr-publish/", env!("CARGO_PKG_VERSION")).to_owned(),
        run_folder: Some(PathBuf::from("/run")),
        ..ConnectOptions::default()
    }
}

/// Returns the registry of publish.toml with that name or host, or else the host itself.
fn endpoint(session: &Session, registry: &str) -> Result<(RegistryEndpoint, String)> {
    let host =
        registry.strip_prefix("https://").or_else(|| registry.strip_prefix("http://")).unwrap_or(registry);
    let host = host.split('/').next().unwrap_or_default();
    let declared = session.load().ok().map(|loaded| loaded.config.registries).unwrap_or_default();
    let declared =
        declared.iter().find(|(name, it)| **name == registry || host_of(&it.endpoint) == Some(host));
    // Its variables would be used instead of the credentials of this login.
    let endpoint = declared.map(|(_, it)| RegistryEndpoint { auth: None, ..it.endpoint.clone() });
    let endpoint = endpoint.or_else(|| Some(RegistryEndpoint::of(host.parse::<RegistryLocation>().ok()?)));
    let problem = match endpoint {
        Some(endpoint) => match host_of(&endpoint).map(str::to_owned) {
            Some(host) => return Ok((endpoint, host)),
            None => "is a directory, which needs no login",
        },
        None => "is neither a host nor a registry of publish.toml",
    };
    let message = format!("`{registry}` {problem}");
    Err(vec![Diagnostic::error(Code::CommandUsage, message).help("name the host of a registry: `ghcr.io`")])
}

/// Returns the host as it is written, which is the key of its credentials for every program.
fn host_of(endpoint: &RegistryEndpoint) -> Option<&str> {
    match &endpoint.url {
        RegistryLocation::Http { host, .. } => Some(host),
        RegistryLocation::Directory { .. } => None,
    }
}
