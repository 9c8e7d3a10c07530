//! The path of a file from the root of its repository, as annotations and reports of CIs need it, whatever the working directory.

use std::path::{Path, PathBuf};

use crate::diagnostic::SourceText;

/// Returns the path from the root of the git work tree that contains the file, or else from the folder of the CI's job. If the file
/// is in neither, it returns the name that people use.
pub fn repository_path(source: &SourceText) -> String {
    source.file.as_deref().and_then(from_root).unwrap_or_else(|| source.name.clone())
}

/// Returns the path of a file from the root, or as it is given.
pub fn repository_path_of(file: &Path) -> String {
    from_root(file).unwrap_or_else(|| file.display().to_string())
}

fn from_root(file: &Path) -> Option<String> {
    real_path(file).and_then(|path| {
        let workspace =
            || std::env::var_os("GITHUB_WORKSPACE").or_else(|| std::env::var_os("CI_PROJECT_DIR"));
        let root = path.ancestors().skip(1).find(|folder| folder.join(".git").exists()).map(Path::to_owned);
        let root =
            root.or_else(|| workspace().and_then(|folder| PathBuf::from(folder).canonicalize().ok()))?;
        let parts: Option<Vec<&str>> =
            path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    })
}

/// Returns the absolute path, with links of its folders resolved. The file itself may be a link: the repository has it by this name.
fn real_path(file: &Path) -> Option<PathBuf> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    file.exists().then_some(())?;
    Some(folder.canonicalize().ok()?.join(file.file_name()?))
}
