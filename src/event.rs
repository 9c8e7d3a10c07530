//! Events of making and applying a plan, for reporters. Each event is serialized as a line of `apply --json`.

use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::model::outcome::{ChangeOutcome, Outcome, SignatureOutcome, VisibilityOutcome};
use crate::model::plan::Plan;
use crate::model::secret_search::SecretFinding;
use oci_registry::{Digest, Tag};

/// Receives events in the order in which they happen, from several threads.
pub trait Reporter: Send + Sync {
    /// Receives one event. Must not block for long.
    fn report(&self, event: &Event<'_>);
}

/// An event.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A plan is about to be applied.
    Plan {
        /// The plan.
        plan: &'a Plan,
        /// The digest of its file, if it was saved.
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<&'a Digest>,
    },
    /// A stage of an apply begins.
    Stage {
        /// The stage.
        stage: Stage,
    },
    /// Progress of searching a blob for secrets. There are too many of these for a log.
    SearchProgress {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How many bytes have been read.
        read: u64,
    },
    /// A blob was searched for secrets.
    Searched {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// Whether an earlier run had searched it.
        from_cache: bool,
        /// How many secrets were found, including allowed ones.
        found: usize,
    },
    /// A possible secret was found in the content to send, and is let through.
    SecretLetThrough {
        /// The finding.
        finding: &'a SecretFinding,
    },
    /// Progress of sending a blob. There are too many of these for a log.
    BlobProgress {
        /// The full name of the repository.
        repository: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How many bytes have been handed to the connection. Starts again with a retry.
        sent: u64,
    },
    /// The progress of sending everything, every few seconds.
    Progress {
        /// The stage.
        stage: Stage,
        /// How many bytes have been sent.
        sent: u64,
        /// How many bytes the plan sends.
        total: u64,
        /// The rate of the last seconds, if it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes_per_second: Option<u64>,
        /// The time that is left at this rate, in seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds_left: Option<u64>,
    },
    /// A blob is in a repository now.
    Blob {
        /// The full name of the repository.
        repository: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How it got there.
        how: Placed,
    },
    /// A manifest is in a repository now, by digest.
    Manifest {
        /// The full name of the repository.
        repository: &'a str,
        /// The manifest.
        digest: &'a Digest,
        /// How it got there.
        how: Placed,
    },
    /// A tag that holds signatures was left unchanged, because its manifest is not the source's and has signatures that would
    /// be lost.
    ReferrerKept {
        /// The full name of the repository.
        repository: &'a str,
        /// The tag.
        tag: &'a Tag,
    },
    /// A manifest has a signature that verifies.
    Signed {
        /// The full name of the repository.
        repository: &'a str,
        /// The signature.
        signature: &'a SignatureOutcome,
    },
    /// A manifest without a tag was deleted.
    ManifestDeleted {
        /// The full name of the repository.
        repository: &'a str,
        /// The manifest.
        digest: &'a Digest,
    },
    /// A tag was created, moved, found or refused.
    Tag {
        /// The outcome of the change.
        change: &'a ChangeOutcome,
    },
    /// Visibility was checked after the tags were in place.
    Visibility {
        /// The full name of the repository.
        repository: &'a str,
        /// The result.
        visibility: &'a VisibilityOutcome,
        /// The page where a person can change it.
        #[serde(skip_serializing_if = "Option::is_none")]
        settings_url: Option<&'a str>,
    },
    /// A request failed with a temporary error and is sent again.
    Retry {
        /// `METHOD url`, redacted.
        request: &'a str,
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// The wait before the next attempt, in milliseconds.
        wait_milliseconds: u64,
        /// The reason.
        cause: &'a str,
    },
    /// A registry sent a warning.
    RegistryWarning {
        /// The host.
        host: &'a str,
        /// The text of the warning.
        text: &'a str,
    },
    /// The apply is over.
    Finished {
        /// Whether everything is as planned.
        success: bool,
        /// The result of the apply.
        outcome: &'a Outcome,
        /// The errors.
        problems: Vec<ReportedProblem<'a>>,
    },
}

/// A diagnostic for machines.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct ReportedProblem<'a> {
    /// The code, which `explain` describes.
    pub code: &'static str,
    /// The message.
    pub message: &'a str,
    /// The help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
}

impl<'a> From<&'a Diagnostic> for ReportedProblem<'a> {
    fn from(diagnostic: &'a Diagnostic) -> Self {
        Self {
            code: diagnostic.code.as_str(),
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
        }
    }
}

/// How content got into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Placed {
    /// It was sent.
    Pushed,
    /// The registry took it from another repository.
    Mounted,
    /// It was already there.
    Present,
}

/// A stage of an apply. Each begins only when the previous one has ended in every registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sources are opened and tags are read again.
    Check,
    /// Every repository is asked whether the credentials allow what is planned.
    Preflight,
    /// The content to send is searched for secrets.
    Secrets,
    /// Blobs are pushed and manifests are put.
    Content,
    /// Manifests are signed, and the signatures are verified. Begins only if something is to be signed.
    Signatures,
    /// Immutable tags are put.
    ImmutableTags,
    /// Floating tags are moved.
    FloatingTags,
    /// Visibility is set in registries that have an API for it. Begins only if something is to be set.
    Visibility,
    /// Every tag is read again, and visibility is checked.
    ReadBack,
}
