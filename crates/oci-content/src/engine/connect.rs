//! A connection to an engine: a socket, TCP, or TLS over it. Every wait has a limit.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::endpoint::EngineAddress;

/// The time limit for connecting to an engine on the network.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The time limit for sending a request to an engine.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A connection to an engine.
pub(super) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// Connects to an engine. `patience` is the longest time that the engine may be silent.
pub(super) fn connect(address: &EngineAddress, patience: Duration) -> io::Result<Box<dyn Stream>> {
    match address {
        EngineAddress::Unix(path) => unix(path, patience),
        EngineAddress::Tcp { host_and_port, certificates: None } => Ok(Box::new(tcp(host_and_port, patience)?)),
        EngineAddress::Tcp { host_and_port, certificates: Some(folder) } => {
            let host = host_and_port.rsplit_once(':').map_or(host_and_port.as_str(), |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            let connection = ClientConnection::new(Arc::new(tls(folder)?), name).map_err(io::Error::other)?;
            Ok(Box::new(StreamOwned::new(connection, tcp(host_and_port, patience)?)))
        }
    }
}

#[cfg(unix)]
fn unix(path: &Path, patience: Duration) -> io::Result<Box<dyn Stream>> {
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(WRITE_LIMIT))?;
    Ok(Box::new(stream))
}

#[cfg(not(unix))]
fn unix(_path: &Path, _patience: Duration) -> io::Result<Box<dyn Stream>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"))
}

fn tcp(address: &str, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_LIMIT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(WRITE_LIMIT))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The TLS configuration that docker uses: the authority in `ca.pem` and no other, and the client's certificate if there is one.
fn tls(folder: &Path) -> io::Result<ClientConfig> {
    let failed = |file: &str, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{}`: {error}", folder.join(file).display()))
    };
    let certificates = |file: &str| -> io::Result<Vec<CertificateDer<'static>>> {
        let read = CertificateDer::pem_file_iter(folder.join(file)).and_then(Iterator::collect);
        read.map_err(|error| failed(file, &error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca.pem")? {
        roots.add(certificate).map_err(|error| failed("ca.pem", &error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    if !folder.join("cert.pem").exists() {
        return Ok(builder.with_no_client_auth());
    }
    let key =
        PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|error| failed("key.pem", &error))?;
    builder.with_client_auth_cert(certificates("cert.pem")?, key).map_err(|error| failed("cert.pem", &error))
}
