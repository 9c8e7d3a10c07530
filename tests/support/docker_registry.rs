//! A real `docker-registry` process for one test: a port and a storage folder of its own, ready when it is
//! returned, killed when it is dropped. Nothing else of a test lives here.
//!
//! ```ignore
//! let registry = DockerRegistry::start(Auth::None);
//! connect(&registry.endpoint(), &options);
//! ```

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whom the registry lets in.
pub enum Auth {
    /// Everybody.
    None,
    /// A user with a password, by Basic authentication.
    Basic {
        /// The user.
        username: &'static str,
        /// The password.
        password: &'static str,
    },
}

/// A running registry.
pub struct DockerRegistry {
    process: Process,
    folder: tempfile::TempDir,
    port: u16,
    ca: Option<PathBuf>,
}

impl DockerRegistry {
    /// One that speaks plain http.
    pub fn start(auth: &Auth) -> Self {
        Self::launch(auth, false, true)
    }

    /// One that takes nothing: it is read-only, for maintenance.
    pub fn start_read_only(auth: &Auth) -> Self {
        Self::launch_with(auth, false, true, "  maintenance:\n    readonly:\n      enabled: true\n")
    }

    /// One that deletes nothing, as it is by default.
    pub fn start_without_deleting(auth: &Auth) -> Self {
        Self::launch(auth, false, false)
    }

    /// One that speaks TLS, with a certificate for `localhost` and `127.0.0.1` by a certificate authority of
    /// its own.
    pub fn start_tls(auth: &Auth) -> Self {
        Self::launch(auth, true, true)
    }

    fn launch(auth: &Auth, tls: bool, deletes: bool) -> Self {
        Self::launch_with(auth, tls, deletes, "")
    }

    /// With more keys of `storage`.
    fn launch_with(auth: &Auth, tls: bool, deletes: bool, storage: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ca = tls.then(|| make_certificates(folder.path()));
        let auth = match auth {
            Auth::None => String::new(),
            Auth::Basic { username, password } => {
                let file = folder.path().join("htpasswd");
                let output = run(Command::new("htpasswd").args(["-nbB", username, password]));
                fs::write(&file, output).expect("the password file");
                format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display())
            }
        };
        // Another process may take the port between here and there: then try the next one.
        for _ in 0..10 {
            let port = free_port();
            let folder_path = folder.path().display();
            let tls = if tls {
                format!("  tls:\n    certificate: {folder_path}/host.pem\n    key: {folder_path}/host.key\n")
            } else {
                String::new()
            };
            let config = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {folder_path}/data\n  delete:\n    enabled: {deletes}\n{storage}validation:\n  manifests:\n    urls:\n      allow:\n        - ^https://example\\.com/\nhttp:\n  addr: 127.0.0.1:{port}\n{tls}{auth}"
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
                return Self { process, folder, port, ca };
            }
        }
        panic!("docker-registry did not start");
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The certificate of its authority, where it speaks TLS.
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

    /// Where it keeps its content.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A child process that does not outlive its owner.
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

/// Makes a certificate authority and a certificate by it: `ca.pem`, `host.pem`, `host.key`.
fn make_certificates(folder: &Path) -> PathBuf {
    let openssl = |arguments: &[&str]| {
        run(Command::new("openssl").args(arguments).current_dir(folder));
    };
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ]);
    openssl(&[
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "host.key",
        "-out",
        "host.csr",
    ]);
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").expect("the names");
    openssl(&[
        "x509",
        "-req",
        "-in",
        "host.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        "host.pem",
    ]);
    folder.join("ca.pem")
}

/// Runs a program to its end, and returns what it printed.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}: {said}", output.status);
    output.stdout
}
