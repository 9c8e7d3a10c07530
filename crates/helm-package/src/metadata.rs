//! `Chart.yaml`: its values, checked as Helm checks them (`pkg/chart/metadata.go`, `Validate`), but all at once.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::dependency::{Dependency, read_dependencies};
use crate::fields::FieldReader;
use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmNode, HelmYaml};
use crate::version::HelmVersion;

/// The name of the file.
pub(crate) const CHART_YAML: &str = "Chart.yaml";

/// The values of `Chart.yaml`. The fields, their order and their JSON are those of Helm's struct.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChartMetadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) home: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sources: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) keywords: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) maintainers: Vec<Maintainer>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) condition: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) tags: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) app_version: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deprecated: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) kube_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub(crate) kind: String,
}

/// A person who maintains the chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Maintainer {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) url: String,
}

/// The keys that Helm knows.
const KEYS: [&str; 17] = [
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

impl ChartMetadata {
    /// Reads the values of the document, and reports everything that is wrong with them.
    pub(crate) fn read(yaml: &HelmYaml, findings: &mut ChartFindings) -> Self {
        let mut metadata = Self::default();
        let Some(root) = yaml.root() else {
            findings.error(
                Some(yaml.start()),
                format!("{CHART_YAML} is empty"),
                "write `apiVersion`, `name` and `version`",
            );
            return metadata;
        };
        let mut fields = FieldReader { findings, file: CHART_YAML };
        let mut kind = None;
        let mut name = None;
        let mut version = None;
        for entry in fields.entries(CHART_YAML, &root, &KEYS) {
            let (key, value) = (entry.key.as_str(), &entry.value);
            match key {
                "name" => {
                    metadata.name = fields.text(key, value);
                    name = Some(value.span());
                }
                "home" => metadata.home = fields.text(key, value),
                "sources" => metadata.sources = fields.texts(key, value),
                "version" => {
                    metadata.version = fields.text(key, value);
                    version = Some(value.span());
                }
                "description" => metadata.description = fields.text(key, value),
                "keywords" => metadata.keywords = fields.texts(key, value),
                "maintainers" => metadata.maintainers = maintainers(&mut fields, value),
                "icon" => metadata.icon = fields.text(key, value),
                "apiVersion" => {
                    metadata.api_version = fields.text(key, value);
                    if !["", "v1", "v2"].contains(&metadata.api_version.as_str()) {
                        let message =
                            format!("`apiVersion` must be `v1` or `v2`, not `{}`", metadata.api_version);
                        let help =
                            "write `v2`, or `v1` for a Helm 2 chart; other charts cannot be packaged yet";
                        fields.findings.error(Some(value.span()), message, help);
                    }
                }
                "condition" => metadata.condition = fields.text(key, value),
                "tags" => metadata.tags = fields.text(key, value),
                "appVersion" => metadata.app_version = fields.text(key, value),
                "deprecated" => metadata.deprecated = fields.flag(key, value),
                "annotations" => metadata.annotations = fields.map(key, value),
                "kubeVersion" => metadata.kube_version = fields.text(key, value),
                "dependencies" => metadata.dependencies = read_dependencies(&mut fields, value),
                "type" => {
                    metadata.kind = fields.text(key, value);
                    kind = Some(value.span());
                }
                _ => {}
            }
        }
        // Helm 2 accepted charts without `apiVersion`, and Helm 3 treats them as v1.
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        let here = |span: Option<_>| span.or_else(|| Some(yaml.start()));
        if metadata.name.is_empty() {
            findings.error(
                here(name),
                "`name` is missing",
                "write the chart's name, in lower-case letters, digits and dashes",
            );
        } else if matches!(metadata.name.as_str(), "." | "..") || metadata.name.contains(['/', '\\']) {
            let message = format!("`name` must be a single name, not the path `{}`", metadata.name);
            findings.error(name, message, "use lower-case letters, digits and dashes");
        }
        if metadata.version.is_empty() {
            let help = "write three numbers, such as `1.2.3`";
            findings.error(here(version), "`version` is missing", help);
        } else if HelmVersion::parse(&metadata.version).is_none() {
            let message = format!("`version` is `{}`, which is not a semantic version", metadata.version);
            findings.error(version, message, "write three numbers, such as `1.2.3`");
        }
        if !["", "application", "library"].contains(&metadata.kind.as_str()) {
            let message = format!("`type` must be `application` or `library`, not `{}`", metadata.kind);
            findings.error(
                kind,
                message,
                "write `library` for a chart without manifests; otherwise remove the line",
            );
        }
        metadata
    }

    /// Whether it is a Helm 2 chart, whose dependencies are in `requirements.yaml`.
    pub(crate) fn is_v1(&self) -> bool {
        self.api_version == "v1"
    }
}

fn maintainers(fields: &mut FieldReader<'_>, value: &HelmNode<'_>) -> Vec<Maintainer> {
    let mut maintainers = Vec::new();
    for item in fields.list("maintainers", value) {
        let mut maintainer = Maintainer::default();
        if item.is_null() {
            let message = "`maintainers` has an empty item";
            fields.findings.error(Some(item.span()), message, "write `- name: …`, or remove the line");
            continue;
        }
        for entry in fields.entries("maintainers", &item, &["name", "email", "url"]) {
            match entry.key.as_str() {
                "name" => maintainer.name = fields.text("maintainers.name", &entry.value),
                "email" => maintainer.email = fields.text("maintainers.email", &entry.value),
                "url" => maintainer.url = fields.text("maintainers.url", &entry.value),
                _ => {}
            }
        }
        maintainers.push(maintainer);
    }
    maintainers
}
