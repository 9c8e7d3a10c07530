//! `prune`.

use std::path::PathBuf;

use clap::Args;

use super::approve::{self, Approval, Approved};
use super::exit::{DONE, Exit, block_on};
use super::options::Global;
use super::plan::PlanShape;
use super::reporting::Reporting;
use crate::run::{self, Run};

/// Remove the tags that `[retention]` selects
///
/// Always shows first what it would remove. Removes a manifest only if nothing that stays needs it: no other tag, no index,
/// no signature.
#[derive(Debug, Args)]
pub struct PruneArguments {
    /// Remove without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Save the plan, for `apply FILE`. Without a terminal and `--auto-approve`, nothing else is done.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save a record of what was done.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    shape: PlanShape,
}

pub(super) fn run(global: &Global, arguments: &PruneArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "prune", prune(global, arguments, &reporting))
}

fn prune(global: &Global, arguments: &PruneArguments, reporting: &Reporting) -> Exit {
    let shape = &arguments.shape;
    let session = global.session_in(Some(&shape.simulation))?;
    run::check_destinations(&session, None, arguments.out.as_deref(), arguments.record.as_deref())?;
    let mut run = Run::new(&session, shape.network.parallelism, global.reporter(false))?;
    block_on(async {
        let plan = run.prune(&shape.target).await?;
        let (auto, out) = (arguments.auto_approve, arguments.out.as_deref());
        if approve::approve(global, &mut run, &plan, Approval { auto, reporting, out })? == Approved::Later {
            return Ok(DONE);
        }
        approve::carry_out(global, &run, plan, None, reporting, arguments.record.as_deref()).await
    })?
}
