//! Where the credential files of Docker and podman lie, and their texts. What is in them is read by `file`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::registry::RegistryError;

/// The largest credential file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// A credential file.
pub(super) struct CredentialFile {
    path: PathBuf,
    /// Its name for people, the home folder shortened.
    pub(super) shown: String,
}

/// The credential files, in order, whether they exist or not (containers-auth.json(5), docker-login(1)).
pub(super) fn all(variable: &dyn Fn(&str) -> Option<String>) -> Vec<CredentialFile> {
    let folder = |name: &str| variable(name).map(PathBuf::from);
    let home = folder("HOME").or_else(|| folder("USERPROFILE"));
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let podman = |folder: PathBuf| folder.join("containers/auth.json");
    let docker = folder("DOCKER_CONFIG").or_else(|| below_home(".docker"));
    let places = [
        folder("REGISTRY_AUTH_FILE"),
        folder("XDG_RUNTIME_DIR").map(podman),
        folder("XDG_CONFIG_HOME").or_else(|| below_home(".config")).map(podman),
        docker.map(|folder| folder.join("config.json")),
    ];
    let file = |path: PathBuf| {
        let inner = home.as_ref().filter(|home| home.parent().is_some());
        let inner = inner.and_then(|home| path.strip_prefix(home).ok());
        let shown = match inner {
            Some(inner) => format!("`~/{}`", inner.display()),
            None => format!("`{}`", path.display()),
        };
        CredentialFile { path, shown }
    };
    places.into_iter().flatten().map(file).collect()
}

impl CredentialFile {
    /// The text; `None` where there is no such file.
    pub(super) fn text(&self) -> Result<Option<String>, RegistryError> {
        let error = |reason: String| RegistryError::Credentials {
            reason: format!("cannot read credentials from {}: {reason}", self.shown),
            help: "make it readable, or move it away and log in again".to_owned(),
        };
        let path: &Path = &self.path;
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() > MAX_FILE => {
                return Err(error(format!("{} bytes are too many", metadata.len())));
            }
            Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            _ => {}
        }
        std::fs::read_to_string(path).map(Some).map_err(|cause| error(cause.to_string()))
    }
}
