//! `lint`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit, FAILED};
use super::options::Global;
use super::reporting::in_github_actions;
use crate::diagnostic::Diagnostic;
use crate::report::diagnostics::{self, DiagnosticFormat};
use crate::report::output::OutputStream;
use crate::run;

/// Check publish.toml offline: syntax, schema, references, and every template on sample events
///
/// Uses neither git nor the network. Reports every error of every file at once, and exits with 1 if there are any.
#[derive(Debug, Args)]
pub struct LintArguments {
    /// The files [default: the configuration file].
    files: Vec<PathBuf>,
    /// The format of the findings.
    #[arg(long, value_enum, default_value_t)]
    format: LintFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LintFormat {
    /// For people, on standard error.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// A Code Quality report of GitLab.
    Gitlab,
    /// `JUnit` XML: a test case for each file.
    Junit,
}

pub(super) fn run(global: &Global, arguments: &LintArguments) -> Exit {
    let session = global.session()?;
    let found = run::lint(&session, &arguments.files);
    let render = |format| diagnostics::render(&found, format);
    let text = match arguments.format {
        LintFormat::Human => render(DiagnosticFormat::Human(global.style(OutputStream::Err))),
        LintFormat::Json => render(DiagnosticFormat::Json),
        LintFormat::Github => render(DiagnosticFormat::Github),
        LintFormat::Sarif => render(DiagnosticFormat::Sarif),
        LintFormat::Gitlab => render(DiagnosticFormat::CodeQuality),
        LintFormat::Junit => {
            let files = run::lint_files(&session, &arguments.files);
            let files: Vec<String> = files.iter().map(|file| diagnostics::repository_path_of(file)).collect();
            diagnostics::junit(&found, &files)
        }
    };
    let stream = if arguments.format == LintFormat::Human { OutputStream::Err } else { OutputStream::Out };
    match arguments.format {
        LintFormat::Github => global.output().write_commands(stream, &text),
        LintFormat::Human => {
            global.output().write(stream, &text);
            if in_github_actions() {
                global.output().write_commands(stream, &diagnostics::github(&found));
            }
        }
        LintFormat::Json | LintFormat::Sarif | LintFormat::Gitlab | LintFormat::Junit => {
            global.output().write(stream, &text);
        }
    }
    if arguments.format == LintFormat::Human && !global.is_quiet() {
        global.output().err(&summary(&found, arguments.files.len().max(1)));
    }
    Ok(if found.iter().any(Diagnostic::is_error) { FAILED } else { DONE })
}

fn summary(found: &[Diagnostic], files: usize) -> String {
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let errors = found.iter().filter(|it| it.is_error()).count();
    let warnings = found.len() - errors;
    let count = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let counts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    match counts.as_slice() {
        [] => format!("{files} checked, nothing wrong\n"),
        counts => format!("\n{files} checked, {}\n", counts.join(", ")),
    }
}
