//! Facts about the path of a file: whether its name is on a list, and whether it belongs to tests or documentation.

use crate::severity::SecretSeverity;

/// Folders of tests, examples and documentation, which count only below a folder of packages.
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
    "dummyserver",
    "testcert",
    "testcerts",
    "test_certs",
    "certs_for_tests",
    "testutil",
    "testutils",
    "internal_test",
    "e2e",
    "unittests",
    "test-fixtures",
    "testresources",
    "demo",
    "demos",
];
/// Folders that package managers fill: of Python, Node.js, Perl, Ruby, Go, Rust, PHP, R; and folders that programs bring along.
const PACKAGES: &[&str] = &[
    "site-packages",
    "dist-packages",
    "node_modules",
    "python3",
    "python3.*",
    "python2.*",
    "pypy3*",
    "perl*",
    "ruby",
    "gems",
    "goroot",
    "vendor",
    "third_party",
    "third-party",
    "vendored",
    "google-cloud-sdk",
];
/// Folders of packages with several parts.
const PACKAGES_BELOW: &[&str] = &["go/src", "pkg/mod", "registry/src", "lib/r", "lib/go"];
/// Folders of documentation below `usr/share` and `usr/local/share`.
const SHARED: &[&str] =
    &["doc", "doc-base", "man", "info", "gtk-doc", "help", "gnome", "devhelp", "licenses"];
/// Endings of names of documentation, and of files that show what another file looks like.
const ENDS: &[&str] =
    &[".md", ".rst", ".adoc", ".markdown", ".pod", ".example", ".sample", ".template", ".dist"];
/// Endings of names of tests, which count only below a folder of packages.
const TESTS: &[&str] = &[
    "_test.go",
    "_test.py",
    "_test.js",
    ".test.js",
    ".test.ts",
    ".spec.js",
    ".spec.ts",
    "_test.pyc",
    "testing_utils.py",
    "_testing.py",
    "conftest.py",
    "test_utils.py",
    "_test_utils.py",
    "_tests.py",
];
/// Folders whose purpose is to hold credentials, wherever they are.
const HOLDERS: &[&str] = &[".ssh", ".aws", ".docker", ".kube"];
/// Files whose purpose is to hold credentials, wherever they are.
const HOLDING: &[&str] = &[".env", ".netrc", ".npmrc"];

/// Returns the lists, as one text.
pub(crate) fn lists() -> String {
    format!(
        "{FOLDERS:?} {PACKAGES:?} {PACKAGES_BELOW:?} {SHARED:?} {ENDS:?} {TESTS:?} {HOLDERS:?} {HOLDING:?}"
    )
}

/// Returns `path` in the form for comparisons: in lower case, from the root, without `./` and slashes around it.
pub(crate) fn plain(path: &str) -> String {
    path.trim_start_matches("./").trim_matches('/').to_ascii_lowercase()
}

/// Whether the last parts of `path`, which is [`plain`], match one of `patterns`. A `*` matches any characters of a name.
pub(crate) fn any_matches(path: &str, patterns: &[&str]) -> bool {
    let last = path.as_bytes().last();
    patterns.iter().any(|pattern| {
        // Most patterns end with another character.
        let end = pattern.as_bytes().last();
        if end != last && end != Some(&b'*') {
            return false;
        }
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

/// Whether `path`, which is [`plain`], belongs to tests, examples or documentation, whose secrets are rarely real: a document, or a
/// file in a documentation folder of the system or in a test folder of a package. The name of a user's own folder proves nothing.
pub(crate) fn of_examples(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parts: Vec<&str> = folders.split('/').collect();
    if holds_credentials(path) {
        return false;
    }
    let share = path.strip_prefix("usr/share/").or_else(|| path.strip_prefix("usr/local/share/"));
    let shared = share.and_then(|it| it.split_once('/')).is_some_and(|(first, _)| SHARED.contains(&first));
    let package = parts.iter().enumerate().position(|(index, part)| {
        let pair = index.checked_sub(1).and_then(|before| parts.get(before)).map(|it| format!("{it}/{part}"));
        PACKAGES.iter().any(|it| part_matches(part, it))
            || pair.is_some_and(|it| PACKAGES_BELOW.contains(&it.as_str()))
    });
    let of_package = package.is_some_and(|at| {
        parts.iter().skip(at + 1).any(|it| FOLDERS.contains(it))
            || part_matches(name, "test_*.py")
            || part_matches(name, "test_*.pyc")
            || part_matches(name, "tests_*.py")
            || name.strip_suffix(".pyc").is_some()
                && (name.contains("_test.") || name.contains("_testing.") || name.contains("testing_utils."))
            || name.starts_with("test.")
            || TESTS.iter().any(|end| name.ends_with(end))
    });
    shared || of_package || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether the purpose of the file `path`, which is [`plain`], or of its folder is to hold credentials.
pub(crate) fn holds_credentials(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    HOLDING.contains(&name) || folders.split('/').any(|it| HOLDERS.contains(&it))
}

/// Whether a file with this name lists the versions and digests of packages.
pub(crate) fn is_lock(name: &str) -> bool {
    name.strip_suffix(".lock").is_some()
        || matches!(
            name,
            "package-lock.json"
                | "npm-shrinkwrap.json"
                | "pnpm-lock.yaml"
                | "composer.lock"
                | ".package-lock.json"
                | "deno.lock"
        )
}

/// Whether a file with this name shows what another file looks like: `.env.example`.
pub(crate) fn is_pattern(name: &str) -> bool {
    name.split(['.', '-', '_'])
        .any(|it| matches!(it, "example" | "sample" | "template" | "dist" | "tpl" | "defaults"))
}

/// Returns the severity of a finding, which is low in tests and documentation.
pub(crate) fn weighed(severity: SecretSeverity, of_examples: bool) -> SecretSeverity {
    if of_examples { SecretSeverity::Low } else { severity }
}
