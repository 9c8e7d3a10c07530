//! The paths of a layout, and creating one (image-spec, image-layout.md).

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::index::LayoutIndex;
use super::{draft, error, lock, wrong};
use crate::digest::Digest;
use crate::error::{DirectoryProblem, RegistryError};
use crate::manifest::MAX_MANIFEST_SIZE;
use crate::reference::RepositoryName;

/// The file that makes a directory a layout.
const MARKER: &str = "oci-layout";
/// The content of that file.
const MARKER_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The file that names the manifests.
const INDEX: &str = "index.json";
/// The other parts of a layout: a repository with one of these names cannot be below another one.
const PARTS: [&str; 3] = ["blobs", INDEX, MARKER];
/// The largest `index.json` that is read, in bytes: about 200,000 tags.
const MAX_INDEX: u64 = 64 * 1024 * 1024;
/// How long an unfinished file is kept after the last write to it.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// The layout of one repository, which need not exist.
#[derive(Debug, Clone)]
pub(super) struct RepositoryLayout {
    root: PathBuf,
    name: RepositoryName,
}

impl RepositoryLayout {
    /// Returns the layout of repository `name` in the registry at `root`.
    pub(super) fn new(root: PathBuf, name: RepositoryName) -> Self {
        Self { root, name }
    }

    /// Returns the layout of another repository of the registry.
    pub(super) fn sibling(&self, name: RepositoryName) -> Self {
        Self::new(self.root.clone(), name)
    }

    /// Returns its directory.
    pub(super) fn folder(&self) -> PathBuf {
        self.root.join(self.name.as_str())
    }

    /// Returns the path of the content with `digest`, which need not exist.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder().join("blobs").join(digest.algorithm()).join(digest.hex())
    }

    /// Whether the layout exists. It is an error if something else is in its place.
    pub(super) fn exists(&self) -> Result<bool, RegistryError> {
        let mut folder = self.root.clone();
        for part in self.name.as_str().split('/') {
            let is_layout = folder.join(MARKER).is_file();
            if is_layout && folder == self.root {
                let reason = "this is an image layout itself; a registry is a directory of layouts";
                return Err(wrong(&folder, DirectoryProblem::IsLayout, reason));
            }
            if is_layout && PARTS.contains(&part) {
                let reason = format!("repository `{}` would be inside another one", self.name);
                return Err(wrong(&folder, DirectoryProblem::Nested, reason));
            }
            folder.push(part);
        }
        match fs::read(folder.join(MARKER)) {
            Ok(marker) => {
                let version = serde_json::from_slice::<Value>(&marker).ok();
                let version =
                    version.as_ref().and_then(|it| it.get("imageLayoutVersion")).and_then(Value::as_str);
                if version.is_some_and(|version| version.starts_with("1.")) {
                    return Ok(true);
                }
                let reason = "its `oci-layout` does not name a known version: expected 1.0.0";
                Err(wrong(&folder, DirectoryProblem::Occupied, reason))
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => match self.is_free(&folder) {
                // Another writer created the layout between the two checks. The marker is written first, so its
                // presence proves that.
                Err(_) if folder.join(MARKER).is_file() => Ok(true),
                free => free.map(|()| false),
            },
            Err(cause) => Err(error(&folder, cause)),
        }
    }

    /// Checks that a layout may be created at `folder`: only other repositories and hidden files are there.
    fn is_free(&self, folder: &Path) -> Result<(), RegistryError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(error(folder, cause)),
        };
        for entry in entries {
            let entry = entry.map_err(|cause| error(folder, cause))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_file = !name.starts_with('.') && entry.file_type().is_ok_and(|it| !it.is_dir());
            if is_file || PARTS.contains(&name.as_ref()) {
                let reason = format!(
                    "it exists and is not an image layout (it holds `{name}` but no `oci-layout`), so repository `{}` cannot be there",
                    self.name
                );
                return Err(wrong(folder, DirectoryProblem::Occupied, reason));
            }
        }
        Ok(())
    }

    /// Creates the layout if it does not exist, marker first: a run that is killed half-way leaves nothing that the
    /// next run would mistake for something else.
    pub(super) fn make(&self) -> Result<(), RegistryError> {
        self.exists()?;
        let folder = self.folder();
        let blobs = folder.join("blobs").join("sha256");
        if folder.join(MARKER).is_file() && folder.join(INDEX).is_file() && blobs.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(|cause| error(&folder, cause))?;
        let _lock = lock::take(&folder)?;
        if !self.exists()? {
            draft::write(&folder, &folder.join(MARKER), MARKER_TEXT.as_bytes())?;
        }
        fs::create_dir_all(&blobs).map_err(|cause| error(&blobs, cause))?;
        if !folder.join(INDEX).is_file() {
            draft::write(&folder, &folder.join(INDEX), &LayoutIndex::empty().to_bytes())?;
        }
        let mut parent = blobs.as_path();
        while let Some(next) = parent.parent().filter(|_| parent != self.root) {
            draft::make_durable(parent)?;
            parent = next;
        }
        Ok(())
    }

    /// Returns its index. A layout without an index is treated as one with an empty index.
    pub(super) fn index(&self) -> Result<LayoutIndex, RegistryError> {
        let path = self.folder().join(INDEX);
        match read(&path, MAX_INDEX)? {
            None => Ok(LayoutIndex::empty()),
            Some(bytes) => {
                LayoutIndex::parse(&bytes).map_err(|reason| wrong(&path, DirectoryProblem::Damaged, reason))
            }
        }
    }

    /// Changes its index under the lock: no change of another writer is lost, and no reader sees half of one.
    pub(super) fn change_index(&self, change: impl FnOnce(&mut LayoutIndex)) -> Result<(), RegistryError> {
        self.change_index_and(change, |()| Ok(()))
    }

    /// Changes its index, and runs `follow` under the same lock.
    pub(super) fn change_index_and<T>(
        &self,
        change: impl FnOnce(&mut LayoutIndex) -> T,
        follow: impl FnOnce(T) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        let folder = self.folder();
        let _lock = lock::take(&folder)?;
        self.clean_up();
        let before = self.index()?;
        let mut after = before.clone();
        let changed = change(&mut after);
        let path = folder.join(INDEX);
        if after != before || !path.is_file() {
            draft::write(&folder, &path, &after.to_bytes())?;
        }
        follow(changed)
    }

    /// Removes old unfinished files of runs that were killed. A failure to do so is ignored.
    fn clean_up(&self) {
        let Ok(entries) = fs::read_dir(self.folder()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with(draft::PREFIX) || !name.ends_with(draft::SUFFIX) {
                continue;
            }
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|written| SystemTime::now().duration_since(written).ok());
            if age.is_some_and(|age| age > OLD) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Returns the manifest with `digest` as it is on disk, without checking it; `None` if it is not there or is too
    /// large for a manifest.
    pub(super) fn read_manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.blob(digest);
        let size = fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or_default();
        if size > MAX_MANIFEST_SIZE { Ok(None) } else { read(&path, MAX_MANIFEST_SIZE) }
    }
}

/// Returns the content of a file of at most `limit` bytes; `None` if it does not exist.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, RegistryError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(cause) => return Err(error(path, cause)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|cause| error(path, cause))?;
    if bytes.len() as u64 > limit {
        return Err(wrong(path, DirectoryProblem::Damaged, format!("it has more than {limit} bytes")));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(root: &Path, name: &str) -> RepositoryLayout {
        RepositoryLayout::new(root.to_owned(), name.parse().expect(name))
    }

    #[test]
    fn a_layout_is_made_once_and_its_content_stays() {
        let root = tempfile::tempdir().expect("a directory");
        let one = layout(root.path(), "o/n");
        assert!(!one.exists().expect("free"));
        one.make().expect("made");
        assert!(one.exists().expect("a layout"));
        one.change_index(|index| {
            let manifest = crate::descriptor::Descriptor::new("x", Digest::of(b""), 0);
            index.point(&"a".parse().expect("a tag"), &manifest);
        })
        .expect("changed");
        one.make().expect("made");
        assert_eq!(one.index().expect("an index").tags().len(), 1);
        let below = layout(root.path(), "o/n/below");
        below.make().expect("one repository below another");
    }

    #[test]
    fn a_killed_start_is_continued() {
        let root = tempfile::tempdir().expect("a directory");
        let one = layout(root.path(), "n");
        fs::create_dir_all(one.folder()).expect("a folder");
        fs::write(one.folder().join(".brokkr-publish-x.tmp"), "half").expect("a file");
        one.make().expect("made");
        for part in PARTS.iter().skip(1) {
            fs::remove_file(one.folder().join(part)).expect("removed");
            if *part == INDEX {
                one.make().expect("made again");
                assert!(one.folder().join(INDEX).is_file());
            }
        }
        assert!(one.exists().is_err(), "blobs without a marker");
    }

    #[test]
    fn anything_but_a_layout_is_reported() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path();
        fs::create_dir_all(path.join("files")).expect("a folder");
        fs::write(path.join("files/readme.txt"), "x").expect("a file");
        fs::write(path.join("plain"), "x").expect("a file");
        fs::create_dir_all(path.join("new")).expect("a folder");
        fs::write(path.join("new/oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).expect("a file");
        layout(path, "a").make().expect("made");
        fs::write(path.join("a/index.json"), "[").expect("a file");
        for (name, words) in [
            ("files", "readme.txt"),
            ("plain", ""),
            ("plain/below", ""),
            ("new", "version"),
            ("a/blobs", "inside another"),
            ("a/blobs/sha256", "inside another"),
        ] {
            let refused = layout(path, name).make().expect_err(name).to_string();
            assert!(refused.contains(words), "{name}: {refused}");
        }
        assert!(layout(path, "a").index().is_err());
        let refused = layout(&path.join("a"), "b").make().expect_err("a layout as a registry").to_string();
        assert!(refused.contains("itself"), "{refused}");
    }

    #[test]
    fn old_leftovers_are_cleaned_up() {
        let root = tempfile::tempdir().expect("a directory");
        let one = layout(root.path(), "n");
        one.make().expect("made");
        for (name, age) in [("old", OLD * 2), ("new", Duration::ZERO)] {
            let path = one.folder().join(format!("{}{name}{}", draft::PREFIX, draft::SUFFIX));
            let file = fs::File::create(path).expect("a file");
            file.set_modified(SystemTime::now() - age).expect("an age");
        }
        one.change_index(|_| {}).expect("changed");
        let left =
            |name: &str| one.folder().join(format!("{}{name}{}", draft::PREFIX, draft::SUFFIX)).exists();
        assert_eq!((left("old"), left("new")), (false, true));
    }
}
