//! A token server for a real registry: it accepts users with a password or refresh token, grants their permissions, and signs JWTs with
//! a key of its own (distribution/distribution, "Token Authentication Implementation"). It uses https if it is given a certificate.
//!

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::docker_registry::{Authority, ISSUER, SERVICE, run};

/// A user, and the repositories that this user may push to.
pub struct User {
    /// The user name.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// The prefix of the repositories that the user may push to. The user may pull from all.
    pub pushes_to: &'static str,
}

/// How the server is set up.
pub struct TokenIssuerOptions {
    /// The users that the server accepts.
    pub users: Vec<User>,
    /// The refresh token of the first user. Each token works once: the answer contains the next one.
    pub refresh_token: Option<&'static str>,
    /// Whether clients without a password may pull.
    pub anonymous: bool,
    /// The time for which the registry accepts a token.
    pub lifetime: Duration,
    /// The lifetime that the server states.
    pub told: Duration,
}

/// A request to the server.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The query of a GET, or the form of a POST.
    pub form: Vec<(String, String)>,
    /// The header `Authorization`.
    pub authorization: String,
}

impl TokenRequest {
    /// All values with that name, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }
}

struct SharedTokenIssuer {
    rules: TokenIssuerOptions,
    key: PathBuf,
    certificate: String,
    refresh: Mutex<Option<String>>,
    log: Mutex<Vec<TokenRequest>>,
}

/// A running token server; it ends with the process.
pub struct TokenIssuer {
    shared: Arc<SharedTokenIssuer>,
    port: u16,
    https: bool,
    folder: tempfile::TempDir,
}

impl TokenIssuer {
    /// Starts one on a free port, which uses https with the certificate of `authority` if there is one.
    pub fn start(rules: TokenIssuerOptions, authority: Option<&Authority>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let subject = ["-subj", "/CN=issuer", "-keyout", "issuer.key", "-out", "issuer.pem"];
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(subject)
            .current_dir(folder.path()));
        let certificate = CertificateDer::from_pem_file(folder.path().join("issuer.pem")).expect("PEM");
        let refresh = Mutex::new(rules.refresh_token.map(str::to_owned));
        let shared = Arc::new(SharedTokenIssuer {
            rules,
            key: folder.path().join("issuer.key"),
            certificate: STANDARD.encode(&certificate),
            refresh,
            log: Mutex::default(),
        });
        let tls = authority.map(|authority| Arc::new(tls(authority)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (serving, https) = (Arc::clone(&shared), tls.is_some());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, tls) = (Arc::clone(&serving), tls.clone());
                std::thread::spawn(move || match tls {
                    None => shared.serve(stream),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).expect("a connection");
                        shared.serve(rustls::StreamOwned::new(connection, stream));
                    }
                });
            }
        });
        Self { shared, port, https, folder }
    }

    /// Its address, with the host name `host`.
    pub fn realm(&self, host: &str) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{host}:{}/token", self.port)
    }

    /// The certificate of the key that it signs with.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("issuer.pem")
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<TokenRequest> {
        self.shared.log.lock().expect("a lock").clone()
    }
}

fn tls(authority: &Authority) -> rustls::ServerConfig {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from_pem_file(authority.file("host.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(authority.file("host.key")).expect("a key");
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate], key).expect("a certificate with its key")
}

impl SharedTokenIssuer {
    /// Answers one request, and closes the connection.
    fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).is_err() || line.is_empty() {
            return;
        }
        let (mut authorization, mut length) = (String::new(), 0);
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).expect("a header");
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => value.clone_into(&mut authorization),
                "content-length" => length = value.parse().expect("a length"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("a body");
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let query = target.split_once('?').map(|(_, query)| query.as_bytes().to_vec()).unwrap_or_default();
        let form = if method == "POST" { body } else { query };
        let form = url::form_urlencoded::parse(&form).into_owned().collect();
        let asked = TokenRequest { method: method.to_owned(), form, authorization };
        let (status, answer) = self.answer(&asked);
        self.log.lock().expect("a lock").push(asked);
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n");
        let stream = stream.get_mut();
        // A client that has disconnected needs no answer.
        let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len());
        let _ = stream.flush();
    }

    fn answer(&self, asked: &TokenRequest) -> (u16, serde_json::Value) {
        if asked.all("service") != [SERVICE] {
            return (400, serde_json::json!({ "error": "invalid_request" }));
        }
        let mut next = None;
        let user = if asked.method == "POST" {
            let mut refresh = self.refresh.lock().expect("a lock");
            let sent = asked.all("refresh_token");
            if asked.all("grant_type") != ["refresh_token"] || refresh.as_deref() != sent.first().copied() {
                return (
                    400,
                    serde_json::json!({ "error": "invalid_grant", "error_description": "no such token" }),
                );
            }
            next = refresh.as_ref().map(|token| format!("{token}+"));
            refresh.clone_from(&next);
            self.rules.users.first()
        } else if asked.authorization.is_empty() && self.rules.anonymous {
            None
        } else {
            let is_user = |user: &&User| {
                asked.authorization
                    == format!("Basic {}", STANDARD.encode(format!("{}:{}", user.name, user.password)))
            };
            match self.rules.users.iter().find(is_user) {
                None => {
                    return (
                        401,
                        serde_json::json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "who are you?" }] }),
                    );
                }
                user => user,
            }
        };
        let token = self.sign(user, &asked.all("scope").join(" "));
        let mut answer =
            serde_json::json!({ "access_token": token, "expires_in": self.rules.told.as_secs() });
        if let Some(next) = next {
            answer["refresh_token"] = next.into();
        }
        (200, answer)
    }

    /// A JWT with those of `scopes` that `user` is permitted.
    fn sign(&self, user: Option<&User>, scopes: &str) -> String {
        let granted = scopes.split_whitespace().filter_map(|scope| {
            let (repository, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
            let pushes = user.is_some_and(|user| repository.starts_with(user.pushes_to));
            let actions: Vec<&str> =
                actions.split(',').filter(|action| *action == "pull" || pushes).collect();
            Some(serde_json::json!({ "type": "repository", "name": repository, "actions": actions }))
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        // The registry accepts a token for 60 seconds longer than its lifetime (distribution 2.8, `token.Leeway`).
        let until = now + self.rules.lifetime.as_secs() - 60;
        let header = serde_json::json!({ "typ": "JWT", "alg": "RS256", "x5c": [self.certificate] });
        let claims = serde_json::json!({
            "iss": ISSUER, "aud": SERVICE, "sub": user.map(|user| user.name).unwrap_or_default(), "iat": now, "nbf": now - 60,
            "exp": until, "jti": now.to_string(), "access": granted.collect::<Vec<_>>(),
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let mut command = Command::new("openssl");
        command
            .args(["dgst", "-sha256", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut openssl = command.spawn().expect("openssl");
        openssl.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
        let signature = openssl.wait_with_output().expect("a signature").stdout;
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
