//! Requests to an engine: over a socket, TCP, or TLS. Every wait has a limit.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::redirect;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::endpoint::EngineAddress;

/// The time limit for connecting to an engine.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The reason why an engine gave no answer.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It cannot be reached.
    Connect(io::Error),
    /// It was silent for too long.
    Silent,
    /// The connection broke, or the answer is not HTTP.
    Broken(String),
}

/// Requests `path`, which is sent unchanged, from the engine at `address`. `patience` is the longest time that the engine may be
/// silent, before the answer and in the middle of it.
pub(super) fn get(address: &EngineAddress, path: &str, patience: Duration) -> Result<Response, RequestError> {
    let client = client(address, patience).map_err(RequestError::Connect)?;
    let base = match address {
        EngineAddress::Unix(_) => "http://docker".to_owned(),
        EngineAddress::Tcp { host_and_port, certificates: None } => format!("http://{host_and_port}"),
        EngineAddress::Tcp { host_and_port, certificates: Some(_) } => format!("https://{host_and_port}"),
    };
    client.get(format!("{base}{path}")).send().map_err(|error| {
        if error.is_timeout() {
            RequestError::Silent
        } else if error.is_connect() {
            RequestError::Connect(io::Error::new(kind_of(&error), root_cause(&error)))
        } else {
            RequestError::Broken(root_cause(&error))
        }
    })
}

/// Returns the reason why the body of an answer cannot be read.
pub(super) fn body_error(error: &io::Error) -> RequestError {
    let request = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    match request {
        Some(request) if request.is_timeout() => RequestError::Silent,
        _ => RequestError::Broken(root_cause(error)),
    }
}

/// The kind of the I/O error below `error`.
fn kind_of(error: &(dyn Error + 'static)) -> ErrorKind {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.kind();
        }
        next = error.source();
    }
    ErrorKind::Other
}

/// The message of the last error below `error`: those above it only say that there is one.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// A client for one engine. It follows no redirect and uses no proxy, and no connection is used twice.
fn client(address: &EngineAddress, patience: Duration) -> io::Result<Client> {
    let certificates = match address {
        EngineAddress::Tcp { certificates, .. } => certificates.as_deref(),
        EngineAddress::Unix(_) => None,
    };
    let builder = Client::builder()
        .user_agent(concat!("oci-content/", env!("CARGO_PKG_VERSION")))
        .timeout(patience)
        .connect_timeout(CONNECT_LIMIT)
        .pool_max_idle_per_host(0)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(tls(certificates)?);
    let builder = match address {
        #[cfg(unix)]
        EngineAddress::Unix(path) => builder.unix_socket(path.as_path()),
        #[cfg(not(unix))]
        EngineAddress::Unix(_) => {
            return Err(io::Error::new(ErrorKind::Unsupported, "this system has no Unix sockets"));
        }
        EngineAddress::Tcp { .. } => builder,
    };
    builder.build().map_err(|error| io::Error::other(root_cause(&error)))
}

/// The TLS configuration that docker uses: the authority in `ca.pem` and no other, and the client's certificate if there is one.
/// Without a folder, nothing is trusted.
fn tls(folder: Option<&Path>) -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let Some(folder) = folder else {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    };
    let failed = |file: &str, error: &dyn std::fmt::Display| {
        io::Error::new(ErrorKind::InvalidInput, format!("`{}`: {error}", folder.join(file).display()))
    };
    let certificates = |file: &str| -> io::Result<Vec<CertificateDer<'static>>> {
        let read = CertificateDer::pem_file_iter(folder.join(file)).and_then(Iterator::collect);
        read.map_err(|error| failed(file, &error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca.pem")? {
        roots.add(certificate).map_err(|error| failed("ca.pem", &error))?;
    }
    let builder = builder.with_root_certificates(roots);
    if !folder.join("cert.pem").exists() {
        return Ok(builder.with_no_client_auth());
    }
    let key =
        PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|error| failed("key.pem", &error))?;
    builder.with_client_auth_cert(certificates("cert.pem")?, key).map_err(|error| failed("cert.pem", &error))
}
