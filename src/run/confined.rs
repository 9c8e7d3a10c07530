//! Files outside of the project: a configuration names none, unless the command line allows their folder. The project is the git work
//! tree that holds `publish.toml`, or else the folder of `publish.toml`. Symbolic links are resolved first.

use std::path::{Path, PathBuf};

use super::path;
use crate::config::Config;
use crate::desired::Desired;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ContentSpec;
use oci_content::{SourceSpec, TransportSpec};

/// The place that a command runs in, and the folders that its command line allows.
pub(super) struct CommandPlace<'a> {
    /// The working directory.
    pub working_folder: &'a Path,
    /// `--allow-outside`.
    pub allowed: &'a [PathBuf],
}

/// The folders that files may be in.
struct Confines {
    /// The folder that relative paths start at.
    folder: PathBuf,
    /// The folders, with links resolved. The first one is the project.
    roots: Vec<PathBuf>,
}

impl Confines {
    fn new(place: &CommandPlace<'_>, folder: &Path) -> Self {
        let folder = place.working_folder.join(folder);
        let resolved = resolved(&folder);
        let work_tree = resolved.ancestors().find(|it| it.join(".git").exists()).map(Path::to_owned);
        let allowed = place.allowed.iter().map(|it| self::resolved(&place.working_folder.join(it)));
        let roots = std::iter::once(work_tree.unwrap_or(resolved)).chain(allowed).collect();
        Self { folder, roots }
    }

    /// Returns an error if `file`, which `what` names for people, is outside.
    fn check(&self, what: &str, file: &str) -> Option<Diagnostic> {
        let place = resolved(&self.folder.join(file));
        if self.roots.iter().any(|root| place.starts_with(root)) {
            return None;
        }
        let folder = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(&place) };
        let file = file.escape_debug();
        let project = self.roots.first().map(|it| it.display().to_string()).unwrap_or_default();
        let message = format!("{what} names `{file}`, which is outside of the project `{project}`");
        let help = format!(
            "move the file into the project, or allow its folder on the command line: `--allow-outside {}`",
            folder.display().to_string().escape_debug()
        );
        Some(Diagnostic::error(Code::ConfigValue, message).help(help))
    }
}

/// Returns a path with the links resolved that exist.
fn resolved(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut here = path;
    loop {
        if let Ok(found) = here.canonicalize() {
            return path::normal(&rest.iter().rev().fold(found, |found, part| found.join(part)));
        }
        let Some(parent) = here.parent() else { return path::normal(path) };
        match here.file_name() {
            Some(name) => rest.push(name.to_owned()),
            None => rest.push("..".into()),
        }
        here = parent;
    }
}

/// Refuses a configuration whose version file or checks are outside of the project.
pub(super) fn check_config(place: &CommandPlace<'_>, config: &Config) -> Result<(), Vec<Diagnostic>> {
    let confines = Confines::new(place, &config.folder);
    let version = config.project.version.iter().map(|it| ("`project.version`".to_owned(), it.file.as_str()));
    let checks = config.checks.iter().map(|it| ("an entry of `[[checks]]`".to_owned(), fixed(&it.file)));
    let mut found: Vec<Diagnostic> = Vec::new();
    for (what, file) in version.chain(checks) {
        found.extend(confines.check(&what, file).filter(|new| !found.contains(new)));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Returns the part of a pattern before its first wildcard.
fn fixed(pattern: &str) -> &str {
    pattern.find(['*', '?', '[', '{']).and_then(|at| pattern.get(..at)).unwrap_or(pattern)
}

/// Returns an error for each source outside of the project.
pub(super) fn check_sources(place: &CommandPlace<'_>, folder: &Path, desired: &Desired) -> Vec<Diagnostic> {
    let confines = Confines::new(place, folder);
    let mut found: Vec<Diagnostic> = Vec::new();
    for repository in &desired.repositories {
        let what = repository.resource.title();
        for file in files(&repository.published.spec) {
            found.extend(confines.check(&what, file).filter(|new| !found.contains(new)));
        }
    }
    found
}

/// Returns the files and folders that content is read from.
fn files(spec: &ContentSpec) -> Vec<&str> {
    let transport = |spec| match spec {
        &TransportSpec::Oci { ref path, .. }
        | &TransportSpec::OciArchive { ref path, .. }
        | &TransportSpec::DockerArchive { ref path, .. } => Some(path.as_str()),
        TransportSpec::DockerDaemon { .. } | TransportSpec::Docker(_) => None,
    };
    match spec {
        ContentSpec::Chart(chart) => vec![chart.path.as_str()],
        ContentSpec::Artifact(artifact) => artifact.files.iter().map(|file| file.path.as_str()).collect(),
        ContentSpec::Image(image) => {
            let folder = match &image.source {
                SourceSpec::Digests(folder) => Some(folder.digests.as_str()),
                _ => None,
            };
            image.source.transports().into_iter().filter_map(transport).chain(folder).collect()
        }
    }
}
