//! The reasons why a plan cannot be applied: it is blocked, it contradicts itself, or something cannot be opened.

use crate::content::ContentError;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::Mutability;
use crate::model::plan::{Action, Change, PlannedRepository, Reason};
use crate::model::problem::PlannedProblem;
use crate::model::secret_search::SecretFinding;
use crate::screening::secret_diagnostic;
use oci_registry::Digest;
use oci_registry::RegistryError;

/// The reason why a plan cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The plan holds conflicts.
    #[error("{address}: {tag} is immutable and names {before}; the plan wants {after}")]
    Conflict {
        /// The change's address.
        address: String,
        /// The tag.
        tag: String,
        /// The digest that it names.
        before: String,
        /// The wanted digest.
        after: String,
    },
    /// A tag is in conflict in another way.
    #[error("{address}: {reason}")]
    Blocked {
        /// The change's address.
        address: String,
        /// The reason.
        reason: String,
        /// The way out.
        help: String,
    },
    /// A problem that was found while the plan was made.
    #[error("{}", .0.message)]
    Problem(PlannedProblem),
    /// A secret was found in the content to send.
    #[error("{}", .0.title())]
    Secret(Box<SecretFinding>),
    /// The plan contradicts itself, which only an edited plan does.
    #[error("{address}: the plan contradicts itself: {reason}")]
    Inconsistent {
        /// The change's address.
        address: String,
        /// The contradiction.
        reason: String,
    },
    /// The plan names a registry that it does not describe.
    #[error("the plan names the registry `{0}` without describing it")]
    UnknownRegistry(String),
    /// A source cannot be read.
    #[error("{address}: {error}")]
    Source {
        /// The repository's address.
        address: String,
        /// The cause.
        error: ContentError,
    },
    /// A source no longer holds what it held when the plan was made.
    #[error(
        "{address}: the source `{source_spec}` changed since the plan was made: it was {planned} and is now {found}"
    )]
    SourceChanged {
        /// The repository's address.
        address: String,
        /// The source.
        source_spec: String,
        /// The digest in the plan.
        planned: Digest,
        /// The digest found.
        found: Digest,
    },
    /// A referrer of the content is no longer in the source.
    #[error(
        "{address}: the source `{source_spec}` changed since the plan was made: {referrer}, which refers to {subject}, is no longer there"
    )]
    ReferrerGone {
        /// The repository's address.
        address: String,
        /// The source.
        source_spec: String,
        /// The digest of the missing referrer.
        referrer: Digest,
        /// The digest that it refers to.
        subject: Digest,
    },
    /// A registry cannot be reached at all.
    #[error("{address}: {error}")]
    Registry {
        /// The repository's address.
        address: String,
        /// The cause.
        error: Box<RegistryError>,
    },
}

impl PrepareError {
    /// Returns the diagnostic for this error.
    pub fn to_diagnostic(&self) -> Diagnostic {
        match self {
            Self::Conflict { .. } => Diagnostic::error(Code::PlanConflict, self.to_string()).help(
                "publish under another version; or set `on_conflict = \"keep\"` on the rule to keep the digest that was published first",
            ),
            Self::Blocked { help, .. } => {
                Diagnostic::error(Code::PlanConflict, self.to_string()).help(help.clone())
            }
            Self::Problem(problem) => Diagnostic::from(problem),
            Self::Secret(finding) => secret_diagnostic(finding),
            Self::UnknownRegistry(_) | Self::Inconsistent { .. } => {
                Diagnostic::error(Code::PlanFile, self.to_string()).help("make the plan again")
            }
            Self::Source { address, error } => error.to_diagnostic().about(address),
            Self::SourceChanged { .. } | Self::ReferrerGone { .. } => Diagnostic::error(Code::PlanStale, self.to_string())
                .help("make the plan again and approve the new one"),
            Self::Registry { address, error } => error.to_diagnostic().about(address),
        }
    }
}

/// Returns the error that blocks the plan at `change`, if there is one.
pub(super) fn conflict(planned: &PlannedRepository, change: &Change) -> Option<PrepareError> {
    if change.action != Action::Conflict {
        return None;
    }
    let short =
        |digest: Option<&Digest>| digest.map_or_else(|| "nothing".to_owned(), |digest| digest.short(12));
    let address = change.address.clone();
    let (before, after) = (short(change.present()), short(change.wanted()));
    Some(match &change.reason {
        Reason::UnknownRefused { why, setting } => PrepareError::Blocked {
            address,
            reason: format!("it names {before}, and {after} might be older: {why}"),
            help: format!("to move the tag once, add `--set {setting}`"),
        },
        Reason::Dangling => PrepareError::Blocked {
            address,
            reason: "the registry lists the tag, but has no manifest for it".to_owned(),
            help: "delete the tag in the registry, or wait until its list no longer has it".to_owned(),
        },
        Reason::MovedSince => PrepareError::Blocked {
            address,
            reason: format!("somebody moved it since: it names {before}"),
            help: "leave this tag as it is and select the others with `--target`".to_owned(),
        },
        Reason::ContentGone => PrepareError::Blocked {
            address,
            reason: format!("it cannot go back to {after}, which the repository no longer has"),
            help:
                "publish that version again; or leave this tag as it is and select the others with `--target`"
                    .to_owned(),
        },
        Reason::KeptElsewhere { repository, digest } => PrepareError::Blocked {
            address,
            reason: format!(
                "{repository} keeps {} for `{}`, the digest first published, but here it would be {after}",
                digest.short(12),
                change.tag
            ),
            help: format!(
                "copy the digest that is kept, then run again: `skopeo copy --all docker://{repository}@{digest} docker://{}:{}`",
                planned.name, change.tag
            ),
        },
        _ => PrepareError::Conflict { address, tag: change.tag.to_string(), before, after },
    })
}

/// Returns the contradiction in `change`, if there is one. A plan that this program made has none.
pub(super) fn contradiction(planned: &PlannedRepository, change: &Change) -> Option<&'static str> {
    let root = planned.content.as_ref().map(|content| &content.root.digest);
    match (change.action, &change.before, &change.after) {
        (Action::Move, ..) if change.mutability == Mutability::Immutable => {
            Some("an immutable tag does not move")
        }
        (Action::Move, None, _) => Some("a tag that names nothing cannot move"),
        (Action::Create, Some(_), _) => Some("a tag that names something cannot be created"),
        (Action::Create | Action::Move, _, None) => Some("it does not say what the tag should name"),
        (Action::Remove, None, _) => Some("a tag that names nothing cannot be removed"),
        (Action::Remove, _, Some(_)) => Some("a tag that is removed names nothing"),
        (Action::Remove, ..) if change.removal.is_none() => Some("it does not say how the tag is removed"),
        // A plan that publishes nothing, such as a rollback, gives a tag its previous digest back.
        (Action::Create, ..)
            if change.mutability == Mutability::Immutable && root.is_some() && change.wanted() != root =>
        {
            Some("the tag should name a digest other than the published one")
        }
        _ => None,
    }
}
