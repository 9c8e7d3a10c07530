//! `apply`.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::watch;

use super::plan::Shape;
use super::{DONE, Exit, FAILED, Global, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::engine::{self, Applying, Session};
use crate::event::Event;
use crate::model::plan::Plan;
use crate::report::output::{Stream, ask, can_ask};
use crate::report::{self, diagnostics, outcome};

/// Publish: apply a saved plan, or plan, show, ask and apply
///
/// Content goes to every registry first, then immutable tags, then floating ones; then every tag is read back.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A plan that `plan --out` saved: applied exactly as it is, without asking.
    #[arg(value_name = "PLAN")]
    saved: Option<PathBuf>,
    /// Apply without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one a line.
    #[arg(long)]
    json: bool,
    /// Save the plan that is applied.
    #[arg(long, value_name = "FILE", conflicts_with = "saved")]
    out: Option<PathBuf>,
    /// Save what was done: each change with before, after and result, and the digests to deploy by.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Exit {
    let session = global.session_in(Some(&arguments.shape.simulation))?;
    let plan = match &arguments.saved {
        Some(path) => saved(global, arguments, &session, path)?,
        None => made(global, arguments, &session)?,
    };
    let reporter = global.reporter(arguments.json);
    reporter.report(&Event::Plan { plan: &plan });
    let parallelism = arguments.shape.network.parallelism;
    let how = Applying { saved: arguments.saved.is_some(), parallelism };
    let (result, mut problems) = block_on(async {
        let cancel = cancellation();
        engine::apply(&session, &plan, &how, &reporter, cancel).await
    })?;
    if !arguments.json {
        let text = outcome::human(&result, problems.is_empty(), global.style(Stream::Out));
        Stream::Out.write(&text);
    }
    if let Some(path) = &arguments.record {
        let record = engine::record(plan, result, &problems);
        // That it cannot be written comes on top of what went wrong before.
        problems.extend(engine::save_record(&session, &record, path).err().unwrap_or_default());
    }
    if problems.is_empty() {
        return Ok(DONE);
    }
    Stream::Err.write(&format!("\n{}", diagnostics::human(&problems, global.style(Stream::Err))));
    Ok(FAILED)
}

/// A saved plan, which forbids whatever would shape another.
fn saved(
    global: &Global,
    arguments: &Arguments,
    session: &Session,
    path: &Path,
) -> Result<Plan, Vec<Diagnostic>> {
    let shape = &arguments.shape;
    let option = if shape.simulation.is_given() {
        Some("--event`, `--ref`, `--sha` or `--pr")
    } else if shape.target.is_empty() {
        global.planning_option()
    } else {
        Some("--target")
    };
    if let Some(option) = option {
        let message = format!("a saved plan is applied as it is: `{option}` cannot change it");
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("make another plan with `brokkr-publish plan --out FILE`"),
        ]);
    }
    let plan = engine::load_plan(session, path)?;
    engine::check_declared(session, &plan)?;
    Ok(plan)
}

/// A plan that is made, shown and approved now.
fn made(global: &Global, arguments: &Arguments, session: &Session) -> Result<Plan, Vec<Diagnostic>> {
    let shape = &arguments.shape;
    let reporter = global.reporter(false);
    let plan = block_on(engine::plan(session, &shape.target, shape.network.parallelism, &reporter))??;
    let needs_approval = !arguments.auto_approve && plan.has_changes() && !plan.is_blocked();
    // Nobody approves what was not shown, whatever else is to be said.
    if (needs_approval && can_ask()) || (!arguments.json && !global.is_quiet()) {
        let stream = if arguments.json { Stream::Err } else { Stream::Out };
        stream.write(&report::plan::human(&plan, global.style(stream)));
    }
    if let Some(path) = &arguments.out {
        engine::save_plan(session, &plan, path)?;
    }
    if !needs_approval {
        return Ok(plan);
    }
    match ask("\nApply this plan? Only `yes` is taken for a yes: ").as_deref() {
        Some("yes") => Ok(plan),
        Some(_) => Err(vec![Diagnostic::error(Code::ApplyNotConfirmed, "not applied: the answer was not `yes`")]),
        None => Err(vec![
            Diagnostic::error(Code::ApplyNotConfirmed, "not applied: there is no terminal to ask at")
                .help("`--auto-approve` applies without asking; `plan --out FILE` and `apply FILE` put an approval between"),
        ]),
    }
}

/// Turns true at the first Ctrl-C or SIGTERM; the second ends the process at once, as people expect.
fn cancellation() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        interruption().await;
        sender.send_replace(true);
        Stream::Err.write("\nStopping; again to stop at once.\n");
        interruption().await;
        Stream::Err.write(
            "\nStopped at once: a tag may have been moved without being told; `brokkr-publish plan` shows how it stands.\n",
        );
        std::process::exit(i32::from(FAILED));
    });
    receiver
}

#[cfg(unix)]
async fn interruption() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn interruption() {
    drop(tokio::signal::ctrl_c().await);
}
