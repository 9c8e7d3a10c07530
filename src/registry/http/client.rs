//! Building the HTTP client of one registry: TLS roots, redirects, proxies.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, Client};

use super::Timeouts;
use crate::model::reference::RegistryEndpoint;
use crate::registry::RegistryError;

/// The largest `ca_file` that is read, in bytes: the system's whole store has about 250 KB.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// The HTTP client for `endpoint`, whose `ca_file` is relative to `folder`.
pub(super) fn build(
    endpoint: &RegistryEndpoint,
    folder: &Path,
    timeouts: &Timeouts,
) -> Result<Client, RegistryError> {
    // reqwest without a default provider asks the process for one. It fails only where another is set
    // already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots = match &endpoint.ca_file {
        Some(file) => certificates(&folder.join(file))?,
        None => Vec::new(),
    };
    let base = || {
        let builder = Client::builder()
            .user_agent(concat!("brokkr-publish/", env!("CARGO_PKG_VERSION")))
            // Redirects are followed by `exchange`, which knows who may see credentials.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(timeouts.connect)
            .tls_danger_accept_invalid_certs(endpoint.insecure);
        if endpoint.url.is_loopback() { builder.no_proxy() } else { builder }
    };
    if let Ok(client) = base().tls_certs_merge(roots.clone()).build() {
        return Ok(client);
    }
    // Where the system has no certificate store this fails, for plain http too: take the bundled roots.
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let bundled = bundled.filter_map(|der| Certificate::from_der(der).ok());
    base().tls_certs_only(bundled.chain(roots)).build().map_err(|error| RegistryError::Certificates {
        path: PathBuf::from(endpoint.ca_file.as_deref().unwrap_or("system certificates")),
        reason: super::exchange::deepest(&error),
    })
}

/// The certificates of a PEM file: at least one.
fn certificates(path: &Path) -> Result<Vec<Certificate>, RegistryError> {
    let error = |reason: String| RegistryError::Certificates { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|cause| error(cause.to_string()))?.len();
    if size > MAX_CA_FILE {
        return Err(error(format!("{size} bytes are too many for a file of certificates")));
    }
    let pem = std::fs::read(path).map_err(|cause| error(cause.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|cause| error(format!("not PEM certificates: {}", super::exchange::deepest(&cause))))?;
    if certificates.is_empty() { Err(error("holds no certificate".to_owned())) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(ca_file: Option<&str>) -> RegistryEndpoint {
        RegistryEndpoint {
            url: "registry.example".parse().expect("a location"),
            insecure: false,
            ca_file: ca_file.map(str::to_owned),
            auth: None,
            provider: None,
            api_url: None,
            api_token_env: None,
        }
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::write(folder.path().join("empty.pem"), "").expect("a file");
        std::fs::write(
            folder.path().join("bad.pem"),
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        )
        .expect("a file");
        let build = |ca_file| build(&endpoint(ca_file), folder.path(), &Timeouts::default());
        for file in ["missing.pem", "empty.pem", "bad.pem", "."] {
            let error = build(Some(file)).expect_err(file);
            assert!(matches!(error, RegistryError::Certificates { .. }), "{error:?}");
        }
        assert!(build(None).is_ok());
    }
}
