//! The search of an image's configuration (variables, history, labels, arguments and all other members) and of annotations in
//! manifests.

use std::collections::BTreeSet;

use base64::Engine as _;
use serde_json::Value;

use crate::compiled::Rules;
use crate::display::{redact_text, without_known};
use crate::matches::Match;
use oci_registry::Digest;

/// A match in a configuration.
#[derive(Debug, Clone)]
pub struct ConfigMatch {
    /// The part of the configuration.
    pub part: ConfigPart,
    /// The match.
    pub found: Match,
}

/// A part of a configuration: `` environment variable `TOKEN` ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigPart {
    before: String,
    /// The text from the configuration itself, passed through [`redact_text`].
    text: String,
    after: &'static str,
}

/// Shows the part if nothing is known about values elsewhere: [`ConfigPart::shown`] with no fingerprints.
impl std::fmt::Display for ConfigPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown(&BTreeSet::new()))
    }
}

impl ConfigPart {
    /// Returns the text to show if the values with the fingerprints in `known` were found.
    pub fn shown(&self, known: &BTreeSet<Digest>) -> String {
        format!("{}{}{}", self.before, without_known(&self.text, known), self.after)
    }

    fn plain(name: &str) -> Self {
        Self { before: name.to_owned(), text: String::new(), after: "" }
    }

    /// `` WHAT `TEXT` ``
    fn named(rules: &Rules, what: &str, text: &str) -> Self {
        Self { before: format!("{what} `"), text: redact_text(rules, text), after: "`" }
    }
}

impl Rules {
    /// Searches an image's configuration (image-spec, config.md), including Docker's own members. Bytes that are not JSON are
    /// searched as text.
    pub fn search_config(&self, bytes: &[u8]) -> Vec<ConfigMatch> {
        let Ok(whole) = serde_json::from_slice::<Value>(bytes) else {
            return in_part(&ConfigPart::plain("configuration"), self.search_bytes(None, bytes));
        };
        let mut matches = Vec::new();
        for section in ["config", "container_config"] {
            if let Some(section) = whole.get(section) {
                matches.extend(runtime(self, section));
            }
        }
        for (index, entry) in whole.get("history").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            matches.extend(history(self, index + 1, entry));
        }
        for key in ["author", "comment"] {
            let text = whole.get(key).and_then(Value::as_str);
            let found = text.map(|it| self.search_bytes(None, it.as_bytes())).unwrap_or_default();
            matches.extend(in_part(&ConfigPart::plain(&format!("`{key}` of the configuration")), found));
        }
        let known = matches.iter().map(|it| it.found.fingerprint.clone()).collect();
        let mut remaining = RemainingMembers { rules: self, known, matches };
        for (key, value) in whole.as_object().into_iter().flatten() {
            remaining.member(&ConfigPart::named(self, "configuration,", key), key, value);
        }
        // JSON keeps only one of two members with the same name, but the bytes contain both, so they are searched too.
        let found = self.search_bytes(Some("configuration"), bytes).into_iter();
        let found = found.map(|found| Match { line: None, ..found }).collect();
        remaining.add(&ConfigPart::plain("configuration"), found);
        remaining.matches
    }

    /// Returns the matches in an annotation.
    pub fn search_annotation(&self, key: &str, value: &str) -> Vec<Match> {
        named(self, key, value)
    }

    /// Returns the instruction that made each layer, lowest first, in the form of [`redact_text`]. The list is empty if the
    /// configuration does not name an instruction for each of the `layers`.
    pub fn layer_instructions(&self, config: &[u8], layers: usize) -> Vec<String> {
        let whole: Value = serde_json::from_slice(config).unwrap_or_default();
        let history = whole.get("history").and_then(Value::as_array);
        let is_empty = |entry: &&Value| entry.get("empty_layer").and_then(Value::as_bool) == Some(true);
        let made: Vec<&Value> = history.into_iter().flatten().filter(|entry| !is_empty(entry)).collect();
        if made.len() != layers {
            return Vec::new();
        }
        let text = |entry: &Value| {
            let text = entry.get("created_by").and_then(Value::as_str).unwrap_or_default();
            instruction(self, text)
        };
        made.into_iter().map(text).collect()
    }
}

/// Collects the matches in all members, except values that were found before.
struct RemainingMembers<'r> {
    rules: &'r Rules,
    known: BTreeSet<Digest>,
    matches: Vec<ConfigMatch>,
}

impl RemainingMembers<'_> {
    fn add(&mut self, part: &ConfigPart, found: Vec<Match>) {
        for found in found {
            if self.known.insert(found.fingerprint.clone()) {
                self.matches.push(ConfigMatch { part: part.clone(), found });
            }
        }
    }

    fn member(&mut self, part: &ConfigPart, key: &str, value: &Value) {
        match value {
            Value::String(text) => {
                self.add(part, named(self.rules, key, text));
                // `moby.buildkit.buildinfo.v1` is JSON in base64.
                let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
                let inner: Option<Value> = decoded.and_then(|it| serde_json::from_slice(&it).ok());
                if let Some(inner @ (Value::Object(_) | Value::Array(_))) = inner {
                    self.decoded(part, &inner);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| self.member(part, key, value)),
            Value::Object(members) => {
                for (key, value) in members {
                    self.add(part, self.rules.search_bytes(None, key.as_bytes()));
                    self.member(part, key, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Searches the members of a decoded value, which are not decoded again.
    fn decoded(&mut self, part: &ConfigPart, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.decoded(part, value)),
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(text) => self.add(part, named(self.rules, key, text)),
                        value => self.decoded(part, value),
                    }
                }
            }
            Value::String(text) => self.add(part, self.rules.search_bytes(None, text.as_bytes())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Returns the matches in a text, and in the variable that the text makes with its name.
fn named(rules: &Rules, name: &str, text: &str) -> Vec<Match> {
    let mut found = rules.search_bytes(None, text.as_bytes());
    for other in rules.search_named(name, text) {
        if !found.iter().any(|it| it.fingerprint == other.fingerprint) {
            found.push(other);
        }
    }
    found
}

fn runtime(rules: &Rules, section: &Value) -> Vec<ConfigMatch> {
    let mut matches = Vec::new();
    for variable in texts(section.get("Env")) {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        let part = ConfigPart::named(rules, "environment variable", name);
        matches.extend(in_part(&part, rules.search_variable(name, value)));
    }
    for (key, value) in section.get("Labels").and_then(Value::as_object).into_iter().flatten() {
        let found = value.as_str().map(|value| named(rules, key, value)).unwrap_or_default();
        matches.extend(in_part(&ConfigPart::named(rules, "label", key), found));
    }
    let health = section.get("Healthcheck").and_then(|it| it.get("Test"));
    for (value, part) in [
        (section.get("Entrypoint"), "entrypoint"),
        (section.get("Cmd"), "command"),
        (section.get("OnBuild"), "`ONBUILD` instruction"),
        (section.get("Shell"), "shell"),
        (health, "health check"),
    ] {
        // An option and its value are adjacent members of the list.
        matches.extend(in_part(
            &ConfigPart::plain(part),
            rules.search_command(&texts(value).collect::<Vec<_>>().join(" ")),
        ));
    }
    matches
}

fn history(rules: &Rules, number: usize, entry: &Value) -> Vec<ConfigMatch> {
    let mut matches = Vec::new();
    for key in ["created_by", "author", "comment"] {
        let Some(text) = entry.get(key).and_then(Value::as_str) else { continue };
        let mut found = rules.search_command(text);
        let bare = text.trim_start().trim_start_matches("/bin/sh -c #(nop)").trim_start();
        let sets = bare.starts_with("ENV ") || bare.starts_with("ARG ") || bare.starts_with('|');
        let arguments = bare.split("/bin/sh -c").next().unwrap_or_default().len() + text.len() - bare.len();
        let mut at = 0;
        for word in text.split_whitespace() {
            at += text.get(at..).and_then(|rest| rest.find(word)).unwrap_or_default();
            let of_image = at < arguments && (sets || text.starts_with("RUN |"));
            // `ENV A=b`, `ARG A=b`, and build arguments, which precede a command: `|1 A=b /bin/sh -c …`.
            let Some((name, value)) = word.split_once('=') else { continue };
            let value = value.trim_matches(['"', '\'']);
            let assigned =
                if of_image { rules.search_variable(name, value) } else { rules.search_named(name, value) };
            for assigned in assigned {
                let known =
                    found.iter().any(|it| it.rule == assigned.rule || it.fingerprint == assigned.fingerprint);
                if !known {
                    found.push(assigned);
                }
            }
        }
        let before = format!("history entry {number} (");
        let part = ConfigPart { before, text: instruction(rules, text), after: ")" };
        matches.extend(in_part(&part, found));
    }
    matches
}

/// Returns an entry of the history as it was written in the Dockerfile: without the shell, its arguments and its comments.
fn instruction(rules: &Rules, created_by: &str) -> String {
    // Text that is cut off must be hidden before the cut: a part of a secret is not recognized as one.
    let text = created_by.trim().trim_end_matches("# buildkit").trim_end();
    let text = text.strip_prefix("/bin/sh -c #(nop)").map_or(text, str::trim_start);
    let is_command = text.starts_with("/bin/sh -c ") || text.starts_with("RUN ");
    let text = text.strip_prefix("RUN ").unwrap_or(text);
    let text = match text.strip_prefix('|') {
        // Build arguments.
        Some(rest) => rest.split_once("/bin/sh -c ").map_or(rest, |(_, command)| command),
        None => text.strip_prefix("/bin/sh -c ").unwrap_or(text),
    };
    let shown = redact_text(rules, text);
    if is_command { format!("RUN {shown}") } else { shown }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    value.into_iter().chain(list).filter_map(Value::as_str)
}

/// Returns the matches, each with the part that it is in.
fn in_part(part: &ConfigPart, found: Vec<Match>) -> Vec<ConfigMatch> {
    found.into_iter().map(|found| ConfigMatch { part: part.clone(), found }).collect()
}
