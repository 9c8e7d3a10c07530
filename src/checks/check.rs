//! Lockstep checks: they compare values in files with the values that they should have.

use std::collections::HashMap;
use std::path::Path;

use semver::Version;

use crate::checks::document::{DocumentError, DocumentText, TextDocument, shortened};
use crate::diagnostic::{Code, Diagnostic, Location, ToDiagnostic};
use crate::model::{Compare, KeyPath};

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

/// Returns everything that `checks` find wrong. Files are relative to `folder`, which `shown` names relative to the working
/// directory. Each file is read once.
pub fn run_checks(checks: &[LockstepCheck], folder: &Path, shown: &Path) -> Vec<Diagnostic> {
    let mut documents: HashMap<&str, Result<TextDocument, Box<DocumentError>>> = HashMap::new();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for check in checks {
        let read = || TextDocument::read(folder, &check.file, &shown_name(shown, &check.file));
        let document = documents.entry(&check.file).or_insert_with(read);
        let found = match document {
            Ok(document) => document.text(&check.key),
            Err(error) => Err(error.clone()),
        };
        let wrong = match found {
            Ok(found) => difference(check, &found),
            Err(error) => Some(unreadable(check, &error)),
        };
        // A file that cannot be read is one mistake, however many checks need it.
        let again = |new: &Diagnostic| {
            new.code == Code::CheckFile && diagnostics.iter().any(|known| known.message == new.message)
        };
        diagnostics.extend(wrong.filter(|new| !again(new)));
    }
    diagnostics
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

/// Returns the diagnostic for a value that is not the expected one, or `None` if it is.
fn difference(check: &LockstepCheck, found: &DocumentText) -> Option<Diagnostic> {
    let LockstepCheck { file, key, .. } = check;
    let is = format!("`{key}` in `{file}` is `{}`", shortened(&found.text));
    let (message, label, help) = match &check.expected {
        Expectation::Exact(expected) if *expected == found.text => return None,
        Expectation::Exact(expected) => {
            let expected = shortened(expected);
            let help = format!("make it `{expected}` in the commit that is published");
            (format!("{is}, but should be `{expected}`"), format!("is `{expected}` here"), help)
        }
        Expectation::Core(expected) => match core_version(&found.text) {
            Ok(found) if found == *expected => return None,
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
    Some(
        Diagnostic::error(Code::CheckDiffers, message)
            .at_maybe(check.places.equals.clone(), label)
            .at_maybe(found.location.clone(), "found")
            .help(help),
    )
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
            let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
            assert_eq!(messages, message.into_iter().collect::<Vec<_>>());
        }
        assert!(Expectation::new("1.2".to_owned(), Compare::Core).is_err());
    }

    #[test]
    fn a_missing_file_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = |key: &str| check("f.toml", key, Expectation::Exact(String::new()));
        let found = run_checks(&[one("a"), one("b")], folder.path(), Path::new("sub"));
        assert_eq!(found.len(), 1);
    }
}
