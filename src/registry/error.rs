//! What can go wrong with a registry, typed by kind. How each kind reads, and what its way out is, lives
//! here and in `error/`; where errors arise, elsewhere in this room.

mod create_first;
mod directory;
pub(super) mod echo;
mod envelope;
mod explain;
mod github;
mod refusal;
pub(super) mod text;

use std::path::PathBuf;
use std::time::Duration;

pub use directory::DirectoryProblem;
pub use envelope::{ErrorEnvelope, ErrorItem};
pub use refusal::Refusal;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Digest, Tag};

/// What can go wrong with a registry. Requests in messages read `METHOD url`, without userinfo and query;
/// texts from registries hold no control characters.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// No answer came: the name does not resolve, nothing listens, TLS fails, or time ran out.
    #[error("{request}: {cause}{}", times(*.attempts))]
    Unreachable {
        /// `METHOD url`.
        request: String,
        /// What happened, in words of the operating system or of TLS.
        cause: String,
        /// How often it was tried.
        attempts: u32,
        /// What kind of failure it was, for the help.
        failure: NetworkFailure,
    },
    /// The registry answers with server errors (status 5xx, or 408), and went on doing so.
    #[error("{0}")]
    Unavailable(Box<Refusal>),
    /// The registry wants other credentials, or any (status 401).
    #[error("{0}")]
    Unauthorized(Box<Refusal>),
    /// The credentials are good, but not for this (status 403).
    #[error("{0}")]
    Denied(Box<Refusal>),
    /// What was asked for does not exist (status 404).
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// Too many requests (status 429, or GHCR's secondary limit), and waiting did not help in time.
    #[error("{0}")]
    RateLimited(Box<Refusal>),
    /// The registry refuses the content or the request (any other status 4xx).
    #[error("{0}")]
    Rejected(Box<Refusal>),
    /// The registry answered something that distribution-spec 1.1 does not allow.
    #[error("{request}: {reason}")]
    Protocol {
        /// `METHOD url`.
        request: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// Content is not what its digest says.
    #[error("{request}: the content has the digest `{found}`, expected `{expected}`")]
    ContentMismatch {
        /// `METHOD url`, or what was done to a file.
        request: String,
        /// The digest that was asked for or sent.
        expected: Digest,
        /// The digest that was computed here or told by the registry.
        found: Digest,
    },
    /// The blob to push could not be read, or is not what its descriptor says. Never retried.
    #[error("cannot push blob `{digest}`: {cause}")]
    Content {
        /// The digest of the blob.
        digest: Digest,
        /// What its reader said.
        cause: String,
    },
    /// The registry deletes nothing.
    #[error("{reason}")]
    DeletesNothing {
        /// Why, and what to do instead.
        reason: String,
    },
    /// A tag that was removed can still be read.
    #[error("tag `{tag}` was removed, but still names `{found}` when read back")]
    StillThere {
        /// The tag.
        tag: Tag,
        /// What it names.
        found: Digest,
    },
    /// A manifest was put, and cannot be found by what it refers to.
    #[error("tag `{tag}`, which lists the referrers of `{}`: {reason}", subject_words(.tag))]
    NotListed {
        /// The fallback tag.
        tag: Tag,
        /// What is wrong with what stands there.
        reason: String,
    },
    /// A tag was to be removed by way of a placeholder, which could not be deleted and was left there.
    #[error(
        "{cause}; tag `{tag}` still names a placeholder, because it could not be put back either: {again}"
    )]
    NotPutBack {
        /// The tag.
        tag: Tag,
        /// What it named before.
        original: Digest,
        /// Why the placeholder was not deleted.
        cause: Box<RegistryError>,
        /// Why the tag was not put back.
        again: Box<RegistryError>,
    },
    /// Credentials are named but not there, or a credential file cannot be read.
    #[error("{reason}")]
    Credentials {
        /// Which variable or file, and what is wrong with it.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// The certificates of `ca_file` cannot be used, or no HTTP client can be built.
    #[error("`{}`: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A directory registry cannot be read or written.
    #[error("`{}`: {reason}", .path.display())]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, or what the operating system said.
        reason: String,
        /// What kind of problem it is, for the help.
        problem: DirectoryProblem,
    },
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFailure {
    /// The host has no address.
    Name,
    /// No connection, or it broke.
    Connection,
    /// The certificate is not trusted or not the host's.
    Certificate,
    /// The other side wants to see a client's certificate that it knows.
    ClientCertificate,
    /// A proxy in between refuses the connection.
    Proxy,
    /// The other side does not speak TLS.
    NotTls,
    /// Nothing came, or nothing was taken, for too long.
    Timeout,
}

/// The digest that a fallback tag is of, shortened.
fn subject_words(tag: &Tag) -> String {
    let (algorithm, digits) = tag.as_str().split_once('-').unwrap_or_default();
    format!("{algorithm}:{}", digits.get(..12).unwrap_or(digits))
}

/// ` (after N attempts)`, where there was more than one.
fn times(attempts: u32) -> String {
    if attempts > 1 { format!(" (after {attempts} attempts)") } else { String::new() }
}

impl RegistryError {
    /// Whether the registry refuses a manifest since it misses what that names.
    pub fn misses_content(&self) -> bool {
        let codes = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];
        match self {
            Self::Rejected(refusal) | Self::NotFound(refusal) => {
                codes.into_iter().any(|code| refusal.errors.has_code(code))
            }
            _ => false,
        }
    }

    /// The error that a status outside 2xx and 3xx is.
    pub(super) fn from_refusal(refusal: Refusal) -> Self {
        let limited = refusal.status == 429
            || (refusal.status == 403
                && ["secondary rate limit", "API rate limit exceeded"]
                    .iter()
                    .any(|words| refusal.errors.mentions(words)));
        let refusal = Box::new(refusal);
        match refusal.status {
            _ if limited => Self::RateLimited(refusal),
            401 => Self::Unauthorized(refusal),
            403 => Self::Denied(refusal),
            404 => Self::NotFound(refusal),
            408 | 500..=599 => Self::Unavailable(refusal),
            _ => Self::Rejected(refusal),
        }
    }

    /// The registry's answer, where there was one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Unavailable(refusal)
            | Self::Unauthorized(refusal)
            | Self::Denied(refusal)
            | Self::NotFound(refusal)
            | Self::RateLimited(refusal)
            | Self::Rejected(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The same error, said to have come after `attempts` attempts.
    #[must_use]
    pub(super) fn after(mut self, count: u32) -> Self {
        match &mut self {
            Self::Unreachable { attempts, .. } => *attempts = count,
            Self::Unavailable(refusal) | Self::RateLimited(refusal) => refusal.attempts = count,
            _ => {}
        }
        self
    }

    /// The answer that says no, of an error that is one.
    fn refusal_mut(&mut self) -> Option<&mut Refusal> {
        match self {
            Self::Unavailable(refusal)
            | Self::Unauthorized(refusal)
            | Self::Denied(refusal)
            | Self::NotFound(refusal)
            | Self::RateLimited(refusal)
            | Self::Rejected(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The same error, known to be about the repository `path`: a token server does not name it.
    #[must_use]
    pub(super) fn about(mut self, path: &str) -> Self {
        if let Some(refusal) = self.refusal_mut() {
            refusal.repository = Some(path.to_owned());
        }
        self
    }

    /// The same error, of a request whose body held credentials from `origin`.
    #[must_use]
    pub(super) fn with_credentials(mut self, origin: &str) -> Self {
        if let Some(refusal) = self.refusal_mut() {
            refusal.credentials = Some(origin.to_owned());
        }
        self
    }

    /// How long the registry asked to wait, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }

    /// The code of the catalogue.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } | Self::Unavailable(_) | Self::Certificates { .. } => {
                Code::RegistryUnreachable
            }
            Self::Unauthorized(_) => Code::RegistryUnauthorized,
            Self::Denied(_) => Code::RegistryDenied,
            Self::NotFound(_) => Code::RegistryNotFound,
            Self::RateLimited(_) => Code::RegistryRateLimited,
            Self::Rejected(_) | Self::DeletesNothing { .. } => Code::RegistryRejected,
            Self::StillThere { .. } => Code::ApplyReadBack,
            Self::NotPutBack { cause, .. } => cause.code(),
            Self::Protocol { .. } | Self::ContentMismatch { .. } | Self::NotListed { .. } => {
                Code::RegistryProtocol
            }
            Self::Content { .. } => Code::SourceDigest,
            Self::Credentials { .. } => Code::RegistryCredentials,
            Self::Directory { .. } => Code::RegistryDirectory,
        }
    }

    /// What people see: the message, and a way out.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code(), self.to_string()).help(explain::help(self))
    }
}

#[cfg(test)]
mod tests;
