//! A proxy that answers https for well-known hosts, such as `ghcr.io`, so that the program under test prints their names and gives
//! the advice that belongs to them, without the network.
//!
//! The program is run with `HTTPS_PROXY` and with the authority of `certificates` as its `ca_file`. The certificate names the hosts that
//! tests use, and ends in a hundred years. The key of its authority was not kept; to name another host, make all three files again:
//!
//! ```sh
//! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj '/CN=test authority' -keyout ca.key -out authority.pem
//! openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=test hosts' -keyout hosts.key -out hosts.csr
//! printf 'subjectAltName=DNS:ghcr.io,DNS:…\nbasicConstraints=CA:FALSE\n' >hosts.ext
//! openssl x509 -req -in hosts.csr -CA authority.pem -CAkey ca.key -CAcreateserial -days 36500 -extfile hosts.ext -out hosts.pem
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The certificate of the authority, as PEM.
pub const AUTHORITY: &str = include_str!("../certificates/authority.pem");

/// A running proxy; it ends with the test's runtime.
pub struct TlsProxy {
    address: String,
}

impl TlsProxy {
    /// Starts a proxy that forwards requests to each host (`ghcr.io`) as plain http to its server (`127.0.0.1:PORT`). It refuses other
    /// hosts.
    pub async fn start(servers: &[(&str, &str)]) -> Self {
        let servers: BTreeMap<String, String> =
            servers.iter().map(|(host, server)| ((*host).to_owned(), (*server).to_owned())).collect();
        let servers = Arc::new(servers);
        let acceptor = TlsAcceptor::from(Arc::new(configuration()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (servers, acceptor) = (Arc::clone(&servers), acceptor.clone());
                // A connection that breaks concerns only its client.
                tokio::spawn(async move { drop(serve(stream, &servers, &acceptor).await) });
            }
        });
        Self { address }
    }

    /// `http://127.0.0.1:PORT`, the value of `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn configuration() -> rustls::ServerConfig {
    let chain = CertificateDer::pem_slice_iter(include_bytes!("../certificates/hosts.pem"));
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../certificates/hosts.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key of the certificate")
}

/// Serves one `CONNECT host:port`.
async fn serve(
    stream: TcpStream,
    servers: &BTreeMap<String, String>,
    acceptor: &TlsAcceptor,
) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut request = String::new();
    client.read_line(&mut request).await?;
    loop {
        let mut header = String::new();
        if client.read_line(&mut header).await? == 0 || header.trim_end().is_empty() {
            break;
        }
    }
    let host = request.strip_prefix("CONNECT ").and_then(|rest| rest.split([':', ' ']).next());
    let Some(server) = host.and_then(|host| servers.get(host)) else {
        let refusal = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal).await;
    };
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(server).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
