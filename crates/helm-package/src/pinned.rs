//! Setting the images in the `values.yaml` of a chart.

use std::path::{Path, PathBuf};

use crate::chart_image::{ChartImage, ValueChange, dotted};
use crate::file_store::FileStore;
use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmContent, HelmNode, HelmYaml};
use crate::load::LoadedChart;
use crate::values_edit::{ValueEdit, node_at, with_values};
use crate::values_image;

/// The name of the file.
const VALUES: &str = "values.yaml";

/// Sets `images` in the values of `chart`, whose directory is `folder`, and returns the changes. The text is changed only if there are no
/// findings.
pub(crate) fn set_images(
    chart: &mut LoadedChart,
    folder: &Path,
    contents: &mut FileStore,
    images: &[ChartImage],
    findings: &mut ChartFindings,
) -> Vec<ValueChange> {
    let Some(first) = images.first() else { return Vec::new() };
    let shown = format!("{}/{VALUES}", chart.shown);
    let Some(file) = chart.files.get(VALUES).copied() else {
        let message =
            format!("the chart has no `{VALUES}`, in which `{}` is to name an image", dotted(&first.path));
        findings.error(None, message, "add the file, and let the templates use the value");
        return Vec::new();
    };
    let Some(text) = contents.read(file).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Vec::new();
    };
    let (edits, changes) = changes(&text, &shown, folder.join(VALUES), images, findings);
    if findings.any_error() {
        return Vec::new();
    }
    let Some(edited) = with_values(&text, &edits) else {
        let paths: Vec<String> = images.iter().map(|image| format!("`{}`", dotted(&image.path))).collect();
        let message =
            format!("{} cannot be set in `{shown}` without changing other values", paths.join(", "));
        findings.error(None, message, "write the values of the image there without aliases and `<<`");
        return Vec::new();
    };
    if edited != text {
        match contents.add(edited.as_bytes()) {
            Ok(file) => drop(chart.files.insert(VALUES.to_owned(), file)),
            Err(error) => findings.error(None, format!("`{shown}` {}", error.reason()), "make it smaller"),
        }
    }
    changes
}

fn changes(
    text: &str,
    shown: &str,
    path: PathBuf,
    images: &[ChartImage],
    findings: &mut ChartFindings,
) -> (Vec<ValueEdit>, Vec<ValueChange>) {
    let (mut edits, mut changes) = (Vec::new(), Vec::new());
    // A file that cannot be read is an error already.
    let Ok(yaml) = HelmYaml::parse(shown, Some(path), text) else { return (edits, changes) };
    let Some(root) = yaml.root() else {
        let message = format!("`{shown}` is empty, so it names no image");
        findings.error(Some(yaml.start()), message, "write the values that the templates use");
        return (edits, changes);
    };
    for image in images {
        let found = match values_image::edits(root, image) {
            Ok(found) => found,
            Err((message, help)) => {
                let known =
                    (0..=image.path.len()).rev().find_map(|length| node_at(root, image.path.get(..length)?));
                let span = known.filter(HelmNode::is_scalar).map_or_else(|| yaml.start(), |node| node.span());
                findings.error(Some(span), format!("`{shown}` {message}"), &help);
                continue;
            }
        };
        for edit in found {
            let before = node_at(root, &edit.path).map(|node| match node.content() {
                HelmContent::Scalar(scalar) => scalar.to_text(),
                _ => node.description(),
            });
            let after = edit.value.as_str().map_or_else(|| edit.value.to_string(), str::to_owned);
            changes.push(ValueChange { path: dotted(&edit.path), before, after });
            edits.push(edit);
        }
    }
    (edits, changes)
}
