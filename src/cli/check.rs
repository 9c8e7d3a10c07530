//! `check`.

use clap::Args;

use super::exit::{DONE, Exit, FAILED};
use super::options::{Global, Simulation};
use crate::diagnostic::Diagnostic;
use crate::report::checked_values::{self, CheckedValues};
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::run;

/// Compare the values in files with those that `[[checks]]` expects, and do nothing else
///
/// For a job before tests and builds: a version that nobody raised fails within a second. Asks no registry and needs no image.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    simulation: Simulation,
}

pub(super) fn run(global: &Global, arguments: &CheckArguments) -> Exit {
    let session = global.session_in(Some(&arguments.simulation))?;
    let checked = run::check(&session)?;
    let is_wrong = checked.diagnostics.iter().any(Diagnostic::is_error);
    global.output().err(&diagnostics::human(&checked.diagnostics, global.style(OutputStream::Err)));
    let values = CheckedValues {
        title: &checked.title,
        agreeing: &checked.agreeing,
        silent: checked.silent,
        diagnostics: &checked.diagnostics,
    };
    if arguments.json {
        global.output().out(&checked_values::json(&values));
    } else if !global.is_quiet() {
        global.output().out(&checked_values::human(&values, global.style(OutputStream::Out)));
    }
    Ok(if is_wrong { FAILED } else { DONE })
}
