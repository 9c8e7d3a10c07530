//! The folders that files may be read from: [`Confines`].

use std::path::{Component, Path, PathBuf};

/// The folders that files may be read from. The default is any folder.
#[derive(Debug, Clone, Default)]
pub struct Confines {
    /// The folders, with links resolved; the first one is the project. Empty: any folder.
    roots: Vec<PathBuf>,
}

/// A file is outside of all folders that files may be read from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is outside of the project `{}`", written.escape_debug(), project.display())]
pub struct OutsideFile {
    /// The path, as it was written.
    pub written: String,
    /// The project.
    pub project: PathBuf,
    /// The folder that would have to be allowed, with links resolved.
    pub folder: PathBuf,
}

impl Confines {
    /// Confines files to `project` and the `others`. Links in these paths are resolved.
    pub fn within(project: &Path, others: impl IntoIterator<Item = PathBuf>) -> Self {
        let others = others.into_iter().map(|folder| resolved(&folder));
        Self { roots: std::iter::once(resolved(project)).chain(others).collect() }
    }

    /// Checks the file or folder `written`, which starts at `folder` if it is relative. Links are resolved first; it need not exist.
    ///
    /// # Errors
    ///
    /// [`OutsideFile`] if it is in none of the folders.
    pub fn check(&self, folder: &Path, written: &str) -> Result<(), OutsideFile> {
        let Some(project) = self.roots.first() else { return Ok(()) };
        let place = resolved(&folder.join(written));
        if self.roots.iter().any(|root| place.starts_with(root)) {
            return Ok(());
        }
        let folder = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(&place) };
        let (written, project) = (written.to_owned(), project.clone());
        Err(OutsideFile { written, project, folder: folder.to_owned() })
    }
}

/// Returns an absolute path with those links resolved that exist, and without `.` and `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    let absolute = std::path::absolute(path);
    for part in absolute.as_deref().unwrap_or(path).components() {
        match part {
            Component::CurDir => {}
            // The links so far are resolved, so that the folder above is the parent of the path.
            Component::ParentDir => {
                found.pop();
            }
            part => {
                found.push(part);
                if let Ok(real) = found.canonicalize() {
                    found = real;
                }
            }
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_lead_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let (project, outside) = (folder.path().join("project"), folder.path().join("outside"));
        for made in [project.join("dist"), outside.join("a")] {
            std::fs::create_dir_all(made).expect("made");
        }
        std::os::unix::fs::symlink(&outside, project.join("link")).expect("a link");
        std::os::unix::fs::symlink(project.join("dist"), outside.join("back")).expect("a link");
        let confines = Confines::within(&project, []);
        for (written, is_inside) in [
            ("dist/a.tar", true),
            ("./dist/../dist/none/a.tar", true),
            (".", true),
            ("../project/dist", true),
            ("../outside/back/a.tar", true),
            ("../outside/a", false),
            ("link/a", false),
            ("link/../outside/none", false),
            ("none/../../outside/a", false),
            ("../none", false),
            ("/etc/passwd", false),
        ] {
            assert_eq!(confines.check(&project, written).is_ok(), is_inside, "{written}");
            assert!(Confines::default().check(&project, written).is_ok());
        }
        let error = confines.check(&project, "link/a").expect_err("outside");
        assert_eq!(error.folder, outside.canonicalize().expect("a path").join("a"));
        assert!(Confines::within(&project, [outside]).check(&project, "link/a").is_ok());
    }
}
