//! Lockstep checks: they compare values in files with the values that they should have.

use std::collections::HashMap;
use std::path::Path;

use semver::Version;

use crate::checks::document::{DocumentError, DocumentText, TextDocument, shortened};
use crate::checks::files::matching_files;
use crate::checks::quoted::{may_be_secret, quoted};
use crate::diagnostic::{Code, Diagnostic, Location, ToDiagnostic};
use crate::model::{AgreeingValue, Compare, KeyPath};

/// A check that applies.
#[derive(Debug, Clone)]
pub struct LockstepCheck {
    /// The file, relative to the folder of the configuration.
    pub file: String,
    /// The key in it.
    pub key: KeyPath,
    /// The value that should be there.
    pub expected: Expectation,
    /// The places in the configuration where the check is written.
    pub places: CheckPlaces,
}

/// The value that should be at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// This text.
    Exact(String),
    /// A version with the MAJOR.MINOR.PATCH of this one.
    Core(Version),
}

/// The places in the configuration where the keys of a check are written.
#[derive(Debug, Clone, Default)]
pub struct CheckPlaces {
    /// `file`.
    pub file: Option<Location>,
    /// `key`.
    pub key: Option<Location>,
    /// `equals`.
    pub equals: Option<Location>,
}

/// Returns the version in `text`, without pre-release and build metadata.
///
/// # Errors
///
/// The message of the parser, if `text` is not a semantic version.
fn core_version(text: &str) -> Result<Version, String> {
    let version = Version::parse(text).map_err(|error| error.to_string())?;
    Ok(Version::new(version.major, version.minor, version.patch))
}

/// The values that the checks found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Those that are as expected, in the order of the checks.
    pub agreeing: Vec<AgreeingValue>,
    /// Everything that is wrong. Values that differ for one cause are one diagnostic.
    pub diagnostics: Vec<Diagnostic>,
}

/// A value that is not as its check expects.
struct Difference<'a> {
    check: &'a LockstepCheck,
    file: String,
    found: DocumentText,
}

/// Compares the values of `checks`. Files are relative to `folder`, which `shown` names relative to the working directory. Each
/// file is read once.
pub fn run_checks(checks: &[LockstepCheck], folder: &Path, shown: &Path) -> CheckReport {
    let mut documents: HashMap<String, Result<TextDocument, Box<DocumentError>>> = HashMap::new();
    let mut report = CheckReport::default();
    let mut differences: Vec<Difference<'_>> = Vec::new();
    for check in checks {
        let files = match matching_files(folder, &check.file) {
            Ok(files) => files,
            Err(error) => {
                report.add(unreadable(check, &error));
                continue;
            }
        };
        for file in files {
            let read = || TextDocument::read(folder, &file, &shown_name(shown, &file));
            let found = match documents.entry(file.clone()).or_insert_with(read) {
                Ok(document) => document.text(&check.key),
                Err(error) => Err(error.clone()),
            };
            match found {
                Ok(found) if check.expected.is_met_by(&found.text) => {
                    let (key, value) = (check.key.to_string(), quoted(&check.key, &found.text));
                    report.agreeing.push(AgreeingValue { file, key, value });
                }
                Ok(found) => differences.push(Difference { check, file, found }),
                Err(error) => report.add(unreadable(check, &error)),
            }
        }
    }
    report.diagnostics.extend(by_cause(differences).iter().map(|group| difference(group)));
    report
}

impl CheckReport {
    /// Adds a diagnostic of a file. A file that cannot be read is one mistake, however many checks need it.
    fn add(&mut self, new: Diagnostic) {
        let again = self.diagnostics.iter().any(|known| known.message == new.message);
        if new.code != Code::CheckFile || !again {
            self.diagnostics.push(new);
        }
    }
}

/// Groups the values that are all the same and should all be the same: their version was not raised.
fn by_cause(differences: Vec<Difference<'_>>) -> Vec<Vec<Difference<'_>>> {
    let mut groups: Vec<Vec<Difference<'_>>> = Vec::new();
    for new in differences {
        let same = |known: &Difference<'_>| {
            known.check.expected == new.check.expected && known.found.text == new.found.text
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(same)) {
            Some(group) => group.push(new),
            None => groups.push(vec![new]),
        }
    }
    groups
}

/// Returns the name of the file relative to the working directory.
fn shown_name(shown: &Path, file: &str) -> String {
    if shown == Path::new(".") { file.to_owned() } else { shown.join(file).display().to_string() }
}

fn unreadable(check: &LockstepCheck, error: &DocumentError) -> Diagnostic {
    let place = if error.is_of_key() { &check.places.key } else { &check.places.file };
    let mut diagnostic = error.to_diagnostic();
    let there = std::mem::take(&mut diagnostic.labels);
    diagnostic = diagnostic.at_maybe(place.clone(), "");
    diagnostic.labels.extend(there);
    diagnostic
}

/// Returns the diagnostic for values of one cause.
fn difference(group: &[Difference<'_>]) -> Diagnostic {
    let Some(Difference { check, found, file }) = group.first() else {
        return Diagnostic::error(Code::CheckDiffers, "a value differs");
    };
    let value = quoted(&check.key, &found.text);
    let is = match group {
        [_] => format!("`{}` in `{file}` is `{value}`", check.key),
        several => format!("{} values are `{value}`", several.len()),
    };
    let (message, label, help) = match &check.expected {
        Expectation::Exact(expected) => {
            let expected = shortened(expected);
            let help = format!("make it `{expected}` in the commit that is published");
            (format!("{is}, but should be `{expected}`"), format!("is `{expected}` here"), help)
        }
        Expectation::Core(expected) => match core_version(&found.text) {
            Ok(_) => {
                let help = format!("make it `{expected}` in the commit that is published");
                (
                    format!("{is}, but its MAJOR.MINOR.PATCH should be `{expected}`"),
                    format!("is `{expected}` here"),
                    help,
                )
            }
            Err(error) => (
                format!("{is}, which is not a semantic version: {error}"),
                format!("is `{expected}` here"),
                "`compare = \"core\"` compares versions such as `1.2.3`; without it, the texts are compared"
                    .to_owned(),
            ),
        },
    };
    let mut diagnostic = Diagnostic::error(Code::CheckDiffers, message);
    let mut places: Vec<&Option<Location>> = Vec::new();
    for Difference { check, .. } in group {
        // A pattern checks several files with one entry.
        if !places.contains(&&check.places.equals) {
            places.push(&check.places.equals);
            diagnostic = diagnostic.at_maybe(check.places.equals.clone(), label.clone());
        }
    }
    // The label of a place shows the line, and those around it.
    for Difference { found, check, .. } in
        group.iter().filter(|it| !may_be_secret(&it.check.key, &it.found.text))
    {
        let label = if group.len() == 1 { "found".to_owned() } else { format!("found at `{}`", check.key) };
        diagnostic = diagnostic.at_maybe(found.location.clone(), label);
    }
    diagnostic.help(help)
}

impl Expectation {
    /// Returns the expectation that `text` expresses under `compare`.
    ///
    /// # Errors
    ///
    /// The message of the parser, if versions are compared and `text` is not a version.
    pub fn new(text: String, compare: Compare) -> Result<Self, String> {
        match compare {
            Compare::Exact => Ok(Self::Exact(text)),
            Compare::Core => core_version(&text).map(Self::Core),
        }
    }

    /// Whether a value is the expected one.
    fn is_met_by(&self, found: &str) -> bool {
        match self {
            Self::Exact(expected) => expected == found,
            Self::Core(expected) => core_version(found).is_ok_and(|found| found == *expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, key: &str, expected: Expectation) -> LockstepCheck {
        let key = key.parse().expect("a key");
        LockstepCheck { file: file.to_owned(), key, expected, places: CheckPlaces::default() }
    }

    #[test]
    fn comparisons() {
        for (compare, expected, found, message) in [
            (Compare::Exact, "1.2.3", "1.2.3", None),
            (Compare::Exact, "1.2.3", "1.2.4", Some("`v` in `f.json` is `1.2.4`, but should be `1.2.3`")),
            (
                Compare::Exact,
                "1.2.3-rc.1",
                "1.2.3",
                Some("`v` in `f.json` is `1.2.3`, but should be `1.2.3-rc.1`"),
            ),
            (Compare::Exact, "", "", None),
            (Compare::Core, "1.2.3-rc.1", "1.2.3", None),
            (Compare::Core, "1.2.3", "1.2.3+build.7", None),
            (
                Compare::Core,
                "1.2.3-rc.1",
                "1.2.4-rc.1",
                Some("`v` in `f.json` is `1.2.4-rc.1`, but its MAJOR.MINOR.PATCH should be `1.2.3`"),
            ),
            (
                Compare::Core,
                "1.2.3",
                "v1.2.3",
                Some(
                    "`v` in `f.json` is `v1.2.3`, which is not a semantic version: unexpected character 'v' while parsing major version number",
                ),
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("f.json"), serde_json::json!({ "v": found }).to_string())
                .expect("written");
            let expected = Expectation::new(expected.to_owned(), compare).expect("an expectation");
            let found = run_checks(&[check("f.json", "v", expected)], folder.path(), Path::new("."));
            let messages: Vec<&str> = found.diagnostics.iter().map(|it| it.message.as_str()).collect();
            assert_eq!(messages, message.into_iter().collect::<Vec<_>>());
        }
        assert!(Expectation::new("1.2".to_owned(), Compare::Core).is_err());
    }

    #[test]
    fn a_missing_file_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = |key: &str| check("f.toml", key, Expectation::Exact(String::new()));
        let found = run_checks(&[one("a"), one("b")], folder.path(), Path::new("sub"));
        assert_eq!(found.diagnostics.len(), 1);
    }

    #[test]
    fn values_of_one_cause_are_one_diagnostic() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, version) in [("a", "1.2.2"), ("b", "1.2.2"), ("c", "1.2.3"), ("d", "1.1.0")] {
            std::fs::create_dir_all(folder.path().join("crates").join(name)).expect("made");
            let text = format!("version = \"{version}\"\n");
            std::fs::write(folder.path().join(format!("crates/{name}/Cargo.toml")), text).expect("written");
        }
        let one = check("crates/*/Cargo.toml", "version", Expectation::Exact("1.2.3".to_owned()));
        let report = run_checks(&[one], folder.path(), Path::new("."));
        let messages: Vec<&str> = report.diagnostics.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "2 values are `1.2.2`, but should be `1.2.3`",
                "`version` in `crates/d/Cargo.toml` is `1.1.0`, but should be `1.2.3`"
            ]
        );
        let agreeing = AgreeingValue {
            file: "crates/c/Cargo.toml".to_owned(),
            key: "version".to_owned(),
            value: "1.2.3".to_owned(),
        };
        assert_eq!(report.agreeing, [agreeing]);
        let none = check("charts/*/Chart.yaml", "version", Expectation::Exact("1.2.3".to_owned()));
        let report = run_checks(&[none], folder.path(), Path::new("."));
        assert_eq!(report.diagnostics[0].message, "no file matches `charts/*/Chart.yaml`");
    }
}
