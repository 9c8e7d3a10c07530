//! The catalogue of codes, its pages, and what people see of each: held together.

use std::collections::BTreeSet;
use std::path::Path;

use brokkr_publish::diagnostic::Code;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts of the files in `folder` with this extension.
fn texts(folder: &str, extension: &str) -> Vec<(String, String)> {
    std::fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap_or_else(|error| panic!("{folder}: {error}")).path())
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .map(|path| {
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
        })
        .collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut titles = BTreeSet::new();
    for code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# `{code}`\n")), "the page of `{code}` has another title");
        let lines = page.lines().count();
        assert!(lines >= 12, "the page of `{code}` has {lines} lines, too few to help");
        titles.insert(format!("# `{code}`"));
    }
    for (name, text) in texts("docs/errors", "md") {
        let title = text.lines().next().unwrap_or_default().to_owned();
        // An index of the pages is none of them.
        assert!(name == "README.md" || titles.contains(&title), "{name} is the page of no code");
    }
}

/// Codes that take a fault which no program on a test machine produces at will; unit tests of their rooms show them.
const NOT_SHOWN: [Code; 5] = [
    Code::RegistryNotFound,
    Code::RegistryRateLimited,
    Code::RegistryProtocol,
    Code::ApplyFailed,
    Code::ApplyReadBack,
];

#[test]
fn every_code_is_shown_by_a_snapshot() {
    let shown: String = texts("tests/it/snapshots", "snap")
        .into_iter()
        .chain(texts("tests/real/snapshots", "snap"))
        .chain(texts("tests/corpus/invalid", "stderr"))
        .map(|(_, text)| text)
        .collect();
    // The samples of the pages are what the program prints, which a test compares.
    let pages: String = texts("docs/errors", "md").into_iter().map(|(_, text)| text).collect();
    let is_in = |text: &str, code: &Code| {
        ["error", "warning"].iter().any(|word| text.contains(&format!("{word}: {code} (")))
    };
    let is_shown = |code: &Code| is_in(&shown, code);
    let lacks = |code: &&Code| !is_shown(code) && !is_in(&pages, code) && !NOT_SHOWN.contains(code);
    let missing: Vec<_> = Code::ALL.iter().filter(lacks).collect();
    assert!(missing.is_empty(), "no snapshot shows {missing:?}");
    let needless: Vec<_> = NOT_SHOWN.iter().filter(|it| is_shown(it)).collect();
    assert!(needless.is_empty(), "a snapshot shows {needless:?}: take them out of the list");
}
