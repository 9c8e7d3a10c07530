//! Facts that only a CI or a forge knows: about the pull request, the release and the run itself.

/// The start of a run: git, a timer or a person.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Git or the forge: a push, a release, a pull request.
    #[default]
    Push,
    /// A timer.
    Schedule,
    /// A person, or another program in the name of one.
    Manual,
}

impl Trigger {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Schedule => "schedule",
            Self::Manual => "manual",
        }
    }

    /// Whether git started the run. Only such a run is left out of the context's JSON.
    pub fn is_push(&self) -> bool {
        *self == Self::Push
    }
}

/// A pull or merge request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequestFacts {
    /// The branch that it is to be merged into.
    pub target: Option<String>,
    /// The branch that it comes from.
    pub source: Option<String>,
    /// Whether it comes from another repository.
    pub fork: Option<bool>,
    /// Its labels.
    pub labels: Option<Vec<String>>,
    /// Whether it is a draft.
    pub draft: Option<bool>,
}

/// A release of a forge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// Its title.
    pub name: Option<String>,
    /// Whether it is marked as a pre-release, whatever its git tag looks like.
    pub prerelease: Option<bool>,
    /// Whether it is a draft.
    pub draft: Option<bool>,
}

/// The repository that a CI runs for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Its path on its forge: `owner/name`.
    pub name: Option<String>,
    /// The address of its page.
    pub address: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its licence, as an SPDX expression.
    pub license: Option<String>,
    /// The address of the project's own page.
    pub homepage: Option<String>,
}

/// The git tags before the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFacts {
    /// The nearest git tag, and after it the number of commits since and the commit, if there are any: `v1.2.3-4-g9f3c2ab`.
    pub describe: Option<String>,
    /// The nearest git tag that is not the one of the run.
    pub previous_tag: Option<String>,
    /// The number of commits since the nearest git tag.
    pub commits_since_tag: Option<u64>,
}

/// The run of a CI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// Its number, which rises from run to run.
    pub number: Option<u64>,
    /// The number of the attempt, from 1.
    pub attempt: Option<u64>,
}
