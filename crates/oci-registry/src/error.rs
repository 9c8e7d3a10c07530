//! The errors of a registry, typed by kind. They are data: what to do about one is for the caller to say. The errors
//! arise in the other modules of the registry.

mod circumstances;
mod credentials;
mod deletion;
mod directory;
mod disguised;
mod envelope;
pub(super) mod redaction;
mod refusal;
pub(super) mod text;

use std::path::PathBuf;
use std::time::Duration;

pub use circumstances::{HostRoute, OtherHost, SentManifest, UnsentCredentials, UnsentReason};
pub use credentials::{CredentialError, ProgramProblem};
pub use deletion::DeletionObstacle;
pub use directory::DirectoryProblem;
pub use envelope::{ErrorEnvelope, ErrorItem};
pub use refusal::Refusal;

use crate::digest::Digest;
use crate::manifest::RawManifest;
use crate::tag::Tag;

/// An error of a registry. Requests in messages read `METHOD url`, without userinfo and query; texts from registries
/// hold no control characters.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// No answer came: the name does not resolve, nothing listens, TLS fails, or time ran out.
    #[error("{request}: {cause}{}", text::times(*.attempts))]
    Unreachable {
        /// `METHOD url`.
        request: String,
        /// The cause, in the words of the operating system or of TLS.
        cause: String,
        /// How often it was tried.
        attempts: u32,
        /// The kind of failure.
        failure: NetworkFailure,
        /// The other host that gave no answer, if it was not the registry.
        elsewhere: Option<Box<OtherHost>>,
    },
    /// The registry keeps answering with server errors (status 5xx, or 408).
    #[error("{0}")]
    Unavailable(Box<Refusal>),
    /// The registry requires other credentials, or any at all (status 401).
    #[error("{0}")]
    Unauthorized(Box<Refusal>),
    /// The credentials are valid, but do not allow this (status 403).
    #[error("{0}")]
    Denied(Box<Refusal>),
    /// The requested content does not exist (status 404).
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
        /// The problem with the answer.
        reason: String,
    },
    /// The content does not have the expected digest.
    #[error("{request}: the content has the digest `{found}`, expected `{expected}`")]
    ContentMismatch {
        /// `METHOD url`, or the operation on a file.
        request: String,
        /// The digest that was asked for or sent.
        expected: Digest,
        /// The digest that was computed here or reported by the registry.
        found: Digest,
    },
    /// The blob to push could not be read, or does not match its descriptor. Never retried.
    #[error("cannot push blob `{digest}`: {cause}")]
    Content {
        /// The digest of the blob.
        digest: Digest,
        /// The error of its reader.
        cause: String,
    },
    /// The registry does not delete this.
    #[error(transparent)]
    DeletesNothing(#[from] DeletionObstacle),
    /// A tag that was removed can still be read.
    #[error("tag `{tag}` was removed, but still names `{found}` when read back")]
    StillThere {
        /// The tag.
        tag: Tag,
        /// The digest that it names.
        found: Digest,
    },
    /// A manifest was put, but cannot be found from its subject.
    #[error("tag `{tag}`, which lists the referrers of `{}`: {reason}", subject_words(.tag))]
    NotListed {
        /// The fallback tag.
        tag: Tag,
        /// The problem with the content at the tag.
        reason: String,
    },
    /// A tag was to be removed with a placeholder, which could not be deleted and was left there.
    #[error(
        "{cause}; tag `{tag}` still names a placeholder, because it could not be put back either: {again}"
    )]
    NotPutBack {
        /// The tag.
        tag: Tag,
        /// The digest that the tag named before.
        original: Digest,
        /// Why the placeholder was not deleted.
        #[source]
        cause: Box<RegistryError>,
        /// Why the tag was not put back.
        again: Box<RegistryError>,
    },
    /// Credentials are named but missing, or a credential file cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The certificates of `ca_file` cannot be used, or no HTTP client can be built.
    #[error("`{}`: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        reason: String,
    },
    /// A directory registry cannot be read or written.
    #[error("`{}`: {reason}", .path.display())]
    Directory {
        /// The file or directory.
        path: PathBuf,
        /// The problem with it, or the message of the operating system.
        reason: String,
        /// The kind of problem.
        problem: DirectoryProblem,
    },
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFailure {
    /// The host has no address.
    Name,
    /// No connection could be made, or it broke.
    Connection,
    /// The certificate is not trusted or not the host's.
    Certificate,
    /// The other side requires a client certificate that it knows.
    ClientCertificate,
    /// A proxy in between refuses the connection.
    Proxy,
    /// The other side does not speak TLS.
    NotTls,
    /// No data came, or none could be sent, for too long.
    Timeout,
}

/// Returns the digest that a fallback tag belongs to, shortened.
fn subject_words(tag: &Tag) -> String {
    let (algorithm, digits) = tag.as_str().split_once('-').unwrap_or_default();
    format!("{algorithm}:{}", digits.get(..12).unwrap_or(digits))
}

impl RegistryError {
    /// Whether the registry refuses a manifest because it does not have content that the manifest names.
    pub fn misses_content(&self) -> bool {
        self.refusal().is_some_and(Refusal::misses_content)
    }

    /// Returns the error for a status outside 2xx and 3xx.
    pub fn from_refusal(refusal: Refusal) -> Self {
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

    /// Returns the registry's answer, if there was one.
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

    /// Returns the same error with its refusal, if there is one, changed by `change`.
    fn with_refusal(self, change: impl FnOnce(&mut Refusal)) -> Self {
        let changed = |mut refusal: Box<Refusal>| {
            change(&mut refusal);
            refusal
        };
        match self {
            Self::Unavailable(refusal) => Self::Unavailable(changed(refusal)),
            Self::Unauthorized(refusal) => Self::Unauthorized(changed(refusal)),
            Self::Denied(refusal) => Self::Denied(changed(refusal)),
            Self::NotFound(refusal) => Self::NotFound(changed(refusal)),
            Self::RateLimited(refusal) => Self::RateLimited(changed(refusal)),
            Self::Rejected(refusal) => Self::Rejected(changed(refusal)),
            other => other,
        }
    }

    /// Returns the same error, marked as coming after `attempts` attempts.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        match &mut self {
            Self::Unreachable { attempts, .. } => *attempts = count,
            Self::Unavailable(refusal) | Self::RateLimited(refusal) => refusal.attempts = count,
            _ => {}
        }
        self
    }

    /// Returns the same error with the repository `path`, which a token server does not name.
    #[must_use]
    pub(super) fn about(self, path: &str) -> Self {
        self.with_refusal(|refusal| refusal.repository = Some(path.to_owned()))
    }

    /// Returns the same error for a request whose body held credentials from `origin`.
    #[must_use]
    pub(super) fn with_credentials(self, origin: &str) -> Self {
        self.with_refusal(|refusal| refusal.credentials = Some(origin.to_owned()))
    }

    /// Returns the same error as the answer to a request that put `manifest`.
    #[must_use]
    pub(super) fn about_manifest(self, manifest: &RawManifest) -> Self {
        self.with_refusal(|refusal| refusal.manifest = Some(SentManifest::of(manifest)))
    }

    /// Returns the same error, marked as coming from another host than the registry's.
    #[must_use]
    pub(super) fn at(mut self, other: Option<OtherHost>) -> Self {
        if let Self::Unreachable { elsewhere, .. } = &mut self {
            *elsewhere = other.map(Box::new);
        }
        self
    }

    /// Returns how long the registry asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }
}
