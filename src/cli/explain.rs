//! `explain`.

use clap::Args;

use super::exit::{DONE, Exit};
use super::options::Global;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::OutputStream;

/// Print the full explanation of a diagnostic
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The code, as an error shows it: `publish::tag::collision`. Without one, lists all codes.
    code: Option<String>,
}

pub(super) fn run(global: &Global, arguments: &ExplainArguments) -> Exit {
    let Some(text) = &arguments.code else {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        global.output().out(&format!("{}\n", codes.join("\n")));
        return Ok(DONE);
    };
    let code = text.parse::<Code>().map_err(|error| {
        vec![Diagnostic::error(Code::CommandUsage, error).help("`brokkr-publish explain` lists the codes")]
    })?;
    global.output().out(&global.style(OutputStream::Out).plain(code.page()));
    Ok(DONE)
}
