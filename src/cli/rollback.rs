//! `rollback`.

use std::path::PathBuf;

use clap::Args;

use super::approve::{self, Approval, Approved};
use super::exit::{DONE, Exit, block_on};
use super::options::{Global, Network};
use crate::diagnostic::{Code, Diagnostic};
use crate::run::{self, Run};

/// Put the tags back to what they were before an apply
///
/// Floating tags go back to the digests that they named before, and tags that did not exist are removed. Immutable tags stay.
/// The rollback is refused if a tag has moved since.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// The record of the apply, saved by `apply --record`.
    #[arg(value_name = "RECORD")]
    applied: PathBuf,
    /// Roll back without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long)]
    json: bool,
    /// Save the plan of the rollback, for `apply FILE`. Without a terminal and `--auto-approve`, nothing else is done.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save a record of what was done, which can be rolled back in turn.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &RollbackArguments) -> Exit {
    if let Some(option) = global.planning_option() {
        let message = format!("a rollback uses only its record: `{option}` cannot change it");
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("leave the option out; `--target` limits what is rolled back"),
        ]);
    }
    let session = global.session()?;
    let (out, record) = (arguments.out.as_deref(), arguments.record.as_deref());
    run::check_destinations(&session, Some(&arguments.applied), out, record)?;
    let record = run::load_record(&session, &arguments.applied)?;
    let (parallelism, reporter) = (arguments.network.parallelism, global.reporter(false));
    let mut run = Run::without_configuration(&session, &record.plan, parallelism, reporter);
    block_on(async {
        let plan = run.rollback(&record, &arguments.target).await?;
        let (auto, json, out) = (arguments.auto_approve, arguments.json, arguments.out.as_deref());
        if approve::approve(global, &mut run, &plan, Approval { auto, json, out })? == Approved::Later {
            return Ok(DONE);
        }
        approve::carry_out(global, &run, plan, None, json, arguments.record.as_deref()).await
    })?
}
