//! The git tags and branches that exist: those of the remote, because a clone may lack some and have others that are deleted.

use std::collections::BTreeMap;
use std::path::Path;

use super::git::{GitError, GitRepository, is_commit_id};

/// A git tag or branch that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitRef {
    /// Its name, without `refs/tags/` or `refs/heads/`.
    pub name: String,
    /// Whether it is a tag.
    pub is_tag: bool,
    /// The commit.
    pub sha: String,
    /// The committer's time, in seconds since 1970, if the clone has the commit.
    pub time: Option<i64>,
}

/// Returns every git tag and branch: those of the remote, or of the repository around `folder` if it has none. A clone may lack some,
/// and have others that are deleted.
///
/// # Errors
///
/// The reason why they are not known.
pub fn existing_refs(folder: &Path) -> Result<Vec<GitRef>, String> {
    let repository = GitRepository::open(folder);
    if let Some(problem) = repository.problem() {
        return Err(problem);
    }
    let remotes = repository.run(&["remote"]).map_err(|error| error.to_string())?;
    let remote = remotes.lines().find(|name| *name == "origin").or_else(|| remotes.lines().next());
    let listed = match remote {
        Some(remote) => repository
            .run(&["ls-remote", "--quiet", "--heads", "--tags", remote])
            .map_err(|error| format!("the remote `{remote}` does not list its tags and branches: {error}"))?,
        None => repository
            .run(&["show-ref", "--heads", "--tags", "--dereference"])
            .or_else(
                |error| if matches!(error, GitError::Failed(_)) { Ok(String::new()) } else { Err(error) },
            )
            .map_err(|error| error.to_string())?,
    };
    let mut refs: BTreeMap<(bool, String), String> = BTreeMap::new();
    for line in listed.lines() {
        let Some((sha, name)) = line.split_once(char::is_whitespace).filter(|(sha, _)| is_commit_id(sha))
        else {
            return Err(format!("git lists `{}`, which is no ref", line.escape_debug()));
        };
        // The commit of an annotated tag follows the tag itself.
        let name = name.trim();
        let name = name.strip_suffix("^{}").unwrap_or(name);
        let found = name.strip_prefix("refs/tags/").map(|name| (true, name));
        let found = found.or_else(|| name.strip_prefix("refs/heads/").map(|name| (false, name)));
        if let Some((is_tag, name)) = found {
            refs.insert((is_tag, name.to_owned()), sha.to_owned());
        }
    }
    let with_time = |((is_tag, name), sha): ((bool, String), String)| {
        let time = repository.commit_time(&sha);
        GitRef { name, is_tag, sha, time }
    };
    Ok(refs.into_iter().map(with_time).collect())
}
