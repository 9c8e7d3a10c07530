//! The path of a file or directory that a source names: [`SourcePath`].

use std::fmt;
use std::path::{Path, PathBuf};

/// A path as the source names it, which messages show, and the path that is opened. The user can copy the first from a message
/// into the source, and it is the same on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourcePath {
    written: PathBuf,
    full: PathBuf,
}

impl SourcePath {
    /// The path `written`, which starts at `folder` if it is relative.
    pub(super) fn new(folder: &Path, written: impl Into<PathBuf>) -> Self {
        let written = written.into();
        Self { full: folder.join(&written), written }
    }

    /// The path of the file `name` in this directory.
    pub(super) fn join(&self, name: impl AsRef<Path>) -> Self {
        Self { written: self.written.join(&name), full: self.full.join(name) }
    }

    /// The path to open.
    pub(super) fn full(&self) -> &Path {
        &self.full
    }

    /// The path to show.
    pub(super) fn written(&self) -> &Path {
        &self.written
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_it_is_written() {
        for (written, full) in
            [("dist/app", "/project/dist/app"), ("./app", "/project/./app"), ("/srv/app", "/srv/app")]
        {
            let path = SourcePath::new(Path::new("/project"), written);
            assert_eq!((path.to_string().as_str(), path.full()), (written, Path::new(full)));
        }
        let inner = SourcePath::new(Path::new("/project"), "dist").join("index.json");
        assert_eq!(
            (inner.to_string().as_str(), inner.full()),
            ("dist/index.json", Path::new("/project/dist/index.json"))
        );
    }
}
