//! `man`.

use clap::Args;

use super::{DONE, Exit};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::Stream;

/// Print the manual page
#[derive(Debug, Args)]
pub struct Arguments {
    /// The subcommand; without one, the page of the whole.
    command: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut whole = super::command();
    whole.build();
    let title = match &arguments.command {
        None => "brokkr-publish".to_owned(),
        Some(name) => format!("brokkr-publish-{name}"),
    };
    let command = match &arguments.command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).cloned();
            found.ok_or_else(|| {
                vec![Diagnostic::error(Code::CommandUsage, format!("`{name}` is not a command"))]
            })?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).title(title).render(&mut page).map_err(|error| {
        vec![Diagnostic::error(Code::CommandUsage, format!("the page cannot be made: {error}"))]
    })?;
    Stream::Out.write(&String::from_utf8_lossy(&page));
    Ok(DONE)
}
