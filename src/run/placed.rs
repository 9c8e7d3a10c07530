//! Reading a saved plan. Its folder is relative to its file in a file, and to the working directory in memory.

use std::path::{Path, PathBuf};

use super::path;
use super::session::{Result, Session};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::Plan;
use crate::saved;
use oci_registry::Digest;

/// Returns the folder of `file` as an absolute path.
pub(super) fn folder_of(session: &Session, file: &Path) -> PathBuf {
    let file = path::normal(&session.working_folder.join(file));
    file.parent().map(Path::to_owned).unwrap_or(file)
}

/// Makes the folder of `plan`, which is relative to `from`, relative to `to`. Both are absolute.
pub(super) fn rebase(plan: &mut Plan, from: &Path, to: &Path) {
    let folder = path::normal(&from.join(&plan.folder));
    plan.folder = path::relative(to, &folder).display().to_string();
}

/// A saved plan that was read.
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// The digest of its file.
    pub digest: Digest,
    /// Whether this digest was asked for, so that it is the approved plan.
    pub is_bound: bool,
}

/// Reads a saved plan; returns it with the digest of the file. Refuses a file that does not have the digest `expected`.
pub fn load_plan(session: &Session, file: &Path, expected: Option<&Digest>) -> Result<(Plan, Digest)> {
    let bytes = saved::read::<Plan>(file).map_err(|error| vec![error.to_diagnostic()])?;
    let found = expected.map(|expected| {
        let mut digester = expected.digester();
        digester.update(&bytes);
        digester.finish()
    });
    // The checksum covers everything else in the plan and is compared when it is read, so it names the plan as well.
    if let (Some(expected), Some(found)) = (expected, found)
        && found != *expected
        && saved::checksum(&bytes).as_deref() != Some(expected.as_str())
    {
        let file = file.display();
        let message = format!("`{file}` is not the expected plan: its digest is {found}, not {expected}");
        let help = "apply the file that was approved, or make a new plan and approve that";
        return Err(vec![Diagnostic::error(Code::PlanFile, message).help(help)]);
    }
    let mut plan: Plan = saved::parse(file, &bytes).map_err(|error| vec![error.to_diagnostic()])?;
    rebase(&mut plan, &folder_of(session, file), &session.working_folder);
    Ok((plan, Digest::of(&bytes)))
}
