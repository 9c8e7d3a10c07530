//! Tests with text that nobody would write. Every input must give a configuration or diagnostics.

use proptest::prelude::*;

use super::*;

/// Pieces of the language and of TOML.
const WORDS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "#",
    "1",
    "1.5",
    "inf",
    "true",
    "2026-01-01",
    "version",
    "project",
    "vars",
    "registries",
    "tags",
    "images",
    "profile",
    "a",
    "on",
    "template",
    "source",
    "url",
    "auth",
    "password",
    "\"tag\"",
    "\"oci:x\"",
    "\"linux/amd64\"",
    "platforms",
    "match",
    " ",
    "é",
];

/// Loads the text, and checks that every label points into its text.
fn survives(text: &str, options: &LoadOptions) {
    let loaded = load_text(text, options);
    assert_eq!(loaded.config.is_none(), loaded.diagnostics.iter().any(Diagnostic::is_error));
    for label in loaded.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        assert!(label.place.source.text.get(label.place.span.clone()).is_some(), "{label:?}");
    }
    let help = loaded.diagnostics.iter().all(|diagnostic| diagnostic.help.is_some());
    assert!(help, "{:?}", loaded.diagnostics);
}

proptest! {
    #[test]
    fn any_text(text in "(?s).{0,200}") {
        survives(&text, &options());
    }

    #[test]
    fn words_of_the_language(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        survives(&words.concat(), &options());
    }

    #[test]
    fn a_good_file_with_a_piece_changed(
        at in 0..GOOD.len(),
        length in 0..40usize,
        new in prop::collection::vec(prop::sample::select(WORDS), 0..4),
    ) {
        let mut text = GOOD.to_owned();
        text.replace_range(at..(at + length).min(GOOD.len()), &new.concat());
        for profile in [None, Some("dev".to_owned())] {
            survives(&text, &LoadOptions { profile, ..options() });
        }
    }

    #[test]
    fn any_override(
        name in "[A-Z_]{0,20}|(IMAGES|TAGS|VARS|PROJECT)(__[A-Z_]{0,8}){0,3}",
        value in "\\PC{0,20}|[\\[\\]{}=\"'1a,]{0,10}",
        set in "\\PC{0,30}|[a-z.\"'=\\[1]{0,20}",
    ) {
        let mut options = with_environment(&format!("BROKKR_PUBLISH_{name}"), &value);
        options.set = vec![set];
        survives(GOOD, &options);
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a = ".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[{}a]", "a.".repeat(1_000)),
    ] {
        assert!(load_text(&text, &options()).config.is_none());
        survives(GOOD, &LoadOptions { set: vec![text.clone()], ..options() });
        survives(GOOD, &with_environment("BROKKR_PUBLISH_VARS__A", &text));
        survives(GOOD, &with_environment(&format!("BROKKR_PUBLISH_A{}", "__A".repeat(100_000)), &text));
    }
}
