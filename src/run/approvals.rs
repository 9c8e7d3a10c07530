//! Approvals of saved plans: `approve` signs one, and `apply` checks them before anything is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::path;
use super::placed::load_plan;
use super::session::{Result, Session};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::Plan;
use crate::model::signing::{KeyPlace, RequiredApproval};
use crate::signing;
use oci_content::Surroundings;
use oci_registry::Digest;

/// The size of the largest approval that is read.
const MAX_APPROVAL: u64 = 1024 * 1024;

/// The number of approvals of a plan that are read.
const MAX_APPROVALS: usize = 100;

/// The place of the approver's key.
#[derive(Debug)]
pub struct ApprovalKey {
    /// The file of the private key, relative to the working directory.
    pub file: Option<PathBuf>,
    /// The environment variable that holds the text of the private key.
    pub env: Option<String>,
    /// The environment variable that holds the password of an encrypted key.
    pub password_env: String,
}

/// Signs the approval of the saved plan in `file`, and writes it beside the plan, or to `out`. Returns the plan, its digest and the path of the
/// approval.
///
/// # Errors
///
/// Everything that prevents it.
pub fn approve(
    session: &Session,
    file: &Path,
    key: &ApprovalKey,
    out: Option<&Path>,
) -> Result<(Plan, Digest, PathBuf)> {
    let (plan, digest) = load_plan(session, file, None)?;
    let place = KeyPlace {
        file: key.file.as_ref().map(|file| file.display().to_string()),
        env: key.env.clone(),
        password_env: key.password_env.clone(),
    };
    let environment = session.environment.clone();
    let surroundings = Surroundings {
        environment: Arc::new(move |name| environment.get(name).cloned()),
        ..Surroundings::local(&session.working_folder)
    };
    let approval =
        signing::approve(&digest, &place, &surroundings).map_err(|error| vec![error.to_diagnostic()])?;
    let path = out.map_or_else(|| beside(file, &approval.key), Path::to_owned);
    std::fs::write(session.working_folder.join(&path), &approval.json).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        vec![Diagnostic::error(Code::PlanFile, message).help("name another file with `--out FILE`")]
    })?;
    Ok((plan, digest, path))
}

/// Returns the path of an approval beside its plan. Each approver has another one.
fn beside(plan: &Path, key: &Digest) -> PathBuf {
    let name = plan.file_name().unwrap_or_default().to_string_lossy();
    let short: String = key.hex().chars().take(12).collect();
    plan.with_file_name(format!("{name}.approval-{short}.json"))
}

/// Refuses the plan in `file` if it lacks approvals that it, or the `publish.toml` in its place, requires. A plan that was edited has
/// another digest, and none.
///
/// # Errors
///
/// [`Code::PlanNotApproved`], with what is missing.
pub fn check_approval(session: &Session, plan: &Plan, digest: &Digest, file: &Path) -> Result<()> {
    let declared = declared(session, plan)?;
    // Somebody who edits a plan can remove the requirement from it, but not from the configuration.
    let Some(required) = declared.or_else(|| plan.approval.clone()) else { return Ok(()) };
    let found = signing::approving_keys(&required, digest, &approvals(session, file));
    if found >= required.count {
        return Ok(());
    }
    let file = file.display();
    let approvals = if required.count == 1 { "approval" } else { "approvals" };
    let message = format!("`{file}` has {found} of {} required {approvals}", required.count);
    let help = format!(
        "let one of the approvers read it with `brokkr-publish show {file}` and approve it: `brokkr-publish approve {file} --key FILE`"
    );
    Err(vec![Diagnostic::error(Code::PlanNotApproved, message).help(help)])
}

/// Refuses to apply a plan that was not saved, if approvals are required.
///
/// # Errors
///
/// [`Code::PlanNotApproved`] if they are.
pub fn refuse_unapproved(plan: &Plan) -> Result<()> {
    if plan.approval.is_none() || !plan.has_changes() {
        return Ok(());
    }
    let message = "`[apply] require_approval` requires a saved plan that is approved";
    let help = "save the plan with `plan --out plan.json`, approve it with `approve plan.json --key FILE`, then run `apply plan.json`";
    Err(vec![Diagnostic::error(Code::PlanNotApproved, message).help(help)])
}

/// Returns the requirement of the `publish.toml` that the plan was made from, if it is still in its place.
fn declared(session: &Session, plan: &Plan) -> Result<Option<RequiredApproval>> {
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    let Some(name) = Path::new(&plan.config.path).file_name() else { return Ok(None) };
    let place = folder.join(name);
    if !place.exists() {
        return Ok(None);
    }
    let shown = path::relative(&session.working_folder, &place);
    let selected = session.read_config(&shown).select(plan.config.profile.as_deref(), &session.overrides());
    let Some(config) = selected.config else { return Ok(None) };
    let surroundings = Surroundings { confines: session.confines(&folder), ..Surroundings::local(&folder) };
    super::required_approval::required(&config, &surroundings)
}

/// Reads the approvals beside the plan in `file`: those whose name is that of the plan, with `.approval…json` after it.
fn approvals(session: &Session, file: &Path) -> Vec<Vec<u8>> {
    let plan = session.working_folder.join(file);
    let (Some(folder), Some(name)) = (plan.parent(), plan.file_name()) else { return Vec::new() };
    let start = format!("{}.approval", name.to_string_lossy());
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_approval = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&start) && name.ends_with(".json")
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_approval).collect();
    paths.sort();
    let small =
        |path: &PathBuf| std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MAX_APPROVAL);
    paths.into_iter().filter(small).take(MAX_APPROVALS).filter_map(|path| std::fs::read(path).ok()).collect()
}
