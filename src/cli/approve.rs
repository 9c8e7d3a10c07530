//! The steps from a plan to its outcome, which all commands that change a registry share: show, save, ask, apply and record.

use std::path::Path;

use tokio::sync::watch;

use super::exit::{DONE, Exit, FAILED, INCOMPLETE};
use super::options::Global;
use super::planned;
use super::reporting::{Report, Reporting};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::Event;
use crate::model::plan::{Plan, PlanKind};
use crate::report::output::{Output, OutputStream, can_ask};
use crate::report::step_outputs::StepOutputs;
use crate::report::{self, diagnostics, outcome};
use crate::run::{self, Run};
use oci_registry::Digest;

/// How a plan that was just made is approved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approval<'a> {
    /// Whether the plan is applied without asking.
    pub auto: bool,
    /// The report that standard output is for.
    pub reporting: &'a Reporting,
    /// The file to save the plan to.
    pub out: Option<&'a Path>,
}

/// When a plan is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approved {
    /// Now.
    Now,
    /// The plan was saved because nobody can be asked here. `apply FILE` applies it once somebody has approved it.
    Later,
}

/// Shows `plan`, saves it if a file was given, and asks for approval. Does not ask if the plan changes nothing.
pub(super) fn approve(
    global: &Global,
    run: &mut Run,
    plan: &Plan,
    how: Approval<'_>,
) -> Result<Approved, Vec<Diagnostic>> {
    let needs_approval = !how.auto && plan.has_changes() && !plan.is_blocked();
    // The plan is shown before every question, whatever else is printed, because nobody can approve what they have not seen.
    let text = how.reporting.is_text();
    if (needs_approval && can_ask()) || (text && !global.is_quiet()) {
        let stream = if text { OutputStream::Out } else { OutputStream::Err };
        global.output().write(stream, &report::plan::human(plan, global.is_verbose(), global.style(stream)));
    }
    global.output().err(&diagnostics::planned_warnings(plan, global.style(OutputStream::Err)));
    let mut digest = None;
    if let Some(path) = how.out {
        digest = Some(run::save_plan(run.session(), plan, path)?);
    }
    if !needs_approval {
        return Ok(Approved::Now);
    }
    if let (Some(path), Some(digest)) = (how.out, &digest)
        && plan.kind != PlanKind::Publish
        && !can_ask()
    {
        match how.reporting {
            json if json.is_json() => {
                global.reporter(true).report(&Event::Plan { plan, digest: Some(digest) });
            }
            text if text.is_text() => planned::pass_on(global, text, plan, Some(digest)),
            other => planned::report(global, other, plan, Some(digest)),
        }
        if !global.is_quiet() {
            global.output().err(&saved(path, digest));
        }
        return Ok(Approved::Later);
    }
    let answer = global.output().ask("\nApply this plan? Type `yes` to apply: ");
    run.doubt_tags();
    match answer.as_deref() {
        Some("yes") => Ok(Approved::Now),
        Some(_) => Err(vec![Diagnostic::error(Code::ApplyNotConfirmed, "not applied: the answer was not `yes`")]),
        None => Err(vec![
            Diagnostic::error(Code::ApplyNotConfirmed, "not applied: there is no terminal to ask for approval").help(
                match plan.kind {
                    PlanKind::Publish => "use `--auto-approve` to apply without asking, or save the plan with `plan --out FILE` and run `apply FILE` once it is approved",
                    PlanKind::Rollback | PlanKind::Prune | PlanKind::Withdrawal => "use `--auto-approve` to apply without asking, or save this plan with `--out FILE` and run `apply FILE` once it is approved",
                },
            ),
        ]),
    }
}

/// The sentence that says how a saved plan is applied.
pub(super) fn saved(path: &Path, digest: &Digest) -> String {
    format!(
        "\nSaved. To apply exactly this: brokkr-publish apply {} --expect {digest}\n",
        report::one_line(&path.display().to_string())
    )
}

/// Applies `plan`, reports the outcome, and saves the record if a file was given. `digest` is that of the file of a saved plan.
pub(super) async fn carry_out(
    global: &Global,
    run: &Run,
    mut plan: Plan,
    digest: Option<&Digest>,
    reporting: &Reporting,
    record: Option<&Path>,
) -> Exit {
    let json = reporting.is_json();
    let reporter = global.reporter(json);
    reporter.report(&Event::Plan { plan: &plan, digest });
    run.report_to(reporter);
    let closed = run.judge_gates_again(&mut plan).await;
    if !closed.is_empty() {
        return Err(closed);
    }
    let (result, mut problems) = run.apply(&plan, cancellation(global.output().clone())).await;
    let success = problems.is_empty();
    let page = outcome::page(&result, &plan, success).with_problems(&problems);
    let outputs = StepOutputs::of_outcome(&result);
    let shown = Report { page: &page, problems: &problems, outputs, alarms: ("error", &['!']) };
    if json {
        // The events have said everything.
        reporting.pass_on(global, &shown);
    } else {
        let human = || outcome::human(&result, plan.kind, success, global.style(OutputStream::Out));
        reporting.print(global, &shown, human, String::new, || report::plan::gitlab(&plan));
    }
    global.output().err(&report::secrets::let_through(&result));
    let left_out: Vec<Diagnostic> = result.left_out.iter().map(|it| Diagnostic::from(&it.problem)).collect();
    if let Some(path) = record {
        let record = run::record(plan, result, &problems);
        // A record that cannot be written is one more problem, beside those of the apply.
        problems.extend(run::save_record(run.session(), &record, path).err().unwrap_or_default());
    }
    if problems.is_empty() && left_out.is_empty() {
        return Ok(DONE);
    }
    if problems.is_empty() {
        global.output().err(&format!("\n{}", diagnostics::human(&left_out, global.style(OutputStream::Err))));
        return Ok(INCOMPLETE);
    }
    global.output().err(&format!("\n{}", diagnostics::human(&problems, global.style(OutputStream::Err))));
    Ok(FAILED)
}

/// Returns a receiver that turns true at the first Ctrl-C or SIGTERM. The second one ends the process at once, as people
/// expect.
fn cancellation(output: Output) -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        interruption().await;
        sender.send_replace(true);
        output.err("\nStopping; interrupt again to stop at once.\n");
        interruption().await;
        output.err(
            "\nStopped at once: a tag may have been moved without a report; run `brokkr-publish plan` to see where the tags are.\n",
        );
        std::process::exit(i32::from(FAILED));
    });
    receiver
}

#[cfg(unix)]
async fn interruption() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn interruption() {
    drop(tokio::signal::ctrl_c().await);
}
