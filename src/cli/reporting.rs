//! The formats of reports, and what a CI shows and passes on: the summary of a step, annotations, outputs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::options::{Global, variable};
use crate::diagnostic::Diagnostic;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::report::page::{self, Page};
use crate::report::step_outputs::StepOutputs;

/// Options of commands whose report a CI may show.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct Reporting {
    /// The format of the report on standard output.
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Append the outputs to this file, as lines `BROKKR_PUBLISHED_NAME=VALUE`: a dotenv report of GitLab. If `GITHUB_OUTPUT` is set,
    /// they are appended to that file too, in its own form.
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,
    #[arg(skip)]
    json: bool,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Human,
    /// For machines.
    Json,
    /// Markdown, for a comment or a summary.
    Markdown,
    /// For people, with commands of GitHub Actions, which become annotations.
    Github,
    /// For GitLab: the numbers of a `terraform` report, or a Code Quality report.
    Gitlab,
    /// One HTML page.
    Html,
}

/// A report of a command in all its forms.
pub(super) struct Report<'a> {
    pub page: &'a Page,
    /// The problems that the page shows.
    pub problems: &'a [Diagnostic],
    pub outputs: StepOutputs,
    /// The signs of the rows that become annotations, and their severity.
    pub alarms: (&'static str, &'static [char]),
}

impl Reporting {
    /// Sets what `--json` asks for.
    pub(super) fn with_json(&self, json: bool) -> Self {
        Self { format: self.format, outputs: self.outputs.clone(), json }
    }

    /// The format, whichever option gave it.
    pub(super) fn format(&self) -> ReportFormat {
        if self.json { ReportFormat::Json } else { self.format }
    }

    /// Whether problems are printed as commands of GitHub Actions.
    pub(super) fn prints_commands(&self) -> bool {
        self.format == ReportFormat::Github
    }

    /// Whether standard output is for JSON.
    pub(super) fn is_json(&self) -> bool {
        self.format() == ReportFormat::Json
    }

    /// Whether standard output is for text for people, as they read it while the command runs.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.format(), ReportFormat::Human | ReportFormat::Github)
    }

    /// Prints `report`: `human`, `json` and `gitlab` return their form.
    pub(super) fn print(
        &self,
        global: &Global,
        report: &Report<'_>,
        human: impl FnOnce() -> String,
        json: impl FnOnce() -> String,
        gitlab: impl FnOnce() -> String,
    ) {
        let output = global.output();
        match self.format() {
            ReportFormat::Human | ReportFormat::Github => output.out(&human()),
            ReportFormat::Json => output.out(&json()),
            ReportFormat::Gitlab => output.out(&gitlab()),
            ReportFormat::Markdown => output.out(&page::markdown(report.page)),
            ReportFormat::Html => output.out(&page::html(report.page)),
        }
        self.pass_on(global, report);
    }

    /// Writes the summary, the annotations and the outputs for the CI, without printing the report.
    pub(super) fn pass_on(&self, global: &Global, report: &Report<'_>) {
        let output = global.output();
        if let Some(file) = variable("GITHUB_STEP_SUMMARY") {
            output.append(&PathBuf::from(file), &page::markdown(report.page));
        }
        if let Some(file) = variable("GITHUB_OUTPUT") {
            output.append(&PathBuf::from(file), &report.outputs.github());
        }
        if let Some(file) = &self.outputs {
            output.append(file, &report.outputs.dotenv());
        }
        let (severity, signs) = report.alarms;
        let commands =
            diagnostics::github(report.problems) + &page::annotations(report.page, severity, signs);
        self.annotate(global, &commands);
    }

    /// Reports what made a command end without a result.
    pub(super) fn failing(&self, global: &Global, command: &str, exit: Exit) -> Exit {
        if let Err(problems) = &exit {
            let page = Page::failed(command, problems);
            if let Some(file) = variable("GITHUB_STEP_SUMMARY") {
                global.output().append(&PathBuf::from(file), &page::markdown(&page));
            }
            match self.format() {
                ReportFormat::Markdown => global.output().out(&page::markdown(&page)),
                ReportFormat::Html => global.output().out(&page::html(&page)),
                ReportFormat::Github => self.annotate(global, &diagnostics::github(problems)),
                ReportFormat::Human | ReportFormat::Json | ReportFormat::Gitlab => {}
            }
        }
        exit
    }

    /// Writes commands of GitHub Actions: to standard output if the format asks for them, and in a job of GitHub to standard error,
    /// because GitHub reads them from both.
    fn annotate(&self, global: &Global, commands: &str) {
        if commands.is_empty() {
            return;
        }
        if self.format() == ReportFormat::Github {
            global.output().write_commands(OutputStream::Out, commands);
        } else if in_github_actions() {
            global.output().write_commands(OutputStream::Err, commands);
        }
    }
}

/// Whether a job of GitHub Actions, or of a program that runs the same jobs, shows annotations.
pub(super) fn in_github_actions() -> bool {
    variable("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}
