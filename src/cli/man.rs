//! `man`.

use clap::Args;

use super::exit::{DONE, Exit};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::Output;

/// Print the manual page
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The subcommand, such as `plan` or `auth check`; without one, the page of the whole program.
    command: Vec<String>,
}

pub(super) fn run(output: &Output, arguments: &ManArguments, mut whole: clap::Command) -> Exit {
    whole.build();
    let title = ["brokkr-publish"].into_iter().chain(arguments.command.iter().map(String::as_str));
    let title = title.collect::<Vec<_>>().join("-");
    let mut command = &whole;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            vec![Diagnostic::error(Code::CommandUsage, format!("`{name}` is not a command"))]
        })?;
    }
    let command = command.clone();
    let mut page = Vec::new();
    clap_mangen::Man::new(command).title(title).render(&mut page).map_err(|error| {
        vec![Diagnostic::error(Code::CommandUsage, format!("the manual page cannot be rendered: {error}"))]
    })?;
    output.out(&String::from_utf8_lossy(&page));
    Ok(DONE)
}
