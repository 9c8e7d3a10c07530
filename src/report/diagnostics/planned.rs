//! The problems of a plan, for people.

use super::human::human;
use crate::diagnostic::Diagnostic;
use crate::model::plan::Plan;
use crate::report::Style;

/// Returns the problems of `plan`, those that block it included, or an empty text.
pub fn planned(plan: &Plan, style: Style) -> String {
    let problems: Vec<Diagnostic> = plan.problems.iter().map(Diagnostic::from).collect();
    text(&problems, style)
}

/// Returns the warnings of `plan` between empty lines, or an empty text. The errors are left to the apply that they stop.
pub fn planned_warnings(plan: &Plan, style: Style) -> String {
    let problems = plan.problems.iter().map(Diagnostic::from);
    let warnings = text(&problems.filter(|problem| !problem.is_error()).collect::<Vec<_>>(), style);
    if warnings.is_empty() { warnings } else { format!("{warnings}\n") }
}

fn text(problems: &[Diagnostic], style: Style) -> String {
    if problems.is_empty() { String::new() } else { format!("\n{}", human(problems, style)) }
}
