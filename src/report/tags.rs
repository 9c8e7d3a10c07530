//! The tags of a context, as text, as JSON, and as outputs of a GitHub Actions step.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::paint::Ink;
use super::{Style, clean};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ResourceId, ResourceKind};

/// The tags of one resource.
#[derive(Debug, Clone, Serialize)]
pub struct ResourceEntry {
    /// The version that it is published as.
    pub version: Option<String>,
    /// Its tags.
    pub tags: Vec<TagEntry>,
    /// Its repositories, by full name.
    #[serde(skip)]
    pub repositories: Vec<String>,
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
                resource.version.as_ref().map(|it| format!(" {}", clean::line(it))).unwrap_or_default();
            text.push_str(&format!("{}{version}\n", style.paint(Ink::Strong, clean::line(&name(id, '.')))));
            for TagEntry { tag, rule, mutability } in &resource.tags {
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

    fn value(&self) -> Value {
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

    /// Returns lines `key=value` for `$GITHUB_OUTPUT`: `json`, and for each image `NAME-version`, `NAME-tags` (separated by
    /// commas) and `NAME-references` (every tag in every registry, in the form that build tools take). Charts and artifacts have
    /// the same outputs with `charts-NAME` and `artifacts-NAME`.
    ///
    /// # Errors
    ///
    /// If the outputs of two resources would have the same names: GitHub keeps the last one, and ignores the case of names.
    pub fn github(&self) -> Result<String, Diagnostic> {
        let mut named: BTreeMap<String, &ResourceId> = BTreeMap::new();
        for (id, _) in &self.resources {
            if let Some(other) = named.insert(name(id, '-').to_ascii_lowercase(), id) {
                return Err(same_outputs(other, id));
            }
        }
        let mut text = clean::json(&format!("json={}\n", self.value()));
        for (id, resource) in &self.resources {
            let name = name(id, '-');
            let tags: Vec<&str> = resource.tags.iter().map(|entry| entry.tag.as_str()).collect();
            let references: Vec<String> = resource
                .repositories
                .iter()
                .flat_map(|repository| tags.iter().map(move |tag| format!("{repository}:{tag}")))
                .collect();
            let version = resource.version.as_deref().unwrap_or_default();
            text.push_str(&format!("{name}-version={version}\n{name}-tags={}\n", tags.join(",")));
            text.push_str(&format!("{name}-references={}\n", references.join(",")));
        }
        Ok(text)
    }
}

/// The diagnostic for two resources whose outputs would have the same names.
fn same_outputs(one: &ResourceId, other: &ResourceId) -> Diagnostic {
    let output = format!("{}-version", name(other, '-'));
    let message = format!("the outputs of {one} and {other} would have the same names, such as `{output}`");
    Diagnostic::error(Code::CommandUsage, message).help("use `--format json`, or rename one of the two")
}

/// Returns the key of a resource: the name of an image, or the table and the name of any other resource.
fn name(id: &ResourceId, separator: char) -> String {
    match id.kind {
        ResourceKind::Image => id.name.clone(),
        ResourceKind::Chart | ResourceKind::Artifact => format!("{}{separator}{}", id.table(), id.name),
    }
}
