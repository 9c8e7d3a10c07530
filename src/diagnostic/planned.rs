//! Diagnostics that travel in a plan, without their places.

use super::{Code, Diagnostic, Severity};
use crate::model::problem::{PlannedProblem, ProblemSeverity};

impl From<&Diagnostic> for PlannedProblem {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                Severity::Warning => ProblemSeverity::Warning,
                Severity::Error => ProblemSeverity::Error,
            },
            code: diagnostic.code.to_string(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

impl From<&PlannedProblem> for Diagnostic {
    fn from(problem: &PlannedProblem) -> Self {
        // A plan of a newer program may carry a code that this one does not know.
        let code = problem.code.parse().unwrap_or(Code::PlanFile);
        let severity = match problem.severity {
            ProblemSeverity::Warning => Severity::Warning,
            ProblemSeverity::Error => Severity::Error,
        };
        Self { severity, ..Self::error(code, problem.message.clone()) }.help_maybe(problem.help.clone())
    }
}
