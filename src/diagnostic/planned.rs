//! Diagnostics that travel in a plan, without their places.

use super::{Code, Diagnostic, Severity};
use crate::model::optional::LeftOut;
use crate::model::problem::{PlannedProblem, ProblemSeverity};

/// Returns the part of a release that `registry`, which is not required, did not get because of `problem`.
pub fn left_out(registry: &str, problem: Diagnostic) -> LeftOut {
    let warning = Diagnostic { severity: Severity::Warning, ..problem };
    let warning = warning.about(format_args!("left out, because registry `{registry}` is not required"));
    LeftOut { registry: registry.to_owned(), problem: PlannedProblem::from(&warning) }
}

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
