//! A real `docker-registry` process for one test: it has a port and a storage folder of its own, is ready when it is
//! returned, and is killed when it is dropped.
//!
//! ```ignore
//! let registry = DockerRegistry::start(Auth::None);
//! connect(&registry.endpoint(), &options);
//! ```

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The keys of `storage` that allow deletion.
const DELETES: &str = "  delete:\n    enabled: true\n";

/// The clients that the registry accepts.
pub enum AcceptedClients {
    /// Everybody.
    None,
    /// A user with a password, by Basic authentication.
    Basic {
        /// The user.
        username: &'static str,
        /// The password.
        password: &'static str,
    },
    /// Clients with a token of a token server.
    Token {
        /// The address of the token server.
        realm: String,
        /// The certificate of the key that the token server signs with.
        certificate: PathBuf,
    },
}

/// The name of the service: the registry and its token server use it for the registry.
pub const SERVICE: &str = "test-registry";
/// The name of its token server.
pub const ISSUER: &str = "test-issuer";

/// A certificate authority with one certificate for servers and one for clients: `ca.pem`, `host.pem` and `host.key`,
/// `client.pem` and `client.key`.
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// Makes an authority with a key of its own.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        make_certificates(folder.path());
        Self { folder }
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A running registry.
pub struct DockerRegistry {
    process: Process,
    folder: tempfile::TempDir,
    port: u16,
    ca: Option<PathBuf>,
    certificates: Option<tempfile::TempDir>,
}

impl DockerRegistry {
    /// Starts one that uses plain http.
    pub fn start(auth: &AcceptedClients) -> Self {
        Self::launch(auth, false, DELETES)
    }

    /// Starts one that accepts no pushes: it is read-only, for maintenance.
    pub fn start_read_only(auth: &AcceptedClients) -> Self {
        Self::launch(auth, false, &format!("{DELETES}  maintenance:\n    readonly:\n      enabled: true\n"))
    }

    /// Starts one that deletes nothing, which is the default.
    pub fn start_without_deleting(auth: &AcceptedClients) -> Self {
        Self::launch(auth, false, "")
    }

    /// Starts one that uses TLS with the certificate of `authority` and, if `mutual`, accepts only clients with a certificate by it.
    pub fn start_tls_by(authority: &Authority, auth: &AcceptedClients, mutual: bool) -> Self {
        Self::launch_in(authority.folder.path(), auth, Some(mutual), DELETES)
    }

    /// Starts one that uses TLS, with a certificate for `localhost` and `127.0.0.1` by a certificate authority of
    /// its own.
    pub fn start_tls(auth: &AcceptedClients) -> Self {
        Self::launch(auth, true, DELETES)
    }

    fn launch(auth: &AcceptedClients, tls: bool, storage: &str) -> Self {
        let certificates = tempfile::tempdir().expect("a folder");
        if tls {
            make_certificates(certificates.path());
        }
        let mut registry = Self::launch_in(certificates.path(), auth, tls.then_some(false), storage);
        registry.certificates = Some(certificates);
        registry
    }

    /// `tls` says whether clients need a certificate; `None` means no TLS. `storage` adds keys to that section.
    fn launch_in(certificates: &Path, auth: &AcceptedClients, tls: Option<bool>, storage: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ca = tls.is_some().then(|| certificates.join("ca.pem"));
        let auth = match auth {
            AcceptedClients::None => String::new(),
            AcceptedClients::Basic { username, password } => {
                let file = folder.path().join("htpasswd");
                let output = run(Command::new("htpasswd").args(["-nbB", username, password]));
                fs::write(&file, output).expect("the password file");
                format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display())
            }
            AcceptedClients::Token { realm, certificate } => format!(
                "auth:\n  token:\n    realm: {realm}\n    service: {SERVICE}\n    issuer: {ISSUER}\n    rootcertbundle: {}\n",
                certificate.display()
            ),
        };
        // Another process may take the port in the meantime; in that case, try the next one.
        for _ in 0..10 {
            let port = free_port();
            let folder_path = folder.path().display();
            let from = certificates.display();
            let tls = match tls {
                None => String::new(),
                Some(mutual) => {
                    let clients = if mutual {
                        format!("    clientcas:\n      - {from}/ca.pem\n")
                    } else {
                        String::new()
                    };
                    format!("  tls:\n    certificate: {from}/host.pem\n    key: {from}/host.key\n{clients}")
                }
            };
            let config = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {folder_path}/data\n{storage}validation:\n  manifests:\n    urls:\n      allow:\n        - ^https://example\\.com/\nhttp:\n  addr: 127.0.0.1:{port}\n{tls}{auth}"
            );
            let config_path = folder.path().join("config.yml");
            fs::write(&config_path, config).expect("the configuration");
            let log = fs::File::create(folder.path().join("log")).expect("the log");
            let requests = fs::File::create(folder.path().join("requests")).expect("the log of requests");
            let process = Command::new("docker-registry")
                .arg("serve")
                .arg(&config_path)
                .stdin(Stdio::null())
                .stdout(requests)
                .stderr(log)
                .spawn()
                .expect("docker-registry is installed (Debian: apt-get install docker-registry)");
            let mut process = Process(process);
            if process.wait_until_ready(port) {
                return Self { process, folder, port, ca, certificates: None };
            }
        }
        panic!("docker-registry did not start");
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The digest that a tag names, read from the registry's files.
    pub fn tagged(&self, repository: &str, tag: &str) -> Option<String> {
        let link = format!("docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link");
        fs::read_to_string(self.data().join(link)).ok()
    }

    /// The certificate of its authority, if it uses TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// The requests that it has answered, as `METHOD path status`, in the order of the answers.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("requests")).expect("the log of requests");
        log.lines()
            .filter_map(|line| {
                let (_, rest) = line.split_once('"')?;
                let (request, rest) = rest.split_once('"')?;
                let mut words = request.split(' ');
                let (method, path) = (words.next()?, words.next()?);
                Some(format!("{method} {path} {}", rest.split_whitespace().next()?))
            })
            .collect()
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.process.0.id()
    }

    /// The folder of its content.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A child process that is killed when its owner is dropped.
struct Process(Child);

impl Process {
    fn wait_until_ready(&mut self, port: u16) -> bool {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if self.0.try_wait().expect("its status").is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its address").port()
}

/// Makes a certificate authority and two certificates by it: `ca.pem`, `host.pem` with `host.key`, `client.pem` with `client.key`.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        run(Command::new("openssl").args(arguments.split('|')).current_dir(folder));
    };
    openssl("req|-x509|-newkey|rsa:2048|-nodes|-days|2|-subj|/CN=test authority|-keyout|ca.key|-out|ca.pem");
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:registry.test,DNS:auth.test\n";
    fs::write(folder.join("host.names"), names).expect("the names");
    fs::write(folder.join("client.names"), "extendedKeyUsage=clientAuth\n").expect("the use");
    for name in ["host", "client"] {
        openssl(&format!("req|-newkey|rsa:2048|-nodes|-subj|/CN={name}|-keyout|{name}.key|-out|{name}.csr"));
        openssl(&format!(
            "x509|-req|-in|{name}.csr|-CA|ca.pem|-CAkey|ca.key|-CAcreateserial|-days|2|-extfile|{name}.names|-out|{name}.pem"
        ));
    }
}

/// Runs a program to its end, and returns what it printed.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}: {said}", output.status);
    output.stdout
}
