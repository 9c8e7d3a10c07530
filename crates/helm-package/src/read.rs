//! Reads fields of `Chart.yaml` and `Chart.lock` the way Go's JSON decoder fills them for Helm: null leaves a field empty, any
//! scalar becomes a string if the field is a string, and any other mismatch of kinds is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value as Json};

use super::finding::Findings;
use super::scalar::Scalar;
use super::yaml::{Entry, Is, Value};

/// How deep values without a type may be nested, and how many there may be.
const MAX_FREE_DEPTH: usize = 64;
const MAX_FREE_VALUES: usize = 10_000;

/// Reads fields and collects findings about them. `file` is the name of the file in messages: `Chart.yaml`.
pub(super) struct Fields<'f> {
    pub(super) findings: &'f mut Findings,
    pub(super) file: &'static str,
}

impl Fields<'_> {
    /// Returns the entries of a mapping. A duplicate key is an error, because programs differ in which of the two counts. So is a key
    /// that differs from one in `known` only in case, because Helm reads it and other programs do not.
    pub(super) fn entries<'a>(&mut self, what: &str, value: &Value<'a>, known: &[&str]) -> Vec<Entry<'a>> {
        let Is::Mapping(entries) = value.is() else {
            self.wrong(what, value, "a mapping");
            return Vec::new();
        };
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for entry in &entries {
            let at = || Some(super::finding::place(value.source(), entry.key_span.clone()));
            if !seen.insert(&entry.key) {
                self.findings.error(
                    at(),
                    format!("`{}` appears twice in {}", entry.key, self.file),
                    "keep one of them",
                );
            }
            if known.is_empty() || known.contains(&entry.key.as_str()) {
                continue;
            }
            match known.iter().find(|name| name.eq_ignore_ascii_case(&entry.key)) {
                Some(name) => self.findings.error(
                    at(),
                    format!("`{}` in {} has the wrong case", entry.key, self.file),
                    &format!("write `{name}`: Helm reads both, other programs do not"),
                ),
                None => self.findings.warning(
                    at(),
                    format!("{} has no key `{}`", self.file, entry.key),
                    "Helm ignores it; keys of your own belong under `annotations`",
                ),
            }
        }
        entries
    }

    /// Returns a string, cleaned of unprintable characters as in Helm.
    pub(super) fn text(&mut self, what: &str, value: &Value<'_>) -> String {
        if let Is::Scalar(scalar) = value.is() {
            return sanitized(&scalar.to_text());
        }
        self.wrong(what, value, "a string");
        String::new()
    }

    /// Returns a list of strings.
    pub(super) fn texts(&mut self, what: &str, value: &Value<'_>) -> Vec<String> {
        self.list(what, value).iter().map(|item| self.text(what, item)).collect()
    }

    /// Returns a list of anything; null is an empty list.
    pub(super) fn list<'a>(&mut self, what: &str, value: &Value<'a>) -> Vec<Value<'a>> {
        match value.is() {
            Is::List(items) => items,
            Is::Scalar(Scalar::Null) => Vec::new(),
            _ => {
                self.wrong(what, value, "a list");
                Vec::new()
            }
        }
    }

    /// Returns a mapping of strings to strings.
    pub(super) fn map(&mut self, what: &str, value: &Value<'_>) -> BTreeMap<String, String> {
        if is_null(value) {
            return BTreeMap::new();
        }
        let entries = self.entries(what, value, &[]);
        let mut map = BTreeMap::new();
        for entry in entries {
            if let Is::Scalar(scalar) = entry.value.is() {
                map.insert(entry.key, scalar.to_text());
            } else {
                self.wrong(&format!("{what}.{}", entry.key), &entry.value, "a string");
            }
        }
        map
    }

    /// Returns a boolean.
    pub(super) fn flag(&mut self, what: &str, value: &Value<'_>) -> bool {
        match value.is() {
            Is::Scalar(Scalar::Bool(flag)) => *flag,
            Is::Scalar(Scalar::Null) => false,
            _ => {
                self.wrong(what, value, "`true` or `false`");
                false
            }
        }
    }

    /// Returns a list of values of any kind, as JSON.
    pub(super) fn free(&mut self, what: &str, value: &Value<'_>) -> Vec<Json> {
        let items = self.list(what, value);
        let mut left = MAX_FREE_VALUES;
        let found: Option<Vec<Json>> = items.iter().map(|item| json(item, 0, &mut left)).collect();
        found.unwrap_or_else(|| {
            let message = format!("`{what}` of {} is too deep, too large or not valid JSON", self.file);
            self.findings.error(Some(value.place()), message, "write it without nested aliases");
            Vec::new()
        })
    }

    fn wrong(&mut self, what: &str, value: &Value<'_>, wanted: &str) {
        let message = format!("`{what}` of {} is {}, not {wanted}", self.file, value.described());
        self.findings.error(Some(value.place()), message, &format!("write {wanted}"));
    }
}

/// Whether the value is null or not written.
pub(super) fn is_null(value: &Value<'_>) -> bool {
    matches!(value.is(), Is::Scalar(Scalar::Null))
}

/// Returns a value as Go would write it, with sorted keys.
fn json(value: &Value<'_>, depth: usize, left: &mut usize) -> Option<Json> {
    *left = left.checked_sub(1)?;
    if depth > MAX_FREE_DEPTH {
        return None;
    }
    Some(match value.is() {
        Is::Scalar(scalar) => match scalar {
            Scalar::Null => Json::Null,
            Scalar::Bool(flag) => Json::Bool(*flag),
            Scalar::Int(number) => Json::from(*number),
            Scalar::Unsigned(number) => Json::from(*number),
            Scalar::Float(number) => Json::Number(Number::from_f64(*number)?),
            Scalar::Text(text) => Json::from(text.as_str()),
        },
        Is::List(items) => {
            let items: Option<Vec<Json>> = items.iter().map(|item| json(item, depth + 1, left)).collect();
            Json::Array(items?)
        }
        Is::Mapping(entries) => {
            let mut sorted = BTreeMap::new();
            for entry in entries {
                sorted.insert(entry.key, json(&entry.value, depth + 1, left)?);
            }
            Json::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
    })
}

/// Returns `text` as Helm cleans it (`pkg/chart/metadata.go`, `sanitizeString`): any white space becomes a space, and unprintable
/// characters are left out.
fn sanitized(text: &str) -> String {
    let clean = |character: char| {
        if character.is_whitespace() { Some(' ') } else { Some(character).filter(|it| is_printed(*it)) }
    };
    text.chars().filter_map(clean).collect()
}

/// Whether a character is printable: it is not a control or format character, nor reserved by Unicode.
fn is_printed(character: char) -> bool {
    !(character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}'))
}
