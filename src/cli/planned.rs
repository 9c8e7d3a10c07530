//! A plan as a report: printed, and passed on to the CI.

use super::options::Global;
use super::reporting::{Report, Reporting};
use crate::diagnostic::Diagnostic;
use crate::model::plan::Plan;
use crate::report::output::OutputStream;
use crate::report::step_outputs::StepOutputs;
use crate::{report, saved};
use oci_registry::Digest;

/// Prints a plan in the format that was asked for, and passes it on to the CI.
pub(super) fn report(global: &Global, reporting: &Reporting, plan: &Plan, saved: Option<&Digest>) {
    pass(global, reporting, plan, saved, true);
}

/// Passes a plan on to the CI without printing it.
pub(super) fn pass_on(global: &Global, reporting: &Reporting, plan: &Plan, saved: Option<&Digest>) {
    pass(global, reporting, plan, saved, false);
}

fn pass(global: &Global, reporting: &Reporting, plan: &Plan, saved: Option<&Digest>, print: bool) {
    let problems: Vec<Diagnostic> = plan.problems.iter().map(Diagnostic::from).collect();
    let page = report::plan::page(plan, global.is_verbose()).with_problems(&problems);
    let outputs = StepOutputs::of_plan(plan, saved);
    let severity = if plan.is_blocked() { "error" } else { "warning" };
    let report = Report { page: &page, problems: &problems, outputs, alarms: (severity, &['!']) };
    if print {
        let gitlab = || report::plan::gitlab(plan);
        reporting.print(global, &report, || text(global, plan, false), || text(global, plan, true), gitlab);
    } else {
        reporting.pass_on(global, &report);
    }
}

/// The text of a plan, for people or as JSON.
pub(super) fn text(global: &Global, plan: &Plan, json: bool) -> String {
    if json {
        return report::json_text(&saved::to_json(plan));
    }
    report::plan::human(plan, global.is_verbose(), global.style(OutputStream::Out))
}
