//! The inputs of an apply besides its plan, and the reasons for stopping it.

use std::sync::Arc;

use tokio::sync::watch;

use super::lineage::Lineage;
use crate::connections::Connections;
use crate::diagnostic::Diagnostic;
use crate::event::{Reporter, Stage};
use crate::model::OnTagFailure;
use crate::observed::Observed;
use crate::screening::{OwnSearch, Screening};
use oci_content::Surroundings;
use oci_registry::Digest;

/// The inputs of an apply besides its plan.
pub struct ApplyOptions<'a> {
    /// The surroundings that sources are opened with, such as the folder that the relative paths of the plan start at.
    pub surroundings: Surroundings,
    /// The connections to repositories.
    pub connections: &'a Connections,
    /// Decides again about forward tags.
    pub lineage: Lineage,
    /// Searches the content to send for secrets.
    pub screening: &'a Screening,
    /// The rules of this apply for the search of a saved plan's content.
    pub own_search: &'a OwnSearch,
    /// Whether the plan was saved, and so may have been approved. If it was, it is stale as soon as any tag does not name
    /// what the plan says when the apply begins.
    pub saved: bool,
    /// The observations that the plan was made from, if this run made it. They are not made again.
    pub observed: Option<&'a Observed>,
    /// Whether the tags may have moved since they were observed.
    pub tags_are_old: bool,
    /// The behavior if a registry refuses a floating tag for good.
    pub on_tag_failure: OnTagFailure,
    /// The digest of the plan as it is saved.
    pub plan_digest: Digest,
    /// The receiver of events.
    pub reporter: Arc<dyn Reporter>,
    /// The number of blobs that are under way at once.
    pub parallelism: usize,
    /// Turns true when the person wants to stop.
    pub cancel: watch::Receiver<bool>,
}

/// The reason why an apply stopped early.
pub(super) struct Stop {
    /// Everything that went wrong.
    pub problems: Vec<Diagnostic>,
    /// The stage that the person stopped, if one was.
    pub interrupted: Option<Stage>,
}

impl From<Vec<Diagnostic>> for Stop {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self { problems, interrupted: None }
    }
}
