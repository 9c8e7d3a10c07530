//! `verify`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::candidates;
use super::exit::{CHANGES, DONE, Exit, block_on};
use super::options::{Global, Network};
use super::reporting::{Report, Reporting};
use crate::report::output::OutputStream;
use crate::report::step_outputs::StepOutputs;
use crate::report::{page, verification};
use crate::run::{Run, Verifying};

/// Verify that what was published is still in place
///
/// Checks every declared tag of every version in every registry against the rules, and the last version against its declared
/// platforms, annotations and visibility. Depends on no event and needs no image. Exits with 2 if something drifted. Changes
/// nothing.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Also look for every manifest and blob that the tags need.
    #[arg(long)]
    deep: bool,
    /// Also compare the tags with a record that `apply --record` wrote.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    record: Vec<PathBuf>,
    /// Print the result as JSON.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., add = ArgValueCandidates::new(candidates::addresses))]
    target: Vec<String>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    network: Network,
}

/// The signs of what drifted.
const DRIFT: &[char] = &['+', '~', '!'];

pub(super) fn run(global: &Global, arguments: &VerifyArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "verify", verify(global, arguments, &reporting))
}

fn verify(global: &Global, arguments: &VerifyArguments, reporting: &Reporting) -> Exit {
    let session = global.session()?;
    // Standard output is for the result, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let how = Verifying { targets: &arguments.target, records: &arguments.record, deep: arguments.deep };
    let run = Run::new(&session, arguments.network.parallelism, reporter)?;
    let result = block_on(run.verify(&how))??;
    let page = verification::page(&result, global.is_verbose());
    let outputs = StepOutputs::of_verification(&result);
    let report = Report { page: &page, problems: &[], outputs, alarms: ("error", DRIFT) };
    let human = || verification::human(&result, global.is_verbose(), global.style(OutputStream::Out));
    let gitlab = || page::code_quality(&page, "publish::verify::drift", "publish.toml", DRIFT);
    reporting.print(global, &report, human, || verification::json(&result), gitlab);
    Ok(if result.stands { DONE } else { CHANGES })
}
