//! `Chart.yaml`: its values, checked as Helm checks them (`pkg/chart/metadata.go`, `Validate`), but all at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dependency::{Dependency, read_dependencies};
use super::finding::Findings;
use super::read::{Fields, is_null};
use super::version::Version;
use super::yaml::{Is, Value, Yaml};

/// The name of the file.
pub(super) const CHART_YAML: &str = "Chart.yaml";

/// The values of `Chart.yaml`. The fields, their order and their JSON are those of Helm's struct.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) home: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sources: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) maintainers: Vec<Maintainer>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) condition: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) tags: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) app_version: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) deprecated: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) kube_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) dependencies: Vec<Dependency>,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub(super) kind: String,
}

/// A person who maintains the chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Maintainer {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) url: String,
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

impl Metadata {
    /// Reads the values of the document, and reports everything that is wrong with them.
    pub(super) fn read(yaml: &Yaml, findings: &mut Findings) -> Self {
        let mut metadata = Self::default();
        let Some(root) = yaml.root().filter(|root| !is_null(root)) else {
            findings.error(
                Some(yaml.start()),
                format!("{CHART_YAML} is empty"),
                "write `apiVersion`, `name` and `version`",
            );
            return metadata;
        };
        let mut fields = Fields { findings, file: CHART_YAML };
        let mut kind = None;
        let mut name = None;
        let mut version = None;
        for entry in fields.entries(CHART_YAML, &root, &KEYS) {
            let (key, value) = (entry.key.as_str(), &entry.value);
            match key {
                "name" => {
                    metadata.name = fields.text(key, value);
                    name = Some(value.place());
                }
                "home" => metadata.home = fields.text(key, value),
                "sources" => metadata.sources = fields.texts(key, value),
                "version" => {
                    metadata.version = fields.text(key, value);
                    version = Some(value.place());
                }
                "description" => metadata.description = fields.text(key, value),
                "keywords" => metadata.keywords = fields.texts(key, value),
                "maintainers" => metadata.maintainers = maintainers(&mut fields, value),
                "icon" => metadata.icon = fields.text(key, value),
                "apiVersion" => {
                    metadata.api_version = fields.text(key, value);
                    if !["", "v1", "v2"].contains(&metadata.api_version.as_str()) {
                        let message = format!("`apiVersion` is `{}`", metadata.api_version);
                        let help =
                            "write `v2`, or `v1` for a Helm 2 chart; other charts cannot be published yet";
                        fields.findings.error(Some(value.place()), message, help);
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
                    kind = Some(value.place());
                }
                _ => {}
            }
        }
        // Helm 2 accepted charts without `apiVersion`, and Helm 3 treats them as v1.
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        let here = |place: Option<_>| place.or_else(|| Some(yaml.start()));
        if metadata.name.is_empty() {
            findings.error(
                here(name),
                "`name` is missing",
                "write the chart's name: the last part of its repository",
            );
        } else if matches!(metadata.name.as_str(), "." | "..") || metadata.name.contains(['/', '\\']) {
            let message = format!("`name` is `{}`, which is a path", metadata.name);
            findings.error(name, message, "use lower-case letters, digits and dashes");
        }
        if metadata.version.is_empty() {
            let help = "write any version, such as `1.2.3`: the chart is published with the `version` of `publish.toml`";
            findings.error(here(version), "`version` is missing", help);
        } else if Version::parse(&metadata.version).is_none() {
            let message = format!("`version` is `{}`, which is not a semantic version", metadata.version);
            findings.error(version, message, "write three numbers, such as `1.2.3`");
        }
        if !["", "application", "library"].contains(&metadata.kind.as_str()) {
            let message = format!("`type` is `{}`", metadata.kind);
            findings.error(kind, message, "write `application` or `library`");
        }
        metadata
    }

    /// Whether it is a Helm 2 chart, whose dependencies are in `requirements.yaml`.
    pub(super) fn is_v1(&self) -> bool {
        self.api_version == "v1"
    }
}

fn maintainers(fields: &mut Fields<'_>, value: &Value<'_>) -> Vec<Maintainer> {
    let mut maintainers = Vec::new();
    for item in fields.list("maintainers", value) {
        let mut maintainer = Maintainer::default();
        if !matches!(item.is(), Is::Mapping(_)) && is_null(&item) {
            let message = "`maintainers` has an empty item";
            fields.findings.error(Some(item.place()), message, "write `- name: …`, or remove the line");
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
