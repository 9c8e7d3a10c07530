//! Texts that may hold a secret, as they can be shown: instructions, names of files. They come from outside.

use super::super::secrets::Rules;
use crate::diagnostic::mask;

/// How long a text may be that is shown, in characters.
const LONGEST: usize = 72;
/// How long the name of a file may be that is shown, in characters.
const LONGEST_PATH: usize = 1_000;
/// What stands for what is not shown.
const HIDDEN: &str = "…";

/// `text` on one line, shortened, without what `rules` find in it.
pub fn hide(rules: &Rules, text: &str) -> String {
    let flat = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let flat = collapsed(&mask::without_tokens(&flat.collect::<Vec<_>>().join(" ")));
    if !is_suspicious(rules, &flat) {
        return cut(&flat, LONGEST);
    }
    let mut shown: Vec<&str> = Vec::new();
    let mut before = "";
    for word in flat.split(' ') {
        // `ENV PASSWORD hunter2` is an assignment too.
        let hides = is_suspicious(rules, word) || !rules.variable(before, word).is_empty();
        before = word;
        shown.push(if hides { HIDDEN } else { word });
    }
    let shown_text = shown.join(" ");
    if is_suspicious(rules, &shown_text) {
        let first = shown.first().copied().unwrap_or(HIDDEN);
        return cut(&format!("{first} {HIDDEN}"), LONGEST);
    }
    cut(&shown_text, LONGEST)
}

/// The name of a file, without what `rules` find in it.
pub fn hidden_path(rules: &Rules, path: &str) -> String {
    if !is_suspicious(rules, path) {
        return cut(path, LONGEST_PATH);
    }
    let parts = path.split('/').map(|part| if is_suspicious(rules, part) { HIDDEN } else { part });
    let shown = parts.collect::<Vec<_>>().join("/");
    if is_suspicious(rules, &shown) { HIDDEN.to_owned() } else { cut(&shown, LONGEST_PATH) }
}

/// Whether `rules` find a value in `text`, or in one of the assignments in it.
fn is_suspicious(rules: &Rules, text: &str) -> bool {
    let mut search = rules.text(None);
    search.push(text.as_bytes());
    let assigned = || {
        text.split(' ').any(|word| {
            let assignment = word.trim_matches(['"', '\'', ',', ';']).split_once('=');
            assignment.is_some_and(|(name, value)| !rules.variable(name, value).is_empty())
        })
    };
    !search.finish().is_empty() || assigned()
}

/// `text` with what was masked in it shortened.
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
