//! Carrying out a plan. The stages: ask for permissions, place the content everywhere, put the immutable tags, put the
//! floating tags and remove what has to go, set the visibility, read everything back.
//!
//! An apply sees neither configuration nor context, because the plan is enough. A failure stops before the next stage, so
//! that at worst it leaves content that no tag names.

mod body;
mod check;
mod content;
mod forward;
mod orphans;
mod preflight;
mod progress;
mod read_back;
mod referrers;
mod refused;
mod removal;
mod secrets;
mod tags;
mod visibility;

use std::sync::Arc;

use tokio::sync::watch;

pub use check::{Prepared, prepare};
pub use forward::Judge;
pub use refused::PrepareError;
pub use secrets::{SecretSearch, Sent};

use crate::diagnostic::{Code, Diagnostic};
use crate::event::{Event, ReportedProblem, Reporter, Stage};
use crate::model::Mutability;
use crate::model::outcome::Outcome;
use crate::model::plan::{Action, Change, Plan};
use crate::visibility::VisibilityProvider;
use oci_content::Surroundings;
use oci_registry::RepositoryName;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{RegistryError, Repository};
use progress::Progress;

/// How an apply reaches the repositories of its plan.
pub trait Connect: Send + Sync {
    /// Returns the repository, reached with credentials.
    fn repository(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError>;

    /// Returns the repository, reached without credentials.
    fn anonymous(
        &self,
        endpoint: &RegistryEndpoint,
        name: &RepositoryName,
    ) -> Result<Arc<dyn Repository>, RegistryError>;

    /// Returns the API that reads and sets who may pull from the registry.
    fn visibility(&self, endpoint: &RegistryEndpoint) -> Arc<dyn VisibilityProvider>;
}

/// The inputs of an apply besides its plan.
pub struct Options<'a> {
    /// The surroundings that sources are opened with, such as the folder that the relative paths of the plan start at.
    pub surroundings: Surroundings,
    /// How to reach repositories.
    pub connect: &'a dyn Connect,
    /// Decides again about forward tags.
    pub judge: Arc<dyn Judge>,
    /// Searches the content to send for secrets.
    pub secrets: Arc<dyn SecretSearch>,
    /// Whether the plan was saved, and so may have been approved. If it was, it is stale as soon as any tag does not name
    /// what the plan says when the apply begins.
    pub saved: bool,
    /// The receiver of events.
    pub reporter: Arc<dyn Reporter>,
    /// The number of blobs that are under way at once.
    pub parallelism: usize,
    /// Turns true when the person wants to stop.
    pub cancel: watch::Receiver<bool>,
}

/// Applies `plan`. Returns what was done and everything that went wrong.
pub async fn apply(plan: &Plan, options: &Options<'_>) -> (Outcome, Vec<Diagnostic>) {
    let progress = Progress::new(plan, options.reporter.clone());
    let problems = match run(plan, options, &progress).await {
        Ok(()) => Vec::new(),
        Err(Stop { mut problems, interrupted: during }) => {
            problems.extend(during.map(|stage| interrupted(stage, progress.tags_put())));
            problems
        }
    };
    let outcome = progress.finish();
    options.reporter.report(&Event::Finished {
        success: problems.is_empty(),
        outcome: &outcome,
        problems: problems.iter().map(ReportedProblem::from).collect(),
    });
    (outcome, problems)
}

/// The reason why an apply stopped early.
struct Stop {
    /// Everything that went wrong.
    problems: Vec<Diagnostic>,
    /// The stage that the person stopped, if one was.
    interrupted: Option<Stage>,
}

impl From<Vec<Diagnostic>> for Stop {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self { problems, interrupted: None }
    }
}

async fn run(plan: &Plan, options: &Options<'_>, progress: &Progress) -> Result<(), Stop> {
    let stage = |stage: Stage| options.reporter.report(&Event::Stage { stage });
    stage(Stage::Check);
    // Sources are read on this thread, and sources in registries wait for the network.
    let prepared = tokio::task::block_in_place(|| check::prepare(plan, options))
        .map_err(|errors| errors.iter().map(PrepareError::to_diagnostic).collect::<Vec<_>>())?;
    let pending = unless_cancelled(Stage::Check, options, check::stale(&prepared, options, progress)).await?;
    unless_cancelled(Stage::Check, options, visibility::stale(&prepared, options)).await?;
    stage(Stage::Preflight);
    let asked = preflight::ask(plan, &prepared, &pending, options);
    unless_cancelled(Stage::Preflight, options, asked).await?;
    if let Some(planned) = &plan.secrets {
        stage(Stage::Secrets);
        secrets::search(planned, &prepared, options, progress)?;
    }
    stage(Stage::Content);
    unless_cancelled(Stage::Content, options, content::place(&prepared, options, progress)).await?;
    // From here on no request is cut off in the middle: a tag is moved, or it is not.
    for (of_stage, immutable) in [(Stage::ImmutableTags, true), (Stage::FloatingTags, false)] {
        stage(of_stage);
        // Removals come last, including the removal of an immutable tag by a retention.
        let in_stage = |change: &Change| {
            (change.mutability == Mutability::Immutable && change.action != Action::Remove) == immutable
        };
        let all = tags::put(&prepared, options, progress, in_stage).await?;
        if !all {
            return Err(Stop { problems: Vec::new(), interrupted: Some(of_stage) });
        }
    }
    let mut settled = visibility::Settled::default();
    if visibility::is_due(&prepared, options) {
        stage(Stage::Visibility);
        settled = visibility::set(&prepared, options).await;
    }
    let mut problems = std::mem::take(&mut settled.problems);
    if settled.interrupted {
        return Err(Stop { problems, interrupted: Some(Stage::Visibility) });
    }
    stage(Stage::ReadBack);
    // The tags are in place, even if setting the visibility failed.
    match read_back(&prepared, options, progress, &settled).await {
        Ok(()) if problems.is_empty() => Ok(()),
        Ok(()) => Err(Stop::from(problems)),
        Err(stop) => {
            problems.extend(stop.problems);
            Err(Stop { problems, interrupted: stop.interrupted })
        }
    }
}

async fn read_back(
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
    settled: &visibility::Settled,
) -> Result<(), Stop> {
    let stage = Stage::ReadBack;
    unless_cancelled(stage, options, read_back::tags(prepared, options, progress)).await?;
    unless_cancelled(stage, options, referrers::confirm(prepared)).await?;
    unless_cancelled(stage, options, read_back::visibility(prepared, options, progress, settled)).await
}

/// Runs `work`, and drops it when the person wants to stop. `work` moves no tag.
async fn unless_cancelled<T>(
    stage: Stage,
    options: &Options<'_>,
    work: impl Future<Output = Result<T, Vec<Diagnostic>>>,
) -> Result<T, Stop> {
    let mut cancel = options.cancel.clone();
    let cancelled = async {
        if cancel.wait_for(|cancelled| *cancelled).await.is_err() {
            // The sender is gone, so nobody can ask to stop any more.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        result = work => result.map_err(Stop::from),
        () = cancelled => Err(Stop { problems: Vec::new(), interrupted: Some(stage) }),
    }
}

fn interrupted(stage: Stage, moved: usize) -> Diagnostic {
    let tags = if moved == 1 { "1 tag".to_owned() } else { format!("{moved} tags") };
    let message = match (moved, stage) {
        (0, _) => "interrupted before any tag moved; no tag names what was sent".to_owned(),
        (_, Stage::ReadBack) => format!("interrupted after {tags} moved, before all were read back"),
        _ => format!("interrupted after {tags} moved"),
    };
    Diagnostic::error(Code::ApplyInterrupted, message)
        .help("run the same command again to continue; content that is in place is not sent again")
}
