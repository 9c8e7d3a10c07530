//! The work tree, from which charts, checks and version files are read, compared with the commit that is published.

use std::path::Path;

use super::data::{Context, WorkTree};
use super::git::GitRepository;

/// The commit that is checked out, if it is another one than that of `context`.
pub(super) fn other_head(repository: &GitRepository, context: &Context) -> Option<String> {
    let (head, sha) = (repository.head()?.sha.clone()?, context.sha.as_ref()?);
    let is_published = head.starts_with(sha) || (context.is_of_pull_request() && is_merged(repository, sha));
    (!is_published).then_some(head)
}

/// Compares the work tree of `repository`. `None` if there is none.
pub(super) fn compare(repository: &GitRepository, context: &Context) -> Option<WorkTree> {
    repository.head()?.sha.as_ref()?;
    let changed = repository.changed_files()?;
    Some(WorkTree { other_commit: other_head(repository, context), changed })
}

/// Whether a merge of the commit `sha` is checked out, as CIs do in a pull request.
fn is_merged(repository: &GitRepository, sha: &str) -> bool {
    let parents = repository.parents_of_head();
    parents.len() > 1 && parents.iter().any(|parent| parent.starts_with(sha))
}

/// The files below a folder, as git sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderFiles {
    /// Whether git tracks any of them.
    pub has_tracked: bool,
    /// Those that git neither tracks nor ignores, relative to the folder, with `/` as separator.
    pub untracked: Vec<String>,
}

/// The files below `folder`. `None` if there is no repository that can be read.
pub fn folder_files(folder: &Path) -> Option<FolderFiles> {
    let repository = GitRepository::open(folder);
    let list = |question: &[&str]| {
        let listed = repository.run(&[question, &["-z", "--", "."]].concat()).ok()?;
        Some(listed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    let untracked = list(&["ls-files", "--others", "--exclude-standard"])?;
    Some(FolderFiles { has_tracked: !list(&["ls-files", "--cached"])?.is_empty(), untracked })
}

/// The time of the last commit up to `sha` that changed something below `folder`, in seconds since 1970. `None` if git does not know it, as
/// in a clone that lacks history.
pub fn last_change(folder: &Path, sha: Option<&str>) -> Option<i64> {
    let repository = GitRepository::open(folder);
    let is_shallow = repository.run(&["rev-parse", "--is-shallow-repository"]).ok()?;
    if is_shallow.trim() != "false" {
        return None;
    }
    let sha = sha.filter(|sha| sha.chars().all(|it| it.is_ascii_hexdigit())).unwrap_or("HEAD");
    let time = repository.run(&["log", "--max-count=1", "--format=%ct", sha, "--", "."]).ok()?;
    time.trim().parse().ok()
}

/// Those of `files`, which are relative to `folder`, that git tracks.
pub fn tracked_files(folder: &Path, files: &[&str]) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let question = ["--literal-pathspecs", "ls-files", "--cached", "-z", "--"];
    let listed = GitRepository::open(folder).run(&[question.as_slice(), files].concat()).unwrap_or_default();
    listed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect()
}
