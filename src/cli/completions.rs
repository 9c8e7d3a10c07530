//! `completions`.

use clap::Args;
use clap_complete::Shell;

use super::DONE;
use crate::report::output::Stream;

/// Print a shell's completions
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "brokkr-publish", &mut script);
    Stream::Out.write(&String::from_utf8_lossy(&script));
    DONE
}
