//! The answer of `auth check`: the permissions of the credentials in each repository. It is data for machines:
//! `auth check --json` prints its serialized form.

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// The version of the report format. A major version breaks readers, a minor version only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// Whether the credentials may do everything that is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AccessReport {
    /// The version of this format, `MAJOR.MINOR`.
    pub format_version: String,
    /// The program that asked, with its version.
    pub generator: String,
    /// One line about what was asked, for people.
    pub title: String,
    /// Whether nothing was refused, and nothing is unknown.
    pub granted: bool,
    /// The repositories, in the order of `publish.toml`.
    pub repositories: Vec<RepositoryAccess>,
}

/// The permissions of the credentials in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RepositoryAccess {
    /// `images.NAME@REGISTRY`, which `--target` accepts; `charts` and `artifacts` likewise.
    pub address: String,
    /// The resource that is published: `images.NAME`, `charts.NAME` or `artifacts.NAME`.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// The full name, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub name: String,
    /// The origin of the credentials in words, or the credential program that failed; left out if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Whether it may be read.
    pub read: Answer,
    /// Whether content may be pushed to it: an upload session was opened and cancelled.
    pub push: Answer,
    /// Whether it may be created, if it does not exist.
    pub create: Answer,
    /// The repositories of the same registry that content will be mounted from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<MountAccess>,
    /// Whether something may be deleted from it, if a retention covers it.
    pub delete: Answer,
}

/// Whether content may be mounted from a repository of the same registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MountAccess {
    /// The full name of that repository.
    pub from: String,
    /// Whether it may be read.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Whether something may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Yes.
    Granted,
    /// No.
    Refused(Problem),
    /// The answer could not be determined.
    Unknown(Problem),
    /// The repository does not exist yet.
    NotYet,
    /// The registry shows it only when the operation is done.
    #[serde(rename = "untold")]
    NotShown {
        /// The reason.
        why: String,
    },
    /// It was not asked, because nothing that is declared needs it.
    NotAsked,
}

/// The reason why something is refused or unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// The code, which `explain` describes.
    pub code: String,
    /// The answer of the registry.
    pub reason: String,
    /// The way out; may have several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// An operation that credentials may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Read tags, manifests and blobs.
    Read,
    /// Push content, and put tags.
    Push,
    /// Create the repository by pushing to it.
    Create,
    /// Mount content from another repository of the registry.
    Mount,
    /// Delete tags or manifests.
    Delete,
}

impl Permission {
    /// Every permission, in the order of a report.
    pub const ALL: [Self; 5] = [Self::Read, Self::Push, Self::Create, Self::Mount, Self::Delete];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Push => "push",
            Self::Create => "create",
            Self::Mount => "mount",
            Self::Delete => "delete",
        }
    }
}

/// Joins words for people: `read, push or delete`.
pub fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

impl Answer {
    /// The problem, if the answer is refused or unknown.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) | Self::Unknown(problem) => Some(problem),
            Self::Granted | Self::NotYet | Self::NotShown { .. } | Self::NotAsked => None,
        }
    }
}

impl RepositoryAccess {
    /// Every answer with its permission; for a mount, also with the repository that content is mounted from.
    pub fn answers(&self) -> impl Iterator<Item = (Permission, Option<&str>, &Answer)> {
        let mounts = self.mounts.iter().map(|it| (Permission::Mount, Some(it.from.as_str()), &it.answer));
        [
            (Permission::Read, None, &self.read),
            (Permission::Push, None, &self.push),
            (Permission::Create, None, &self.create),
        ]
        .into_iter()
        .chain(mounts)
        .chain([(Permission::Delete, None, &self.delete)])
    }

    /// Whether nothing was refused, and nothing is unknown.
    pub fn is_granted(&self) -> bool {
        self.answers().all(|(_, _, answer)| answer.problem().is_none())
    }

    /// The worst answer among the repositories that content will be mounted from.
    pub fn mount(&self) -> &Answer {
        let answers = || self.mounts.iter().map(|mount| &mount.answer);
        let refused = answers().find(|answer| matches!(answer, Answer::Refused(_)));
        let wrong = refused.or_else(|| answers().find(|answer| answer.problem().is_some()));
        wrong.or_else(|| answers().next()).unwrap_or(&Answer::NotAsked)
    }
}
