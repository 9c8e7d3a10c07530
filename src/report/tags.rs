//! The tags of a context: as text, as JSON, and as outputs of a GitHub Actions step.

use serde::Serialize;
use serde_json::{Value, json};

use super::paint::Ink;
use super::{Style, clean};

/// The tags of one image.
#[derive(Debug, Clone, Serialize)]
pub struct ImageTags {
    /// The version it is published as.
    pub version: Option<String>,
    /// Its tags.
    pub tags: Vec<TagEntry>,
    /// Its repositories, by whole name.
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

/// The tags of every image in a context.
#[derive(Debug, Clone)]
pub struct Tags {
    /// One line about the context.
    pub title: String,
    /// The context.
    pub context: Value,
    /// The images, in the order of `publish.toml`.
    pub images: Vec<(String, ImageTags)>,
}

impl Tags {
    /// For people: with `verbose` the rules that do not fire too.
    pub fn human(&self, verbose: bool, style: Style) -> String {
        let mut text = String::new();
        let entries = || self.images.iter().flat_map(|(_, image)| &image.tags);
        let width = entries().map(|entry| entry.tag.len()).max().unwrap_or_default();
        let kinds = entries().map(|entry| entry.mutability.len()).max().unwrap_or_default();
        for (name, image) in &self.images {
            let version =
                image.version.as_ref().map(|it| format!(" {}", clean::line(it))).unwrap_or_default();
            text.push_str(&format!("{}{version}\n", style.paint(Ink::Strong, clean::line(name))));
            for TagEntry { tag, rule, mutability } in &image.tags {
                text.push_str(&format!("  {tag:width$}  {mutability:kinds$}  {}\n", clean::line(rule)));
            }
            if image.tags.is_empty() {
                text.push_str(&format!("  no rule fires on {}\n", clean::line(&self.title)));
            }
            if image.tags.is_empty() || verbose {
                for (rule, reason) in &image.silent {
                    text.push_str(&format!("  - {}: {}\n", clean::line(rule), clean::line(reason)));
                }
            }
        }
        style.plain(text)
    }

    fn value(&self) -> Value {
        let images: serde_json::Map<String, Value> =
            self.images.iter().map(|(name, image)| (name.clone(), json!(image))).collect();
        json!({ "format_version": 1, "context": self.context, "images": images, "charts": {} })
    }

    /// One JSON document.
    pub fn json(&self) -> String {
        format!("{:#}\n", self.value())
    }

    /// Lines `key=value` for `$GITHUB_OUTPUT`: `json`, and for each image `NAME-version`, `NAME-tags` (with commas between) and
    /// `NAME-references` (every tag in every registry, as build tools take them).
    pub fn github(&self) -> String {
        let mut text = format!("json={}\n", self.value());
        for (name, image) in &self.images {
            let tags: Vec<&str> = image.tags.iter().map(|entry| entry.tag.as_str()).collect();
            let references: Vec<String> = image
                .repositories
                .iter()
                .flat_map(|repository| tags.iter().map(move |tag| format!("{repository}:{tag}")))
                .collect();
            let version = image.version.as_deref().unwrap_or_default();
            text.push_str(&format!("{name}-version={version}\n{name}-tags={}\n", tags.join(",")));
            text.push_str(&format!("{name}-references={}\n", references.join(",")));
        }
        text
    }
}
