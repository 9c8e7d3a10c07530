//! What the path of a file says: whether its name is one of some, and whether it is of tests or documentation.

use crate::model::Severity;

/// Folders of tests, examples and documentation.
const FOLDERS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "test-data",
    "test_data",
    "__tests__",
    "__fixtures__",
    "fixtures",
    "fixture",
    "spec",
    "specs",
    "example",
    "examples",
    "sample",
    "samples",
    "doc",
    "docs",
    "man",
    "testsuite",
    "mocks",
    "__mocks__",
];
/// Ends of names of tests and documentation.
const ENDS: &[&str] = &[
    ".md",
    ".rst",
    ".adoc",
    ".markdown",
    "_test.go",
    "_test.py",
    "_test.js",
    ".test.js",
    ".test.ts",
    ".spec.js",
    ".spec.ts",
    ".example",
    ".sample",
    ".template",
    ".dist",
    ".pod",
];

/// Both lists, as one text.
pub(super) fn lists() -> String {
    format!("{FOLDERS:?} {ENDS:?}")
}

/// `path` as it is compared: in lower case, from the root, without `./` and slashes around it.
pub(super) fn plain(path: &str) -> String {
    path.trim_start_matches("./").trim_matches('/').to_ascii_lowercase()
}

/// Whether the last parts of `path`, which is [`plain`], are those of any of `patterns`. A `*` stands for any characters
/// of a name.
pub(super) fn any_matches(path: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| {
        let mut parts = path.rsplit('/');
        pattern.rsplit('/').all(|wanted| parts.next().is_some_and(|part| part_matches(part, wanted)))
    })
}

fn part_matches(part: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        None => part == wanted,
        Some((start, end)) => {
            part.len() >= start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
        }
    }
}

/// Whether `path`, which is [`plain`], is where tests, examples and documentation lie, whose secrets are rarely any.
pub(super) fn of_examples(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    path.starts_with("usr/share/")
        || part_matches(name, "test_*.py")
        || name.starts_with("test.")
        || ENDS.iter().any(|end| name.ends_with(end))
        || parts.any(|part| FOLDERS.contains(&part))
}

/// Whether a file of this name shows what another one looks like: `.env.example`.
pub(super) fn is_pattern(name: &str) -> bool {
    name.split(['.', '-', '_'])
        .any(|it| matches!(it, "example" | "sample" | "template" | "dist" | "tpl" | "defaults"))
}

/// The severity of a finding of `severity` at such a place, or elsewhere.
pub(super) fn weighed(severity: Severity, of_examples: bool) -> Severity {
    if of_examples { Severity::Low } else { severity }
}
