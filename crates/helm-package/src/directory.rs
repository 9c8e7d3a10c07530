//! The files of a chart directory, as Helm finds them (`pkg/chart/loader/directory.go`, `internal/sympath`): the rules of
//! `.helmignore` apply, symbolic links are followed, and anything that is neither a file nor a directory is refused.
//!
//! In one point this is stricter than Helm: a link must not lead out of the folder of the project and the chart. Files outside
//! exist on this machine alone, and are hardly meant to be published.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::chart_file::{ChartFile, FileSpan};
use crate::file_names::refusal;
use crate::file_store::{ChartFiles, FileStore};
use crate::finding::ChartFindings;
use crate::hidden::HiddenFiles;
use crate::ignore::HelmIgnore;

/// The file with the rules.
pub(crate) const HELMIGNORE: &str = ".helmignore";
/// How deep directories may be nested.
const MAX_DEPTH: usize = 64;
/// The largest `.helmignore`, in bytes.
const MAX_RULES: u64 = 1024 * 1024;

/// Reads the files of the chart in `root`, which messages call `shown`. `folder` is the folder of the project. Returns the files, and
/// those parts of a chart that `.helmignore` leaves out.
pub(crate) fn read_directory(
    root: &Path,
    shown: &str,
    folder: &Path,
    contents: &mut FileStore,
    findings: &mut ChartFindings,
) -> (ChartFiles, HiddenFiles) {
    let Some((rules, hidden)) = read_helmignore(root, shown, findings) else {
        return (ChartFiles::new(), HiddenFiles::default());
    };
    let within = [root, folder].iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let mut walk = DirectoryWalk {
        shown,
        rules,
        hidden,
        within,
        contents,
        findings,
        files: ChartFiles::new(),
        stop: false,
    };
    walk.directory(root, "", &mut Vec::new());
    (walk.files, walk.hidden)
}

fn read_helmignore(
    root: &Path,
    shown: &str,
    findings: &mut ChartFindings,
) -> Option<(HelmIgnore, HiddenFiles)> {
    let path = root.join(HELMIGNORE);
    let name = format!("{shown}/{HELMIGNORE}");
    let help = "write one pattern per line, as in the `.helmignore` of `helm create`";
    let text = match fs::metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => String::new(),
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_RULES => {
            match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    findings.error(None, format!("`{name}` cannot be read: {error}"), help);
                    return None;
                }
            }
        }
        _ => {
            findings.error(None, format!("`{name}` is not a file of at most 1 MiB"), help);
            return None;
        }
    };
    let file = ChartFile::masked(&name, Some(path), &text);
    match HelmIgnore::parse(&text) {
        Ok(rules) => Some((rules, HiddenFiles::of(shown, file))),
        Err(bad) => {
            for rule in bad {
                let message = format!("a rule of `.helmignore` cannot be read: {}", rule.reason);
                findings.error(Some(FileSpan::of_line(&file, rule.line)), message, help);
            }
            None
        }
    }
}

struct DirectoryWalk<'a> {
    shown: &'a str,
    rules: HelmIgnore,
    /// The parts of a chart that the rules leave out.
    hidden: HiddenFiles,
    /// The folders that links may lead into.
    within: Vec<PathBuf>,
    contents: &'a mut FileStore,
    findings: &'a mut ChartFindings,
    files: ChartFiles,
    /// Whether the chart is too large, so that its other files no longer matter.
    stop: bool,
}

impl DirectoryWalk<'_> {
    /// Walks a directory. `name` is its path in the chart, and `above` are the real paths of the directories above it.
    fn directory(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.refuse(name, &format!("cannot be read: {error}"), READABLE),
        };
        if above.contains(&real) {
            return self.refuse(name, "leads in a circle: it links to a directory that contains it", LINKS);
        }
        if above.len() >= MAX_DEPTH {
            return self.refuse(
                name,
                &format!("lies more than {MAX_DEPTH} directories deep"),
                "use fewer levels of directories",
            );
        }
        let entries = fs::read_dir(path).and_then(|entries| {
            let names: std::io::Result<Vec<_>> =
                entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
            names
        });
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.refuse(name, &format!("cannot be read: {error}"), READABLE),
        };
        entries.sort();
        above.push(real);
        for entry in entries {
            if self.stop {
                break;
            }
            let shown = entry.to_string_lossy();
            let inner = if name.is_empty() { shown.to_string() } else { format!("{name}/{shown}") };
            if entry.to_str().is_none() {
                self.refuse(&inner, "has a name that is not UTF-8", "rename it");
                continue;
            }
            self.entry(&path.join(&entry), &inner, above);
        }
        above.pop();
    }

    fn entry(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) {
        let linked = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(_) if self.rules.hiding_rule(name, false).is_some() => return,
            Err(error) if linked => {
                return self.refuse(name, &format!("is a broken link: {error}"), LINKS);
            }
            Err(error) => return self.refuse(name, &format!("cannot be read: {error}"), READABLE),
        };
        if let Some(rule) = self.rules.hiding_rule(name, metadata.is_dir()) {
            let inside = if metadata.is_dir() && name == "charts" { names_in(path) } else { Vec::new() };
            self.hidden.add(name, inside, rule);
            return;
        }
        if linked && !self.stays_within(path) {
            return self.refuse(name, "is a link that leads out of the folder of the project", LINKS);
        }
        if metadata.is_dir() {
            return self.directory(path, name, above);
        }
        if !metadata.is_file() {
            return self.refuse(name, "is not a regular file", "remove it, or name it in `.helmignore`");
        }
        if let Some(reason) = refusal(name) {
            return self.refuse(name, reason, "rename it");
        }
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) => return self.refuse(name, &format!("cannot be read: {error}"), READABLE),
        };
        match self.contents.add(file) {
            Ok(held) => drop(self.files.insert(name.to_owned(), held)),
            Err(refused) => {
                self.stop = !matches!(
                    refused,
                    crate::file_store::StoreError::File | crate::file_store::StoreError::Io(_)
                );
                let help = "list what is not part of the chart in `.helmignore`";
                self.refuse(name, &refused.reason(), help);
            }
        }
    }

    fn stays_within(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|real| self.within.iter().any(|folder| real.starts_with(folder)))
    }

    fn refuse(&mut self, name: &str, reason: &str, help: &str) {
        let path = if name.is_empty() { self.shown.to_owned() } else { format!("{}/{name}", self.shown) };
        self.findings.error(None, format!("`{path}` {reason}"), help);
    }
}

/// Returns the names in a directory, or nothing if it cannot be read.
fn names_in(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

const LINKS: &str = "copy the target, or name the link in `.helmignore`";
const READABLE: &str = "check that this user may read it";
