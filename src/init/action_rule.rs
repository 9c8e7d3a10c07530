//! The rules and the flavor of docker/metadata-action as they are written (README, "tags input" and "flavor input").

use super::condition::Condition;
use super::expression::{boolean, interpolate};
use super::handlebars::expand;
use super::scope::Scope;
use super::symbolic::SymbolicText;
use super::yaml_file::ValueLine;

/// `flavor`.
#[derive(Debug, Clone)]
pub(super) struct Flavor {
    /// `latest`; `None` is `auto`.
    pub latest: Option<Condition>,
    /// `prefix`.
    pub prefix: SymbolicText,
    /// `suffix`.
    pub suffix: SymbolicText,
    /// Whether `latest` gets the prefix and the suffix.
    pub on_latest: [bool; 2],
}

/// A rule of `tags`.
pub(super) struct ActionRule {
    /// `type`.
    pub kind: String,
    attributes: Vec<(String, String)>,
    /// `priority`.
    pub priority: i64,
    /// The rule as it is written.
    pub source: String,
    /// Its line.
    pub line: usize,
}

/// The rules without `tags` (README, "tags input").
pub(super) const DEFAULT_RULES: [&str; 4] =
    ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"];

/// Splits a line of comma-separated values. Commas in quotes and in expressions do not split.
pub(super) fn fields(line: &str) -> Vec<String> {
    let (mut found, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut depth) = (false, 0_usize);
    for character in line.chars() {
        match character {
            '"' if depth == 0 => quoted = !quoted,
            '{' => {
                depth += 1;
                field.push(character);
            }
            '}' => {
                depth = depth.saturating_sub(1);
                field.push(character);
            }
            ',' if !quoted && depth == 0 => found.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    found.push(field);
    found.into_iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// Reads a rule.
pub(super) fn action_rule(line: &ValueLine) -> ActionRule {
    let mut kind = "raw".to_owned();
    let mut attributes = Vec::new();
    for field in fields(&line.text) {
        match field.split_once('=') {
            Some((key, value)) if key.trim() == "type" => value.trim().clone_into(&mut kind),
            Some((key, value)) if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
                attributes.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => attributes.push(("value".to_owned(), field)),
        }
    }
    let default = match kind.as_str() {
        "schedule" => 1000,
        "semver" | "pep440" => 900,
        "match" => 800,
        "edge" => 700,
        "ref" => 600,
        "raw" => 200,
        _ => 100,
    };
    let written =
        attributes.iter().find(|(key, _)| key == "priority").and_then(|(_, value)| value.parse().ok());
    ActionRule {
        kind,
        attributes,
        priority: written.unwrap_or(default),
        source: line.text.clone(),
        line: line.line,
    }
}

impl ActionRule {
    /// The value of an attribute.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Reads the flavor.
pub(super) fn flavor(lines: &[ValueLine], scope: &Scope<'_>) -> Flavor {
    let mut flavor = Flavor {
        latest: None,
        prefix: SymbolicText::default(),
        suffix: SymbolicText::default(),
        on_latest: [false; 2],
    };
    for line in lines.iter().filter(|line| !line.text.starts_with('#')) {
        let mut last = None;
        for field in fields(&line.text) {
            let Some((key, value)) = field.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            match key {
                "latest" => {
                    flavor.latest = (value != "auto").then(|| boolean(value, scope));
                    if interpolate(value, scope).known() == Some("auto") {
                        flavor.latest = None;
                    }
                }
                "prefix" => (flavor.prefix, last) = (text(value, scope), Some(0)),
                "suffix" => (flavor.suffix, last) = (text(value, scope), Some(1)),
                "onlatest" => {
                    if let Some(on) = last.and_then(|at: usize| flavor.on_latest.get_mut(at)) {
                        *on = boolean(value, scope) == Condition::Always;
                    }
                }
                _ => {}
            }
        }
    }
    flavor
}

/// The text of an attribute: expressions of GitHub, then those of the action.
pub(super) fn text(value: &str, scope: &Scope<'_>) -> SymbolicText {
    expand(&interpolate(value, scope), scope)
}
