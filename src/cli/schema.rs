//! `schema`.

use clap::{Args, ValueEnum};

use super::exit::DONE;
use crate::model::access::AccessReport;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::model::verification::Verification;
use crate::report::output::Output;
use crate::{config, saved};

/// Print the JSON Schema of publish.toml, of a saved plan, of a record, of a verification or of an access report
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// The document to describe.
    #[arg(value_enum, default_value_t)]
    of: SchemaSubject,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SchemaSubject {
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

pub(super) fn run(output: &Output, arguments: &SchemaArguments) -> u8 {
    let schema = match arguments.of {
        SchemaSubject::Config => config::json_schema(),
        SchemaSubject::Plan => saved::json_schema::<Plan>(),
        SchemaSubject::Record => saved::json_schema::<Record>(),
        SchemaSubject::Access => saved::printed_schema::<AccessReport>("access"),
        SchemaSubject::Verification => saved::printed_schema::<Verification>("verification"),
    };
    output.out(&format!("{schema:#}\n"));
    DONE
}
