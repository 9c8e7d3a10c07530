//! The folder of the store and its driver: [`StorePlace`].

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::read::read_bounded;
use super::super::{SourceError, Surroundings};
use oci_registry::manifest::MAX_MANIFEST_SIZE;

/// The drivers whose layers are files in folders, the usual one first.
const DRIVERS: [&str; 2] = ["overlay", "vfs"];
/// The largest list of images or layers that is read, in bytes.
const MAX_RECORDS: u64 = 256 * 1024 * 1024;

/// The store that a source names.
pub(super) struct StorePlace {
    /// The folder of the store (`graphroot`).
    pub(super) root: PathBuf,
    /// The driver.
    pub(super) driver: String,
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store `{}`", self.root.display())
    }
}

impl StorePlace {
    /// Finds the store `[DRIVER@]ROOT[+RUNROOT][:OPTIONS]`, or the one of this user. A store that the source names is a file like others,
    /// so it must be within the folders that files may be read from.
    pub(super) fn find(store: Option<&str>, surroundings: &Surroundings) -> Result<Self, SourceError> {
        let (driver, root) = match store {
            Some(text) => {
                let (driver, rest) =
                    text.split_once('@').map_or((None, text), |(driver, rest)| (Some(driver), rest));
                let end = rest.find(['+', ':']).unwrap_or(rest.len());
                let root = rest.get(..end).unwrap_or(rest);
                surroundings.check(root)?;
                (driver.map(str::to_owned), surroundings.folder.join(root))
            }
            None => of_user(surroundings),
        };
        let has = |root: &Path, driver: &str| root.join(format!("{driver}-images/images.json")).is_file();
        let driver = match driver.filter(|name| !name.is_empty()) {
            Some(driver) if DRIVERS.contains(&driver.as_str()) => driver,
            Some(driver) => {
                return Err(SourceError::Unsupported {
                    reason: format!("the store `{}` has the driver `{driver}`, which is not supported", root.display()),
                    help: "save the image and publish the file: `podman save --output FILE IMAGE`, `docker-archive:FILE`".to_owned(),
                });
            }
            None => DRIVERS.into_iter().find(|driver| has(&root, driver)).unwrap_or("overlay").to_owned(),
        };
        let place = Self { root, driver };
        if has(&place.root, &place.driver) {
            return Ok(place);
        }
        match fs::metadata(place.images().join("images.json")) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Err(place.unreadable(&place.images().join("images.json"), error))
            }
            _ => Err(SourceError::Engine {
                reason: format!("{place} holds no images: there is no `{}-images/images.json` in it", place.driver),
                help: "build the image with podman or buildah as the same user, or name another store: \
                       `containers-storage:[overlay@/path/to/storage]NAME` (`podman info --format '{{.Store.GraphRoot}}'` shows \
                       the folder)"
                    .to_owned(),
            }),
        }
    }

    fn images(&self) -> PathBuf {
        self.root.join(format!("{}-images", self.driver))
    }

    /// The bytes of `images.json`, and the file for people.
    pub(super) fn image_list(&self) -> Result<(Vec<u8>, String), SourceError> {
        self.read(&self.images().join("images.json"), MAX_RECORDS)
    }

    /// The bytes of a list of layers, and the file for people; nothing if there is no such list.
    pub(super) fn layer_list(&self, name: &str) -> Result<Option<(Vec<u8>, String)>, SourceError> {
        let path = self.layers().join(name);
        if path.is_file() { self.read(&path, MAX_RECORDS).map(Some) } else { Ok(None) }
    }

    /// The folder of the records of layers.
    pub(super) fn layers(&self) -> PathBuf {
        self.root.join(format!("{}-layers", self.driver))
    }

    /// The folder with the files of the layer `id`.
    pub(super) fn layer_files(&self, id: &str) -> PathBuf {
        match self.driver.as_str() {
            "vfs" => self.root.join("vfs/dir").join(id),
            driver => self.root.join(driver).join(id).join("diff"),
        }
    }

    /// The bytes that the store keeps under `key` of the image `id`, and the file for people. Keys that are not simple names are
    /// encoded (containers/storage, `makeBigDataBaseName`).
    pub(super) fn image_data(&self, id: &str, key: &str) -> Result<(Vec<u8>, String), SourceError> {
        let plain = key.chars().all(|c| c == '.' || c.is_ascii_digit() || c.is_ascii_lowercase());
        let name = if plain { key.to_owned() } else { format!("={}", STANDARD.encode(key)) };
        self.read(&self.images().join(id).join(name), MAX_MANIFEST_SIZE)
    }

    fn read(&self, path: &Path, limit: u64) -> Result<(Vec<u8>, String), SourceError> {
        let file = fs::File::open(path).map_err(|error| self.unreadable(path, error))?;
        let bytes = read_bounded(file, limit).map_err(|error| self.unreadable(path, error))?;
        Ok((bytes, format!("`{}`", path.display())))
    }

    /// The error for a file of the store that cannot be read.
    pub(super) fn unreadable(&self, path: &Path, error: io::Error) -> SourceError {
        if error.kind() != ErrorKind::PermissionDenied {
            return SourceError::io(format!("`{}`", path.display()), error);
        }
        SourceError::Engine {
            reason: format!("cannot read `{}` in {self}: {error}", path.display()),
            help: "files of a rootless store belong to the users of its containers: run the command within their name space \
                   (`podman unshare brokkr-publish …` or `buildah unshare brokkr-publish …`), or save the image to a file and publish \
                   `docker-archive:FILE`"
                .to_owned(),
        }
    }
}

/// The driver, if it is configured, and the folder of this user's store (containers-storage.conf(5)).
fn of_user(surroundings: &Surroundings) -> (Option<String>, PathBuf) {
    let variable = |name: &str| (surroundings.environment)(name).filter(|value| !value.is_empty());
    let driver = variable("STORAGE_DRIVER");
    // `podman unshare` and `buildah unshare` set it.
    if let Some(root) = variable("CONTAINERS_GRAPHROOT") {
        return (driver, root.into());
    }
    let home = variable("HOME").map(PathBuf::from);
    let below = |name: &str, default: &str| {
        variable(name).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(default)))
    };
    let is_rootless = variable("_CONTAINERS_ROOTLESS_UID").is_some_and(|uid| uid != "0") || !is_root();
    let mut files: Vec<PathBuf> = Vec::new();
    if let Some(file) = variable("CONTAINERS_STORAGE_CONF") {
        files.push(file.into());
    } else {
        if is_rootless {
            files.extend(below("XDG_CONFIG_HOME", ".config").map(|it| it.join("containers/storage.conf")));
        }
        files.extend(
            ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"].map(PathBuf::from),
        );
    }
    let own = files.first().cloned();
    let Some((file, text)) = files.iter().find_map(|file| Some((file, fs::read_to_string(file).ok()?)))
    else {
        return (driver, default_root(is_rootless, below("XDG_DATA_HOME", ".local/share")));
    };
    let driver = driver.or_else(|| setting(&text, "driver"));
    // The `graphroot` of a file of the system is root's.
    let key = if is_rootless && Some(file) != own.as_ref() { "rootless_storage_path" } else { "graphroot" };
    let root = setting(&text, key).map(|root| {
        let home = home.as_ref().map(|home| home.display().to_string()).unwrap_or_default();
        let user = variable("USER").unwrap_or_default();
        PathBuf::from(root.replace("$HOME", &home).replace("$USER", &user))
    });
    (driver, root.unwrap_or_else(|| default_root(is_rootless, below("XDG_DATA_HOME", ".local/share"))))
}

fn default_root(is_rootless: bool, data: Option<PathBuf>) -> PathBuf {
    match data {
        Some(data) if is_rootless => data.join("containers/storage"),
        _ => "/var/lib/containers/storage".into(),
    }
}

/// The value of a key of `[storage]`, if it is set. The file has one key on a line.
fn setting(text: &str, key: &str) -> Option<String> {
    let mut table = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            table = line;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        if table == "[storage]" && name.trim() == key {
            let value = value.trim();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let value = value.get(1..)?.split_once(quote)?.0;
            return Some(value.to_owned()).filter(|value| !value.is_empty());
        }
    }
    None
}

/// Whether the process belongs to root.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn settings_are_read_from_their_table() {
        let text = "# graphroot = \"/a\"\n[storage]\n  driver = \"vfs\" # x\ngraphroot='/srv/s'\nrunroot = \"\"\n[storage.options]\ngraphroot = \"/b\"\n";
        assert_eq!(setting(text, "driver").as_deref(), Some("vfs"));
        assert_eq!(setting(text, "graphroot").as_deref(), Some("/srv/s"));
        assert_eq!(setting(text, "runroot"), None);
        assert_eq!(setting(text, "rootless_storage_path"), None);
    }

    #[test]
    fn the_store_of_the_user_is_found_as_podman_finds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let conf = folder.path().join("storage.conf");
        fs::write(&conf, "[storage]\ndriver = \"vfs\"\ngraphroot = \"$HOME/store\"\n").expect("written");
        let conf = conf.display().to_string();
        for (variables, driver, root) in [
            (vec![("CONTAINERS_GRAPHROOT", "/srv/graph")], None, "/srv/graph"),
            (
                vec![("CONTAINERS_GRAPHROOT", "/srv/graph"), ("STORAGE_DRIVER", "overlay")],
                Some("overlay"),
                "/srv/graph",
            ),
            (
                vec![("CONTAINERS_STORAGE_CONF", conf.as_str()), ("HOME", "/home/a")],
                Some("vfs"),
                "/home/a/store",
            ),
            (
                vec![
                    ("CONTAINERS_STORAGE_CONF", "/none"),
                    ("_CONTAINERS_ROOTLESS_UID", "1000"),
                    ("XDG_DATA_HOME", "/data"),
                ],
                None,
                "/data/containers/storage",
            ),
            (
                vec![
                    ("CONTAINERS_STORAGE_CONF", "/none"),
                    ("_CONTAINERS_ROOTLESS_UID", "1000"),
                    ("HOME", "/home/a"),
                ],
                None,
                "/home/a/.local/share/containers/storage",
            ),
        ] {
            let variables: Vec<(String, String)> =
                variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let shown = format!("{variables:?}");
            let surroundings = Surroundings {
                environment: Arc::new(move |name| {
                    variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
                }),
                ..Surroundings::local(folder.path())
            };
            assert_eq!(of_user(&surroundings), (driver.map(str::to_owned), PathBuf::from(root)), "{shown}");
        }
    }
}
