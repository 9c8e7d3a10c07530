//! `apply`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::approve::{self, Approval};
use super::exit::{Exit, block_on};
use super::options::Global;
use super::plan::PlanShape;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::Plan;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::run::{self, Run, Session};

/// Publish: apply a saved plan, or plan, show, ask and apply
///
/// Asks every repository first whether the credentials allow what is planned. Then sends content to every registry, puts the
/// immutable tags, moves the floating tags, and finally reads every tag back.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// A plan saved by `plan --out`, `rollback --out` or `prune --out`. It is applied exactly as it is, without asking.
    #[arg(value_name = "PLAN")]
    saved: Option<PathBuf>,
    /// The digest that the file of the saved plan must have, as `plan --out` printed it. Any other file is refused.
    #[arg(long, value_name = "DIGEST", requires = "saved")]
    expect: Option<oci_registry::Digest>,
    /// Apply without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long)]
    json: bool,
    /// Save the plan that is applied.
    #[arg(long, value_name = "FILE", conflicts_with = "saved")]
    out: Option<PathBuf>,
    /// Save a record of what was done: each change with its before, after and result, and the digests to deploy.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Publish what is in the work tree, even if it is not the commit that is published.
    #[arg(long)]
    allow_dirty: bool,
    #[command(flatten)]
    shape: PlanShape,
}

pub(super) fn run(global: &Global, arguments: &ApplyArguments) -> Exit {
    let mut session = global.session_in(Some(&arguments.shape.simulation))?;
    session.flags.allow_dirty = arguments.allow_dirty;
    let (out, record) = (arguments.out.as_deref(), arguments.record.as_deref());
    run::check_destinations(&session, arguments.saved.as_deref(), out, record)?;
    let parallelism = arguments.shape.network.parallelism;
    if let Some(path) = &arguments.saved {
        let plan = saved(global, arguments, &session, path)?;
        let is_bound = arguments.expect.is_some();
        let run = Run::of_saved(&session, &plan, is_bound, parallelism, global.reporter(arguments.json))?;
        block_on(approve::carry_out(global, &run, plan, arguments.json, record))?
    } else {
        let mut run = Run::new(&session, parallelism, global.reporter(false))?;
        block_on(plan_and_apply(global, arguments, &mut run))?
    }
}

/// Loads a saved plan. Refuses every option that would shape a different plan.
fn saved(
    global: &Global,
    arguments: &ApplyArguments,
    session: &Session,
    path: &Path,
) -> Result<Plan, Vec<Diagnostic>> {
    let shape = &arguments.shape;
    let option = if shape.simulation.is_given() {
        Some("--event`, `--ref`, `--sha` or `--pr")
    } else if !shape.target.is_empty() {
        Some("--target")
    } else if arguments.allow_dirty {
        Some("--allow-dirty")
    } else {
        global.other_than_search()
    };
    if let Some(option) = option {
        let message = format!("a saved plan is applied as it is: `{option}` cannot change it");
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("make a new plan with `brokkr-publish plan --out FILE`"),
        ]);
    }
    let plan = run::load_plan(session, path, arguments.expect.as_ref())?;
    run::check_declared(session, &plan)?;
    global.output().err(&diagnostics::planned_warnings(&plan, global.style(OutputStream::Err)));
    Ok(plan)
}

/// Makes a plan, and applies it once it is approved.
async fn plan_and_apply(global: &Global, arguments: &ApplyArguments, run: &mut Run) -> Exit {
    let plan = run.plan(&arguments.shape.target).await?;
    let (auto, json, out) = (arguments.auto_approve, arguments.json, arguments.out.as_deref());
    // The approval of a plan to publish is never put off, because `plan --out` is for that.
    let _now = approve::approve(global, run, &plan, Approval { auto, json, out })?;
    approve::carry_out(global, run, plan, json, arguments.record.as_deref()).await
}
