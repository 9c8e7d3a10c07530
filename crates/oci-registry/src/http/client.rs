//! Building the HTTP clients of one registry: TLS roots, the client certificate, redirects, proxies.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use reqwest::{Certificate, Client, ClientBuilder, Identity};
use url::Url;

use super::address;
use super::first_connect::{FirstConnect, Reached};
use crate::endpoint::RegistryEndpoint;
use crate::error::RegistryError;
use crate::options::ConnectOptions;

/// The largest `ca_file` that is read, in bytes: the system's whole store has about 250 KB.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// The largest `client_certificate` or `client_key` that is read, in bytes.
const MAX_CLIENT_FILE: u64 = 1024 * 1024;

/// The HTTP clients of one registry. Only the registry's own host is shown the client certificate: other hosts, which
/// redirects, upload sessions and token servers may use, need not know the client.
pub(super) struct Clients {
    /// The registry's host name, without a port.
    host: String,
    own: Client,
    other: Client,
    /// The client for https, if the other two have no certificates.
    late: Option<LateClient>,
}

/// A client that is built when it is needed first: reading the certificates of the system takes longer than a small
/// request, and registries on this machine mostly speak plain http.
struct LateClient {
    client: OnceLock<Client>,
    endpoint: RegistryEndpoint,
    reached: Reached,
    options: ConnectOptions,
}

impl LateClient {
    /// Returns the client; `None` if it cannot be built.
    fn get(&self) -> Option<&Client> {
        if self.client.get().is_none() {
            let built = build(&self.endpoint, None, &self.reached, &self.options).ok()?;
            return Some(self.client.get_or_init(|| built));
        }
        self.client.get()
    }
}

impl Clients {
    /// Builds the clients for `endpoint`, which is at `host`; the paths of its files are relative to the folder of `options`.
    pub(super) fn build(
        endpoint: &RegistryEndpoint,
        host: Option<&Url>,
        reached: &Reached,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let host = host.and_then(Url::host_str).unwrap_or_default().to_owned();
        if address::schemes(endpoint) == ["http"] {
            let without_roots = base(endpoint, reached, options).tls_certs_only([]).build();
            if let Ok(plain) = without_roots {
                let late = LateClient {
                    client: OnceLock::new(),
                    endpoint: endpoint.clone(),
                    reached: reached.clone(),
                    options: options.clone(),
                };
                return Ok(Self { host, own: plain.clone(), other: plain, late: Some(late) });
            }
        }
        let other = build(endpoint, None, reached, options)?;
        let own = match identity(endpoint, &options.folder)? {
            Some(identity) => build(endpoint, Some(&identity), reached, options)?,
            None => other.clone(),
        };
        Ok(Self { host, own, other, late: None })
    }

    /// Returns the client for a request to `url`.
    pub(super) fn to(&self, url: &Url) -> &Client {
        if url.scheme() == "https"
            && let Some(late) = &self.late
        {
            return late.get().unwrap_or(&self.other);
        }
        let ours = url.scheme() == "https" && url.host_str() == Some(&self.host);
        if ours { &self.own } else { &self.other }
    }
}

/// Builds one client, which shows `identity` to every server that asks for it.
fn build(
    endpoint: &RegistryEndpoint,
    identity: Option<&Identity>,
    reached: &Reached,
    options: &ConnectOptions,
) -> Result<Client, RegistryError> {
    let roots = match &endpoint.ca_file {
        Some(file) => certificates(&options.folder.join(file))?,
        None => Vec::new(),
    };
    let base = || {
        let base = base(endpoint, reached, options);
        match identity {
            Some(identity) => base.identity(identity.clone()),
            None => base,
        }
    };
    if let Ok(client) = base().tls_certs_merge(roots.clone()).build() {
        return Ok(client);
    }
    // If the system has no certificate store, this fails even for plain http: use the bundled roots.
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let bundled = bundled.filter_map(|der| Certificate::from_der(der).ok());
    base().tls_certs_only(bundled.chain(roots)).build().map_err(|error| {
        let named = if identity.is_some() { &endpoint.client_key } else { &endpoint.ca_file };
        RegistryError::Certificates {
            path: PathBuf::from(named.as_deref().unwrap_or("system certificates")),
            reason: super::network::deepest(&error),
        }
    })
}

/// Returns the settings that all clients have.
fn base(endpoint: &RegistryEndpoint, reached: &Reached, options: &ConnectOptions) -> ClientBuilder {
    // Without a default provider, reqwest asks the process for one. Installing it fails only if another one is already
    // installed, which works as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(&options.user_agent)
        // `exchange` follows redirects, because it knows who may see credentials.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(options.timeouts.connect)
        .connector_layer(FirstConnect::new(reached, options.retry.first_contact))
        .tls_danger_accept_invalid_certs(endpoint.insecure);
    if endpoint.url.is_loopback() { builder.no_proxy() } else { builder }
}

/// Returns the client certificate with its key, if the endpoint names them. No error contains anything of the key's
/// file.
fn identity(endpoint: &RegistryEndpoint, folder: &Path) -> Result<Option<Identity>, RegistryError> {
    let (Some(certificate), Some(key)) = (&endpoint.client_certificate, &endpoint.client_key) else {
        return Ok(None);
    };
    let (certificate, key) = (folder.join(certificate), folder.join(key));
    let wrong = |path: &Path, reason: &str| RegistryError::Certificates {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let mut pem = read(&key, MAX_CLIENT_FILE)?;
    if holds(&pem, "ENCRYPTED") {
        return Err(wrong(&key, "the key is encrypted, and there is no way to ask for its passphrase"));
    }
    if !holds(&pem, "PRIVATE KEY-----") {
        return Err(wrong(&key, "holds no private key in PEM format"));
    }
    let certificates = read(&certificate, MAX_CLIENT_FILE)?;
    if !holds(&certificates, "BEGIN CERTIFICATE-----") {
        return Err(wrong(&certificate, "holds no certificate"));
    }
    pem.push(b'\n');
    pem.extend_from_slice(&certificates);
    // The parser's message could quote the file.
    Identity::from_pem(&pem)
        .map(Some)
        .map_err(|_| wrong(&key, "is not a private key, or the certificate is invalid"))
}

fn holds(pem: &[u8], words: &str) -> bool {
    pem.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Returns the content of a regular file of at most `limit` bytes: a pipe or a device might never end.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, RegistryError> {
    let error = |reason: String| RegistryError::Certificates { path: path.to_owned(), reason };
    let metadata = std::fs::metadata(path).map_err(|cause| error(cause.to_string()))?;
    if metadata.is_dir() {
        return Err(error("is a directory".to_owned()));
    }
    if !metadata.is_file() {
        return Err(error("is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|cause| error(cause.to_string()))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|cause| error(cause.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(error(format!(
            "is larger than {limit} bytes, which is too large for a file of certificates"
        )));
    }
    Ok(bytes)
}

/// Returns the certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<Certificate>, RegistryError> {
    let error = |reason: String| RegistryError::Certificates { path: path.to_owned(), reason };
    let pem = read(path, MAX_CA_FILE)?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .map_err(|cause| error(format!("not PEM certificates: {}", super::network::deepest(&cause))))?;
    if certificates.is_empty() { Err(error("holds no certificate".to_owned())) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> RegistryEndpoint {
        RegistryEndpoint::of("registry.example".parse().expect("a location"))
    }

    fn options(folder: &Path) -> ConnectOptions {
        ConnectOptions { folder: folder.to_owned(), ..ConnectOptions::default() }
    }

    fn refused(endpoint: &RegistryEndpoint, folder: &Path) -> String {
        match Clients::build(endpoint, None, &Reached::default(), &options(folder)) {
            Err(error @ RegistryError::Certificates { .. }) => error.to_string(),
            Err(error) => panic!("{error:?}"),
            Ok(_) => panic!("{endpoint:?} is taken"),
        }
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::write(folder.path().join("empty.pem"), "").expect("a file");
        let bad = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        std::fs::write(folder.path().join("bad.pem"), bad).expect("a file");
        for file in ["missing.pem", "empty.pem", "bad.pem", "."] {
            let named = RegistryEndpoint { ca_file: Some(file.to_owned()), ..endpoint() };
            assert!(refused(&named, folder.path()).contains(file), "{file}");
        }
        assert!(Clients::build(&endpoint(), None, &Reached::default(), &options(folder.path())).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_files_without_end_are_refused_unread() {
        let folder = tempfile::tempdir().expect("a directory");
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.expect("mkfifo").success());
        let huge = std::fs::File::create(folder.path().join("huge.pem")).expect("a file");
        huge.set_len(1 << 40).expect("a size");
        let one = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        std::fs::write(folder.path().join("one.key"), one).expect("a file");
        for (file, words) in [
            ("/dev/zero", "is not a regular file"),
            ("pipe", "is not a regular file"),
            ("huge.pem", "too large for a file of certificates"),
        ] {
            let ca = RegistryEndpoint { ca_file: Some(file.to_owned()), ..endpoint() };
            let with = |certificate: &str, key: &str| RegistryEndpoint {
                client_certificate: Some(certificate.to_owned()),
                client_key: Some(key.to_owned()),
                ..endpoint()
            };
            for named in [ca, with(file, "one.key"), with("one.key", file)] {
                let said = refused(&named, folder.path());
                assert!(said.contains(words) && said.contains(file), "{said}");
            }
        }
    }

    #[test]
    fn a_client_certificate_must_be_one_with_its_key() {
        let folder = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
        write("empty.pem", "");
        write("one.pem", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n");
        write("bad.key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
        write(
            "locked.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );
        for (certificate, key, words) in [
            ("one.pem", "missing.key", "missing.key"),
            ("one.pem", "empty.pem", "holds no private key"),
            ("one.pem", "one.pem", "holds no private key"),
            ("one.pem", "locked.key", "encrypted"),
            ("empty.pem", "bad.key", "empty.pem`: holds no certificate"),
            ("one.pem", "bad.key", "bad.key"),
        ] {
            let named = RegistryEndpoint {
                client_certificate: Some(certificate.to_owned()),
                client_key: Some(key.to_owned()),
                ..endpoint()
            };
            let said = refused(&named, folder.path());
            assert!(said.contains(words) && !said.contains("c2VjcmV0"), "{said}");
        }
    }

    #[test]
    fn certificates_are_read_only_for_https() {
        let local = RegistryEndpoint::of("localhost:5000".parse().expect("a location"));
        let folder = tempfile::tempdir().expect("a directory");
        let clients = Clients::build(&local, None, &Reached::default(), &options(folder.path()));
        let clients = clients.unwrap_or_else(|error| panic!("{error:?}"));
        let late = clients.late.as_ref().expect("a client to be built later");
        let to = |url: &str| clients.to(&url.parse().expect("a url"));
        assert!(std::ptr::eq(to("http://localhost:5000/v2/"), &raw const clients.other));
        assert!(late.client.get().is_none());
        // A token server.
        let secure = to("https://auth.example/token");
        assert!(std::ptr::eq(secure, late.client.get().expect("a client")));
    }

    #[test]
    fn only_the_host_of_the_registry_is_shown_the_certificate() {
        let own = "https://registry.example:5000/".parse().expect("a url");
        let folder = tempfile::tempdir().expect("a directory");
        let clients = Clients::build(&endpoint(), Some(&own), &Reached::default(), &options(folder.path()));
        let clients = clients.unwrap_or_else(|error| panic!("{error:?}"));
        for (url, expected) in [
            ("https://registry.example:5000/v2/", true),
            ("https://registry.example/token", true),
            ("http://registry.example:5000/v2/", false),
            ("https://cdn.example/blob", false),
            ("https://registry.example.evil/", false),
            ("https://user@cdn.example/registry.example", false),
        ] {
            let client = clients.to(&url.parse().expect("a url"));
            assert_eq!(std::ptr::eq(client, &raw const clients.own), expected, "{url}");
        }
    }
}
