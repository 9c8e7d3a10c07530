//! `completions`.

use clap::Args;
use clap_complete::Shell;

use super::exit::DONE;
use crate::report::output::Output;

/// Print a shell's completions
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(output: &Output, arguments: &CompletionsArguments, mut command: clap::Command) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "brokkr-publish", &mut script);
    output.out(&String::from_utf8_lossy(&script));
    DONE
}
