//! The images that a chart names: in `values.yaml`, and in the `image:` lines of its templates.

use crate::chart_file::{ChartFile, FileSpan};
use crate::chart_image::{NamedImage, NamedTag};
use crate::file_store::FileStore;
use crate::helm_yaml::{HelmContent, HelmNode, HelmYaml};
use crate::load::LoadedChart;
use crate::scalar::GoScalar;
use crate::values_image::{ScalarKeys, has_tag};

/// How deep values are searched.
const MAX_DEPTH: usize = 32;

/// Returns the images that the chart itself names, without those of its dependencies.
pub(crate) fn named_images(chart: &LoadedChart, contents: &mut FileStore) -> Vec<NamedImage> {
    let mut text = |name: &str| {
        let bytes = contents.read(chart.files.get(name).copied()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let templates: Vec<(&str, String)> = chart
        .files
        .keys()
        .filter(|name| name.starts_with("templates/"))
        .filter_map(|name| Some((name.as_str(), text(name)?)))
        .collect();
    let uses_app_version = templates.iter().any(|(_, text)| text.contains("AppVersion"));
    let mut images = Vec::new();
    if let Some(text) = text("values.yaml")
        && let Ok(yaml) = HelmYaml::parse(&format!("{}/values.yaml", chart.shown), None, &text)
        && let Some(root) = yaml.root()
    {
        ValuesSearch { uses_app_version, images: &mut images }.search(&root, &mut Vec::new());
    }
    for (name, text) in templates {
        let mut file = None;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some((repository, tag, at)) = image_line(line) {
                let shown = format!("{}/{name}", chart.shown);
                let file = file.get_or_insert_with(|| ChartFile::masked(&shown, None, &text));
                let span = FileSpan::new(file, start + at..start + at + repository.len());
                images.push(NamedImage { repository: repository.to_owned(), tag, path: None, span });
            }
            start += line.len();
        }
    }
    images
}

struct ValuesSearch<'a> {
    uses_app_version: bool,
    images: &'a mut Vec<NamedImage>,
}

impl ValuesSearch<'_> {
    fn search(&mut self, node: &HelmNode<'_>, path: &mut Vec<String>) {
        if path.len() > MAX_DEPTH {
            return;
        }
        match node.content() {
            HelmContent::Scalar(GoScalar::Text(text)) => {
                if let Some((repository, tag)) = reference(&text) {
                    self.add(repository.to_owned(), tag, path, node.span());
                }
            }
            HelmContent::Scalar(_) => {}
            HelmContent::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.inner(item, at.to_string(), path);
                }
            }
            HelmContent::Mapping(entries) => {
                let image =
                    ScalarKeys::of(&entries).image().filter(|(name, _)| !has_tag(name) && !path.is_empty());
                if let Some((repository, tag)) = image {
                    let tag = match tag {
                        Some(tag) if !tag.is_empty() => NamedTag::Text(tag),
                        Some(_) if self.uses_app_version => NamedTag::AppVersion,
                        _ => NamedTag::Unknown,
                    };
                    let span = entries.first().map_or_else(|| node.span(), |entry| entry.value.span());
                    self.add(repository, tag, path, span);
                }
                for entry in entries {
                    self.inner(&entry.value, entry.key, path);
                }
            }
        }
    }

    fn inner(&mut self, node: &HelmNode<'_>, key: String, path: &mut Vec<String>) {
        path.push(key);
        self.search(node, path);
        path.pop();
    }

    fn add(&mut self, repository: String, tag: NamedTag, path: &[String], span: FileSpan) {
        self.images.push(NamedImage { repository, tag, path: Some(path.to_vec()), span });
    }
}

/// Splits a text that is a reference with a tag.
fn reference(text: &str) -> Option<(&str, NamedTag)> {
    if !has_tag(text) || text.contains("://") || text.chars().any(char::is_whitespace) {
        return None;
    }
    if let Some((name, _)) = text.split_once('@') {
        return Some((name, NamedTag::Unknown));
    }
    let (name, tag) = text.rsplit_once(':')?;
    Some((name, NamedTag::Text(tag.to_owned())))
}

/// Returns the repository of an `image:` line of a template, its tag, and the offset of the repository. `None` if the repository is a
/// value.
fn image_line(line: &str) -> Option<(&str, NamedTag, usize)> {
    let trimmed = line.trim_start().trim_start_matches("- ").trim_start();
    let value = trimmed.strip_prefix("image:")?.trim().trim_matches(['"', '\'']);
    let fixed = value.split("{{").next().unwrap_or_default().trim_end();
    let (name, tag) = fixed.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let at = line.find(name)?;
    let tag = match value.get(fixed.len()..).unwrap_or_default() {
        "" if name.contains('@') => NamedTag::Unknown,
        "" => NamedTag::Text(tag.to_owned()),
        rendered
            if tag.is_empty() && rendered.contains(".Chart.AppVersion") && !rendered.contains(".Values") =>
        {
            NamedTag::AppVersion
        }
        _ => NamedTag::Unknown,
    };
    Some((name, tag, at))
}
