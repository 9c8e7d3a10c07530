//! What happens while a plan is made and applied, for reporters. Serialized, an event is a line of `apply --json`.

use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::model::outcome::{ChangeOutcome, Outcome, VisibilityOutcome};
use crate::model::plan::Plan;
use crate::model::secret_search::SecretFinding;
use crate::model::{Digest, Tag};

/// Hears of events, in the order in which they happen, from several threads.
pub trait Reporter: Send + Sync {
    /// Hears of one event. Must not block for long.
    fn report(&self, event: &Event<'_>);
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A plan is about to be applied.
    Plan {
        /// The plan.
        plan: &'a Plan,
    },
    /// A stage of an apply begins.
    Stage {
        /// The stage.
        stage: Stage,
    },
    /// How far a blob has been searched for secrets. Too many for a log.
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
        /// How many secrets were found, what is allowed included.
        found: usize,
    },
    /// What looks like a secret was found in what is to be sent, and is let through.
    SecretLetThrough {
        /// What was found.
        finding: &'a SecretFinding,
    },
    /// How far a blob has been sent. Too many for a log.
    BlobProgress {
        /// The repository's whole name.
        repository: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How many bytes have been handed to the connection; starts again with a retry.
        sent: u64,
    },
    /// A blob is in a repository.
    Blob {
        /// The repository's whole name.
        repository: &'a str,
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How it came there.
        how: Placed,
    },
    /// A manifest is in a repository, by digest.
    Manifest {
        /// The repository's whole name.
        repository: &'a str,
        /// The manifest.
        digest: &'a Digest,
        /// How it came there.
        how: Placed,
    },
    /// A tag that holds signatures names another manifest than the source has, with signatures that would be lost: it was left.
    ReferrerKept {
        /// The repository's whole name.
        repository: &'a str,
        /// The tag.
        tag: &'a Tag,
    },
    /// A manifest without a tag was deleted.
    ManifestDeleted {
        /// The repository's whole name.
        repository: &'a str,
        /// The manifest.
        digest: &'a Digest,
    },
    /// A tag was created, moved, found, refused.
    Tag {
        /// What became of it.
        change: &'a ChangeOutcome,
    },
    /// Visibility was asked after the tags were in place.
    Visibility {
        /// The repository's whole name.
        repository: &'a str,
        /// What was seen.
        visibility: &'a VisibilityOutcome,
        /// The page where a person can change it.
        #[serde(skip_serializing_if = "Option::is_none")]
        settings_url: Option<&'a str>,
    },
    /// A request failed in a way that passes, and is sent again.
    Retry {
        /// `METHOD url`, redacted.
        request: &'a str,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// How long it waits, in milliseconds.
        wait_milliseconds: u64,
        /// Why.
        cause: &'a str,
    },
    /// A registry warns of something.
    RegistryWarning {
        /// The host.
        host: &'a str,
        /// What it said.
        text: &'a str,
    },
    /// The apply is over.
    Finished {
        /// Whether everything is as planned.
        success: bool,
        /// What was done.
        outcome: &'a Outcome,
        /// What went wrong.
        problems: Vec<Problem<'a>>,
    },
}

/// A diagnostic, as a machine reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Problem<'a> {
    /// The code, which `explain` tells about.
    pub code: &'static str,
    /// What happened.
    pub message: &'a str,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
}

impl<'a> From<&'a Diagnostic> for Problem<'a> {
    fn from(diagnostic: &'a Diagnostic) -> Self {
        Self {
            code: diagnostic.code.as_str(),
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
        }
    }
}

/// How content came to be where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placed {
    /// It was sent.
    Pushed,
    /// The registry took it from another repository.
    Mounted,
    /// It was there.
    Present,
}

/// A stage of an apply. Each begins only when the one before is over in every registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sources are opened and tags are read again.
    Check,
    /// Every repository is asked whether the credentials may do there what is planned.
    Preflight,
    /// What is to be sent is searched for secrets.
    Secrets,
    /// Blobs and manifests.
    Content,
    /// Tags that are written once.
    ImmutableTags,
    /// Tags that move.
    FloatingTags,
    /// Who may pull is set, where the registry has an API for it. Begins only where something is to be set.
    Visibility,
    /// Every tag is read again, and visibility is proved.
    ReadBack,
}
