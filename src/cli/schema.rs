//! `schema`.

use clap::{Args, ValueEnum};

use super::DONE;
use crate::model::access::AccessReport;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::model::verification::Verification;
use crate::report::output::Stream;
use crate::{config, saved};

/// Print the JSON Schema of publish.toml, of a saved plan, of a record, of a verification or of an access report
#[derive(Debug, Args)]
pub struct Arguments {
    /// The document to describe.
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
    /// The record of an apply.
    Record,
    /// The output of `verify --json`.
    Verification,
    /// The output of `auth check --json`.
    Access,
}

pub(super) fn run(arguments: &Arguments) -> u8 {
    let schema = match arguments.of {
        Subject::Config => config::json_schema(),
        Subject::Plan => saved::json_schema::<Plan>(),
        Subject::Record => saved::json_schema::<Record>(),
        Subject::Access => saved::printed_schema::<AccessReport>("access"),
        Subject::Verification => saved::printed_schema::<Verification>("verification"),
    };
    Stream::Out.write(&format!("{schema:#}\n"));
    DONE
}
