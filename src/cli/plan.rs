//! `plan`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::approve;
use super::candidates;
use super::exit::{CHANGES, DONE, Exit, FAILED, block_on};
use super::options::{Global, Network, Simulation};
use super::planned;
use super::reporting::Reporting;
use crate::model::Partition;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::run::{self, Run};

/// Show what apply would change
///
/// Compares what publish.toml wants in this context with what the registries hold. Changes nothing.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Save the plan, for `apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save the plan with every file that it needs, packaged charts included, for `apply FILE` on any machine.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    bundle: Option<PathBuf>,
    /// Print the plan as JSON, as it is saved.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Exit with 2 when there are changes, with 0 when there are none.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Publish what is in the work tree, even if it is not the commit that is published.
    #[arg(long)]
    allow_dirty: bool,
    /// Only the part K of N: each image, chart and artifact is in one part, with all its repositories.
    #[arg(long, value_name = "K/N", value_parser = str::parse::<Partition>)]
    partition: Option<Partition>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    pub(super) shape: PlanShape,
}

/// The options that shape a plan.
#[derive(Debug, Args)]
pub struct PlanShape {
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., add = ArgValueCandidates::new(candidates::addresses))]
    pub target: Vec<String>,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub simulation: Simulation,
}

pub(super) fn run(global: &Global, arguments: &PlanArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "plan", plan(global, arguments, &reporting))
}

fn plan(global: &Global, arguments: &PlanArguments, reporting: &Reporting) -> Exit {
    let mut session = global.session_in(Some(&arguments.shape.simulation))?;
    session.flags.allow_dirty = arguments.allow_dirty;
    session.flags.partition = arguments.partition;
    // Standard output is for the plan, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let shape = &arguments.shape;
    let mut run = Run::new(&session, shape.network.parallelism, reporter)?;
    let mut saved = None;
    let plan = block_on(async {
        let plan = run.plan(&shape.target).await?;
        if let Some(path) = &arguments.bundle {
            saved = Some((path, run.save_bundle(&plan, path)?));
        }
        Ok::<_, Vec<crate::diagnostic::Diagnostic>>(plan)
    })??;
    if let Some(path) = &arguments.out {
        saved = Some((path, run::save_plan(&session, &plan, path)?));
    }
    planned::report(global, reporting, &plan, saved.as_ref().map(|(_, digest)| digest));
    global.output().err(&diagnostics::planned(&plan, global.style(OutputStream::Err)));
    if let Some((path, digest)) = saved.filter(|_| !global.is_quiet() && !plan.is_blocked()) {
        global.output().err(&approve::saved(path, &digest));
    }
    Ok(match (plan.is_blocked(), plan.has_changes() || plan.summary().by_hand > 0) {
        (true, _) => FAILED,
        (false, true) if arguments.detailed_exitcode => CHANGES,
        (false, _) => DONE,
    })
}
