//! A dependency as it is listed in `Chart.yaml`, `requirements.yaml` and the lock files.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::read::{Fields, is_null};
use super::yaml::Value;
use crate::text::Place;

/// A dependency. The fields and their order are those of Helm's struct (`pkg/chart/dependency.go`), because its JSON goes into the
/// digest of the lock and into the configuration of the published chart.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    pub(super) repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) condition: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) enabled: bool,
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub(super) import_values: Vec<Json>,
    #[serde(rename = "export-values", skip_serializing_if = "Vec::is_empty")]
    pub(super) export_values: Vec<Json>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) alias: String,
    /// Its place in the file.
    #[serde(skip)]
    pub(super) place: Option<Place>,
}

impl PartialEq for Dependency {
    fn eq(&self, other: &Self) -> bool {
        let of = |it: &Self| serde_json::to_value(it).ok();
        of(self) == of(other)
    }
}

const KEYS: [&str; 9] = [
    "name",
    "version",
    "repository",
    "condition",
    "tags",
    "enabled",
    "import-values",
    "export-values",
    "alias",
];

/// Reads a list of dependencies, of which no two may have the same name or alias.
pub(super) fn read_dependencies(fields: &mut Fields<'_>, value: &Value<'_>) -> Vec<Dependency> {
    let dependencies = read_locked(fields, value);
    let mut names = BTreeSet::new();
    for dependency in &dependencies {
        let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
        if !names.insert(key) {
            let message = format!("two dependencies have the name or alias `{key}`");
            fields.findings.error(dependency.place.clone(), message, "give one of them an `alias`");
        }
    }
    dependencies
}

/// Reads the list of dependencies of a lock. A lock has no aliases, so a chart that is used twice is listed twice.
pub(super) fn read_locked(fields: &mut Fields<'_>, value: &Value<'_>) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    for item in fields.list("dependencies", value) {
        if is_null(&item) {
            let message = "`dependencies` has an empty item";
            fields.findings.error(Some(item.place()), message, "write `- name: …`, or remove the line");
            continue;
        }
        let mut dependency = Dependency { place: Some(item.place()), ..Dependency::default() };
        for entry in fields.entries("dependencies", &item, &KEYS) {
            let (key, value) = (entry.key.as_str(), &entry.value);
            let what = format!("dependencies.{key}");
            match key {
                "name" => {
                    dependency.name = fields.text(&what, value);
                    dependency.place = Some(value.place());
                }
                "version" => dependency.version = fields.text(&what, value),
                "repository" => dependency.repository = fields.text(&what, value),
                "condition" => dependency.condition = fields.text(&what, value),
                "tags" => dependency.tags = fields.texts(&what, value),
                "enabled" => dependency.enabled = fields.flag(&what, value),
                "import-values" => dependency.import_values = fields.free(&what, value),
                "export-values" => dependency.export_values = fields.free(&what, value),
                "alias" => {
                    dependency.alias = fields.text(&what, value);
                    let allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
                    if !dependency.alias.chars().all(allowed) {
                        let message =
                            format!("the alias `{}` has characters that Helm refuses", dependency.alias);
                        fields.findings.error(
                            Some(value.place()),
                            message,
                            "use only letters, digits, `_` and `-`",
                        );
                    }
                }
                _ => {}
            }
        }
        dependencies.push(dependency);
    }
    dependencies
}
