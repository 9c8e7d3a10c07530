//! `schema`.

use clap::{Args, ValueEnum};

use super::exit::DONE;
use crate::model::access::AccessReport;
use crate::model::catalogue::Catalogue;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::model::verification::Verification;
use crate::report::EventLine;
use crate::report::output::Output;
use crate::{config, saved};

/// Print the JSON Schema of publish.toml, of a saved plan, of a record, or of the output of `--json`
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
    /// A line of `apply --json`, and of the other commands that apply a plan.
    Event,
    /// The output of `list --json`.
    Catalogue,
}

pub(super) fn run(output: &Output, arguments: &SchemaArguments) -> u8 {
    let schema = match arguments.of {
        SchemaSubject::Config => config::json_schema(),
        SchemaSubject::Plan => saved::json_schema::<Plan>(),
        SchemaSubject::Record => saved::json_schema::<Record>(),
        SchemaSubject::Access => saved::printed_schema::<AccessReport>("access"),
        SchemaSubject::Event => saved::printed_schema::<EventLine<'static>>("event"),
        SchemaSubject::Catalogue => saved::printed_schema::<Catalogue>("catalogue"),
        SchemaSubject::Verification => saved::printed_schema::<Verification>("verification"),
    };
    output.out(&format!("{schema:#}\n"));
    DONE
}
