//! Reads the fields of `Chart.yaml` and `Chart.lock` the way Go's JSON decoder fills them for Helm: null leaves a field empty, any
//! scalar becomes a string if the field is a string, and any other mismatch of kinds is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value as Json};

use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmContent, HelmEntry, HelmNode};
use crate::scalar::GoScalar;

/// How deep values without a type may be nested, and how many there may be.
const MAX_FREE_DEPTH: usize = 64;
const MAX_FREE_VALUES: usize = 10_000;

/// The kind that a field must have.
#[derive(Clone, Copy)]
enum FieldKind {
    Text,
    List,
    Mapping,
    Flag,
}

impl FieldKind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::List => "a list",
            Self::Mapping => "a mapping",
            Self::Flag => "`true` or `false`",
        }
    }

    /// Returns a help that says how to write it.
    fn example(self) -> &'static str {
        match self {
            Self::Text => "write one value, in quotes if it has special characters",
            Self::List => "write each item on a line of its own, after a dash: `- item`",
            Self::Mapping => "write each key on a line of its own: `key: value`",
            Self::Flag => "write one of the two, without quotes",
        }
    }
}

/// Reads fields and collects findings about them. `file` is the name of the file in messages: `Chart.yaml`.
pub(crate) struct FieldReader<'f> {
    pub(crate) findings: &'f mut ChartFindings,
    pub(crate) file: &'static str,
}

impl FieldReader<'_> {
    /// Returns the entries of a mapping. A duplicate key is an error, because programs differ in which of the two counts. So is a key
    /// that differs from one in `known` only in case, because Helm reads it and other programs do not.
    pub(crate) fn entries<'a>(
        &mut self,
        what: &str,
        value: &HelmNode<'a>,
        known: &[&str],
    ) -> Vec<HelmEntry<'a>> {
        let HelmContent::Mapping(entries) = value.content() else {
            self.wrong(what, value, FieldKind::Mapping);
            return Vec::new();
        };
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for entry in &entries {
            let at = || Some(entry.key_span());
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
                    format!("`{}` is not a key of {} that Helm knows", entry.key, self.file),
                    "Helm ignores it; keys of your own belong under `annotations`",
                ),
            }
        }
        entries
    }

    /// Returns a string, cleaned of unprintable characters as in Helm.
    pub(crate) fn text(&mut self, what: &str, value: &HelmNode<'_>) -> String {
        if let HelmContent::Scalar(scalar) = value.content() {
            return sanitized(&scalar.to_text());
        }
        self.wrong(what, value, FieldKind::Text);
        String::new()
    }

    /// Returns a list of strings.
    pub(crate) fn texts(&mut self, what: &str, value: &HelmNode<'_>) -> Vec<String> {
        self.list(what, value).iter().map(|item| self.text(what, item)).collect()
    }

    /// Returns a list of anything; null is an empty list.
    pub(crate) fn list<'a>(&mut self, what: &str, value: &HelmNode<'a>) -> Vec<HelmNode<'a>> {
        match value.content() {
            HelmContent::List(items) => items,
            HelmContent::Scalar(GoScalar::Null) => Vec::new(),
            _ => {
                self.wrong(what, value, FieldKind::List);
                Vec::new()
            }
        }
    }

    /// Returns a mapping of strings to strings.
    pub(crate) fn map(&mut self, what: &str, value: &HelmNode<'_>) -> BTreeMap<String, String> {
        if value.is_null() {
            return BTreeMap::new();
        }
        let entries = self.entries(what, value, &[]);
        let mut map = BTreeMap::new();
        for entry in entries {
            if let HelmContent::Scalar(scalar) = entry.value.content() {
                map.insert(entry.key, scalar.to_text());
            } else {
                self.wrong(&format!("{what}.{}", entry.key), &entry.value, FieldKind::Text);
            }
        }
        map
    }

    /// Returns a boolean.
    pub(crate) fn flag(&mut self, what: &str, value: &HelmNode<'_>) -> bool {
        match value.content() {
            HelmContent::Scalar(GoScalar::Bool(flag)) => flag,
            HelmContent::Scalar(GoScalar::Null) => false,
            _ => {
                self.wrong(what, value, FieldKind::Flag);
                false
            }
        }
    }

    /// Returns a list of values of any kind, as JSON.
    pub(crate) fn free(&mut self, what: &str, value: &HelmNode<'_>) -> Vec<Json> {
        let items = self.list(what, value);
        let mut left = MAX_FREE_VALUES;
        let found: Option<Vec<Json>> = items.iter().map(|item| json(item, 0, &mut left)).collect();
        found.unwrap_or_else(|| {
            let message = format!("`{what}` in {} is too deep, too large or not valid JSON", self.file);
            self.findings.error(Some(value.span()), message, "write it without nested aliases");
            Vec::new()
        })
    }

    /// Reports a value of the wrong kind. `what` is its key, or the name of the file.
    fn wrong(&mut self, what: &str, value: &HelmNode<'_>, wanted: FieldKind) {
        let place = if what == self.file { what.to_owned() } else { format!("`{what}` in {}", self.file) };
        let message = format!("{place} must be {}, but is {}", wanted.name(), value.description());
        self.findings.error(Some(value.span()), message, wanted.example());
    }
}

/// Returns a value as Go would write it, with sorted keys.
fn json(value: &HelmNode<'_>, depth: usize, left: &mut usize) -> Option<Json> {
    *left = left.checked_sub(1)?;
    if depth > MAX_FREE_DEPTH {
        return None;
    }
    Some(match value.content() {
        HelmContent::Scalar(scalar) => match scalar {
            GoScalar::Null => Json::Null,
            GoScalar::Bool(flag) => Json::Bool(flag),
            GoScalar::Int(number) => Json::from(number),
            GoScalar::Unsigned(number) => Json::from(number),
            GoScalar::Float(number) => Json::Number(Number::from_f64(number)?),
            GoScalar::Text(text) => Json::from(text),
        },
        HelmContent::List(items) => {
            let items: Option<Vec<Json>> = items.iter().map(|item| json(item, depth + 1, left)).collect();
            Json::Array(items?)
        }
        HelmContent::Mapping(entries) => {
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
