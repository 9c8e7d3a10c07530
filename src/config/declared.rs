//! The names that a configuration declares, and the sections that it should declare but does not.

use std::collections::HashSet;

use serde_json::Value;

use super::places::Places;
use super::{schema, structure};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceKind;

/// The names that are declared, even if their tables are wrong. A field is `None` if not even its names are known.
pub(super) struct DeclaredNames {
    pub registries: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub images: Option<Vec<String>>,
    pub charts: Option<Vec<String>>,
    pub artifacts: Option<Vec<String>>,
    pub signing: Option<Vec<String>>,
    pub gates: Option<Vec<String>>,
    /// Keys that retentions misspell of retentions: the name of the retention, and the key that was probably meant.
    pub meant: HashSet<(String, &'static str)>,
}

impl DeclaredNames {
    /// The names that the merged configuration declares. To be asked before wrong values are removed from it.
    pub fn of(json: &Value) -> Self {
        let names = |section: &str| match json.get(section) {
            None => Some(Vec::new()),
            Some(value) => value.as_object().map(|table| table.keys().cloned().collect()),
        };
        let retentions = json.get("retention").and_then(Value::as_object).into_iter().flatten();
        let known = schema::keys(&["retention", ""]);
        let meant = retentions
            .flat_map(|(name, table)| {
                table.as_object().into_iter().flatten().map(move |(key, _)| (name, key))
            })
            .filter_map(|(name, key)| Some((name.clone(), structure::meant(key, &known)?)))
            .collect();
        Self {
            registries: names("registries"),
            tags: names("tags"),
            images: names("images"),
            charts: names("charts"),
            artifacts: names("artifacts"),
            signing: names("signing"),
            gates: names("gates"),
            meant,
        }
    }
}

/// The required sections that the configuration lacks. A section does not count as missing if an unknown key was probably meant
/// as its name.
pub(super) fn undeclared_sections(json: &Value) -> Vec<String> {
    let keys: Vec<&str> = json.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let known = schema::keys::<&str>(&[]);
    let meant: Vec<&str> = keys
        .iter()
        .filter(|key| !known.contains(*key))
        .filter_map(|key| structure::meant(key, &known))
        .collect();
    let lacks = |section: &str| {
        !meant.contains(&section)
            && match json.get(section) {
                None => true,
                Some(value) => value.as_object().is_some_and(serde_json::Map::is_empty),
            }
    };
    let mut undeclared = Vec::new();
    if lacks("registries") {
        undeclared.push("registries".to_owned());
    }
    // A chart needs no tag rule, because its version is its tag.
    let only_charts = !lacks("charts") && lacks("images") && lacks("artifacts");
    if lacks("tags") && !only_charts {
        undeclared.push("tags".to_owned());
    }
    if ResourceKind::ALL.into_iter().all(|kind| lacks(kind.table())) {
        undeclared.push("images".to_owned());
    }
    undeclared
}

pub(super) fn nothing_declared(sections: &[String], json: &Value, places: &Places) -> Option<Diagnostic> {
    if sections.is_empty() || !json.is_object() {
        return None;
    }
    let words: Vec<&str> = sections
        .iter()
        .map(|section| match section.as_str() {
            "registries" => "no registry",
            "tags" => "no tag rule",
            _ => "no image, chart or artifact",
        })
        .collect();
    let tables: Vec<String> = sections
        .iter()
        .map(|section| match section.as_str() {
            "registries" => "`[registries.ghcr]` with `url`".to_owned(),
            "tags" => "`[tags.version]` with `on` and `template`".to_owned(),
            _ => "`[images.broker]` with `source`".to_owned(),
        })
        .collect();
    let message = format!("nothing can be published: {} is declared", words.join(", "));
    Some(
        Diagnostic::error(Code::ConfigMissingKey, message)
            .at_maybe(places.value(&[]), words.join(", "))
            .help(format!("add a table such as {}", tables.join(", "))),
    )
}
