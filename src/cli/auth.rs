//! `auth check`.

use clap::{Args, Subcommand};

use super::options::Network;
use super::{DONE, Exit, FAILED, Global, block_on};
use crate::report::output::Stream;
use crate::report::{access, diagnostics};
use crate::run::Run;

/// Find out what the credentials may do
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

/// Check that the credentials may read, push, create, mount and delete as declared
///
/// Asks every declared repository in every registry before any byte is sent, and changes nothing: to find out whether it may push,
/// it opens an upload session and cancels it. Needs no image and no git. Exits with 1 if anything is refused or cannot be found
/// out.
#[derive(Debug, Args)]
struct Check {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Only the repositories of these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Exit {
    let Command::Check(check) = &arguments.command;
    let session = global.session()?;
    // Standard output is for the result, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let run = Run::new(&session, check.network.parallelism, reporter)?;
    let report = block_on(run.check_access(&check.target))??;
    if check.json {
        Stream::Out.write(&access::json(&report));
    } else {
        Stream::Out.write(&access::human(&report, global.style(Stream::Out)));
        let problems = diagnostics::human(&access::problems(&report), global.style(Stream::Err));
        if !problems.is_empty() {
            Stream::Err.write(&format!("\n{problems}"));
        }
    }
    Ok(if report.granted { DONE } else { FAILED })
}
