//! Errors in a context.

use std::path::PathBuf;

use super::reference_format;
use crate::diagnostic::{Code, Diagnostic};

/// An error in a context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The value of a simulation flag is not valid.
    #[error("`{flag} {value}`: {reason}")]
    Flag {
        /// The flag, with its dashes.
        flag: &'static str,
        /// The given value.
        value: String,
        /// The reason.
        reason: String,
    },
    /// Two simulation flags exclude each other.
    #[error("{0}")]
    Flags(String),
    /// The repository does not have the ref of `--ref`.
    #[error("`--ref {reference}`: this repository has no such ref")]
    NoRef {
        /// The ref in full.
        reference: String,
    },
    /// Several git tags on the commit that is checked out are releases.
    #[error("{} release tags point at the commit that is checked out: {}", .tags.len(), named(.tags))]
    Ambiguous {
        /// The release tags.
        tags: Vec<String>,
        /// The branch that is checked out.
        branch: Option<String>,
    },
    /// The git tag of the run names another commit in this clone.
    #[error("the git tag `{tag}` names commit {} in this clone, but this run is for commit {}", short(.named), short(.sha))]
    TagOfOther {
        /// The git tag.
        tag: String,
        /// The commit that it names.
        named: String,
        /// The commit of the run.
        sha: String,
    },
    /// The variables of a CI contradict each other.
    #[error("{ci} contradicts itself: {text}")]
    Contradiction {
        /// The CI.
        ci: &'static str,
        /// The contradiction.
        text: String,
    },
    /// The file that `GITHUB_EVENT_PATH` names cannot be read or understood.
    #[error("the event payload `{}` cannot be read: {reason}", .path.display())]
    Payload {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// `SOURCE_DATE_EPOCH` is not a time.
    #[error("the environment variable `SOURCE_DATE_EPOCH` is `{value}`, not a number of seconds since 1970")]
    SourceDateEpoch {
        /// Its value.
        value: String,
    },
}

impl ContextError {
    /// The error as a diagnostic.
    pub fn to_diagnostic(&self) -> Diagnostic {
        const FULL_REF: &str =
            "write the full ref: `refs/tags/v1.2.3`, `refs/heads/main` or `refs/pull/12/head`";
        let (code, help) = match self {
            Self::Flag { flag: "--ref", value, .. } => {
                let meant = reference_format::likely_meaning(value).map(|meant| format!("did you mean {meant}? "));
                (Code::ContextFlag, format!("{}{FULL_REF}", meant.unwrap_or_default()))
            }
            Self::Flag { .. } | Self::Flags(_) => (
                Code::ContextFlag,
                "see `brokkr-publish tags --help` for the values of each flag".to_owned(),
            ),
            Self::NoRef { reference } => (
                Code::ContextFlag,
                match reference.strip_prefix("refs/tags/") {
                    Some(tag) => format!(
                        "create it with `git tag {tag}`, fetch it with `git fetch --tags`, or name the commit that it will name with `--sha`"
                    ),
                    None => "fetch it, correct the name, or name the commit with `--sha`".to_owned(),
                },
            ),
            Self::Ambiguous { tags, branch } => (Code::ContextAmbiguous, which(tags, branch.as_deref())),
            Self::TagOfOther { tag, .. } => (
                Code::ContextContradiction,
                format!(
                    "find out which commit `{tag}` should name, and start the run again from it: the git tag may have moved after the run began, this clone may have an old copy of it (`git fetch --tags --force`), or `--sha` may be wrong"
                ),
            ),
            Self::Contradiction { .. } => (
                Code::ContextContradiction,
                "leave the variables as the CI sets them, or say what happened with `--event`, `--ref` and `--sha`"
                    .to_owned(),
            ),
            Self::Payload { .. } => (
                Code::ContextMissing,
                "GitHub writes this file for every job: run inside the job, or unset `GITHUB_EVENT_PATH` and give `--event`, `--ref`, `--sha` and `--pr`".to_owned(),
            ),
            Self::SourceDateEpoch { .. } => (
                Code::ContextMissing,
                "set it to the time of the commit, as `git log -1 --format=%ct` prints it, or unset it".to_owned(),
            ),
        };
        Diagnostic::error(code, self.to_string()).help(help)
    }
}

/// The help to choose between release tags, and the branch if one is checked out.
fn which(tags: &[String], branch: Option<&str>) -> String {
    let first = tags.first().map(String::as_str).unwrap_or_default();
    let branch = branch.map(|branch| format!(", or `--ref refs/heads/{branch}` for the branch"));
    format!("name the one to publish: `--ref refs/tags/{first}`{}", branch.unwrap_or_default())
}

/// Something in a context that is not certain. The run goes on, and says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextDoubt {
    /// The repository does not have the ref of `--ref`.
    #[error("this clone has no ref `{reference}`{}{}", because(*.cause), instead(.used.as_deref(), *.is_given))]
    NoRef {
        /// The ref in full.
        reference: String,
        /// The reason why it may exist all the same.
        cause: Option<&'static str>,
        /// The commit that is used instead of that of the ref.
        used: Option<String>,
        /// Whether `--sha` gave the commit.
        is_given: bool,
    },
    /// The CI does not say what happened, and a git tag is checked out.
    #[error("{problem}: assuming that the git tag `{tag}`, which is checked out, is to be published")]
    OnlyCheckout {
        /// The fact that the CI does not give.
        problem: String,
        /// The git tag.
        tag: String,
    },
    /// Another commit is checked out than the one that the CI names.
    #[error("commit {} is checked out, but {ci} runs for commit {}", short(.head), short(.sha))]
    OtherHead {
        /// The CI.
        ci: String,
        /// The commit that is checked out.
        head: String,
        /// The commit of the run.
        sha: String,
    },
    /// The repository does not have the commit of `--sha`.
    #[error("this clone has no commit {}{}", short(.sha), because(*.cause))]
    UnknownCommit {
        /// The commit.
        sha: String,
        /// The reason why it may exist all the same.
        cause: Option<&'static str>,
    },
}

impl ContextDoubt {
    /// The doubt as a diagnostic.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::NoRef { is_given: false, .. } => "fetch the ref, or name its commit with `--sha`",
            Self::NoRef { .. } => "fetch the ref, so that it can be compared with `--sha`",
            Self::UnknownCommit { .. } => "fetch the commit, or correct the id",
            Self::OnlyCheckout { .. } => {
                "say what happened: `--ref refs/tags/v1.2.3`, `--ref refs/heads/main`, or `--pr 12`"
            }
            Self::OtherHead { .. } => {
                "check out the commit of the run, or name the one that is built with `--sha`"
            }
        };
        Diagnostic::warning(Code::ContextFlag, self.to_string()).help(help)
    }
}

fn because(cause: Option<&str>) -> String {
    cause.map(|cause| format!(" ({cause})")).unwrap_or_default()
}

fn instead(used: Option<&str>, is_given: bool) -> String {
    match used {
        None => String::new(),
        Some(sha) if is_given => format!(": commit {} is that of `--sha`", short(sha)),
        Some(sha) => format!(": commit {}, which is checked out, is used", short(sha)),
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

/// The first of `names`, in backticks.
pub(super) fn named(names: &[String]) -> String {
    const NAMED: usize = 5;
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
