//! `show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit};
use super::options::Global;
use super::planned;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::OutputStream;
use crate::report::{self, approval_page, diagnostics, outcome, page, references};
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
    /// The form: a page for approvers, or for a record the digest references that deployments should use.
    #[arg(long, value_enum)]
    format: Option<ShowFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ShowFormat {
    /// One HTML page without scripts, for people who approve.
    Html,
    /// Markdown, for a comment or a summary.
    Markdown,
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
    let every = global.is_verbose();
    let text = match (run::load_saved(&global.session()?, &arguments.file)?, arguments.format) {
        (PlanOrRecord::Plan(plan, digest), Some(ShowFormat::Html)) => {
            approval_page::plan_page(&plan, Some(&digest))
        }
        (PlanOrRecord::Plan(plan, _), Some(ShowFormat::Markdown)) => {
            let problems: Vec<Diagnostic> = plan.problems.iter().map(Diagnostic::from).collect();
            page::markdown(&report::plan::page(&plan, every).with_problems(&problems))
        }
        (PlanOrRecord::Record(record), Some(ShowFormat::Html)) => approval_page::record_page(&record),
        (PlanOrRecord::Record(record), Some(ShowFormat::Markdown)) => {
            page::markdown(&outcome::page(&record.outcome, &record.plan, record.success))
        }
        (PlanOrRecord::Plan(..), Some(_)) => {
            let message = format!("`{}` is a plan: only a record has references", arguments.file.display());
            return Err(vec![
                Diagnostic::error(Code::CommandUsage, message)
                    .help("`brokkr-publish apply --record FILE` writes a record"),
            ]);
        }
        (PlanOrRecord::Plan(saved, _), None) => {
            global.output().err(&diagnostics::planned(&saved, global.style(OutputStream::Err)));
            planned::text(global, &saved, arguments.json)
        }
        (PlanOrRecord::Record(record), Some(format)) => match format {
            ShowFormat::Html | ShowFormat::Markdown => String::new(),
            ShowFormat::Digests => references::digests(&record),
            ShowFormat::Json => references::json(&record),
            ShowFormat::KubernetesImages => references::kubernetes_images(&record),
            ShowFormat::Env => references::env(&record).map_err(|error| vec![error.to_diagnostic()])?,
        },
        (PlanOrRecord::Record(record), None) if arguments.json => {
            report::json_text(&saved::to_json(record.as_ref()))
        }
        (PlanOrRecord::Record(record), None) => outcome::record(&record, global.style(OutputStream::Out)),
    };
    global.output().out(&text);
    Ok(DONE)
}
