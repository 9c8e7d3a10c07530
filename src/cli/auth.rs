//! `auth check`.

use clap::{Args, Subcommand};

use super::exit::{DONE, Exit, FAILED, block_on};
use super::options::{Global, Network};
use crate::report::output::OutputStream;
use crate::report::{access, diagnostics};
use crate::run::Run;

/// Find out what the credentials may do
#[derive(Debug, Args)]
pub struct AuthArguments {
    #[command(subcommand)]
    command: AuthCommand,
}

#[derive(Debug, Subcommand)]
enum AuthCommand {
    Check(AuthCheckArguments),
}

/// Check that the credentials may read, push, create, mount and delete as declared
///
/// Asks every declared repository in every registry before any byte is sent, and changes nothing: to find out whether it may push,
/// it opens an upload session and cancels it. Needs no image and no git. Exits with 1 if anything is refused or cannot be found
/// out.
#[derive(Debug, Args)]
struct AuthCheckArguments {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Only the repositories of these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &AuthArguments) -> Exit {
    let AuthCommand::Check(check) = &arguments.command;
    let session = global.session()?;
    // Standard output is for the result, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let run = Run::new(&session, check.network.parallelism, reporter)?;
    let report = block_on(run.check_access(&check.target))??;
    if check.json {
        global.output().out(&access::json(&report));
    } else {
        global.output().out(&access::human(&report, global.style(OutputStream::Out)));
        let problems = diagnostics::human(&access::problems(&report), global.style(OutputStream::Err));
        if !problems.is_empty() {
            global.output().err(&format!("\n{problems}"));
        }
    }
    Ok(if report.granted { DONE } else { FAILED })
}
