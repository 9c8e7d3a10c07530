//! Values of `Chart.yaml` that should be strings but are numbers or booleans for Helm, because they are written without quotes.
//!
//! `appVersion: 1.10` is the number 1.1, so Helm packages and shows the version 1.1, and `7052e10`, a short commit, becomes `7.052e+13`
//! (helm/helm#12236, rowanruseler/helm-charts#156). `helm lint` refuses such a `version` and `appVersion` (`pkg/lint/rules/chartfile.go`,
//! `validateChartAppVersionType`). If the text changes, the chart is not published: nobody means the other version.

use std::collections::BTreeMap;

use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmContent, HelmNode};
use crate::load::LoadedChart;
use crate::metadata::CHART_YAML;
use crate::scalar::GoScalar;

/// The keys that have one string each.
const TEXTS: [&str; 11] = [
    "name",
    "home",
    "version",
    "description",
    "icon",
    "condition",
    "tags",
    "appVersion",
    "kubeVersion",
    "type",
    "apiVersion",
];

/// Reports values of the chart's own `Chart.yaml` that Helm reads as numbers or booleans. A version that publishing replaces is a
/// warning at most.
pub(crate) fn check_typed_values(chart: &LoadedChart, sets_app_version: bool, findings: &mut ChartFindings) {
    // Values that were not read whole are an error already.
    if chart.yaml.is_too_much() {
        return;
    }
    let entries = chart.yaml.root().map(|root| values(&root)).unwrap_or_default();
    let get = |key: &str| entries.get(key).copied();
    for key in TEXTS {
        let Some(value) = get(key) else { continue };
        let replaced = key == "version" || (key == "appVersion" && sets_app_version);
        let is_version = matches!(key, "version" | "appVersion" | "kubeVersion");
        check_value(key, &value, is_version, replaced, findings);
    }
    for key in ["sources", "keywords"] {
        for item in items(get(key)) {
            check_value(key, &item, false, false, findings);
        }
    }
    if let Some(HelmContent::Mapping(entries)) = get("annotations").map(|value| value.content()) {
        for entry in entries {
            check_value(&format!("annotations.{}", entry.key), &entry.value, false, false, findings);
        }
    }
    for dependency in items(get("dependencies")) {
        let entries = values(&dependency);
        for key in ["name", "version", "repository", "alias"] {
            if let Some(value) = entries.get(key).copied() {
                let is_version = key == "version";
                check_value(&format!("dependencies.{key}"), &value, is_version, false, findings);
            }
        }
    }
}

/// Returns the values of a mapping by their keys, read once.
fn values<'a>(mapping: &HelmNode<'a>) -> BTreeMap<String, HelmNode<'a>> {
    let HelmContent::Mapping(entries) = mapping.content() else { return BTreeMap::new() };
    entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn items(value: Option<HelmNode<'_>>) -> Vec<HelmNode<'_>> {
    match value.map(|value| value.content()) {
        Some(HelmContent::List(items)) => items,
        _ => Vec::new(),
    }
}

/// Checks one value. It is an error if it is a version that Helm reads as another one.
fn check_value(
    key: &str,
    value: &HelmNode<'_>,
    is_version: bool,
    replaced: bool,
    findings: &mut ChartFindings,
) {
    let HelmContent::Scalar(scalar) = value.content() else { return };
    let kind = match scalar {
        GoScalar::Bool(_) => "a boolean",
        GoScalar::Int(_) | GoScalar::Unsigned(_) | GoScalar::Float(_) => "a number",
        GoScalar::Text(_) | GoScalar::Null => return,
    };
    let (written, read) = (value.written().unwrap_or_default(), scalar.to_text());
    let last = key.rsplit('.').next().unwrap_or(key);
    let help = format!("write it in quotes: `{last}: \"{written}\"`");
    let span = Some(value.span());
    if written == read {
        // `helm lint` checks no other key.
        if matches!(key, "version" | "appVersion") {
            let message = format!("`{key}` in {CHART_YAML} is {kind}, not a string: `helm lint` refuses it");
            findings.warning(span, message, &help);
        }
        return;
    }
    let message =
        format!("`{key}` in {CHART_YAML} is `{written}` without quotes, {kind} that Helm reads as `{read}`");
    if is_version && !replaced {
        findings.error(span, message, &help);
    } else {
        findings.warning(span, message, &help);
    }
}
