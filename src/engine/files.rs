//! Plans and records as files. In a file the folder of a plan is relative to the file, so that the two can be carried
//! elsewhere together and applied from anywhere; in memory it is relative to the working directory.

use std::path::Path;

use super::{Result, Session, path};
use crate::diagnostic::Diagnostic;
use crate::model::outcome::Outcome;
use crate::model::plan::{self, Plan};
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

/// Reads a saved plan or a record, whichever it is.
pub fn load_saved(session: &Session, file: &Path) -> Result<Saved> {
    match saved::load::<Record>(file) {
        Ok(mut record) => {
            rebase(&mut record.plan, &folder_of(session, file), &session.working_folder);
            Ok(Saved::Record(Box::new(record)))
        }
        Err(error) if !matches!(error, SavedError::Read { .. }) && has_outcome(file) => Err(told(&error)),
        // What is no record may be a plan, whose error then is the one to show.
        Err(_) => load_plan(session, file).map(|plan| Saved::Plan(Box::new(plan))),
    }
}

/// Whether the document has what of all documents only a record has, in any version.
fn has_outcome(file: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Keys {
        outcome: Option<serde::de::IgnoredAny>,
    }
    let bytes = std::fs::read(file).unwrap_or_default();
    serde_json::from_slice::<Keys>(&bytes).is_ok_and(|keys| keys.outcome.is_some())
}

/// Writes a plan.
pub fn save_plan(session: &Session, plan: &Plan, file: &Path) -> Result<()> {
    let mut plan = plan.clone();
    rebase(&mut plan, &session.working_folder, &folder_of(session, file));
    saved::save(&plan, file).map_err(|error| told(&error))
}

/// Writes a record.
pub fn save_record(session: &Session, record: &Record, file: &Path) -> Result<()> {
    let mut record = record.clone();
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
