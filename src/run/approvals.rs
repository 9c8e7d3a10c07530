//! Approvals of saved plans: `approve` signs one, and `apply` checks them before anything is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bundle::{is_bundle, load_bundle};
use super::own::OwnConfig;
use super::path;
use super::placed::load_plan;
use super::session::{Result, Session};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::{Plan, PlanKind};
use crate::model::signing::{KeyPlace, RequiredApproval, SignerIdentity};
use crate::signing::{self, Approver};
use oci_content::Surroundings;
use oci_registry::Digest;
use oci_signing::KeylessServices;

/// The size of the largest approval that is read.
const MAX_APPROVAL: u64 = 1024 * 1024;

/// The number of approvals of a plan that are read.
const MAX_APPROVALS: usize = 100;

/// The approver, as the command line names it.
#[derive(Debug)]
pub enum NamedApprover {
    /// The place of a private key.
    Key {
        /// The file, relative to the working directory.
        file: Option<PathBuf>,
        /// The environment variable that holds the text of the key.
        env: Option<String>,
        /// The environment variable that holds the password of an encrypted key.
        password_env: String,
    },
    /// The identity that an OIDC token shows.
    Keyless {
        /// The environment variable that holds the token; `None` if the CI gives it.
        token_env: Option<String>,
        /// The address of Fulcio; `None` if it is that of Sigstore's public instance.
        fulcio: Option<String>,
        /// The address of Rekor; `None` if it is that of Sigstore's public instance.
        rekor: Option<String>,
    },
}

impl NamedApprover {
    fn to_approver(&self) -> Approver {
        match self {
            Self::Key { file, env, password_env } => Approver::Key(KeyPlace {
                file: file.as_ref().map(|file| file.display().to_string()),
                env: env.clone(),
                password_env: password_env.clone(),
            }),
            Self::Keyless { token_env, fulcio, rekor } => {
                let defaults = KeylessServices::default();
                let services = KeylessServices {
                    fulcio: fulcio.clone().unwrap_or(defaults.fulcio),
                    rekor: rekor.clone().unwrap_or(defaults.rekor),
                    timestamp_authority: None,
                };
                Approver::Keyless { token_env: token_env.clone(), services }
            }
        }
    }
}

/// Signs the approval of the saved plan in `file`, and writes it beside the plan, or to `out`. Returns the plan, its digest and the path of the
/// approval.
///
/// # Errors
///
/// Everything that prevents it.
pub async fn approve(
    session: &Session,
    file: &Path,
    approver: &NamedApprover,
    out: Option<&Path>,
) -> Result<(Plan, Digest, PathBuf)> {
    let (plan, digest) = if is_bundle(&session.working_folder.join(file)) {
        let bundle = load_bundle(session, file, None)?;
        (bundle.plan, bundle.digest)
    } else {
        load_plan(session, file, None)?
    };
    let environment = session.environment.clone();
    let surroundings = Surroundings {
        environment: Arc::new(move |name| environment.get(name).cloned()),
        ..Surroundings::local(&session.working_folder)
    };
    let approval = signing::approve(&digest, &approver.to_approver(), &surroundings).await;
    let approval = approval.map_err(|error| vec![error.to_diagnostic()])?;
    let path = out.map_or_else(|| beside(file, &approval.by), Path::to_owned);
    std::fs::write(session.working_folder.join(&path), &approval.json).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", path.display());
        vec![Diagnostic::error(Code::PlanFile, message).help("name another file with `--out FILE`")]
    })?;
    Ok((plan, digest, path))
}

/// Returns the path of an approval beside its plan. Each approver has another one.
fn beside(plan: &Path, by: &SignerIdentity) -> PathBuf {
    let name = plan.file_name().unwrap_or_default().to_string_lossy();
    let text = by.identity.as_deref().unwrap_or_default();
    let of_approver = by.key.clone().unwrap_or_else(|| Digest::of(text.as_bytes()));
    let short: String = of_approver.hex().chars().take(12).collect();
    plan.with_file_name(format!("{name}.approval-{short}.json"))
}

/// Refuses the plan in `file` if approvals are missing. Three places may require them: the plan, the `publish.toml` that it was made from,
/// and the `publish.toml` of the apply. A plan that was edited has another digest, for which no approval counts. Somebody who edits it can
/// remove its requirement and make it start in another folder, but cannot change the configuration of the apply.
///
/// # Errors
///
/// [`Code::PlanNotApproved`], with what is missing.
pub fn check_approval(session: &Session, plan: &Plan, digest: &Digest, file: &Path) -> Result<()> {
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    let mut required: Vec<(RequiredApproval, PathBuf)> = Vec::new();
    required.extend(of_its_config(session, plan, &folder)?.map(|it| (it, folder.clone())));
    required.extend(of_own_config(session, plan)?);
    required.extend(plan.approval.clone().map(|it| (it, folder)));
    let approvals = approvals(session, file);
    for (required, folder) in required {
        let surroundings =
            Surroundings { confines: session.confines(&folder), ..Surroundings::local(&folder) };
        let found = signing::count_approvers(&required, digest, &approvals, &surroundings);
        let found = found.map_err(|reason| vec![Diagnostic::error(Code::SigningKey, reason)])?;
        if found >= required.count {
            continue;
        }
        let file = file.display();
        let word = if required.count == 1 { "approval" } else { "approvals" };
        let message = format!("`{file}` has {found} of {} required {word}", required.count);
        let option = if required.keys.is_empty() { "--keyless" } else { "--key FILE" };
        let help = format!(
            "let one of the approvers read it with `brokkr-publish show {file}` and approve it: `brokkr-publish approve {file} {option}`"
        );
        return Err(vec![Diagnostic::error(Code::PlanNotApproved, message).help(help)]);
    }
    Ok(())
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

/// Returns the requirement of the `publish.toml` that the plan was made from, if it is still in its place, `folder`.
fn of_its_config(session: &Session, plan: &Plan, folder: &Path) -> Result<Option<RequiredApproval>> {
    let Some(name) = Path::new(&plan.config.path).file_name() else { return Ok(None) };
    let place = folder.join(name);
    if !place.exists() {
        return Ok(None);
    }
    let shown = path::relative(&session.working_folder, &place);
    let selected = session.read_config(&shown).select(plan.config.profile.as_deref(), &session.overrides());
    let Some(config) = selected.config else { return Ok(None) };
    let surroundings = Surroundings { confines: session.confines(folder), ..Surroundings::local(folder) };
    super::required_approval::required(&config, &surroundings)
}

/// Returns the requirement of the `publish.toml` of the apply itself, with the folder that its paths start at.
fn of_own_config(session: &Session, plan: &Plan) -> Result<Option<(RequiredApproval, PathBuf)>> {
    let own = match OwnConfig::find(session, None) {
        // A way back must not need a configuration without mistakes.
        Err(_) if matches!(plan.kind, PlanKind::Rollback | PlanKind::Withdrawal) => return Ok(None),
        own => own?,
    };
    let folder = path::normal(&session.working_folder.join(&own.config.folder));
    let surroundings = Surroundings { confines: session.confines(&folder), ..Surroundings::local(&folder) };
    let required = super::required_approval::required(&own.config, &surroundings)?;
    Ok(required.map(|required| (required, folder)))
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
