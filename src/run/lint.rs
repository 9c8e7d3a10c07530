//! `lint`: everything that is wrong with the files, each problem once, and no more of them than anybody reads.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::config::{ConfigFile, Loaded, Overrides};
use crate::desired;
use crate::diagnostic::{Code, Diagnostic, Severity};
use oci_content::Confines;

/// Returns everything that is wrong with the files, offline and without git. If there are no `files`, checks the one found in
/// the working directory or above it.
///
/// Every profile that a file declares is checked, unless one was given.
pub fn lint(session: &Session, files: &[PathBuf]) -> Vec<Diagnostic> {
    let files = match files {
        [] => match session.config_path() {
            Ok(path) => vec![path],
            Err(diagnostics) => return diagnostics,
        },
        files => files.to_vec(),
    };
    let overrides = session.overrides();
    let mut found = Findings::default();
    for file in files {
        let shown = file.parent().unwrap_or(Path::new(""));
        let config_file = session.read_config(&file);
        let confines = session.confines(shown);
        let mut lint = |profile: Option<&str>| {
            lint_one(config_file.select(profile, &overrides), shown, &confines, &mut found);
        };
        lint(session.profile.as_deref());
        if session.profile.is_none() {
            config_file.profiles().for_each(|profile| lint(Some(profile)));
        }
    }
    found.reported()
}

/// Returns the files that [`lint`] checks.
pub fn lint_files(session: &Session, files: &[PathBuf]) -> Vec<PathBuf> {
    if files.is_empty() { session.config_path().into_iter().collect() } else { files.to_vec() }
}

/// Returns everything that is wrong with `text`, if it were the file `path`. Nothing is laid over it.
pub(super) fn lint_text(path: &Path, text: &str) -> Vec<Diagnostic> {
    let loaded = ConfigFile::parse(text, path, "publish.toml").select(None, &Overrides::default());
    let mut found = Findings::default();
    lint_one(loaded, path.parent().unwrap_or(Path::new("")), &Confines::default(), &mut found);
    found.reported()
}

/// Adds the new diagnostics about one profile. People know the folder of the file as `shown`.
fn lint_one(loaded: Loaded, shown: &Path, confines: &Confines, found: &mut Findings) {
    let templates = match (&loaded.config, &loaded.part) {
        (Some(config), _) => desired::lint(config),
        (None, Some(part)) => desired::lint_part(part),
        (None, None) => Vec::new(),
    };
    let charts = loaded.config.iter().flat_map(|config| desired::lint_charts(config, shown, confines));
    loaded
        .diagnostics
        .into_iter()
        .chain(templates)
        .chain(charts)
        .for_each(|diagnostic| found.add(diagnostic));
}

/// The number of diagnostics that are reported.
const MAX_REPORTED: usize = 1_000;

/// A code, the main place, and the message. They identify a diagnostic, because each profile reads the file again and finds
/// the same problems.
type Key = (Code, Option<(String, Range<usize>)>, String);

/// The diagnostics found so far.
#[derive(Default)]
struct Findings {
    diagnostics: Vec<Diagnostic>,
    known: HashSet<Key>,
    /// The number of diagnostics found beyond those that are reported.
    more: usize,
    /// Whether one of those is an error.
    more_errors: bool,
}

impl Findings {
    /// Adds a diagnostic if it is new.
    fn add(&mut self, found: Diagnostic) {
        let place = found.labels.first().map(|label| &label.place);
        let place = place.map(|place| (place.source.name.clone(), place.span.clone()));
        if !self.known.insert((found.code, place, found.message.clone())) {
            return;
        }
        if self.diagnostics.len() < MAX_REPORTED {
            self.diagnostics.push(found);
        } else {
            self.more += 1;
            self.more_errors |= found.is_error();
        }
    }

    /// Returns the first thousand diagnostics, and a note with the number of the others. The note has the code of the last one,
    /// because it is not a problem by itself. It is an error if one of the others is.
    fn reported(mut self) -> Vec<Diagnostic> {
        if let (Some(last), more @ 1..) = (self.diagnostics.last(), self.more) {
            let severity = if self.more_errors { Severity::Error } else { Severity::Warning };
            let note = Diagnostic::error(last.code, format!("and {more} more"));
            self.diagnostics.push(
                Diagnostic { severity, ..note }.help("fix these first; the rest may be caused by them"),
            );
        }
        self.diagnostics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_reported_once_and_a_thousand_at_most() {
        let mut found = Findings::default();
        for number in (0..1_500).chain(0..1_500) {
            found.add(Diagnostic::error(Code::ConfigValue, format!("value {number}")));
        }
        let reported = found.reported();
        assert_eq!(reported.len(), 1_001);
        assert_eq!(
            reported.last().map(|it| (it.message.as_str(), it.is_error())),
            Some(("and 500 more", true))
        );
    }

    #[test]
    fn an_error_that_is_not_reported_still_fails() {
        let mut found = Findings::default();
        for number in 0..1_000 {
            found.add(Diagnostic::warning(Code::ConfigValue, format!("value {number}")));
        }
        assert_eq!(Findings { more: 0, ..Findings::default() }.reported(), []);
        found.add(Diagnostic::error(Code::ConfigValue, "the one"));
        assert!(found.reported().iter().any(Diagnostic::is_error));
    }
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod lint_tests;
