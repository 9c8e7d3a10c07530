//! A file that exists whole or not at all: it is written beside its place, made durable, and renamed.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::error;
use crate::error::RegistryError;

/// The start of the names of unfinished files. No repository's name starts with a dot.
pub(super) const PREFIX: &str = ".brokkr-publish-";
/// The end of the names of unfinished files.
pub(super) const SUFFIX: &str = ".tmp";

/// An unfinished file, removed when dropped. A killed run leaves it behind; it has no meaning, and is removed when it
/// is old.
pub(super) struct Draft(NamedTempFile);

impl Draft {
    /// Creates a new file in `folder`.
    pub(super) fn new(folder: &Path) -> Result<Self, RegistryError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            // Others may read it, within the limits of the umask; temporary files are private by default.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder).map(Self).map_err(|cause| error(folder, cause))
    }

    /// Adds `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        self.0.as_file_mut().write_all(bytes).map_err(|cause| error(self.0.path(), cause))
    }

    /// Gives the file its name, replacing any file that had it. From then on it survives a crash of the machine.
    pub(super) fn finish(self, place: &Path) -> Result<(), RegistryError> {
        self.0.as_file().sync_all().map_err(|cause| error(self.0.path(), cause))?;
        self.0.persist(place).map_err(|cause| error(place, cause.error))?;
        make_durable(place.parent().unwrap_or(place))
    }
}

/// Writes `bytes` to `place`, through an unfinished file in `folder`, on the same file system.
pub(super) fn write(folder: &Path, place: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let mut draft = Draft::new(folder)?;
    draft.write(bytes)?;
    draft.finish(place)
}

/// Makes the names in `folder` survive a crash of the machine.
pub(super) fn make_durable(folder: &Path) -> Result<(), RegistryError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| error(folder, cause))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a directory");
        let place = folder.path().join("a");
        let mut draft = Draft::new(folder.path()).expect("a draft");
        draft.write(b"one").expect("written");
        assert!(!place.exists());
        drop(draft);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a listing").count(), 0);
        for text in ["two", "three"] {
            write(folder.path(), &place, text.as_bytes()).expect("written");
            assert_eq!(std::fs::read_to_string(&place).expect("a file"), text);
        }
        assert!(write(&folder.path().join("missing"), &place, b"").is_err());
    }
}
