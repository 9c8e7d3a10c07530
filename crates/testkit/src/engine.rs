//! Container engines with stores of their own, and operations on them: buildah and podman on one store, and a Docker
//! Engine that runs no containers (it needs root).
//!

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a program to its end, and returns its output. The test fails if the program is missing or fails.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.unwrap_or_else(|error| panic!("cannot run {command:?}, which this test needs: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}: {said}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a program in `folder`.
pub fn run_in(folder: &Path, program: &str, arguments: &[&str]) -> String {
    run(Command::new(program).args(arguments).current_dir(folder))
}

/// A store of buildah and podman, in a folder.
pub struct Store(pub PathBuf);

impl Store {
    /// Makes a store in `folder`; everything else that is written goes into that folder too.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Prepares `buildah` or `podman` with this store.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(["--storage-driver", "vfs", "--root"])
            .arg(self.0.join("root"))
            .arg("--runroot")
            .arg(self.0.join("run"))
            .current_dir(&self.0)
            .env("BUILDAH_ISOLATION", "chroot")
            .env("TMPDIR", &self.0);
        command
    }

    /// Runs buildah.
    pub fn buildah(&self, arguments: &[&str]) -> String {
        run(self.command("buildah").args(arguments))
    }

    /// Runs podman.
    pub fn podman(&self, arguments: &[&str]) -> String {
        run(self.command("podman").args(arguments))
    }

    /// Builds an image with one layer for each of `layers`: the name of its file and the content.
    pub fn image(&self, name: &str, layers: &[(&str, &str)]) {
        let mut from = "scratch".to_owned();
        for (position, (file, contents)) in layers.iter().enumerate() {
            fs::write(self.0.join(file), contents).expect("written");
            let container = self.buildah(&["from", &from]);
            self.buildah(&["copy", &container, file, "/"]);
            self.buildah(&["config", "--os", "linux", "--arch", "amd64", "--cmd", "/hello", &container]);
            let part = if position + 1 == layers.len() {
                name.to_owned()
            } else {
                format!("part-{position}-{name}")
            };
            self.buildah(&["commit", &container, &part]);
            self.buildah(&["rm", &container]);
            from = part;
        }
    }

    /// Starts podman's service on a socket of its own.
    pub fn service(&self) -> TestEngine {
        let socket = self.0.join("podman.sock");
        let mut command = self.command("podman");
        command.args(["system", "service", "--time", "0"]).arg(format!("unix://{}", socket.display()));
        TestEngine::start(command, socket)
    }
}

/// A running engine; it stops when its owner is dropped.
pub struct TestEngine {
    process: Child,
    /// The address that it listens on.
    pub socket: PathBuf,
}

impl TestEngine {
    /// Starts a Docker Engine that keeps everything in `folder`.
    pub fn docker(folder: &Path) -> Self {
        Self::docker_with(folder, &[])
    }

    /// Starts a Docker Engine with additional arguments.
    pub fn docker_with(folder: &Path, arguments: &[&str]) -> Self {
        let folder = folder.join("engine");
        fs::create_dir_all(&folder).expect("a folder");
        let socket = folder.join("docker.sock");
        let mut command = Command::new("dockerd");
        command
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"])
            .arg(format!("--data-root={}", folder.join("data").display()))
            .arg(format!("--exec-root={}", folder.join("exec").display()))
            .arg(format!("--pidfile={}", folder.join("pid").display()))
            .arg(format!("--host=unix://{}", socket.display()))
            .args(arguments);
        Self::start(command, socket)
    }

    fn start(mut command: Command, socket: PathBuf) -> Self {
        let log_path = socket.with_extension("log");
        let log = fs::File::create(&log_path).expect("the log");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let process =
            process.unwrap_or_else(|error| panic!("cannot run {command:?}, which this test needs: {error}"));
        let mut engine = Self { process, socket };
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            if engine.process.try_wait().expect("its status").is_some() {
                break;
            }
            if engine.answers() {
                return engine;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{command:?} did not start: {}", fs::read_to_string(log_path).unwrap_or_default());
    }

    fn answers(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::os::unix::net::UnixStream::connect(&self.socket) else { return false };
        let wait = Some(Duration::from_secs(5));
        if stream.set_read_timeout(wait).is_err() || stream.set_write_timeout(wait).is_err() {
            return false;
        }
        let asked = stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    /// The value of `DOCKER_HOST` for it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Runs docker against it.
    pub fn run(&self, arguments: &[&str]) -> String {
        run(Command::new("docker")
            .args(arguments)
            .env("DOCKER_HOST", self.host())
            .env_remove("DOCKER_CONTEXT"))
    }
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        // The engine stops its child processes if it is asked to end, but not if it is killed.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(20) {
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
