//! The locations of Docker's and podman's credential files, and their texts. `file` parses them.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::CredentialMemory;
use crate::error::{CredentialError, RegistryError};

/// The largest credential file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// A credential file.
pub(super) struct CredentialFile {
    pub(super) path: PathBuf,
    /// Whether it may be a pipe, such as a shell's `<(…)`.
    pub(super) may_be_pipe: bool,
    /// Its name for people, with the home folder shortened.
    pub(super) shown: String,
}

/// Returns the credential files in order, whether they exist or not (containers-auth.json(5), docker-login(1)). `run`
/// is `/run`, if it may be searched.
pub(super) fn all(variable: &dyn Fn(&str) -> Option<String>, run: Option<&Path>) -> Vec<CredentialFile> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let home = folder("HOME").or_else(|| folder("USERPROFILE"));
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let podman = |folder: PathBuf| folder.join("containers/auth.json");
    let runtime = match folder("XDG_RUNTIME_DIR") {
        Some(folder) => Some(podman(folder)),
        None => run.and_then(of_user),
    };
    let docker = folder("DOCKER_CONFIG").or_else(|| below_home(".docker"));
    let sources = [
        folder("REGISTRY_AUTH_FILE").map(|path| (path, true)),
        runtime.map(|path| (path, false)),
        folder("XDG_CONFIG_HOME").or_else(|| below_home(".config")).map(|folder| (podman(folder), false)),
        docker.map(|folder| (folder.join("config.json"), false)),
    ];
    let file = |(path, may_be_pipe): (PathBuf, bool)| {
        let inner = home.as_ref().filter(|home| home.parent().is_some());
        let inner = inner.and_then(|home| path.strip_prefix(home).ok());
        let shown = match inner {
            Some(inner) => format!("`~/{}`", inner.display()),
            None => format!("`{}`", path.display()),
        };
        CredentialFile { path, may_be_pipe, shown }
    };
    sources.into_iter().flatten().map(file).collect()
}

/// Returns podman's file below `run` for when `XDG_RUNTIME_DIR` is not set. On Linux its path contains the number of
/// the user, which is the owner of the process's entry in `/proc` (proc(5)).
#[cfg(target_os = "linux")]
fn of_user(run: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let user = std::fs::metadata("/proc/self").ok()?.uid();
    Some(run.join(format!("containers/{user}/auth.json")))
}

/// On other systems podman's file is only in the home folder.
#[cfg(not(target_os = "linux"))]
fn of_user(_run: &Path) -> Option<PathBuf> {
    None
}

impl CredentialFile {
    /// Returns the file at `path`, which somebody named.
    pub(super) fn named(path: PathBuf) -> Self {
        let shown = format!("`{}`", path.display());
        Self { path, may_be_pipe: false, shown }
    }

    /// Returns the text; `None` if there is no such file. A pipe is read only once in a run, and `memory` keeps its
    /// text; the wait for it is limited to `patience`.
    pub(super) fn text(
        &self,
        memory: &CredentialMemory,
        patience: Duration,
    ) -> Result<Option<String>, RegistryError> {
        let error = |cause: io::Error| -> RegistryError {
            CredentialError::Unreadable { file: self.shown.clone(), cause: Arc::new(cause) }.into()
        };
        let kind = match std::fs::metadata(&self.path) {
            Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            metadata => metadata.map_err(error)?.file_type(),
        };
        if kind.is_file() {
            return bounded(&self.path).map(Some).map_err(error);
        }
        if kind.is_dir() {
            return Err(error(ErrorKind::IsADirectory.into()));
        }
        if !self.may_be_pipe {
            return Err(error(io::Error::other("it is not a regular file")));
        }
        let read = || piped(self.path.clone(), patience).map_err(error);
        memory.piped(&self.path, read).map(Some)
    }
}

/// Returns the text of a file that yields at most [`MAX_FILE`] bytes, whatever size it reports.
fn bounded(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE} bytes")));
    }
    String::from_utf8(text).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Returns the text of a pipe. Opening it waits for a writer, and reading it waits for the writer to finish. A thread
/// that waits in vain ends with the process.
fn piped(path: PathBuf, patience: Duration) -> io::Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        // The receiver may have given up.
        let _ = sender.send(bounded(&path));
    })?;
    receiver.recv_timeout(patience).unwrap_or_else(|_| {
        Err(io::Error::other(format!("it is not a regular file, and did not end within {patience:?}")))
    })
}

#[cfg(all(test, unix))]
#[path = "files_tests.rs"]
mod tests;
