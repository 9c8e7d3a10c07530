//! The command line: the clap tree, and one file for each subcommand. No logic: what a command does is in `engine`,
//! what it says in `report`.

mod apply;
mod approve;
mod auth;
mod completions;
mod explain;
mod init;
mod lint;
mod man;
mod options;
mod plan;
mod prune;
mod rollback;
mod schema;
mod show;
mod tags;
mod verify;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::{self, Stream};
use crate::report::{self, diagnostics};
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
    Init(init::Arguments),
    Lint(lint::Arguments),
    Tags(tags::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Rollback(rollback::Arguments),
    Verify(verify::Arguments),
    Prune(prune::Arguments),
    Auth(auth::Arguments),
    Show(show::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Done, or nothing to change.
const DONE: u8 = 0;
/// Any error, a blocked plan or a usage error included.
const FAILED: u8 = 1;
/// With `plan --detailed-exitcode` there are changes, with `verify` there is drift.
const CHANGES: u8 = 2;

/// What a command says by its exit code, or what is wrong.
type Exit = Result<u8, Vec<Diagnostic>>;

/// Runs the process. What could not be written fails it, whatever else it did: a job that reads an empty file must not
/// go on.
pub fn main() -> ExitCode {
    let code = run();
    match output::failure() {
        None => ExitCode::from(code),
        Some(failure) => {
            Stream::Err.write(&format!("error: {failure}\n"));
            ExitCode::from(FAILED)
        }
    }
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    options::log(&cli.global);
    let exit = match cli.command {
        Command::Init(arguments) => init::run(&cli.global, &arguments),
        Command::Lint(arguments) => lint::run(&cli.global, &arguments),
        Command::Tags(arguments) => tags::run(&cli.global, &arguments),
        Command::Plan(arguments) => plan::run(&cli.global, &arguments),
        Command::Apply(arguments) => apply::run(&cli.global, &arguments),
        Command::Rollback(arguments) => rollback::run(&cli.global, &arguments),
        Command::Verify(arguments) => verify::run(&cli.global, &arguments),
        Command::Prune(arguments) => prune::run(&cli.global, &arguments),
        Command::Auth(arguments) => auth::run(&cli.global, &arguments),
        Command::Show(arguments) => show::run(&cli.global, &arguments),
        Command::Explain(arguments) => explain::run(&cli.global, &arguments),
        Command::Schema(arguments) => Ok(schema::run(&arguments)),
        Command::Completions(arguments) => Ok(completions::run(&arguments)),
        Command::Man(arguments) => man::run(&arguments),
    };
    match exit {
        Ok(code) => code,
        Err(found) => {
            let text = diagnostics::human(&found, cli.global.style(Stream::Err));
            Stream::Err.write(&text);
            FAILED
        }
    }
}

/// `--help` and `--version` are data; anything else is an error, and 2 means something else here.
fn usage(error: &clap::Error) -> u8 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let stream = if asked { Stream::Out } else { Stream::Err };
    let style = stream.style(options::color_asked_for(std::env::args_os().skip(1)));
    let text = error.render();
    let plain = text.to_string();
    // What was typed is quoted in it, and may come from elsewhere: `--config "$FILE"`.
    let clean = report::lines(&plain);
    let text = if style.color && clean == plain { text.ansi().to_string() } else { clean };
    stream.write(&style.plain(text));
    if asked { DONE } else { FAILED }
}

/// The clap tree, for completions, man pages and the reference.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs `work` on the asynchronous runtime.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Vec<Diagnostic>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        vec![Diagnostic::error(Code::ApplyFailed, format!("the runtime cannot be started: {error}"))]
    })?;
    let result = runtime.block_on(work);
    // A reading that nobody waits for any more must not hold the process.
    runtime.shutdown_background();
    Ok(result)
}
