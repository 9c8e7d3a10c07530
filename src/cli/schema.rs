//! `schema`.

use clap::{Args, ValueEnum};

use super::DONE;
use crate::report::output::Stream;
use crate::{config, plan};

/// Print the JSON Schema of publish.toml or of a saved plan
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to describe.
    #[arg(value_enum, default_value_t)]
    of: Subject,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Subject {
    /// The configuration file, publish.toml.
    #[default]
    Config,
    /// A saved plan.
    Plan,
}

pub(super) fn run(arguments: &Arguments) -> u8 {
    let schema = match arguments.of {
        Subject::Config => config::json_schema(),
        Subject::Plan => plan::file::json_schema(),
    };
    Stream::Out.write(&format!("{schema:#}\n"));
    DONE
}
