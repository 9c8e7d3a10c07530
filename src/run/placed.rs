//! The folder of a plan, which is relative to its file in a file, and to the working directory in memory.

use std::path::{Path, PathBuf};

use super::path;
use super::session::Session;
use crate::model::plan::Plan;

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
