//! What the configuration of an image says: variables, history, labels, arguments; and annotations of manifests.

use serde_json::Value;

use super::super::secrets::{Match, Rules};
use super::hide::hide;

/// Something found in a configuration.
#[derive(Debug, Clone)]
pub struct ConfigHit {
    /// Where, fit to be shown: `` environment variable `TOKEN` ``.
    pub part: String,
    /// What was found.
    pub found: Match,
}

/// Searches the configuration of an image (image-spec, config.md), Docker's own members included. What is no JSON is
/// searched as text.
pub fn config(rules: &Rules, bytes: &[u8]) -> Vec<ConfigHit> {
    let Ok(whole) = serde_json::from_slice::<Value>(bytes) else {
        let mut search = rules.text(None);
        search.push(bytes);
        return told("configuration", search.finish());
    };
    let mut hits = Vec::new();
    for section in ["config", "container_config"] {
        if let Some(section) = whole.get(section) {
            hits.extend(runtime(rules, section));
        }
    }
    for (index, entry) in whole.get("history").and_then(Value::as_array).into_iter().flatten().enumerate() {
        hits.extend(history(rules, index + 1, entry));
    }
    for key in ["author", "comment"] {
        let text = whole.get(key).and_then(Value::as_str);
        hits.extend(told(
            &format!("`{key}` of the configuration"),
            text.map(|it| line(rules, it)).unwrap_or_default(),
        ));
    }
    hits
}

fn runtime(rules: &Rules, section: &Value) -> Vec<ConfigHit> {
    let mut hits = Vec::new();
    for variable in texts(section.get("Env")) {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        let part = format!("environment variable `{}`", hide(rules, name));
        hits.extend(told(&part, rules.variable(name, value)));
    }
    for (key, value) in section.get("Labels").and_then(Value::as_object).into_iter().flatten() {
        let found = value.as_str().map(|value| line(rules, value)).unwrap_or_default();
        hits.extend(told(&format!("label `{}`", hide(rules, key)), found));
    }
    let health = section.get("Healthcheck").and_then(|it| it.get("Test"));
    for (value, part) in [
        (section.get("Entrypoint"), "entrypoint"),
        (section.get("Cmd"), "command"),
        (section.get("OnBuild"), "`ONBUILD` instruction"),
        (section.get("Shell"), "shell"),
        (health, "health check"),
    ] {
        // An option and its value stand beside each other.
        hits.extend(told(part, line(rules, &texts(value).collect::<Vec<_>>().join(" "))));
    }
    hits
}

fn history(rules: &Rules, number: usize, entry: &Value) -> Vec<ConfigHit> {
    let mut hits = Vec::new();
    for key in ["created_by", "author", "comment"] {
        let Some(text) = entry.get(key).and_then(Value::as_str) else { continue };
        let mut found = line(rules, text);
        for word in text.split_whitespace() {
            // `ENV A=b`, `ARG A=b`, and build arguments, which stand before a command: `|1 A=b /bin/sh -c …`.
            let Some((name, value)) = word.split_once('=') else { continue };
            for assigned in rules.variable(name, value.trim_matches(['"', '\''])) {
                let known =
                    found.iter().any(|it| it.rule == assigned.rule || it.fingerprint == assigned.fingerprint);
                if !known {
                    found.push(assigned);
                }
            }
        }
        hits.extend(told(&format!("history entry {number} ({})", instruction(rules, text)), found));
    }
    hits
}

/// Searches the value of an annotation.
pub fn annotation(rules: &Rules, value: &str) -> Vec<Match> {
    line(rules, value)
}

/// The instruction that made each layer, lowest first, fit to be shown. None where the configuration does not say it of every
/// one of the `layers`.
pub fn instructions(rules: &Rules, bytes: &[u8], layers: usize) -> Vec<String> {
    let whole: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let history = whole.get("history").and_then(Value::as_array);
    let is_empty = |entry: &&Value| entry.get("empty_layer").and_then(Value::as_bool) == Some(true);
    let made: Vec<&Value> = history.into_iter().flatten().filter(|entry| !is_empty(entry)).collect();
    if made.len() != layers {
        return Vec::new();
    }
    let text = |entry: &Value| {
        let text = entry.get("created_by").and_then(Value::as_str).unwrap_or_default();
        instruction(rules, text)
    };
    made.into_iter().map(text).collect()
}

/// What a Dockerfile says, of what builders write to the history: without the shell, its arguments and remarks.
fn instruction(rules: &Rules, created_by: &str) -> String {
    // What is cut off first must be hidden before: a part of a secret is not known as one.
    let text = created_by.trim().trim_end_matches("# buildkit").trim_end();
    let text = text.strip_prefix("/bin/sh -c #(nop)").map_or(text, str::trim_start);
    let is_command = text.starts_with("/bin/sh -c ") || text.starts_with("RUN ");
    let text = text.strip_prefix("RUN ").unwrap_or(text);
    let text = match text.strip_prefix('|') {
        // Build arguments.
        Some(rest) => rest.split_once("/bin/sh -c ").map_or(rest, |(_, command)| command),
        None => text.strip_prefix("/bin/sh -c ").unwrap_or(text),
    };
    let shown = hide(rules, text);
    if is_command { format!("RUN {shown}") } else { shown }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    value.into_iter().chain(list).filter_map(Value::as_str)
}

fn line(rules: &Rules, text: &str) -> Vec<Match> {
    let mut search = rules.text(None);
    search.push(text.as_bytes());
    search.finish()
}

fn told(part: &str, found: Vec<Match>) -> Vec<ConfigHit> {
    found.into_iter().map(|found| ConfigHit { part: part.to_owned(), found }).collect()
}
