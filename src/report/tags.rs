//! The tags of a context, as text and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::paint::Ink;
use super::{Style, clean};
use crate::model::{ResourceId, ResourceKind};

/// The tags of one resource.
#[derive(Debug, Clone, Serialize)]
pub struct ResourceEntry {
    /// The version that it is published as, or else a tag that names it.
    pub version: Option<String>,
    /// The version of the release, if it is one.
    #[serde(skip)]
    pub release: Option<String>,
    /// Its tags.
    pub tags: Vec<TagEntry>,
    /// The full references that a build tool may push.
    pub references: Vec<String>,
    /// The full references of forward tags. Only a plan knows which of them move.
    pub candidates: Vec<String>,
    /// The labels of an image.
    pub labels: BTreeMap<String, String>,
    /// The annotations.
    pub annotations: Vec<Annotation>,
    /// The rules that do not fire, and why.
    #[serde(skip)]
    pub silent: Vec<(String, String)>,
}

/// A tag and the rule that renders it.
#[derive(Debug, Clone, Serialize)]
pub struct TagEntry {
    /// The tag.
    pub tag: String,
    /// The rule.
    pub rule: String,
    /// `immutable`, `forward` or `mutable`.
    pub mutability: &'static str,
    /// Whether it is a forward tag, which only a plan may move.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub candidate: bool,
}

/// An annotation.
#[derive(Debug, Clone, Serialize)]
pub struct Annotation {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The levels, as build tools name them: `index`, `manifest`, `manifest-descriptor`.
    pub levels: Vec<&'static str>,
}

impl Annotation {
    /// The annotation as build tools take it: `index:key=value`.
    pub(super) fn argument(&self) -> String {
        format!("{}:{}={}", self.levels.join(","), self.key, self.value)
    }
}

/// The tags of every resource in a context.
#[derive(Debug, Clone)]
pub struct Tags {
    /// One line about the context.
    pub title: String,
    /// The context.
    pub context: Value,
    /// The resources, in the order of `publish.toml`.
    pub resources: Vec<(ResourceId, ResourceEntry)>,
}

impl Tags {
    /// Returns the tags as text for people. If `verbose`, includes the rules that do not fire.
    pub fn human(&self, verbose: bool, style: Style) -> String {
        let mut text = String::new();
        let entries = || self.resources.iter().flat_map(|(_, resource)| &resource.tags);
        let width = entries().map(|entry| entry.tag.len()).max().unwrap_or_default();
        let kinds = entries().map(|entry| entry.mutability.len()).max().unwrap_or_default();
        for (id, resource) in &self.resources {
            let version =
                resource.release.as_ref().map(|it| format!(" {}", clean::line(it))).unwrap_or_default();
            text.push_str(&format!("{}{version}\n", style.paint(Ink::Strong, clean::line(&name(id, '.')))));
            for TagEntry { tag, rule, mutability, .. } in &resource.tags {
                text.push_str(&format!("  {tag:width$}  {mutability:kinds$}  {}\n", clean::line(rule)));
            }
            if resource.tags.is_empty() {
                text.push_str(&format!("  no rule fires on {}\n", clean::line(&self.title)));
            }
            if resource.tags.is_empty() || verbose {
                for (rule, reason) in &resource.silent {
                    text.push_str(&format!("  - {}: {}\n", clean::line(rule), clean::line(reason)));
                }
            }
        }
        style.plain(text)
    }

    pub(super) fn value(&self) -> Value {
        let mut value = json!({ "format_version": 1, "context": self.context });
        for kind in ResourceKind::ALL {
            let of_kind = self.resources.iter().filter(|(id, _)| id.kind == kind);
            let entries: serde_json::Map<String, Value> =
                of_kind.map(|(id, resource)| (id.name.clone(), json!(resource))).collect();
            value[kind.table()] = Value::Object(entries);
        }
        value
    }

    /// Returns one JSON document.
    pub fn json(&self) -> String {
        clean::json(&format!("{:#}\n", self.value()))
    }
}

/// Returns the key of a resource: the name of an image, or the table and the name of any other resource.
pub(super) fn name(id: &ResourceId, separator: char) -> String {
    match id.kind {
        ResourceKind::Image => id.name.clone(),
        ResourceKind::Chart | ResourceKind::Artifact => format!("{}{separator}{}", id.table(), id.name),
    }
}
