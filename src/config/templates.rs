//! The templates of the project and of its resources, with the keys that lead to them.

use super::{DeclaredContent, Project, Resource};

/// A template in a table of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredTemplate<'a> {
    /// The keys below the table that lead to it.
    pub keys: Vec<String>,
    /// The text, which may have nothing to render.
    pub text: &'a str,
}

impl Project {
    /// Every template of the project.
    pub fn templates(&self) -> impl Iterator<Item = DeclaredTemplate<'_>> {
        let tables = [("annotations", &self.annotations), ("labels", &self.labels)];
        tables.into_iter().flat_map(|(table, entries)| {
            entries
                .iter()
                .map(move |(key, text)| DeclaredTemplate { keys: vec![table.to_owned(), key.clone()], text })
        })
    }
}

impl Resource {
    /// Every template of the resource except the version of a chart, which renders a tag.
    pub fn templates(&self) -> Vec<DeclaredTemplate<'_>> {
        let at = |keys: &[&str], text| DeclaredTemplate {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            text,
        };
        let mut found = Vec::new();
        match &self.content {
            DeclaredContent::Image(image) => {
                for (key, text) in image.source.templates() {
                    let keys: Vec<&str> = ["source"].into_iter().chain(key.as_deref()).collect();
                    found.push(at(&keys, text));
                }
                found.extend(image.labels.own.iter().map(|(key, text)| at(&["labels", key], text.as_str())));
            }
            DeclaredContent::Chart(chart) => {
                found.push(at(&["source"], chart.source.as_str()));
                found.extend(chart.app_version.iter().map(|text| at(&["app_version"], text.as_str())));
            }
            DeclaredContent::Artifact(artifact) => {
                for (index, file) in artifact.files.iter().enumerate() {
                    found.push(at(&["files", &index.to_string(), "path"], file.path.as_str()));
                }
            }
        }
        for declared in self.declared_repositories.iter().filter(|it| !it.keys.is_empty()) {
            found.push(DeclaredTemplate { keys: declared.keys.clone(), text: declared.text.as_str() });
        }
        let annotations = self.annotations.own.iter();
        found.extend(annotations.map(|(key, text)| at(&["annotations", key], text.as_str())));
        found
    }
}
