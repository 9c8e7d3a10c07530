//! Contexts of earlier publications: of a release, by its git tag, or of a branch. They contain nothing from the current run,
//! so that they are the same in any CI.

use std::collections::BTreeMap;
use std::path::Path;

use super::data::Context;
use super::git::{GitRepository, TaggedCommit};
use crate::model::EventName;

/// The reason why nothing is known of the forge's release of an earlier version.
const NOT_RECORDED: &str = "git does not record what the forge says about a release";

/// The commits of git tags that a clone knows.
#[derive(Debug, Clone, Default)]
pub struct TaggedCommits {
    commits: BTreeMap<String, TaggedCommit>,
    default_branch: Option<String>,
}

impl TaggedCommits {
    /// The git tags that the clone around `folder` knows. Empty if there is no clone. `default_branch` is the default branch if the
    /// clone does not name it. Runs git, and so blocks.
    pub fn of(folder: &Path, default_branch: Option<&str>) -> Self {
        let repository = GitRepository::open(folder);
        let default_branch = repository.default_branch().or_else(|| default_branch.map(str::to_owned));
        Self { commits: repository.tagged_commits(), default_branch }
    }

    /// Makes tagged commits from pairs of a git tag and its commit.
    pub fn new(commits: impl IntoIterator<Item = (String, TaggedCommit)>) -> Self {
        Self { commits: commits.into_iter().collect(), default_branch: None }
    }

    /// Every git tag.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.commits.keys().map(String::as_str)
    }

    /// The context in which the git tag `tag` was published. The commit is known if the clone has the tag.
    pub fn release(&self, tag: &str) -> Context {
        let mut context = self.context(EventName::Tag, format!("refs/tags/{tag}"));
        match self.commits.get(tag) {
            Some(commit) => {
                context.sha = Some(commit.sha.clone());
                context.commit_time = commit.time;
            }
            None => absent(&mut context, &format!("this clone has no git tag `{tag}`")),
        }
        context.tag = Some(tag.to_owned());
        context.absent.insert("git.branch", "a git tag has no branch".to_owned());
        context
    }

    /// The context in which content of `branch` was published. The commit is unknown.
    pub fn branch(&self, branch: &str) -> Context {
        let mut context = self.context(EventName::Branch, format!("refs/heads/{branch}"));
        absent(&mut context, "it is not known which commit of the branch was published");
        context.branch = Some(branch.to_owned());
        context.absent.insert("git.tag", "a branch has no git tag".to_owned());
        context
    }

    fn context(&self, event: EventName, reference: String) -> Context {
        let mut context = Context::new(event);
        context.reference = Some(reference);
        context.default_branch.clone_from(&self.default_branch);
        for (name, reason) in [
            ("git.dirty", "it is not known whether the tree was dirty then"),
            ("pr.number", "this is not a pull request"),
            ("pr.target", "this is not a pull request"),
            ("pr.fork", "this is not a pull request"),
            ("pr.labels", "this is not a pull request"),
            ("pr.draft", "this is not a pull request"),
            ("release.name", NOT_RECORDED),
            ("release.prerelease", NOT_RECORDED),
            ("release.draft", NOT_RECORDED),
        ] {
            context.absent.insert(name, reason.to_owned());
        }
        if context.default_branch.is_none() {
            let reason = "this clone does not say which branch is the default";
            context.absent.insert("git.default_branch", reason.to_owned());
        }
        context
    }
}

fn absent(context: &mut Context, reason: &str) {
    for name in ["git.sha", "git.short_sha", "git.commit_time"] {
        context.absent.insert(name, reason.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_knows_the_commit_of_its_tag() {
        let commit = TaggedCommit { sha: "9f3c2ab41d5e".to_owned(), time: Some(7) };
        let commits = TaggedCommits::new([("v1.2.3".to_owned(), commit)]);
        let known = commits.release("v1.2.3");
        assert_eq!((known.short_sha(), known.commit_time), (Some("9f3c2ab"), Some(7)));
        assert_eq!(known.describe(), "refs/tags/v1.2.3 at 9f3c2ab");
        let unknown = commits.release("v1.2.4");
        assert_eq!((unknown.sha, unknown.commit_time), (None, None));
        assert!(unknown.absent["git.sha"].contains("`v1.2.4`"));
    }

    #[test]
    fn a_branch_knows_no_commit() {
        let context = TaggedCommits::default().branch("main");
        assert_eq!((context.event, context.branch.as_deref()), (EventName::Branch, Some("main")));
        assert!(context.absent.contains_key("git.short_sha"));
    }
}
