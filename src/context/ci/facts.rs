//! The facts that a CI gives about a run, and reading its variables.

use crate::context::data::Environment;
use crate::context::facts::{PullRequestFacts, ReleaseFacts, RepositoryFacts, RunFacts, Trigger};
use crate::context::git::is_commit_id;
use crate::model::EventName;

/// The branches that GitHub makes for its merge queue (docs.github.com, "Managing a merge queue"). Their code is not merged yet.
const MERGE_QUEUE: &str = "gh-readonly-queue/";

/// The facts that a CI gives about the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiFacts {
    /// The CI's name.
    pub name: &'static str,
    /// The event, by what the run stands on.
    pub event: EventName,
    /// The start of the run.
    pub trigger: Trigger,
    /// The git ref in full.
    pub reference: Option<String>,
    /// The commit, as the CI writes it.
    pub sha: Option<String>,
    /// Why the commit is unknown although the CI names one.
    pub no_sha: Option<&'static str>,
    /// The branch. On a pull request, its source branch.
    pub branch: Option<String>,
    /// The git tag.
    pub tag: Option<String>,
    /// The number of the pull request.
    pub pull_request: Option<u64>,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The time of the commit in seconds since 1970.
    pub commit_time: Option<i64>,
    /// The reason why the event does not call for publishing: something was deleted or edited.
    pub idle: Option<String>,
    /// The contradiction between the variables.
    pub contradiction: Option<String>,
    /// The reason why it is not known what happened.
    pub unknown: Option<String>,
    /// Whether the run is that of a push if the branch is the default branch: the CI names a pull request for a branch that one
    /// happens to be open from.
    pub push_of_default: bool,
    /// Whether the commit of a pull request may be a merge that the CI made in its clone.
    pub may_merge: bool,
    /// Whether the branch may be a git tag: the CI gives a name without its kind.
    pub ambiguous: bool,
    /// The pull request.
    pub pull: PullRequestFacts,
    /// The release.
    pub release: ReleaseFacts,
    /// The run.
    pub run: RunFacts,
    /// The repository.
    pub repository: RepositoryFacts,
}

/// The variables of a CI. An empty variable counts as unset.
pub(super) struct CiVariables<'a>(pub &'a Environment);

impl CiVariables<'_> {
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|it| it == value)
    }

    /// Whether a variable is true, in any case: `true`, `True`, `1`.
    pub fn is_true(&self, name: &str) -> bool {
        self.flag(name) == Some(true)
    }

    /// A boolean in any case. `None` if it is unset or something else.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// The number of a pull request: CIs write `false`, `0` or a name if there is none.
    pub fn pull_request(&self, name: &str) -> Option<u64> {
        self.number(name).filter(|number| *number > 0)
    }

    /// The items of a list that is separated by commas.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.get(name)?;
        Some(text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect())
    }
}

/// The branch, the git tag and the pull request that a CI names.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub branch: Option<String>,
    pub tag: Option<String>,
    pub pull_request: Option<u64>,
    /// Whether the run is that of a pull request, even if its number is unknown.
    pub of_pull_request: bool,
}

impl Place {
    pub fn new(branch: Option<String>, tag: Option<String>, pull_request: Option<u64>) -> Self {
        Self { branch, tag, pull_request, of_pull_request: pull_request.is_some() }
    }

    /// The place that a full ref names: `refs/heads/…`, `refs/tags/…`, `refs/pull/N/…`, `refs/merge-requests/N/…`.
    pub fn of_ref(reference: &str) -> Self {
        let below = |prefix: &str| reference.strip_prefix(prefix).map(str::to_owned);
        let number = |rest: String| rest.split('/').next().and_then(|number| number.parse().ok());
        let pulls = ["refs/pull/", "refs/merge-requests/", "refs/pull-requests/"];
        let pull = pulls.into_iter().find_map(below);
        Self {
            of_pull_request: pull.is_some(),
            pull_request: pull.and_then(number),
            branch: below("refs/heads/"),
            tag: below("refs/tags/"),
        }
    }
}

impl CiFacts {
    /// Facts whose event and ref follow from the place and from what started the run. A pull request's run is nothing else,
    /// whoever started it, and a git tag's run is that of a tag.
    pub(super) fn derived(name: &'static str, trigger: Trigger, sha: Option<String>, place: Place) -> Self {
        let Place { branch, tag, pull_request, of_pull_request } = place;
        let queued = branch.as_ref().is_some_and(|branch| branch.starts_with(MERGE_QUEUE));
        let event = match (of_pull_request || pull_request.is_some(), &tag, &branch) {
            (true, _, _) => EventName::PullRequest,
            (false, Some(_), _) => EventName::Tag,
            (false, None, Some(_)) if queued => EventName::MergeQueue,
            (false, None, Some(_)) => match trigger {
                Trigger::Push => EventName::Branch,
                Trigger::Schedule => EventName::Schedule,
                Trigger::Manual => EventName::Manual,
            },
            (false, None, None) => EventName::Other,
        };
        let of_pull_request = event == EventName::PullRequest;
        let reference = match (of_pull_request, &tag, &branch) {
            (true, _, _) => pull_request.map(|number| format!("refs/pull/{number}/head")),
            (false, Some(tag), _) => Some(format!("refs/tags/{tag}")),
            (false, None, Some(branch)) => Some(format!("refs/heads/{branch}")),
            (false, None, None) => None,
        };
        let unknown = (event == EventName::Other)
            .then(|| format!("{name} does not say whether this is a branch, a git tag or a pull request"));
        let source = branch.clone().filter(|_| of_pull_request);
        Self {
            name,
            event,
            trigger: if of_pull_request { Trigger::Push } else { trigger },
            reference,
            sha,
            no_sha: None,
            // The run of a tag has no branch, even if the CI sets one. Several repeat the tag there.
            branch: if tag.is_some() && !of_pull_request { None } else { branch },
            tag: if of_pull_request { None } else { tag },
            pull_request,
            default_branch: None,
            commit_time: None,
            idle: None,
            contradiction: None,
            unknown,
            push_of_default: false,
            may_merge: false,
            ambiguous: false,
            pull: PullRequestFacts { source, ..PullRequestFacts::default() },
            release: ReleaseFacts::default(),
            run: RunFacts::default(),
            repository: RepositoryFacts::default(),
        }
    }

    /// The facts of an event that publishes nothing, for `reason`.
    #[must_use]
    pub(super) fn publishes_nothing(self, reason: String) -> Self {
        Self { event: EventName::Other, idle: Some(reason), unknown: None, ..self }
    }

    /// The same facts of a pull request that was merged or closed.
    #[must_use]
    pub(super) fn closed_if(self, closed: bool) -> Self {
        let event = if closed && self.event == EventName::PullRequest {
            EventName::PullRequestClosed
        } else {
            self.event
        };
        Self { event, ..self }
    }

    /// The same facts with the contradiction between them and the full ref in the variable `name`, if there is one.
    #[must_use]
    pub(super) fn against(self, variables: &CiVariables<'_>, name: &str) -> Self {
        let Some(reference) = variables.get(name) else { return self };
        let other = Place::of_ref(&reference);
        let is_pull_request = matches!(self.event, EventName::PullRequest | EventName::PullRequestClosed);
        let differs = match (&other.tag, &other.branch) {
            _ if is_pull_request => false,
            (Some(tag), _) => self.tag.as_ref() != Some(tag),
            (None, Some(branch)) => self.tag.is_some() || self.branch.as_ref().is_some_and(|it| it != branch),
            (None, None) => other.of_pull_request,
        };
        if !differs {
            return self;
        }
        let place = match (&self.tag, &self.branch) {
            (Some(tag), _) => format!("the git tag is `{}`", shown(tag)),
            (None, Some(branch)) => format!("the branch is `{}`", shown(branch)),
            (None, None) => "no other variable names it".to_owned(),
        };
        self.contradicted(format!("{name} is `{}`, but {place}", shown(&reference)))
    }

    /// The same facts with a contradiction, unless there is one already.
    #[must_use]
    pub(super) fn contradicted(self, text: String) -> Self {
        Self { contradiction: self.contradiction.or(Some(text)), ..self }
    }

    /// The commit in lower case, or the reason why there is none. It is validated because variables can be set to anything, and
    /// a commit id is used in tags and in calls of git.
    pub(in crate::context) fn commit(&self) -> (Option<String>, Option<String>) {
        let name = self.name;
        match &self.sha {
            Some(sha) if is_commit_id(sha) => (Some(sha.to_ascii_lowercase()), None),
            Some(sha) => {
                let sha: String = sha.escape_debug().take(80).collect();
                (None, Some(format!("{name} gives `{sha}`, which is not a commit id; `--sha` gives one")))
            }
            None => (None, self.no_sha.map(|reason| format!("{reason}; `--sha` gives one"))),
        }
    }
}

/// A value of a variable as a message can show it.
pub(super) fn shown(text: &str) -> String {
    text.escape_debug().take(200).collect()
}

/// The seconds since 1970 of a time such as `2026-01-02T03:04:05Z`.
pub(super) fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// Whether two addresses or names of repositories are the same repository: `git@github.com:O/N.git` and
/// `https://github.com/o/n`.
pub(super) fn same_repository(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let text = text.strip_suffix(".git").unwrap_or(&text).replace(':', "/");
        let parts: Vec<&str> = text.rsplit('/').take(2).collect();
        parts.join("/")
    };
    plain(one) == plain(other)
}
