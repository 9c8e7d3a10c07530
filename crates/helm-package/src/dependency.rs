//! A dependency as it is listed in `Chart.yaml`, `requirements.yaml` and the lock files.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use crate::chart_file::FileSpan;
use crate::fields::FieldReader;
use crate::helm_yaml::HelmNode;

/// A dependency. The fields and their order are those of Helm's struct (`pkg/chart/dependency.go`), because its JSON goes into the
/// digest of the lock and into the configuration of the published chart.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    pub(crate) repository: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) condition: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enabled: bool,
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub(crate) import_values: Vec<Json>,
    #[serde(rename = "export-values", skip_serializing_if = "Vec::is_empty")]
    pub(crate) export_values: Vec<Json>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) alias: String,
    /// Its place in the file.
    #[serde(skip)]
    pub(crate) span: Option<FileSpan>,
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
pub(crate) fn read_dependencies(fields: &mut FieldReader<'_>, value: &HelmNode<'_>) -> Vec<Dependency> {
    let dependencies = read_locked_dependencies(fields, value);
    let mut names = BTreeSet::new();
    for dependency in &dependencies {
        let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
        if !names.insert(key) {
            let message = format!("two dependencies have the name or alias `{key}`");
            fields.findings.error(dependency.span.clone(), message, "give one of them an `alias`");
        }
    }
    dependencies
}

/// Reads the list of dependencies of a lock. A lock has no aliases, so a chart that is used twice is listed twice.
pub(crate) fn read_locked_dependencies(
    fields: &mut FieldReader<'_>,
    value: &HelmNode<'_>,
) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    for item in fields.list("dependencies", value) {
        if item.is_null() {
            let message = "`dependencies` has an empty item";
            fields.findings.error(Some(item.span()), message, "write `- name: …`, or remove the line");
            continue;
        }
        let mut dependency = Dependency { span: Some(item.span()), ..Dependency::default() };
        for entry in fields.entries("dependencies", &item, &KEYS) {
            let (key, value) = (entry.key.as_str(), &entry.value);
            let what = format!("dependencies.{key}");
            match key {
                "name" => {
                    dependency.name = fields.text(&what, value);
                    dependency.span = Some(value.span());
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
                            Some(value.span()),
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
