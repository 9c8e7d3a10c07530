//! Paths in the form that people would write.

use std::path::{Component, Path, PathBuf};

/// Returns `path` relative to `folder`, with `..` for each folder above. Both are absolute. A path that has no common beginning
/// with `folder` is returned unchanged.
pub(super) fn relative(folder: &Path, path: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), path.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if common == 0 {
        return path.to_owned();
    }
    let up = from[common..].iter().map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(to[common..].iter().copied()).collect();
    if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative }
}

/// Returns `path` without `.`, and with every `..` resolved where possible. Only the text is used: links are not followed.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths() {
        for (folder, path, expected) in [
            ("/a/b", "/a/b/publish.toml", "publish.toml"),
            ("/a/b/c", "/a/publish.toml", "../../publish.toml"),
            ("/a", "/a", "."),
        ] {
            assert_eq!(relative(Path::new(folder), Path::new(path)), Path::new(expected));
        }
    }

    #[test]
    fn normal_paths() {
        for (path, expected) in
            [("/a/./b/../c", "/a/c"), ("/a/..", "/"), ("../a/./b", "../a/b"), ("/..", "/..")]
        {
            assert_eq!(normal(Path::new(path)), Path::new(expected));
        }
    }
}
