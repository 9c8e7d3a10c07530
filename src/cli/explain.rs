//! `explain`.

use clap::Args;

use super::{DONE, Exit, Global};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::Stream;

/// Print the full explanation of a diagnostic
#[derive(Debug, Args)]
pub struct Arguments {
    /// The code, as an error shows it: `publish::tag::collision`. Without one, lists all codes.
    code: Option<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Exit {
    let Some(text) = &arguments.code else {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        Stream::Out.write(&format!("{}\n", codes.join("\n")));
        return Ok(DONE);
    };
    let code = text.parse::<Code>().map_err(|error| {
        vec![Diagnostic::error(Code::CommandUsage, error).help("`brokkr-publish explain` lists the codes")]
    })?;
    Stream::Out.write(&global.style(Stream::Out).plain(code.page()));
    Ok(DONE)
}
