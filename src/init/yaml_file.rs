//! A YAML file of a repository: nodes with their lines. Merge keys (`<<`) are followed, because CI files use them.

use helm_package::yaml::{YamlContent, YamlDocument, YamlNode};

/// The most values of a file that are read.
const MAX_NODES: usize = 50_000;
/// The deepest chain of merge keys.
const MAX_MERGES: usize = 8;

/// A file that was read.
#[derive(Debug)]
pub(super) struct YamlFile {
    /// Its name, relative to the folder of `publish.toml`.
    pub file: String,
    text: String,
    document: YamlDocument,
}

/// A node of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileNode<'d> {
    node: YamlNode<'d>,
    text: &'d str,
}

/// A line of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueLine {
    /// Its text, without surrounding white space.
    pub text: String,
    /// Its number in the file, from 1.
    pub line: usize,
}

impl YamlFile {
    /// Reads `text`. `None` if it is not YAML, or contains itself.
    pub fn read(file: &str, text: String) -> Option<Self> {
        let document = YamlDocument::parse(&text, MAX_NODES).ok().filter(|it| it.cycle().is_none())?;
        Some(Self { file: file.to_owned(), text, document })
    }

    /// The node of the whole document.
    pub fn root(&self) -> Option<FileNode<'_>> {
        Some(FileNode { node: self.document.root()?, text: &self.text })
    }
}

impl<'d> FileNode<'d> {
    fn with(self, node: YamlNode<'d>) -> Self {
        Self { node, text: self.text }
    }

    /// The number of its line, from 1.
    pub fn line(self) -> usize {
        let start = self.node.own_span().start;
        1 + self.text.bytes().take(start).filter(|byte| *byte == b'\n').count()
    }

    /// The value of a key of a mapping.
    pub fn get(self, key: &str) -> Option<Self> {
        self.find(key, 0)
    }

    /// The value at a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    fn find(self, key: &str, depth: usize) -> Option<Self> {
        let YamlContent::Mapping(entries) = self.node.content() else { return None };
        let named = |wanted: &str| {
            let found = entries.iter().find(|entry| scalar(entry.key) == Some(wanted));
            found.map(|entry| self.with(entry.value))
        };
        if let Some(found) = named(key) {
            return Some(found);
        }
        let merged = named("<<").filter(|_| depth < MAX_MERGES)?;
        std::iter::once(merged).chain(merged.items()).find_map(|node| node.find(key, depth + 1))
    }

    /// The entries of a mapping whose keys are scalars, those of merge keys first.
    pub fn entries(self) -> Vec<(&'d str, Self)> {
        let mut found = Vec::new();
        self.collect(&mut found, 0);
        found
    }

    fn collect(self, found: &mut Vec<(&'d str, Self)>, depth: usize) {
        let YamlContent::Mapping(entries) = self.node.content() else { return };
        for entry in entries {
            let value = self.with(entry.value);
            match scalar(entry.key) {
                Some("<<") if depth < MAX_MERGES => {
                    for node in std::iter::once(value).chain(value.items()) {
                        node.collect(found, depth + 1);
                    }
                }
                Some(key) => {
                    found.retain(|(name, _)| *name != key);
                    found.push((key, value));
                }
                None => {}
            }
        }
    }

    /// The items of a list.
    pub fn items(self) -> Vec<Self> {
        match self.node.content() {
            YamlContent::Sequence(items) => items.into_iter().map(|item| self.with(item)).collect(),
            _ => Vec::new(),
        }
    }

    /// The text of a scalar that is not null.
    pub fn text(self) -> Option<&'d str> {
        match self.node.content() {
            YamlContent::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether it is a mapping.
    pub fn is_mapping(self) -> bool {
        self.node.is_mapping()
    }

    /// The lines of a scalar that are not empty, or the items of a list of scalars.
    pub fn lines(self) -> Vec<ValueLine> {
        let Some(text) = self.text() else {
            let items = self.items().into_iter();
            return items.flat_map(FileNode::lines).collect();
        };
        let first = self.line();
        let span = self.node.own_span();
        // The text of a block begins on the line after its header (YAML 1.2.2, 8.1.1).
        let header = self.text.get(span.start..).is_some_and(|rest| rest.starts_with(['|', '>']));
        let first = if header { first + 1 } else { first };
        let lines = text.lines().enumerate();
        lines
            .map(|(number, line)| ValueLine { text: line.trim().to_owned(), line: first + number })
            .filter(|it| !it.text.is_empty())
            .collect()
    }

    /// The strings of a scalar or of a list of scalars.
    pub fn strings(self) -> Vec<&'d str> {
        match self.text() {
            Some(text) => vec![text],
            None => self.items().into_iter().filter_map(FileNode::text).collect(),
        }
    }
}

fn scalar(node: YamlNode<'_>) -> Option<&str> {
    match node.content() {
        YamlContent::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_file_and_merge_keys_are_followed() {
        let text = "base: &b\n  one: 1\ntop:\n  <<: *b\n  two: |\n    first\n\n    second\n  three: [x, y]\n  four: plain\n";
        let file = YamlFile::read("x.yml", text.to_owned()).expect("YAML");
        let top = file.root().and_then(|root| root.get("top")).expect("top");
        assert_eq!(top.get("one").and_then(FileNode::text), Some("1"));
        let lines = |key| top.get(key).map(FileNode::lines).unwrap_or_default();
        let numbers = |key| lines(key).into_iter().map(|it| (it.text, it.line)).collect::<Vec<_>>();
        assert_eq!(numbers("two"), [("first".to_owned(), 6), ("second".to_owned(), 8)]);
        assert_eq!(numbers("three"), [("x".to_owned(), 9), ("y".to_owned(), 9)]);
        assert_eq!(numbers("four"), [("plain".to_owned(), 10)]);
        let keys: Vec<&str> = top.entries().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["one", "two", "three", "four"]);
    }
}
