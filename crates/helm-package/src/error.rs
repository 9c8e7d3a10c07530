//! The errors of packaging a chart.

use oci_content::SourceError;

use crate::finding::ChartFinding;

/// Why a chart cannot be packaged.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The chart does not exist.
    #[error("chart `{path}` does not exist")]
    Missing {
        /// The chart, for people.
        path: String,
    },
    /// Helm would not package or load the chart.
    #[error("{}", listed(path, findings))]
    Invalid {
        /// The chart, for people.
        path: String,
        /// All errors of the chart, each with its place.
        findings: Vec<ChartFinding>,
    },
    /// A file of the chart cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl ChartError {
    /// The error for the findings of a chart; warnings are left out.
    pub(crate) fn invalid(path: String, findings: Vec<ChartFinding>) -> Self {
        Self::Invalid { path, findings: findings.into_iter().filter(ChartFinding::is_error).collect() }
    }
}

/// The problems of a chart as text, one per line: each with file, line and column.
fn listed(path: &str, findings: &[ChartFinding]) -> String {
    match findings {
        [] => format!("chart `{path}` cannot be packaged"),
        [finding] => finding.to_string(),
        findings => {
            let lines: String = findings.iter().map(|finding| format!("\n{finding}")).collect();
            format!("chart `{path}` has {} problems:{lines}", findings.len())
        }
    }
}
