//! The refs and objects that a repository has, and the reasons why it may lack some.

use super::facts::HistoryFacts;
use super::git::{GitRepository, is_commit_id};

impl GitRepository {
    /// The git tags on the commit that is checked out.
    pub fn tags_at_head(&self) -> Vec<String> {
        let tags = self.run(&["tag", "--points-at", "HEAD"]).unwrap_or_default();
        tags.lines().map(str::to_owned).collect()
    }

    /// The commit that a ref names here. A branch may be known only as a branch of the remote.
    pub fn commit_of_ref(&self, reference: &str) -> Option<String> {
        if let Some(sha) = self.resolve(reference) {
            return Some(sha);
        }
        let branch = reference.strip_prefix("refs/heads/")?;
        let remote = self.resolve(&format!("refs/remotes/origin/{branch}"))?;
        // A detached head within the branch is what a CI that nobody knows checks out: the branch may have moved on since.
        let head = self.head().filter(|head| head.branch.is_none()).and_then(|head| head.sha.clone());
        let is_within = |head: &String| self.run(&["merge-base", "--is-ancestor", head, &remote]).is_ok();
        Some(head.filter(is_within).unwrap_or(remote))
    }

    /// The head of a pull or merge request, if the clone has one of the refs that GitHub, GitLab and their clients use.
    pub fn commit_of_pull_request(&self, number: u64) -> Option<String> {
        let refs = [
            format!("refs/pull/{number}/head"),
            format!("refs/merge-requests/{number}/head"),
            format!("refs/remotes/origin/pr/{number}"),
            // The second parent of the merge that actions/checkout fetches.
            format!("refs/remotes/pull/{number}/merge^2"),
            format!("refs/pull/{number}/merge^2"),
        ];
        refs.iter().find_map(|reference| self.resolve(reference))
    }

    /// The git tags that start with `prefix` before the commit `sha`. A run on the git tag `own` is described by it.
    pub fn history(&self, sha: &str, prefix: &str, own: Option<&str>) -> HistoryFacts {
        let escaped: String = prefix
            .chars()
            .flat_map(|c| ['\\'].into_iter().filter(move |_| "*?[\\".contains(c)).chain([c]))
            .collect();
        let matching = format!("--match={escaped}*");
        let excluded = own.map(|own| format!("--exclude={own}"));
        let describe = |exclude: Option<&String>| {
            let mut arguments = vec!["describe", "--tags", "--long", "--abbrev=7", matching.as_str()];
            arguments.extend(exclude.map(String::as_str));
            arguments.push(sha);
            let found = self.run(&arguments).ok()?;
            let (rest, _) = found.trim().rsplit_once('-')?;
            let (tag, since) = rest.rsplit_once('-')?;
            Some((tag.to_owned(), since.parse::<u64>().ok()?, found.trim().to_owned()))
        };
        let previous = describe(excluded.as_ref());
        let nearest = match own {
            Some(own) => Some((own.to_owned(), 0, own.to_owned())),
            None => previous.clone(),
        };
        HistoryFacts {
            describe: nearest
                .as_ref()
                .map(|(tag, since, long)| if *since == 0 { tag.clone() } else { long.clone() }),
            previous_tag: previous.map(|(tag, ..)| tag),
            commits_since_tag: nearest.map(|(_, since, _)| since),
        }
    }

    /// The ids of the objects that start with `digits`.
    pub fn objects_with_prefix(&self, digits: &str) -> Vec<String> {
        if !is_commit_id(digits) {
            return Vec::new();
        }
        let found = self.run(&["rev-parse", &format!("--disambiguate={digits}")]).unwrap_or_default();
        // A whole id is repeated even if there is no such object.
        found.lines().filter(|id| self.object_type(id).is_some()).map(str::to_owned).collect()
    }

    /// `commit`, `tag`, `tree` or `blob`, or `None` if there is no such object.
    pub fn object_type(&self, id: &str) -> Option<String> {
        if !is_commit_id(id) {
            return None;
        }
        Some(self.run(&["cat-file", "-t", id]).ok()?.trim().to_owned())
    }

    /// Whether the history was cut off. True if git does not say.
    pub fn is_shallow(&self) -> bool {
        self.run(&["rev-parse", "--is-shallow-repository"]).map_or(true, |answer| answer.trim() != "false")
    }

    /// The reason why `reference`, or a commit, may exist although this clone lacks it. `None` if the clone is complete.
    pub fn why_incomplete(&self, reference: Option<&str>) -> Option<&'static str> {
        if self.is_shallow() {
            return Some("the clone is shallow");
        }
        // Without a remote, nothing is anywhere else.
        let remotes = self.run(&["config", "--get-regexp", r"^remote\..*\.(url|fetch|tagopt)$"]).ok()?;
        let values = |key: &str| {
            let lines = remotes.lines().filter_map(|line| line.split_once(' '));
            lines.filter(|(name, _)| name.ends_with(key)).map(|(_, value)| value).collect::<Vec<_>>()
        };
        if values(".url").is_empty() {
            return None;
        }
        let is_tag = reference.is_some_and(|reference| reference.starts_with("refs/tags/"));
        if is_tag {
            if values(".tagopt").contains(&"--no-tags") {
                return Some("the clone fetches no git tags");
            }
            let has_tags =
                self.run(&["for-each-ref", "--count=1", "refs/tags"]).is_ok_and(|it| !it.is_empty());
            return (!has_tags)
                .then_some("the clone has no git tags at all: `git fetch --tags` fetches them");
        }
        let fetches_all = values(".fetch").iter().any(|spec| spec.contains("refs/heads/*:"));
        (!fetches_all).then_some("the clone fetches only some branches")
    }

    /// The parents of the commit that is checked out, as it names them: a shallow clone does not have them.
    pub fn parents_of_head(&self) -> Vec<String> {
        let commit = self.run(&["cat-file", "commit", "HEAD"]).unwrap_or_default();
        let header = commit.lines().take_while(|line| !line.is_empty());
        header.filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).collect()
    }
}
