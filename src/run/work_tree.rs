//! The check that files are read from the commit that is published, and not from changes to it or from another commit.

use std::collections::BTreeSet;
use std::path::Path;

use crate::checks::LockstepCheck;
use crate::config::Config;
use crate::context::{Context, WorkTree, folder_files, tracked_files};
use crate::desired::Desired;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ContentSpec;
use helm_package::part_of_chart;

/// The number of names that a message lists.
const NAMED: usize = 4;

/// The parts of a run that are read from the work tree.
#[derive(Debug, Default)]
struct WorkTreeReaders {
    /// Their titles.
    titles: Vec<String>,
    /// Files that git neither tracks nor ignores, and that become part of a chart.
    untracked: Vec<String>,
}

/// Compares the work tree with the commit that is published. A difference is an error if something is read from the work tree,
/// unless `is_allowed`; otherwise it is a warning.
pub(super) fn check_work_tree(
    folder: &Path,
    config: &Config,
    context: &Context,
    desired: &Desired,
    checks: &[LockstepCheck],
    is_allowed: bool,
) -> Vec<Diagnostic> {
    let Some(tree) = &context.work_tree else { return Vec::new() };
    let readers = readers(folder, config, desired, checks);
    let is_error = !readers.titles.is_empty() && !is_allowed;
    let diagnostic = |message: String, help: &str| {
        if is_error {
            let help = format!(
                "{help}; `--allow-dirty`, or `allow_dirty = true` in `[project]`, publishes the work tree as it is"
            );
            Diagnostic::error(Code::ContextWorkTree, message).help(help)
        } else {
            Diagnostic::warning(Code::ContextWorkTree, message).help(help)
        }
    };
    let reading = reading(&readers.titles);
    let mut found = Vec::new();
    if let Some(message) = other_commit(tree, context) {
        let reference = context.reference.as_deref().map(|it| it.trim_start_matches("refs/tags/"));
        let target = reference.or(context.sha.as_deref()).unwrap_or_default();
        let target = target.trim_start_matches("refs/heads/");
        let help = format!("check out the commit that is published: `git checkout {target}`");
        found.push(diagnostic(format!("{message}{reading}"), &help));
    }
    if let Some(message) = differences(tree, &readers.untracked) {
        let help = if readers.untracked.is_empty() {
            "commit the changes, or undo them: `git status` shows them"
        } else {
            "commit the changes, undo them, or name files that do not belong to the chart in `.helmignore`"
        };
        found.push(diagnostic(format!("{message}{reading}"), help));
    }
    found
}

fn readers(folder: &Path, config: &Config, desired: &Desired, checks: &[LockstepCheck]) -> WorkTreeReaders {
    let mut readers = WorkTreeReaders::default();
    let mut seen = BTreeSet::new();
    for repository in desired.repositories.iter().filter(|it| seen.insert(&it.resource)) {
        let title = repository.resource.title();
        match &repository.published.spec {
            ContentSpec::Chart(chart) => {
                let directory = folder.join(&chart.path);
                // A package is built elsewhere, and so is a directory that git ignores.
                let Some(files) = Some(&directory).filter(|it| it.is_dir()).and_then(|it| folder_files(it))
                else {
                    continue;
                };
                if files.has_tracked || !files.untracked.is_empty() {
                    readers.titles.push(title);
                }
                let packaged = part_of_chart(&directory, &files.untracked).into_iter();
                let packaged = packaged.filter(|file| !is_vendored(file));
                readers.untracked.extend(packaged.map(|file| format!("{}/{file}", chart.path)));
            }
            ContentSpec::Artifact(artifact) => {
                let paths: Vec<&str> = artifact.files.iter().map(|file| file.path.as_str()).collect();
                if !tracked_files(folder, &paths).is_empty() {
                    readers.titles.push(title);
                }
            }
            ContentSpec::Image(_) => {}
        }
    }
    let files: BTreeSet<&str> = checks.iter().map(|check| check.file.as_str()).collect();
    readers.titles.extend(files.into_iter().map(|file| format!("the check of `{file}`")));
    if let Some(version) = &config.project.version {
        readers.titles.push(format!("the version in `{}`", version.file));
    }
    readers
}

/// Whether a file of a chart is a packaged dependency. `helm dependency build` puts them there, and `Chart.lock` says which.
fn is_vendored(file: &str) -> bool {
    let name = file.strip_prefix("charts/").filter(|name| !name.contains('/'));
    name.is_some_and(|name| Path::new(name).extension().is_some_and(|extension| extension == "tgz"))
}

/// The end of a message that says what is read from the work tree.
fn reading(titles: &[String]) -> String {
    let verb = if titles.len() == 1 { "is" } else { "are" };
    match titles {
        [] => String::new(),
        titles => format!("; {} {verb} read from the work tree", listed(titles)),
    }
}

fn other_commit(tree: &WorkTree, context: &Context) -> Option<String> {
    let head = tree.other_commit.as_deref()?;
    let head = head.get(..7).unwrap_or(head);
    let place = match (&context.reference, context.pull_request) {
        (_, Some(number)) => format!("pull request {number}"),
        (Some(reference), None) => format!("`{reference}`"),
        (None, None) => "this run".to_owned(),
    };
    let sha = context.short_sha().unwrap_or_default();
    Some(format!("commit {head} is checked out, but {place} is for commit {sha}"))
}

/// The files that differ, as the beginning of a message.
fn differences(tree: &WorkTree, untracked: &[String]) -> Option<String> {
    let quoted = |files: &[String]| files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>();
    let counted = |files: &[String], one: &str, several: &str| match files {
        [] => None,
        [_] => Some(format!("1 file {one} ({})", listed(&quoted(files)))),
        _ => Some(format!("{} files {several} ({})", files.len(), listed(&quoted(files)))),
    };
    let changed = counted(
        &tree.changed,
        "differs from the commit that is checked out",
        "differ from the commit that is checked out",
    );
    let untracked = counted(untracked, "of a chart is not in the commit", "of charts are not in the commit");
    let parts: Vec<String> = changed.into_iter().chain(untracked).collect();
    (!parts.is_empty()).then(|| parts.join(", and "))
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{shown}, …") } else { shown }
}
