//! The command line: the clap tree, and one file for each subcommand. There is no logic here: `run` does the work, and
//! `report` writes the output.

mod apply;
mod approval;
mod approve;
mod auth;
mod candidates;
mod check;
mod completions;
mod exit;
mod explain;
mod fmt;
mod init;
mod lint;
mod list;
mod login;
mod man;
mod options;
mod package;
mod plan;
mod planned;
mod prune;
mod reflexes;
mod reporting;
mod rollback;
mod sbom;
mod schema;
mod show;
mod tags;
mod teaching;
mod verify;
mod withdraw;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::report::output::{Output, OutputStream};
use crate::report::{self, diagnostics};
use exit::{DONE, FAILED};
pub use options::Global;

/// Terraform for publishing container images and Helm charts: plan, apply and verify the tags of a release.
///
/// `publish.toml` declares images, charts, registries and templated tag rules. `plan` compares it with what the registries
/// hold and shows the difference; `apply` makes it so: content first, tags last.
#[derive(Debug, Parser)]
#[command(name = "brokkr-publish", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArguments),
    Lint(lint::LintArguments),
    Fmt(fmt::FmtArguments),
    Check(check::CheckArguments),
    Tags(tags::TagsArguments),
    Package(package::PackageArguments),
    Plan(plan::PlanArguments),
    Apply(apply::ApplyArguments),
    Approve(approval::ApproveArguments),
    Rollback(rollback::RollbackArguments),
    Withdraw(withdraw::WithdrawArguments),
    List(list::ListArguments),
    Sbom(sbom::SbomArguments),
    Verify(verify::VerifyArguments),
    Prune(prune::PruneArguments),
    Auth(auth::AuthArguments),
    Login(login::LoginArguments),
    Logout(login::LogoutArguments),
    Show(show::ShowArguments),
    Explain(explain::ExplainArguments),
    Schema(schema::SchemaArguments),
    Completions(completions::CompletionsArguments),
    Man(man::ManArguments),
}

impl Command {
    /// Whether the command itself writes its problems as commands of GitHub Actions.
    fn reports_by_commands(&self) -> bool {
        match self {
            Self::Plan(it) => it.reporting.prints_commands(),
            Self::Apply(it) => it.reporting.prints_commands(),
            Self::Verify(it) => it.reporting.prints_commands(),
            Self::Prune(it) => it.reporting.prints_commands(),
            Self::Rollback(it) => it.reporting.prints_commands(),
            Self::Withdraw(it) => it.reporting.prints_commands(),
            Self::Auth(it) => it.prints_commands(),
            _ => false,
        }
    }
}

/// Runs the process. It fails if some output could not be written, even if everything else succeeded, because a job that reads
/// an empty file must not go on.
pub fn main() -> ExitCode {
    if let Some(code) = completions::answer(command) {
        return ExitCode::from(code);
    }
    let output = Output::default();
    let code = run(&output);
    match output.failure() {
        None => ExitCode::from(code),
        Some(failure) => {
            output.err(&format!("error: {failure}\n"));
            ExitCode::from(FAILED)
        }
    }
}

fn run(output: &Output) -> u8 {
    let arguments = reflexes::understood(std::env::args_os(), &Cli::command());
    let mut cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&reflexes::advised(error, &arguments, &mut command()), output),
    };
    cli.global.write_to(output.clone());
    options::log(&cli.global);
    let asks_for_commands = cli.command.reports_by_commands();
    let exit = match cli.command {
        Command::Init(arguments) => init::run(&cli.global, &arguments),
        Command::Lint(arguments) => lint::run(&cli.global, &arguments),
        Command::Fmt(arguments) => fmt::run(&cli.global, &arguments),
        Command::Check(arguments) => check::run(&cli.global, &arguments),
        Command::Tags(arguments) => tags::run(&cli.global, &arguments),
        Command::Package(arguments) => package::run(&cli.global, &arguments),
        Command::Plan(arguments) => plan::run(&cli.global, &arguments),
        Command::Apply(arguments) => apply::run(&cli.global, &arguments),
        Command::Approve(arguments) => approval::run(&cli.global, &arguments),
        Command::Rollback(arguments) => rollback::run(&cli.global, &arguments),
        Command::Withdraw(arguments) => withdraw::run(&cli.global, &arguments),
        Command::List(arguments) => list::run(&cli.global, &arguments),
        Command::Sbom(arguments) => sbom::run(&cli.global, &arguments),
        Command::Verify(arguments) => verify::run(&cli.global, &arguments),
        Command::Prune(arguments) => prune::run(&cli.global, &arguments),
        Command::Auth(arguments) => auth::run(&cli.global, &arguments),
        Command::Login(arguments) => login::run(&cli.global, &arguments),
        Command::Logout(arguments) => login::log_out(&cli.global, &arguments),
        Command::Show(arguments) => show::run(&cli.global, &arguments),
        Command::Explain(arguments) => explain::run(&cli.global, &arguments),
        Command::Schema(arguments) => Ok(schema::run(output, &arguments)),
        Command::Completions(arguments) => completions::run(output, &arguments),
        Command::Man(arguments) => man::run(output, &arguments, command()),
    };
    match exit {
        Ok(code) => code,
        Err(found) => {
            let text = diagnostics::human(&found, cli.global.style(OutputStream::Err));
            output.err(&text);
            if reporting::in_github_actions() && !asks_for_commands {
                output.write_commands(OutputStream::Err, &diagnostics::github(&found));
            }
            FAILED
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))
}

/// Prints the help or the version on standard output, and usage errors on standard error. Usage errors exit with 1, not with
/// clap's 2, because 2 has another meaning here.
fn usage(error: &clap::Error, output: &Output) -> u8 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let stream = if asked { OutputStream::Out } else { OutputStream::Err };
    let style = stream.style(options::color_asked_for(std::env::args_os().skip(1)));
    let text = error.render();
    let plain = text.to_string();
    // The text quotes the arguments, which may come from elsewhere: `--config "$FILE"`.
    let clean = report::lines(&plain);
    let text = if style.color && clean == plain { text.ansi().to_string() } else { clean };
    output.write(stream, &style.plain(text));
    if asked { DONE } else { FAILED }
}

/// The clap tree, for completions, manual pages and the reference.
pub fn command() -> clap::Command {
    teaching::taught(Cli::command())
}

#[cfg(test)]
mod tests;
