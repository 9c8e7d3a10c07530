//! Checking whether a layout can be read and written, with a file that is removed at once.

use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::layout::RepositoryLayout;
use crate::error::RegistryError;
use crate::repository::Presence;

impl RepositoryLayout {
    /// Returns whether the layout exists, or an error if it cannot be read.
    pub(super) fn probe_read(&self) -> Result<Presence, RegistryError> {
        if !self.exists()? {
            return Ok(Presence::NotYet);
        }
        self.index()?;
        Ok(Presence::There)
    }

    /// Checks that files can be written into the layout or, if it does not exist, into the nearest existing folder
    /// above it. Leaves nothing behind.
    pub(super) fn probe_write(&self) -> Result<(), RegistryError> {
        self.exists()?;
        let folder = self.folder();
        let blobs = folder.join("blobs").join("sha256");
        // If a path is a file or cannot be examined, writing there reports the problem. For a relative path, the
        // nearest existing folder may be the working folder.
        let nearest = |from: &Path| {
            let there = from.ancestors().find(|above| above.symlink_metadata().is_ok());
            there.map_or_else(|| PathBuf::from("."), Path::to_owned)
        };
        let (own, inner) = (nearest(&folder), nearest(&blobs));
        drop(Draft::new(&own)?);
        if inner != own {
            drop(Draft::new(&inner)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn layout(root: &Path, name: &str) -> RepositoryLayout {
        RepositoryLayout::new(root.to_owned(), name.parse().expect(name))
    }

    /// Returns every file and folder below `root`.
    fn everything(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(root).expect("a folder") {
            let path = entry.expect("an entry").path();
            found.push(path.display().to_string());
            if path.is_dir() {
                found.extend(everything(&path));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn asking_leaves_nothing_behind() {
        let root = tempfile::tempdir().expect("a directory");
        let one = layout(&root.path().join("deep/down"), "o/n");
        assert_eq!(one.probe_read().expect("read"), Presence::NotYet);
        one.probe_write().expect("may be made");
        assert_eq!(everything(root.path()), Vec::<String>::new());
        one.make().expect("made");
        let before = everything(root.path());
        assert_eq!(one.probe_read().expect("read"), Presence::There);
        one.probe_write().expect("may be written");
        assert_eq!(everything(root.path()), before);
    }

    #[test]
    fn obstacles_are_reported() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("file"), "x").expect("a file");
        for name in ["file", "file/below"] {
            let refused = layout(root.path(), name).probe_write().expect_err(name).to_string();
            assert!(refused.contains("file"), "{refused}");
        }
        let refused = layout(&root.path().join("file"), "n").probe_write().expect_err("a file").to_string();
        assert!(refused.contains("file"), "{refused}");
        // Here the blobs of a layout cannot be written.
        let one = layout(root.path(), "n");
        one.make().expect("made");
        fs::remove_dir(one.folder().join("blobs/sha256")).expect("removed");
        fs::write(one.folder().join("blobs/sha256"), "x").expect("a file");
        assert!(one.probe_write().is_err());
        // Here the index of a layout is not valid.
        fs::write(one.folder().join("index.json"), "[").expect("a file");
        assert!(one.probe_read().is_err());
    }
}
