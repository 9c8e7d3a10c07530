//! Reads the git repository through the git program. Nothing is written to the repository, and every run has a time limit.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::address::public_address;
use crate::model::forward::Descent;

/// The time limit of one run of git. Even `status` in a huge tree takes far less.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The reason why git gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is no git program.
    #[error("the `git` program is not installed")]
    NotInstalled,
    /// The folder is not in a repository.
    #[error("`{0}` is not in a git repository")]
    NoRepository(PathBuf),
    /// The repository belongs to somebody else, and git refuses to read it.
    #[error(
        "git refuses to read `{0}`, which belongs to another user: `git config --global --add safe.directory {0}` allows it"
    )]
    Ownership(PathBuf),
    /// The repository is empty.
    #[error("the git repository has no commits yet")]
    NoCommits,
    /// The head names a commit that is missing, as after an incomplete copy.
    #[error(
        "the commit that is checked out cannot be read from the git repository: `git fsck` shows what is missing"
    )]
    NoObject,
    /// Git failed for another reason.
    #[error("git failed: {0}")]
    Failed(String),
}

/// The commit and the branch that are checked out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GitHead {
    /// `None` if there are no commits yet, or if the commit cannot be read.
    pub sha: Option<String>,
    /// Whether the head names a commit that cannot be read.
    pub is_unreadable: bool,
    /// `None` if the head is detached.
    pub branch: Option<String>,
}

/// The commit that a git tag points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedCommit {
    /// The commit.
    pub sha: String,
    /// The committer's time, in seconds since 1970.
    pub time: Option<i64>,
}

/// The repository around a folder. Git runs only when an answer is needed.
pub(super) struct GitRepository {
    folder: Option<PathBuf>,
    head: OnceCell<Result<GitHead, GitError>>,
}

impl GitRepository {
    /// The repository that `folder` is in, if any. Does not run git yet.
    pub fn open(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), head: OnceCell::new() }
    }

    /// No repository at all.
    #[cfg(test)]
    pub fn none() -> Self {
        Self { folder: None, head: OnceCell::new() }
    }

    pub fn run(&self, arguments: &[&str]) -> Result<String, GitError> {
        let Some(folder) = &self.folder else { return Err(GitError::NoRepository(PathBuf::from("."))) };
        run_git(folder, arguments)
    }

    fn head_or_error(&self) -> &Result<GitHead, GitError> {
        self.head.get_or_init(|| {
            let branch = match self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]) {
                Ok(branch) => Some(branch.trim_end().to_owned()),
                Err(GitError::Failed(_)) => None,
                Err(error) => return Err(error),
            };
            let sha = self.resolve("HEAD");
            // Without `^{commit}`, git prints the value of the ref and does not look for the object.
            let is_unreadable =
                sha.is_none() && self.run(&["rev-parse", "--verify", "--quiet", "HEAD"]).is_ok();
            Ok(GitHead { sha, is_unreadable, branch })
        })
    }

    /// The head, or `None` if there is no repository that can be read.
    pub fn head(&self) -> Option<&GitHead> {
        self.head_or_error().as_ref().ok()
    }

    /// The reason why nothing is known about the head, if that is the case.
    pub fn problem(&self) -> Option<String> {
        match self.head_or_error() {
            Err(error) => Some(error.to_string()),
            Ok(GitHead { is_unreadable: true, .. }) => Some(GitError::NoObject.to_string()),
            Ok(GitHead { sha: None, .. }) => Some(GitError::NoCommits.to_string()),
            Ok(_) => None,
        }
    }

    /// The commit that `revision` names.
    pub fn resolve(&self, revision: &str) -> Option<String> {
        let commit = format!("{revision}^{{commit}}");
        let sha = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).ok()?;
        let sha = sha.lines().last()?.trim();
        is_commit_id(sha).then(|| sha.to_owned())
    }

    /// The committer's time, in seconds since 1970.
    pub fn commit_time(&self, sha: &str) -> Option<i64> {
        if !is_commit_id(sha) {
            return None;
        }
        self.run(&["log", "-1", "--format=%ct", sha]).ok()?.trim().parse().ok()
    }

    /// The tracked files that differ from the commit that is checked out, staged or not.
    pub fn changed_files(&self) -> Option<Vec<String>> {
        let question = ["status", "--porcelain", "-z", "--untracked-files=no", "--no-renames"];
        let changes = self.run(&[question.as_slice(), &["--ignore-submodules=untracked"]].concat()).ok()?;
        // Each entry is two letters, a blank and the path (git-status(1), "Porcelain Format Version 1").
        Some(changes.split('\0').filter_map(|entry| entry.get(3..)).map(str::to_owned).collect())
    }

    /// Every git tag with its commit, which an annotated tag names indirectly. Runs git once.
    pub fn tagged_commits(&self) -> BTreeMap<String, TaggedCommit> {
        // The time is empty for objects that are not commits, and for annotated tags themselves.
        const FORMAT: &str = "--format=%(refname:strip=2) %(objecttype) %(objectname) %(committerdate:unix) %(*objecttype) %(*objectname) %(*committerdate:unix)";
        let listed = self.run(&["for-each-ref", FORMAT, "refs/tags"]).unwrap_or_default();
        listed.lines().filter_map(tagged_commit).collect()
    }

    /// Whether commit `old` comes before commit `new` in the history of this clone, which may be incomplete.
    fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, GitError> {
        match self.run(&["merge-base", "--is-ancestor", old, new]) {
            Ok(_) => Ok(true),
            Err(GitError::Failed(reason)) if reason.is_empty() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the history of commit `new` has commit `old`.
    pub fn contains(&self, new: &str, old: &str) -> bool {
        self.is_ancestor(old, new).is_ok_and(|is| is)
    }

    /// Whether a branch of a remote, as this clone knows it, has the commit.
    pub fn is_on_remote(&self, sha: &str) -> bool {
        let question = ["for-each-ref", "--count=1", "--contains", sha, "refs/remotes"];
        is_commit_id(sha) && self.run(&question).map_or(true, |found| !found.trim().is_empty())
    }

    /// The address of `origin`, without credentials. `None` if it has no address that can be shown.
    pub fn remote(&self) -> Option<String> {
        let address = self.run(&["config", "--get", "remote.origin.url"]).ok()?;
        public_address(address.trim())
    }

    /// The default branch of the remote, according to the clone.
    pub fn default_branch(&self) -> Option<String> {
        let name = self.run(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]).ok()?;
        Some(name.trim().strip_prefix("origin/")?.to_owned())
    }
}

/// The tag and the commit in a line of `for-each-ref`. The name of a ref cannot contain a blank.
fn tagged_commit(line: &str) -> Option<(String, TaggedCommit)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, kind, sha, time, peeled_kind, peeled_sha, peeled_time] = words.as_slice() else { return None };
    let (sha, time) = match (*kind, *peeled_kind) {
        ("commit", _) => (*sha, *time),
        ("tag", "commit") => (*peeled_sha, *peeled_time),
        _ => return None,
    };
    let commit = TaggedCommit { sha: sha.to_owned(), time: time.parse().ok() };
    is_commit_id(sha).then(|| ((*name).to_owned(), commit))
}

/// Whether `text` can only be a commit id, and so cannot be taken by git for an option or a ref.
pub(super) fn is_commit_id(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// How commit `new` relates to commit `old` in the clone around `folder`. Runs git, and so blocks.
pub fn descent(folder: &Path, old: &str, new: &str) -> Descent {
    for sha in [old, new] {
        if !is_commit_id(sha) {
            return Descent::Unknown(format!("`{}` is not a commit id", sha.escape_debug()));
        }
    }
    if old == new {
        return Descent::Descendant;
    }
    let repository = GitRepository::open(folder);
    if let Some(problem) = repository.problem() {
        return Descent::Unknown(problem);
    }
    let shallow = || repository.is_shallow();
    for sha in [old, new] {
        if repository.resolve(sha).is_none() {
            let hint = if shallow() { ", which is shallow: fetch the whole history" } else { "" };
            return Descent::Unknown(format!("commit {} is not in this clone{hint}", &sha[..7]));
        }
    }
    match (repository.is_ancestor(old, new), repository.is_ancestor(new, old)) {
        (Ok(true), _) => Descent::Descendant,
        (_, Ok(true)) => Descent::Older,
        (Ok(false), Ok(false)) if shallow() => {
            // "No" may only mean that history was cut off.
            Descent::Unknown("the clone is shallow: fetch the whole history".to_owned())
        }
        (Ok(false), Ok(false)) => Descent::Diverged,
        (Err(error), _) | (_, Err(error)) => Descent::Unknown(error.to_string()),
    }
}

/// The files below `folder` that git tracks, or would track, and that match one of `patterns` (gitglossary(7), "pathspec"),
/// with `/` as separator. Ignored files are left out. `None` if `folder` is not in a repository that can be read.
pub fn files(folder: &Path, patterns: &[&str]) -> Option<Vec<String>> {
    let question = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z", "--"];
    let listed = run_git(folder, &[question.as_slice(), patterns].concat()).ok()?;
    Some(listed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect())
}

/// The git tags of the repository around `folder`, at most `most`, the newest first.
pub fn newest_tags(folder: &Path, most: usize) -> Vec<String> {
    let question = [
        "for-each-ref",
        "--sort=-version:refname",
        "--sort=-creatordate",
        "--format=%(refname:strip=2)",
        "refs/tags",
    ];
    let listed = run_git(folder, &question).unwrap_or_default();
    listed.lines().take(most).map(str::to_owned).collect()
}

/// Options that stop the repository's own configuration from naming programs that git would run for these commands
/// (git-config(1)).
const NO_PROGRAMS: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "log.showSignature=false"];

/// Runs git in `folder` and returns its standard output. [`GitError::Failed`] is empty if git failed without a message, which
/// is how its queries answer no.
fn run_git(folder: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let mut child = Command::new("git")
        .args(NO_PROGRAMS)
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // git(1): take no locks, do not fetch objects that a partial clone lacks, print English, and never prompt.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::NotInstalled,
            _ => GitError::Failed(error.to_string()),
        })?;
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let read = stdout.as_mut().map_or(Ok(0), |stdout| stdout.read_to_end(&mut output));
        let _ = stderr.as_mut().map(|stderr| stderr.read_to_end(&mut complaint));
        let _ = sender.send(read.map(|_| (output, complaint)));
    });
    let Ok(Ok((output, complaint))) = receiver.recv_timeout(TIME_LIMIT) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(GitError::Failed(format!("`git {}` did not finish in time", arguments.join(" "))));
    };
    let status = child.wait().map_err(|error| GitError::Failed(error.to_string()))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&output).into_owned());
    }
    let complaint = String::from_utf8_lossy(&complaint);
    if complaint.contains("not a git repository") {
        return Err(GitError::NoRepository(folder.to_owned()));
    }
    if complaint.contains("dubious ownership") {
        // The folder of the repository, which `safe.directory` has to name: `… repository at '/srv/x'`.
        let named = complaint.split_once("repository at '").and_then(|(_, rest)| rest.split_once('\''));
        let owned = named.map_or_else(|| folder.to_owned(), |(path, _)| PathBuf::from(path));
        return Err(GitError::Ownership(owned));
    }
    Err(GitError::Failed(complaint.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_is_missing_is_not_the_absence_of_commits() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |arguments: &[&str]| run_git(folder.path(), arguments).expect("git");
        git(&["init", "--quiet"]);
        let problem = || GitRepository::open(folder.path()).problem();
        assert_eq!(problem(), Some(GitError::NoCommits.to_string()));
        let names = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        git(&[names.as_slice(), &["commit", "--quiet", "--allow-empty", "--message", "one"]].concat());
        assert_eq!(problem(), None);
        let sha = GitRepository::open(folder.path()).resolve("HEAD").expect("a commit");
        let object = folder.path().join(".git/objects").join(&sha[..2]).join(&sha[2..]);
        std::fs::remove_file(object).expect("the object");
        assert_eq!(problem(), Some(GitError::NoObject.to_string()));
    }

    #[test]
    fn tags_of_commits_are_listed_and_others_left_out() {
        let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
        let commit = |time| Some(TaggedCommit { sha: sha.to_owned(), time });
        for (line, expected) in [
            (format!("v1 commit {sha} 7   "), commit(Some(7))),
            (format!("v1 tag 1234567  commit {sha} 8"), commit(Some(8))),
            (format!("v1 tree {sha}    "), None),
            (format!("v1 tag 1234567  blob {sha} "), None),
            ("v1 commit HEAD 7   ".to_owned(), None),
            ("v1".to_owned(), None),
        ] {
            let found = tagged_commit(&line);
            assert_eq!(found, expected.map(|commit| ("v1".to_owned(), commit)), "{line}");
        }
    }

    #[test]
    fn only_commit_ids_reach_git() {
        let somewhere = Path::new(".");
        for hostile in ["--upload-pack=touch x", "HEAD", "", "main"] {
            assert!(matches!(descent(somewhere, hostile, "0000000"), Descent::Unknown(_)), "{hostile}");
        }
    }
}
