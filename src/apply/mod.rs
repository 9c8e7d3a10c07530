//! Carrying out a plan. The stages: check the plan against sources and registries, ask for permissions, search the content for secrets,
//! place it everywhere, sign it, put the immutable tags, put the floating tags and remove what has to go, set the visibility, read
//! everything back.
//!
//! An apply sees neither configuration nor context, because the plan is enough. A failure stops before the next stage, so
//! that at worst it leaves content that no tag names. If it comes while floating tags move, those that the run moved are put
//! back, so that no release is half moved.

mod belief;
mod body;
mod chart_images;
mod check;
mod content;
mod delivery;
mod forward;
mod lineage;
mod options;
mod orphans;
mod patience;
mod preflight;
mod prepared;
mod progress;
mod proof;
mod read_back;
mod referrers;
mod refused;
mod removal;
mod removals;
mod restore;
mod secrets;
mod signals;
mod signatures;
mod tag_lists;
mod tags;
mod together;
mod visibility;

pub use lineage::Lineage;
pub use options::ApplyOptions;
pub use refused::PrepareError;

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, left_out};
use crate::event::{Event, ReportedProblem, Stage};
use crate::model::outcome::Outcome;
use crate::model::plan::{Change, Plan};
use crate::model::{Mutability, OnTagFailure};
use chart_images::{ChartsWithImages, TagOrder};
use options::Stop;
use prepared::Prepared;
use progress::Progress;
use tag_lists::TagLists;
use tags::TagPuts;

/// Applies `plan`. Returns what was done and everything that went wrong.
pub async fn apply(plan: &Plan, options: &ApplyOptions<'_>) -> (Outcome, Vec<Diagnostic>) {
    let progress = Progress::new(plan, options.reporter.clone());
    let problems = match apply_all(plan, options, &progress).await {
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

/// Goes through the stages for all registries that are required, and then for each other one by itself: a failure there is noted and
/// stops nothing else.
async fn apply_all(plan: &Plan, options: &ApplyOptions<'_>, progress: &Progress) -> Result<(), Stop> {
    apply_stages(plan, None, options, progress).await?;
    let published: BTreeSet<&String> = plan.repositories.iter().map(|it| &it.registry).collect();
    for registry in plan.optional.names.iter().filter(|name| published.contains(name)) {
        match apply_stages(plan, Some(registry.as_str()), options, progress).await {
            Err(Stop { problems, interrupted: None }) => {
                progress.left_out(problems.into_iter().map(|problem| left_out(registry, problem)));
            }
            other => other?,
        }
    }
    Ok(())
}

/// Goes through the stages for `optional`, a registry that is not required, or for all that are.
async fn apply_stages(
    plan: &Plan,
    optional: Option<&str>,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let stage = |stage: Stage| options.reporter.report(&Event::Stage { stage });
    stage(Stage::Check);
    // Sources are read on this thread, and sources in registries wait for the network.
    let prepared = tokio::task::block_in_place(|| check::prepare(plan, optional, options))
        .map_err(|errors| errors.iter().map(PrepareError::to_diagnostic).collect::<Vec<_>>())?;
    let signers = signatures::open(plan, &prepared, options)?;
    let mut pending =
        unless_cancelled(Stage::Check, options, check::stale(&prepared, options, progress)).await?;
    unless_cancelled(Stage::Check, options, visibility::stale(&prepared, options)).await?;
    pending.extend(prepared.iter().filter(|it| it.planned.signs()).map(|it| it.position));
    let sent = send_content(plan, &prepared, &pending, options, progress).await;
    // The sessions of the preflight that no blob used.
    futures_util::future::join_all(prepared.iter().map(|it| it.repository.end_push())).await;
    sent?;
    if signatures::any(&prepared) {
        stage(Stage::Signatures);
        unless_cancelled(
            Stage::Signatures,
            options,
            signatures::place(plan, &prepared, &signers, options, progress),
        )
        .await?;
    }
    unless_cancelled(Stage::Content, options, proof::show(&prepared, &pending, progress)).await?;
    let lists = unless_cancelled(Stage::Content, options, TagLists::read(&prepared, options)).await?;
    // From here on no request is cut off in the middle: a tag is moved, or it is not.
    put_tags(plan, &prepared, &lists, options, progress).await?;
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

/// Asks for permissions, searches the content for secrets, and places it.
async fn send_content(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    pending: &BTreeSet<usize>,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let stage = |stage: Stage| options.reporter.report(&Event::Stage { stage });
    stage(Stage::Preflight);
    let asked = preflight::ask(plan, prepared, pending, options);
    unless_cancelled(Stage::Preflight, options, asked).await?;
    let required =
        unless_cancelled(Stage::Secrets, options, secrets::required(plan, prepared, options)).await?;
    if let Some(planned) = &required {
        stage(Stage::Secrets);
        secrets::search(plan, planned, prepared, options, progress).await?;
    }
    stage(Stage::Content);
    unless_cancelled(Stage::Content, options, content::place(prepared, options, progress)).await
}

/// Puts the immutable tags, then the floating ones, and removes the tags that go. A chart gets its tags after the images that it names,
/// and only if they can be read.
async fn put_tags(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    lists: &TagLists,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let stopped = |during| Stop { problems: Vec::new(), interrupted: Some(during) };
    let puts = TagPuts::new(prepared, lists, options, progress);
    let charts = &ChartsWithImages::new(plan, prepared);
    options.reporter.report(&Event::Stage { stage: Stage::ImmutableTags });
    for order in [TagOrder::Free, TagOrder::AfterImmutable] {
        charts.check(order, options).await?;
        let is_due = |it: &Prepared<'_>, change: &Change| {
            change.mutability == Mutability::Immutable && charts.order(it) == order
        };
        if !puts.put(is_due).await? {
            return Err(stopped(Stage::ImmutableTags));
        }
    }
    options.reporter.report(&Event::Stage { stage: Stage::FloatingTags });
    unless_cancelled(Stage::FloatingTags, options, lists.read_new(prepared, progress)).await?;
    match put_floating(&puts, charts, options).await {
        Ok(true) => {}
        Ok(false) => return Err(stopped(Stage::FloatingTags)),
        Err(mut problems) => {
            if options.on_tag_failure == OnTagFailure::Restore {
                problems.extend(restore::floating(&puts).await);
            }
            return Err(Stop::from(problems));
        }
    }
    // Removals come last, including the removal of an immutable tag by a retention: the tags that stay are in place.
    if !removals::remove(prepared, options, progress).await? {
        return Err(stopped(Stage::FloatingTags));
    }
    Ok(())
}

/// Puts the floating tags, and then the tags of charts that name an image by a floating tag.
async fn put_floating(
    puts: &TagPuts<'_>,
    charts: &ChartsWithImages<'_>,
    options: &ApplyOptions<'_>,
) -> Result<bool, Vec<Diagnostic>> {
    let is_last = |it: &Prepared<'_>| charts.order(it) == TagOrder::AfterFloating;
    let is_due =
        |it: &Prepared<'_>, change: &Change| change.mutability != Mutability::Immutable && !is_last(it);
    if !puts.put(is_due).await? {
        return Ok(false);
    }
    charts.check(TagOrder::AfterFloating, options).await?;
    puts.put(|it, _| is_last(it)).await
}

async fn read_back(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
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
    options: &ApplyOptions<'_>,
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
