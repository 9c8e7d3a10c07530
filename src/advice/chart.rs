//! What to do about an error of a chart.

use helm_package::{ChartError, Concern, Finding, Severity};

use crate::diagnostic::{Code, Diagnostic, Label, ToDiagnostic};

impl ToDiagnostic for Finding {
    fn to_diagnostic(&self) -> Diagnostic {
        let code = match self.concern {
            Concern::Chart => Code::SourceChart,
            Concern::Dependencies => Code::SourceChartDependencies,
        };
        let diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(code, &self.message),
            Severity::Warning => Diagnostic::warning(code, &self.message),
        };
        diagnostic.at_maybe(self.place.clone(), "").help(&self.help)
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
        ChartError::Invalid { findings, .. } if !findings.is_empty() => {
            findings.iter().map(ToDiagnostic::to_diagnostic).collect()
        }
        error => vec![error.to_diagnostic()],
    }
}

/// The findings as one diagnostic, with a label for each finding that has a place, and a line for each that has none.
fn together(path: &str, findings: &[Finding]) -> Diagnostic {
    if let [finding] = findings {
        return finding.to_diagnostic();
    }
    let mut message = format!("chart `{path}` has {} problems", findings.len());
    let mut help: Vec<&str> = Vec::new();
    let mut labels = Vec::new();
    for finding in findings {
        match &finding.place {
            Some(place) => labels.push(Label { place: place.clone(), text: finding.message.clone() }),
            None => message.extend(["\n", &finding.message]),
        }
        if !help.contains(&finding.help.as_str()) {
            help.push(&finding.help);
        }
    }
    let code = findings.first().map_or(Code::SourceChart, |first| first.to_diagnostic().code);
    Diagnostic { labels, ..Diagnostic::error(code, message) }.help(help.join("\n"))
}
