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
        Some(remote) => ask_remote(&repository, remote)
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

/// Returns the refs that `remote` lists. The configuration of the clone may name programs that git would run: to connect, to get
/// credentials, as the other end of a local remote. Only those of the user and of the system count, and `GIT_SSH_COMMAND`.
fn ask_remote(repository: &GitRepository, remote: &str) -> Result<String, GitError> {
    let trusted: Vec<String> =
        ["--system", "--global"].iter().flat_map(|scope| programs_of(repository, scope)).collect();
    let mut arguments = Vec::new();
    // An empty helper ends the list of helpers before it (gitcredentials(7)); git itself runs `ssh` (git-config(1)).
    let none = ["core.sshCommand=ssh", "core.askPass=", "core.gitProxy=none", "credential.helper="];
    for setting in
        none.into_iter().chain(trusted.iter().map(String::as_str)).chain(["protocol.ext.allow=never"])
    {
        arguments.extend(["-c", setting]);
    }
    arguments.extend(["ls-remote", "--upload-pack=git-upload-pack", "--quiet", "--heads", "--tags", remote]);
    repository.run(&arguments)
}

/// Returns the programs to connect and to get credentials that the configuration of the user or of the system names.
fn programs_of(repository: &GitRepository, scope: &str) -> Vec<String> {
    let pattern = r"^(credential\..*|core\.(sshcommand|askpass|gitproxy))$";
    let listed = repository.run(&["config", scope, "--null", "--get-regexp", pattern]).unwrap_or_default();
    let settings = listed.split('\0').filter_map(|it| it.split_once('\n'));
    settings.filter(|(key, _)| !key.contains('=')).map(|(key, value)| format!("{key}={value}")).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_configuration_of_a_clone_names_no_program_that_asks_its_remote() {
        let folder = tempfile::tempdir().expect("a folder");
        let (remote, clone) = (folder.path().join("remote"), folder.path().join("clone"));
        let git = |arguments: &[&str]| {
            let names =
                ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.ext.allow=never"];
            let done = Command::new("git").current_dir(folder.path()).args(names).args(arguments).output();
            let done = done.expect("git");
            assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        git(&["init", "--quiet", "remote"]);
        git(&["-C", "remote", "commit", "--quiet", "--allow-empty", "--message", "one"]);
        git(&["-C", "remote", "tag", "v1.0.0"]);
        git(&["clone", "--quiet", "remote", "clone"]);
        let pwned = folder.path().join("pwned");
        let program = format!("touch {}; false", pwned.display());
        let helper = format!("!{program}");
        let (remote, ext) =
            (remote.display().to_string(), format!("ext::sh -c 'touch% {}'", pwned.display()));
        let outside = "ssh://git@127.0.0.1:9/x.git";
        for (key, value, url, known) in [
            ("remote.origin.uploadpack", program.as_str(), remote.as_str(), true),
            ("core.sshCommand", &program, outside, false),
            ("core.gitProxy", &program, "git://127.0.0.1:9/x.git", false),
            ("protocol.ext.allow", "always", &ext, false),
            ("credential.helper", &helper, "http://127.0.0.1:9/x.git", false),
        ] {
            git(&["-C", "clone", "config", "remote.origin.url", url]);
            git(&["-C", "clone", "config", key, value]);
            let refs = existing_refs(&clone);
            assert_eq!(refs.is_ok(), known, "{key}: {refs:?}");
            assert!(!pwned.exists(), "{key}");
        }
    }
}
