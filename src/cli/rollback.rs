//! `rollback`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::approve::{self, Approval, Approved};
use super::candidates;
use super::exit::{DONE, Exit, block_on};
use super::options::{Global, Network};
use super::reporting::Reporting;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::Plan;
use crate::run::{self, Run};

/// Put the tags back to what they were before an apply
///
/// With a record, floating tags go back to the digests that they named before, and tags that did not exist are removed. The rollback
/// is refused if a tag has moved since. With `--to`, no record is needed: the floating tags that the rules render for a version go to
/// it, in every registry that holds it. Immutable tags stay.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// The record of the apply, saved by `apply --record`.
    #[arg(value_name = "RECORD", required_unless_present = "to", conflicts_with = "to")]
    applied: Option<PathBuf>,
    /// The version to go back to, or its git tag: `1.2.3`, `v1.2.3`, `broker/v1.2.3`.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Roll back without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Save the plan of the rollback, for `apply FILE`. Without a terminal and `--auto-approve`, nothing else is done.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save a record of what was done, which can be rolled back in turn.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., add = ArgValueCandidates::new(candidates::addresses))]
    target: Vec<String>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &RollbackArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "rollback", roll_back(global, arguments))
}

fn roll_back(global: &Global, arguments: &RollbackArguments) -> Exit {
    let Some(applied) = &arguments.applied else {
        return to_version(global, arguments, arguments.to.as_deref().unwrap_or_default());
    };
    if let Some(option) = global.planning_option() {
        let message = format!("a rollback uses only its record: `{option}` cannot change it");
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("leave the option out; `--target` limits what is rolled back"),
        ]);
    }
    let session = global.session()?;
    let (out, record) = (arguments.out.as_deref(), arguments.record.as_deref());
    run::check_destinations(&session, Some(applied), out, record)?;
    let record = run::load_record(&session, applied)?;
    let (parallelism, reporter) = (arguments.network.parallelism, global.reporter(false));
    let run = Run::without_configuration(&session, &record.plan, parallelism, reporter);
    block_on(async {
        let mut run = run;
        let plan = run.rollback(&record, &arguments.target).await?;
        Box::pin(finish(global, arguments, run, plan)).await
    })?
}

/// Goes back to a version that the registries hold.
fn to_version(global: &Global, arguments: &RollbackArguments, version: &str) -> Exit {
    let session = global.session()?;
    run::check_destinations(&session, None, arguments.out.as_deref(), arguments.record.as_deref())?;
    let mut run = Run::new(&session, arguments.network.parallelism, global.reporter(false))?;
    block_on(async {
        let plan = run.rollback_to(version, &arguments.target).await?;
        Box::pin(finish(global, arguments, run, plan)).await
    })?
}

async fn finish(global: &Global, arguments: &RollbackArguments, mut run: Run, plan: Plan) -> Exit {
    let reporting = &arguments.reporting.with_json(arguments.json);
    let (auto, out) = (arguments.auto_approve, arguments.out.as_deref());
    if approve::approve(global, &mut run, &plan, Approval { auto, reporting, out })? == Approved::Later {
        return Ok(DONE);
    }
    approve::carry_out(global, &run, plan, None, reporting, arguments.record.as_deref()).await
}
