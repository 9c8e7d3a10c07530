//! Setting `version` and `appVersion` in the text of `Chart.yaml`, with every other byte as its author wrote it.
//!
//! `helm package --version` writes the file again from the fields that it read: sorted, and without comments and unknown keys. This
//! module replaces the two values in place, or adds a line. Helm must read the same fields either way, and to make sure of that the
//! new text is read again.

use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmContent, HelmEntry, HelmYaml};
use crate::load::LoadedChart;
use crate::metadata::{CHART_YAML, ChartMetadata};
use crate::scalar::plain_or_quoted;
use crate::values_edit::{ValueEdit, with_values};

/// Sets the version, and the version of the application if one is given.
pub(crate) fn set_versions(
    chart: &mut LoadedChart,
    version: &str,
    app_version: Option<&str>,
    findings: &mut ChartFindings,
) {
    let wanted = ChartMetadata {
        version: version.to_owned(),
        app_version: app_version.map_or_else(|| chart.metadata.app_version.clone(), str::to_owned),
        ..chart.metadata.clone()
    };
    if wanted == chart.metadata {
        return;
    }
    let mut text = chart.text.clone();
    let values = [("version", Some(version)), ("appVersion", app_version)];
    for (key, value) in values.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        if let Some(edited) = parse_chart_yaml(&text).and_then(|yaml| with_value(&text, &yaml, key, value)) {
            text = edited;
        }
    }
    // The dependencies of a Helm 2 chart are in another file, so the text does not have them.
    let dependencies = || wanted.dependencies.clone();
    let metadata = |yaml: &HelmYaml| ChartMetadata {
        dependencies: dependencies(),
        ..ChartMetadata::read(yaml, &mut ChartFindings::default())
    };
    let read = |text: String| {
        let yaml = parse_chart_yaml(&text)?;
        (metadata(&yaml) == wanted).then_some((text, yaml))
    };
    // Helm sets the version alone: an alias of it keeps the value that it had.
    let again = || with_values(&chart.text, &edits(version, app_version)).and_then(read);
    match read(text).or_else(again) {
        Some((text, yaml)) => {
            chart.text = text;
            chart.yaml = yaml;
            chart.metadata = wanted;
        }
        None => {
            let help = "write each as a key of its own with a value on the same line: `version: 0.1.0`";
            let message = format!("`version` and `appVersion` cannot be set in this `{CHART_YAML}`");
            findings.error(Some(chart.yaml.start()), message, help);
        }
    }
}

/// The versions as edits.
fn edits(version: &str, app_version: Option<&str>) -> Vec<ValueEdit> {
    let edit = |key: &str, value: &str| ValueEdit { path: vec![key.to_owned()], value: value.into() };
    let app_version = app_version.map(|value| edit("appVersion", value));
    std::iter::once(edit("version", version)).chain(app_version).collect()
}

fn parse_chart_yaml(text: &str) -> Option<HelmYaml> {
    HelmYaml::parse(CHART_YAML, None, text).ok()
}

/// Returns the text with `key` set to `value`.
fn with_value(text: &str, yaml: &HelmYaml, key: &str, value: &str) -> Option<String> {
    let HelmContent::Mapping(entries) = yaml.root()?.content() else { return None };
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let value = plain_or_quoted(value);
    if let Some(entry) = find(key) {
        let span = entry.value.bytes();
        if span.is_empty() {
            let colon = entry.key_bytes.end + text.get(entry.key_bytes.end..)?.find(':')? + 1;
            return Some([text.get(..colon)?, " ", &value, text.get(colon..)?].concat());
        }
        return Some([text.get(..span.start)?, &value, text.get(span.end..)?].concat());
    }
    with_key(text, find("version")?, key, &value)
}

/// Returns the text with a new key before another one.
fn with_key(text: &str, next: &HelmEntry<'_>, key: &str, value: &str) -> Option<String> {
    let (before, after) = (text.get(..next.key_bytes.start)?, text.get(next.key_bytes.start..)?);
    let indentation = before.rsplit('\n').next().unwrap_or_default();
    let divider = if indentation.trim().is_empty() { format!("\n{indentation}") } else { ", ".to_owned() };
    Some([before, key, ": ", value, &divider, after].concat())
}
