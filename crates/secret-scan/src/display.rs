//! Makes texts that may hold a secret fit to be shown: instructions and names of files, which come from outside.

use std::collections::BTreeSet;

use crate::compiled::Rules;
use crate::words::{HIDDEN, without_known_words, without_random_in_path, without_values};
use oci_registry::{Digest, mask};

/// How long a shown text may be, in characters.
const LONGEST: usize = 72;
/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 4_096;
/// How long the shown name of a file may be, in characters.
const LONGEST_PATH: usize = 1_000;
/// The shortest known value that is hidden in the name of a file, in bytes. Names consist of short words.
const KNOWN_IN_PATH: usize = 8;

/// Returns `text` on one line, without the values that `rules` find in it, words that follow names of secrets, and words that
/// look random. The result is not final: [`without_known`] shortens it, and hides values that were found elsewhere.
pub fn redact_text(rules: &Rules, text: &str) -> String {
    let flat = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let flat = collapsed(&mask::without_tokens(&flat.collect::<Vec<_>>().join(" ")));
    let flat = words(&flat);
    let hidden = without_values(&without_findings(rules, &flat));
    if rules.search_command(&hidden).is_empty() {
        return hidden;
    }
    format!("{} {HIDDEN}", hidden.split(' ').next().unwrap_or_default())
}

/// Returns `flat` without the words in which `rules` find something.
fn without_findings(rules: &Rules, flat: &str) -> String {
    if !is_suspicious(rules, flat) {
        return flat.to_owned();
    }
    let mut shown: Vec<&str> = Vec::new();
    let mut before = "";
    for word in flat.split(' ') {
        // `ENV PASSWORD hunter2` is an assignment too.
        let hides = is_suspicious(rules, word) || !rules.search_variable(before, word).is_empty();
        before = word;
        shown.push(if hides { HIDDEN } else { word });
    }
    let shown_text = shown.join(" ");
    if is_suspicious(rules, &shown_text) {
        let first = shown.first().copied().unwrap_or(HIDDEN);
        return format!("{first} {HIDDEN}");
    }
    shown_text
}

/// Returns `hidden`, a text from [`redact_text`], shortened and without the values whose fingerprints are `known`.
pub fn without_known(hidden: &str, known: &BTreeSet<Digest>) -> String {
    cut(&without_known_words(hidden, known, 1), LONGEST)
}

/// Returns `hidden`, a name from [`redact_path`], without the values whose fingerprints are `known`.
pub fn path_without_known(hidden: &str, known: &BTreeSet<Digest>) -> String {
    without_known_words(hidden, known, KNOWN_IN_PATH)
}

/// Returns the first whole words of `text`. A part of a word would not be recognized as a secret.
fn words(text: &str) -> String {
    let Some((end, _)) = text.char_indices().take_while(|(at, _)| *at < LOOKED_AT).last() else {
        return String::new();
    };
    if text.len() <= LOOKED_AT {
        return text.to_owned();
    }
    let start = text.get(..end).and_then(|start| start.rfind(' ')).and_then(|end| text.get(..end));
    format!("{} {HIDDEN}", start.unwrap_or_default())
}

/// Returns the name of a file without the values that `rules` find in it and without words that look random.
pub fn redact_path(rules: &Rules, path: &str) -> String {
    if !is_suspicious(rules, path) {
        return cut(&without_random_in_path(path), LONGEST_PATH);
    }
    let parts = path.split('/').map(|part| if is_suspicious(rules, part) { HIDDEN } else { part });
    let shown = without_random_in_path(&parts.collect::<Vec<_>>().join("/"));
    if is_suspicious(rules, &shown) { HIDDEN.to_owned() } else { cut(&shown, LONGEST_PATH) }
}

/// Whether `rules` find a value in `text`, or in one of the assignments in it.
fn is_suspicious(rules: &Rules, text: &str) -> bool {
    let assigned = || {
        text.split(' ').any(|word| {
            let assignment = word.trim_matches(['"', '\'', ',', ';']).split_once('=');
            assignment.is_some_and(|(name, value)| !rules.search_variable(name, value).is_empty())
        })
    };
    !rules.search_bytes(None, text.as_bytes()).is_empty() || assigned()
}

/// Returns `text` with each masked part shortened.
fn collapsed(text: &str) -> String {
    let parts: Vec<&str> = text.split("******").filter(|part| !part.trim_matches('*').is_empty()).collect();
    match parts.as_slice() {
        [whole] if *whole == text => (*whole).to_owned(),
        parts => {
            let parts = parts.iter().map(|part| part.trim_matches('*'));
            let joined = parts.collect::<Vec<_>>().join(HIDDEN);
            if text.ends_with('*') { joined + HIDDEN } else { joined }
        }
    }
}

fn cut(text: &str, longest: usize) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(longest).collect();
    if characters.next().is_some() { format!("{start}{HIDDEN}") } else { start }
}
