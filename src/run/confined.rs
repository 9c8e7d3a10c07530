//! Files outside of the project: a configuration names none, unless the command line allows their folder. The project is the git work
//! tree that holds `publish.toml`, or else the folder of `publish.toml`. Symbolic links are resolved first.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use oci_content::Confines;

/// Returns the folders that files may be read from: the project around `folder`, and those that the command line `allowed`. All are
/// relative to the `working_folder`.
pub(super) fn confines(working_folder: &Path, folder: &Path, allowed: &[PathBuf]) -> Confines {
    let folder = working_folder.join(folder);
    let real = folder.canonicalize().unwrap_or(folder);
    let work_tree = real.ancestors().find(|it| it.join(".git").exists());
    Confines::within(work_tree.unwrap_or(&real), allowed.iter().map(|it| working_folder.join(it)))
}

/// Refuses a configuration in `folder` whose version file or checks are outside of the project.
pub(super) fn check_config(
    confines: &Confines,
    folder: &Path,
    config: &Config,
) -> Result<(), Vec<Diagnostic>> {
    let version = config.project.version.iter().map(|it| ("`project.version`", it.file.as_str()));
    let checks = config.checks.iter().map(|it| ("an entry of `[[checks]]`", fixed(&it.file)));
    let mut found: Vec<Diagnostic> = Vec::new();
    let in_use = config
        .retention
        .values()
        .flat_map(|it| &it.keep.in_use)
        .map(|file| ("`in_use` of a retention", file.as_str()));
    for (what, file) in version.chain(checks).chain(in_use) {
        let outside = confines.check(folder, file).err().map(|it| it.to_diagnostic().about(what));
        found.extend(outside.filter(|new| !found.contains(new)));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Returns the part of a pattern before its first wildcard.
fn fixed(pattern: &str) -> &str {
    pattern.find(['*', '?', '[', '{']).and_then(|at| pattern.get(..at)).unwrap_or(pattern)
}
