//! `apply`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::approve::{self, Approval};
use super::exit::{Exit, block_on};
use super::options::Global;
use super::plan::PlanShape;
use super::planned;
use super::reporting::Reporting;
use crate::config::ApplyLimits;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Partition;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::run::{self, Run, SavedPlan, Session};

/// Publish: apply a saved plan, or plan, show, ask and apply
///
/// Asks every repository first whether the credentials allow what is planned. Then sends content to every registry, puts the
/// immutable tags, moves the floating tags, and finally reads every tag back.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// A plan saved by `plan --out`, `plan --bundle`, `rollback --out`, `withdraw --out` or `prune --out`. It is applied exactly as it
    /// is, without asking.
    #[arg(value_name = "PLAN")]
    saved: Option<PathBuf>,
    /// The digest that the file of the saved plan must have, as `plan --out` printed it, or the `checksum` in the JSON of the plan. Any
    /// other file is refused.
    #[arg(long, value_name = "DIGEST", requires = "saved")]
    expect: Option<oci_registry::Digest>,
    /// Send only to these places, each with everything below it.
    #[arg(long, value_name = "HOST[/NAMESPACE]", num_args = 1..)]
    only_registry: Vec<String>,
    /// Send the values of only these environment variables to registries.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only_variable: Vec<String>,
    /// Apply without asking.
    #[arg(long)]
    auto_approve: bool,
    /// Print events as JSON, one per line.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Save the plan that is applied.
    #[arg(long, value_name = "FILE", conflicts_with = "saved")]
    out: Option<PathBuf>,
    /// Save a record of what was done: each change with its before, after and result, and the digests to deploy.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Publish what is in the work tree, even if it is not the commit that is published.
    #[arg(long)]
    allow_dirty: bool,
    /// Only the part K of N: each image, chart and artifact is in one part, with all its repositories.
    #[arg(long, value_name = "K/N", value_parser = str::parse::<Partition>)]
    partition: Option<Partition>,
    /// Send at most so many bytes of blobs in a second: `500K`, `10M`.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit_rate: Option<u64>,
    #[command(flatten)]
    pub(super) reporting: Reporting,
    #[command(flatten)]
    shape: PlanShape,
}

impl ApplyArguments {
    /// Returns the limits of what the plan may send.
    fn limits(&self) -> ApplyLimits {
        ApplyLimits { registries: self.only_registry.clone(), variables: self.only_variable.clone() }
    }
}

/// Parses a number of bytes: `500K`, `10M`, `1G`, in powers of 1024 as curl and wget read it.
fn rate(text: &str) -> Result<u64, String> {
    let unit = |letter: char| match letter {
        'k' | 'K' => Some(1 << 10),
        'm' | 'M' => Some(1 << 20),
        'g' | 'G' => Some(1 << 30),
        _ => None,
    };
    let (number, unit): (&str, u64) = match text.chars().next_back().and_then(unit) {
        Some(unit) => (text.get(..text.len() - 1).unwrap_or_default(), unit),
        None => (text, 1),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes >= 1024)
        .ok_or_else(|| "expected a number of bytes from 1K, such as `500K` or `10M`".to_owned())
}

pub(super) fn run(global: &Global, arguments: &ApplyArguments) -> Exit {
    let reporting = arguments.reporting.with_json(arguments.json);
    reporting.failing(global, "apply", apply(global, arguments, &reporting))
}

fn apply(global: &Global, arguments: &ApplyArguments, reporting: &Reporting) -> Exit {
    let mut session = global.session_in(Some(&arguments.shape.simulation))?;
    session.flags.allow_dirty = arguments.allow_dirty;
    session.flags.partition = arguments.partition;
    session.flags.limit_rate = arguments.limit_rate;
    let (out, record) = (arguments.out.as_deref(), arguments.record.as_deref());
    run::check_destinations(&session, arguments.saved.as_deref(), out, record)?;
    let parallelism = arguments.shape.network.parallelism;
    if let Some(path) = &arguments.saved {
        let (mut saved, reporter) =
            (saved(global, arguments, &mut session, path)?, global.reporter(reporting.is_json()));
        let mut run = Run::of_saved(&session, &mut saved, &arguments.limits(), parallelism, reporter)?;
        let SavedPlan { plan, digest, .. } = saved;
        run.loaded_from(digest.clone());
        if reporting.is_text() && !global.is_quiet() {
            global.output().out(&planned::text(global, &plan, false));
        }
        global.output().err(&diagnostics::planned_warnings(&plan, global.style(OutputStream::Err)));
        block_on(approve::carry_out(global, &run, plan, Some(&digest), reporting, record))?
    } else {
        let mut run = Run::new(&session, parallelism, global.reporter(false))?;
        block_on(plan_and_apply(global, arguments, reporting, &mut run))?
    }
}

/// Loads a saved plan. Refuses every option that would shape a different plan.
fn saved(
    global: &Global,
    arguments: &ApplyArguments,
    session: &mut Session,
    path: &Path,
) -> Result<SavedPlan, Vec<Diagnostic>> {
    let shape = &arguments.shape;
    if path.extension().is_some_and(|it| it == "toml") {
        let shown = crate::report::one_line(&path.display().to_string());
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, format!("`{shown}` is a configuration, not a saved plan"))
                .help(format!(
                    "did you mean `brokkr-publish apply --config {shown}`? `plan --out FILE` saves a plan"
                )),
        ]);
    }
    let option = if shape.simulation.is_given() {
        Some("--event`, `--ref`, `--sha` or `--pr")
    } else if arguments.partition.is_some() {
        Some("--partition")
    } else if !shape.target.is_empty() {
        Some("--target")
    } else if arguments.allow_dirty {
        Some("--allow-dirty")
    } else {
        global.other_than_search()
    };
    if let Some(option) = option {
        let message = format!("a saved plan is applied as it is: `{option}` cannot change it");
        return Err(vec![
            Diagnostic::error(Code::CommandUsage, message)
                .help("make a new plan with `brokkr-publish plan --out FILE`"),
        ]);
    }
    let (plan, digest) = if run::is_bundle(&session.working_folder.join(path)) {
        let bundle = run::load_bundle(session, path, arguments.expect.as_ref())?;
        // The command line names the file, wherever it is.
        session.allow_outside.push(bundle.folder);
        (bundle.plan, bundle.digest)
    } else {
        let (plan, digest) = run::load_plan(session, path, arguments.expect.as_ref())?;
        run::check_declared(session, &plan)?;
        (plan, digest)
    };
    run::check_approval(session, &plan, &digest, path)?;
    Ok(SavedPlan { plan, digest, is_bound: arguments.expect.is_some() })
}

/// Makes a plan, and applies it once it is approved.
async fn plan_and_apply(
    global: &Global,
    arguments: &ApplyArguments,
    reporting: &Reporting,
    run: &mut Run,
) -> Exit {
    let plan = run.plan(&arguments.shape.target).await?;
    run::refuse_unapproved(&plan)?;
    run.check_limits(&plan, &arguments.limits())?;
    let (auto, out) = (arguments.auto_approve, arguments.out.as_deref());
    // The approval of a plan to publish is never put off, because `plan --out` is for that.
    let _now = approve::approve(global, run, &plan, Approval { auto, reporting, out })?;
    approve::carry_out(global, run, plan, None, reporting, arguments.record.as_deref()).await
}
