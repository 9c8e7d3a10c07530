//! Plans and records as files. In a file the folder of a plan is relative to the file, so that the two can be carried
//! elsewhere together and applied from anywhere; in memory it is relative to the working directory.

use std::path::Path;

use super::{Result, Session, path};
use crate::config::{self, LoadOptions};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::outcome::Outcome;
use crate::model::plan::{self, Plan, PlanKind};
use crate::model::record::{self, Record, RecordedProblem};
use crate::saved::{self, Document, SavedError};

/// What `show` can show.
pub enum Saved {
    /// A plan.
    Plan(Box<Plan>),
    /// A record.
    Record(Box<Record>),
}

impl Document for Plan {
    const NAME: &'static str = "plan";
    const FORMAT_VERSION: &'static str = plan::FORMAT_VERSION;
    const WRITTEN_BY: &'static str = "brokkr-publish plan --out FILE";
}

impl Document for Record {
    const NAME: &'static str = "record";
    const FORMAT_VERSION: &'static str = record::FORMAT_VERSION;
    const WRITTEN_BY: &'static str = "brokkr-publish apply --record FILE";
}

fn told(error: &SavedError) -> Vec<Diagnostic> {
    vec![error.to_diagnostic()]
}

/// The folder of `file`, absolute.
fn folder_of(session: &Session, file: &Path) -> std::path::PathBuf {
    let file = path::normal(&session.working_folder.join(file));
    file.parent().map(Path::to_owned).unwrap_or(file)
}

/// Makes the folder of `plan`, which is relative to `from`, relative to `to`; both absolute.
fn rebase(plan: &mut Plan, from: &Path, to: &Path) {
    let folder = path::normal(&from.join(&plan.folder));
    plan.folder = path::relative(to, &folder).display().to_string();
}

/// Reads a saved plan.
pub fn load_plan(session: &Session, file: &Path) -> Result<Plan> {
    let mut plan: Plan = saved::load(file).map_err(|error| told(&error))?;
    rebase(&mut plan, &folder_of(session, file), &session.working_folder);
    Ok(plan)
}

/// Refuses a plan whose `publish.toml`, where it still lies where it lay, says something else now. Without it the plan is
/// enough.
pub fn check_declared(session: &Session, plan: &Plan) -> Result<()> {
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    let Some(name) = Path::new(&plan.config.path).file_name() else { return Ok(()) };
    let path = folder.join(name);
    // What a rollback goes back from was published by an older file.
    if plan.kind == PlanKind::Rollback || !path.exists() {
        return Ok(());
    }
    let shown = path::relative(&session.working_folder, &path);
    let options = LoadOptions { profile: plan.config.profile.clone(), ..session.load_options(&shown) };
    if config::file_digest(&options).as_ref() == Some(&plan.config.file_digest) {
        return Ok(());
    }
    let stale = |message: String| {
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    };
    let shown = shown.display();
    let mut found = vec![stale(format!("`{shown}` changed since the plan was made"))];
    if let Some(config) = config::load(&options).config {
        found.extend(plan.registries.iter().filter_map(|(name, planned)| {
            let planned = planned.url.to_string();
            match config.registries.get(name).map(|registry| registry.endpoint.url.to_string()) {
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
pub fn load_saved(session: &Session, file: &Path) -> Result<Saved> {
    // Once: a pipe cannot be read again.
    let bytes = saved::read::<Plan>(file).map_err(|error| told(&error))?;
    let folder = folder_of(session, file);
    match saved::parse::<Record>(file, &bytes) {
        Ok(mut record) => {
            rebase(&mut record.plan, &folder, &session.working_folder);
            Ok(Saved::Record(Box::new(record)))
        }
        Err(error) if has_outcome(&bytes) => Err(told(&error)),
        // What is no record may be a plan, whose error then is the one to show.
        Err(_) => {
            let mut plan: Plan = saved::parse(file, &bytes).map_err(|error| told(&error))?;
            rebase(&mut plan, &folder, &session.working_folder);
            Ok(Saved::Plan(Box::new(plan)))
        }
    }
}

/// Reads a record.
pub fn load_record(session: &Session, file: &Path) -> Result<Record> {
    let bytes = saved::read::<Record>(file).map_err(|error| told(&error))?;
    let mut record: Record = match saved::parse(file, &bytes) {
        Ok(record) => record,
        Err(_) if saved::parse::<Plan>(file, &bytes).is_ok() => {
            let message = format!("`{}` is a plan, not the record of an apply", file.display());
            let help = "`brokkr-publish apply --record FILE` writes a record";
            return Err(vec![Diagnostic::error(Code::PlanFile, message).help(help)]);
        }
        Err(error @ (SavedError::Malformed { .. } | SavedError::Changed { .. })) => {
            // One cannot be made again: another apply does something else.
            let help = "use the file exactly as `brokkr-publish apply --record FILE` wrote it";
            return Err(vec![error.to_diagnostic().help(help)]);
        }
        Err(error) => return Err(told(&error)),
    };
    rebase(&mut record.plan, &folder_of(session, file), &session.working_folder);
    Ok(record)
}

/// Whether the document has what of all documents only a record has, in any version.
fn has_outcome(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Keys {
        outcome: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Keys>(bytes).is_ok_and(|keys| keys.outcome.is_some())
}

/// Refuses, before anything is asked or sent, what a plan and a record cannot be written to when all is done: places
/// that take no file, one place for both, the file that is `read`, and for the record a file that is none.
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
            Err(error @ SavedError::Write { .. }) => found.extend(told(&error)),
            Err(error) => {
                let help = "nothing was sent; name another file for the record, or remove this one";
                found.push(error.to_diagnostic().help(help));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// The record that is in `file`; none where that does not exist or is empty.
fn earlier(file: &Path) -> std::result::Result<Option<Record>, SavedError> {
    match file.metadata() {
        Ok(found) if found.len() > 0 => saved::load(file).map(Some),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Writes a plan.
pub fn save_plan(session: &Session, plan: &Plan, file: &Path) -> Result<()> {
    let mut plan = plan.clone();
    rebase(&mut plan, &session.working_folder, &folder_of(session, file));
    saved::save(&plan, file).map_err(|error| told(&error))
}

/// Writes a record. One that an earlier run of the same plan left in `file` leaves its way back to this one.
pub fn save_record(session: &Session, record: &Record, file: &Path) -> Result<()> {
    let mut record = match earlier(file) {
        Ok(Some(earlier)) => record.clone().taking_over(&earlier),
        // What is none was refused at the beginning.
        Ok(None) | Err(_) => record.clone(),
    };
    rebase(&mut record.plan, &session.working_folder, &folder_of(session, file));
    saved::save(&record, file).map_err(|error| told(&error))
}

/// The record of an apply.
pub fn record(plan: Plan, outcome: Outcome, problems: &[Diagnostic]) -> Record {
    let told = |problem: &Diagnostic| RecordedProblem {
        code: problem.code.to_string(),
        message: problem.message.clone(),
        help: problem.help.clone(),
    };
    Record {
        format_version: record::FORMAT_VERSION.to_owned(),
        success: problems.is_empty(),
        outcome,
        problems: problems.iter().map(told).collect(),
        plan,
    }
}
