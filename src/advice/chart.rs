//! Errors of charts as diagnostics, with what to do about them.

use std::collections::HashMap;
use std::sync::Arc;

use helm_package::{ChartError, ChartFile, ChartFinding, FileSpan, FindingConcern, FindingSeverity};

use crate::diagnostic::{Code, Diagnostic, Label, Location, SourceText, ToDiagnostic};

impl ToDiagnostic for ChartFinding {
    fn to_diagnostic(&self) -> Diagnostic {
        ChartTexts::default().diagnostic(self)
    }
}

impl ToDiagnostic for ChartError {
    fn to_diagnostic(&self) -> Diagnostic {
        match self {
            Self::Missing { .. } => Diagnostic::error(Code::SourceMissing, self.to_string()).help(
                "name the directory that holds `Chart.yaml`, or a packaged chart (`.tgz`); a relative path starts at the folder of `publish.toml`",
            ),
            Self::Invalid { path, findings } => together(path, findings),
            Self::Source(error) => error.to_diagnostic(),
        }
    }
}

/// Returns the diagnostics of `error`, one for each problem.
pub fn diagnostics(error: &ChartError) -> Vec<Diagnostic> {
    match error {
        ChartError::Invalid { findings, .. } if !findings.is_empty() => diagnostics_of_findings(findings),
        error => vec![error.to_diagnostic()],
    }
}

/// Returns one diagnostic for each finding.
pub fn diagnostics_of_findings(findings: &[ChartFinding]) -> Vec<Diagnostic> {
    let mut texts = ChartTexts::default();
    findings.iter().map(|finding| texts.diagnostic(finding)).collect()
}

/// Returns the location of a span in a file of a chart.
pub fn place_of(span: &FileSpan) -> Location {
    ChartTexts::default().location(span)
}

/// The findings as one diagnostic, with a label for each finding that has a place, and a line for each that has none.
fn together(path: &str, findings: &[ChartFinding]) -> Diagnostic {
    if let [finding] = findings {
        return finding.to_diagnostic();
    }
    let mut texts = ChartTexts::default();
    let mut message = format!("chart `{path}` has {} problems", findings.len());
    let mut help: Vec<&str> = Vec::new();
    let mut labels = Vec::new();
    for finding in findings {
        match &finding.span {
            Some(span) => labels.push(Label { place: texts.location(span), text: finding.message.clone() }),
            None => message.extend(["\n", &finding.message]),
        }
        if !help.contains(&finding.help.as_str()) {
            help.push(&finding.help);
        }
    }
    let code = findings.first().map_or(Code::SourceChart, code);
    Diagnostic { labels, ..Diagnostic::error(code, message) }.help(help.join("\n"))
}

fn code(finding: &ChartFinding) -> Code {
    match finding.concern {
        FindingConcern::Chart => Code::SourceChart,
        FindingConcern::Dependencies => Code::SourceChartDependencies,
    }
}

/// The texts of files that findings point into. Findings about one file share its text, because labels in the same text are
/// drawn together.
#[derive(Default)]
struct ChartTexts(HashMap<*const ChartFile, Arc<SourceText>>);

impl ChartTexts {
    fn diagnostic(&mut self, finding: &ChartFinding) -> Diagnostic {
        let code = code(finding);
        let diagnostic = match finding.severity {
            FindingSeverity::Error => Diagnostic::error(code, &finding.message),
            FindingSeverity::Warning => Diagnostic::warning(code, &finding.message),
        };
        diagnostic.at_maybe(finding.span.as_ref().map(|span| self.location(span)), "").help(&finding.help)
    }

    fn location(&mut self, span: &FileSpan) -> Location {
        let ChartFile { name, path, text } = &*span.file;
        let text = || SourceText { name: name.clone(), file: path.clone(), text: text.clone() };
        let source = self.0.entry(Arc::as_ptr(&span.file)).or_insert_with(|| Arc::new(text()));
        Location { source: Arc::clone(source), span: span.bytes.clone() }
    }
}
