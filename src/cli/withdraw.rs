//! `withdraw`.

use std::path::PathBuf;

use clap::Args;

use super::approve::{self, Approval, Approved};
use super::exit::{DONE, Exit, block_on};
use super::options::{Global, Network};
use super::reporting::Reporting;
use crate::run::{self, Run};

/// Take a version back: floating tags go to the best version that stands
///
/// Floating tags that name the version go to the highest other version of their line, and a tag `withdrawn-…` beside the version's own
/// tag marks it, so that no job takes them back, however old its publish.toml is. No content is removed. Prints the setting for
/// publish.toml, which is for its readers.
#[derive(Debug, Args)]
pub struct WithdrawArguments {
    /// The version, or its git tag: `1.2.4`, `v1.2.4`, `broker/v1.2.4`.
    #[arg(value_name = "VERSION")]
    withdrawn: String,
    /// Withdraw without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Save the plan, for `apply FILE`. Without a terminal and `--auto-approve`, nothing else is done.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save a record of what was done, which `rollback` takes back.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &WithdrawArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "withdraw", withdraw(global, arguments, &reporting))
}

fn withdraw(global: &Global, arguments: &WithdrawArguments, reporting: &Reporting) -> Exit {
    let session = global.session()?;
    let (out, record) = (arguments.out.as_deref(), arguments.record.as_deref());
    run::check_destinations(&session, None, out, record)?;
    let mut run = Run::new(&session, arguments.network.parallelism, global.reporter(false))?;
    block_on(async {
        let plan = run.withdraw(&arguments.withdrawn, &arguments.target).await?;
        if let Some(setting) = run.withdrawn_setting(&arguments.withdrawn)?.filter(|_| !global.is_quiet()) {
            global.output().err(&format!(
                "Set this in publish.toml, so that `verify` and later releases leave the version out:\n\n  [project]\n  withdrawn = {}\n\n",
                crate::report::one_line(&setting)
            ));
        }
        let auto = arguments.auto_approve;
        if approve::approve(global, &mut run, &plan, Approval { auto, reporting, out })? == Approved::Later {
            return Ok(DONE);
        }
        approve::carry_out(global, &run, plan, None, reporting, record).await
    })?
}
