//! Plans and records as files. In a file, the folder of a plan is relative to the file, so that the two can be moved
//! together and applied from anywhere. In memory, it is relative to the working directory.

use std::path::Path;

use super::path;
use super::placed::{folder_of, rebase};
use super::session::{Result, Session};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::outcome::Outcome;
use crate::model::plan::{self, Plan, PlanKind};
use crate::model::record::{self, Record, RecordedProblem};
use crate::saved::{self, SavedDocument, SavedError};
use oci_registry::Digest;

/// A saved plan or a record: the documents that `show` can show.
pub enum PlanOrRecord {
    /// A plan.
    Plan(Box<Plan>, Digest),
    /// A record.
    Record(Box<Record>),
}

impl SavedDocument for Plan {
    const NAME: &'static str = "plan";
    const READABLE: &'static [&'static str] = &[plan::FORMAT_VERSION, plan::GUARDED_FORMAT_VERSION];
    const WRITTEN_BY: &'static str = "brokkr-publish plan --out FILE";
}

impl SavedDocument for Record {
    const NAME: &'static str = "record";
    const READABLE: &'static [&'static str] = &[record::FORMAT_VERSION];
    const WRITTEN_BY: &'static str = "brokkr-publish apply --record FILE";
}

fn problem(error: &SavedError) -> Vec<Diagnostic> {
    vec![error.to_diagnostic()]
}

/// Refuses a plan if its `publish.toml` is still in the same place and has changed. If the file is not there, the plan is
/// enough.
pub fn check_declared(session: &Session, plan: &Plan) -> Result<()> {
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    let Some(name) = Path::new(&plan.config.path).file_name() else { return Ok(()) };
    let path = folder.join(name);
    // A rollback undoes a release that an older version of the file published, and a withdrawal is written into the file.
    if matches!(plan.kind, PlanKind::Rollback | PlanKind::Withdrawal) || !path.exists() {
        return Ok(());
    }
    let shown = path::relative(&session.working_folder, &path);
    let (file, profile) = (session.read_config(&shown), plan.config.profile.as_deref());
    if file.digest(profile).as_ref() == Some(&plan.config.file_digest) {
        return Ok(());
    }
    let stale = |message: String| {
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    };
    let shown = shown.display();
    let mut found = vec![stale(format!("`{shown}` changed since the plan was made"))];
    if let Some(config) = file.select(profile, &session.overrides()).config {
        found.extend(plan.registries.iter().filter_map(|(name, planned)| {
            let planned = planned.url.to_string();
            match config.registry(name).map(|registry| registry.endpoint.url.to_string()) {
                Some(url) if url == planned => None,
                Some(url) => Some(stale(format!(
                    "the plan is for another registry: `{name}` is `{planned}` in it, and `{url}` in `{shown}`"
                ))),
                None => Some(stale(format!(
                    "the plan is for a registry `{name}` (`{planned}`), which `{shown}` does not declare"
                ))),
            }
        }));
    }
    Err(found)
}

/// Reads a saved plan or a record, whichever it is.
pub fn load_saved(session: &Session, file: &Path) -> Result<PlanOrRecord> {
    if super::bundle::is_bundle(&session.working_folder.join(file)) {
        let bundle = super::bundle::load_bundle(session, file, None)?;
        let digest = saved::digest(&bundle.plan);
        return Ok(PlanOrRecord::Plan(Box::new(bundle.plan), digest));
    }
    // The file is read once, because a pipe cannot be read again.
    let bytes = saved::read::<Plan>(file).map_err(|error| match error {
        SavedError::Read { path, cause, .. } => {
            let message = format!("`{}` cannot be read: {cause}", path.display());
            let help = "`brokkr-publish plan --out FILE` writes a plan, and `brokkr-publish apply --record FILE` writes a record";
            vec![Diagnostic::error(Code::PlanFile, message).help(help)]
        }
        error => problem(&error),
    })?;
    let folder = folder_of(session, file);
    match saved::parse::<Record>(file, &bytes) {
        Ok(mut record) => {
            rebase(&mut record.plan, &folder, &session.working_folder);
            Ok(PlanOrRecord::Record(Box::new(record)))
        }
        Err(error) if has_outcome(&bytes) => Err(problem(&error)),
        // A document that is not a record may be a plan, and then the error about the plan is the one to show.
        Err(_) => {
            let mut plan: Plan = saved::parse(file, &bytes).map_err(|error| problem(&error))?;
            rebase(&mut plan, &folder, &session.working_folder);
            Ok(PlanOrRecord::Plan(Box::new(plan), Digest::of(&bytes)))
        }
    }
}

/// Reads a record.
pub fn load_record(session: &Session, file: &Path) -> Result<Record> {
    let bytes = saved::read::<Record>(file).map_err(|error| problem(&error))?;
    let mut record: Record = match saved::parse(file, &bytes) {
        Ok(record) => record,
        Err(_) if saved::parse::<Plan>(file, &bytes).is_ok() => {
            let message = format!("`{}` is a plan, not the record of an apply", file.display());
            let help = "`brokkr-publish apply --record FILE` writes a record";
            return Err(vec![Diagnostic::error(Code::PlanFile, message).help(help)]);
        }
        Err(error @ (SavedError::Malformed { .. } | SavedError::Changed { .. })) => {
            // A record cannot be made again, because another apply does something else.
            let help = "use the file exactly as `brokkr-publish apply --record FILE` wrote it";
            return Err(vec![error.to_diagnostic().help(help)]);
        }
        Err(error) => return Err(problem(&error)),
    };
    rebase(&mut record.plan, &folder_of(session, file), &session.working_folder);
    Ok(record)
}

/// Whether the document has an `outcome`, which only records have, in every version.
fn has_outcome(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Keys {
        outcome: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Keys>(bytes).is_ok_and(|keys| keys.outcome.is_some())
}

/// Checks, before anything is asked or sent, that the plan and the record can be written at the end. Refuses a place that takes
/// no file, the same place for both, the file that is `read`, and for the record an existing file that is not a record.
pub fn check_destinations(
    session: &Session,
    read: Option<&Path>,
    out: Option<&Path>,
    record: Option<&Path>,
) -> Result<()> {
    let place = |file: &Path| {
        let folder = folder_of(session, file);
        folder.canonicalize().unwrap_or(folder).join(file.file_name().unwrap_or_default())
    };
    if let (Some(out), Some(record)) = (out, record)
        && place(out) == place(record)
    {
        let message = format!("`--out` and `--record` both name `{}`", record.display());
        let help = "name two different files";
        return Err(vec![Diagnostic::error(Code::CommandUsage, message).help(help)]);
    }
    for (option, file) in [("--out", out), ("--record", record)] {
        if let (Some(read), Some(file)) = (read, file)
            && place(read) == place(file)
        {
            let message =
                format!("`{option}` would overwrite `{}`, which this command reads", read.display());
            let help = format!("name another file for `{option}`");
            return Err(vec![Diagnostic::error(Code::CommandUsage, message).help(help)]);
        }
    }
    let mut found = Vec::new();
    if let Some(out) = out {
        found.extend(saved::probe::<Plan>(out).err().map(|error| error.to_diagnostic()));
    }
    if let Some(record) = record {
        match saved::probe::<Record>(record).and_then(|()| earlier(record)) {
            Ok(_) => {}
            Err(error @ SavedError::Write { .. }) => found.extend(problem(&error)),
            Err(error) => {
                let help = "nothing was sent; name another file for the record, or remove this one";
                found.push(error.to_diagnostic().help(help));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Returns the record in `file`, or none if the file does not exist or is empty.
fn earlier(file: &Path) -> std::result::Result<Option<Record>, SavedError> {
    match file.metadata() {
        Ok(found) if found.len() > 0 => saved::load(file).map(Some),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Writes a plan. Returns the digest of the file, which `apply --expect` takes.
pub fn save_plan(session: &Session, plan: &Plan, file: &Path) -> Result<Digest> {
    let mut plan = plan.clone();
    rebase(&mut plan, &session.working_folder, &folder_of(session, file));
    saved::save(&plan, file).map_err(|error| problem(&error))
}

/// Writes a record. If an earlier run of the same plan left a record in `file`, the new one takes over its way back.
pub fn save_record(session: &Session, record: &Record, file: &Path) -> Result<()> {
    let mut record = match earlier(file) {
        Ok(Some(earlier)) => record.clone().taking_over(&earlier),
        // A file that is not a record was refused at the beginning.
        Ok(None) | Err(_) => record.clone(),
    };
    rebase(&mut record.plan, &session.working_folder, &folder_of(session, file));
    saved::save(&record, file).map(drop).map_err(|error| problem(&error))
}

/// Returns the record of an apply.
pub fn record(plan: Plan, outcome: Outcome, problems: &[Diagnostic]) -> Record {
    let recorded = |problem: &Diagnostic| RecordedProblem {
        code: problem.code.to_string(),
        message: problem.message.clone(),
        help: problem.help.clone(),
    };
    Record {
        format_version: record::FORMAT_VERSION.to_owned(),
        success: problems.is_empty(),
        outcome,
        problems: problems.iter().map(recorded).collect(),
        plan,
    }
}
