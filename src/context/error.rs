//! Errors in a context.

use std::path::PathBuf;

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
        let (code, help) = match self {
            Self::Flag { flag: "--ref", .. } => (
                Code::ContextFlag,
                "write the full ref: `refs/tags/v1.2.3`, `refs/heads/main` or `refs/pull/12/head`",
            ),
            Self::Flag { .. } | Self::Flags(_) => {
                (Code::ContextFlag, "see `brokkr-publish tags --help` for the values of each flag")
            }
            Self::Payload { .. } => (
                Code::ContextMissing,
                "GitHub writes this file for every job: run inside the job, or unset `GITHUB_EVENT_PATH` and give `--event`, `--ref`, `--sha` and `--pr`",
            ),
            Self::SourceDateEpoch { .. } => (
                Code::ContextMissing,
                "set it to the time of the commit, as `git log -1 --format=%ct` prints it, or unset it",
            ),
        };
        Diagnostic::error(code, self.to_string()).help(help)
    }
}
