//! `verify`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{CHANGES, DONE, Exit, block_on};
use super::options::{Global, Network};
use crate::report::output::OutputStream;
use crate::report::verification;
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
    #[arg(long)]
    json: bool,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &VerifyArguments) -> Exit {
    let session = global.session()?;
    // Standard output is for the result, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let how = Verifying { targets: &arguments.target, records: &arguments.record, deep: arguments.deep };
    let run = Run::new(&session, arguments.network.parallelism, reporter)?;
    let result = block_on(run.verify(&how))??;
    global.output().out(&if arguments.json {
        verification::json(&result)
    } else {
        verification::human(&result, global.is_verbose(), global.style(OutputStream::Out))
    });
    Ok(if result.stands { DONE } else { CHANGES })
}
