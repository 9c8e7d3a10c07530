//! `show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit};
use super::options::Global;
use super::planned;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::OutputStream;
use crate::report::{self, diagnostics, outcome, references};
use crate::run::{self, PlanOrRecord};
use crate::saved;

/// Show a saved plan or the record of an apply
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The file that `plan --out` or `apply --record` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print it as JSON.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// For a record, print the digest references that deployments should use.
    #[arg(long, value_enum)]
    format: Option<ReferenceFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReferenceFormat {
    /// One reference per line.
    Digests,
    /// A JSON object: image, registry, reference.
    Json,
    /// The `images` of a `kustomization.yaml`.
    KubernetesImages,
    /// Lines `NAME=REFERENCE` for shells and `.env` files.
    Env,
}

pub(super) fn run(global: &Global, arguments: &ShowArguments) -> Exit {
    let text = match (run::load_saved(&global.session()?, &arguments.file)?, arguments.format) {
        (PlanOrRecord::Plan(_), Some(_)) => {
            let message = format!("`{}` is a plan: only a record has references", arguments.file.display());
            return Err(vec![
                Diagnostic::error(Code::CommandUsage, message)
                    .help("`brokkr-publish apply --record FILE` writes a record"),
            ]);
        }
        (PlanOrRecord::Plan(saved), None) => {
            global.output().err(&diagnostics::planned(&saved, global.style(OutputStream::Err)));
            planned::text(global, &saved, arguments.json)
        }
        (PlanOrRecord::Record(record), Some(format)) => match format {
            ReferenceFormat::Digests => references::digests(&record),
            ReferenceFormat::Json => references::json(&record),
            ReferenceFormat::KubernetesImages => references::kubernetes_images(&record),
            ReferenceFormat::Env => references::env(&record).map_err(|error| vec![error.to_diagnostic()])?,
        },
        (PlanOrRecord::Record(record), None) if arguments.json => {
            report::json_text(&saved::to_json(record.as_ref()))
        }
        (PlanOrRecord::Record(record), None) => outcome::record(&record, global.style(OutputStream::Out)),
    };
    global.output().out(&text);
    Ok(DONE)
}
