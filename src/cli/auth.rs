//! `auth check`.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::candidates;
use super::exit::{DONE, Exit, FAILED, block_on};
use super::options::{Global, Network};
use super::reporting::{Report, Reporting};
use crate::report::output::OutputStream;
use crate::report::step_outputs::StepOutputs;
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
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Only the repositories of these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., add = ArgValueCandidates::new(candidates::addresses))]
    target: Vec<String>,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    network: Network,
}

impl AuthArguments {
    /// Whether problems are printed as commands of GitHub Actions.
    pub(super) fn prints_commands(&self) -> bool {
        let AuthCommand::Check(check) = &self.command;
        check.reporting.prints_commands()
    }
}

pub(super) fn run(global: &Global, arguments: &AuthArguments) -> Exit {
    let AuthCommand::Check(arguments) = &arguments.command;
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "auth check", check(global, arguments, &reporting))
}

fn check(global: &Global, arguments: &AuthCheckArguments, reporting: &Reporting) -> Exit {
    let session = global.session()?;
    // Standard output is for the result, so progress goes to standard error, whatever the format.
    let reporter = global.reporter(false);
    let run = Run::new(&session, arguments.network.parallelism, reporter)?;
    let report = block_on(run.check_access(&arguments.target))??;
    let problems = access::problems(&report);
    let page = access::page(&report).with_problems(&problems);
    let outputs = StepOutputs::of_access(&report);
    let shown = Report { page: &page, problems: &problems, outputs, alarms: ("error", &[]) };
    let human = || access::human(&report, global.style(OutputStream::Out));
    let gitlab = || diagnostics::code_quality(&problems);
    reporting.print(global, &shown, human, || access::json(&report), gitlab);
    if !problems.is_empty() && !reporting.is_json() {
        let problems = diagnostics::human(&problems, global.style(OutputStream::Err));
        global.output().err(&format!("\n{problems}"));
    }
    Ok(if report.granted { DONE } else { FAILED })
}
