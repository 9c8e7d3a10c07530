//! A YAML document as Helm reads it, for files that are read as a whole: `Chart.yaml` and `Chart.lock`.
//!
//! On top of [`crate::yaml`]: plain scalars have the types of YAML 1.1 as Go reads it, `<<` merges mappings, places are in a file of a
//! chart, and the amount that is read with aliases followed is bounded.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::chart_file::{ChartFile, FileSpan};
use crate::scalar::GoScalar;
use crate::yaml::{YamlContent, YamlDocument, YamlEntry, YamlError, YamlNode};

/// The most values that one file may have. A large `Chart.yaml` has a few hundred.
const MAX_NODES: usize = 50_000;
/// How many levels of mappings `<<` may merge into one another.
const MAX_MERGES: usize = 16;
/// How much may be read from one document with aliases followed, in bytes of scalars, items of lists, and `KEY` for each key. A
/// document of the largest size needs less, even if each value is read several times.
const MAX_READ: usize = 16 * 1024 * 1024;
/// The amount that reading a key counts for.
const KEY: usize = 32;

/// A document.
pub(crate) struct HelmYaml {
    file: Arc<ChartFile>,
    document: YamlDocument,
    /// How much was read.
    read: Cell<usize>,
}

impl HelmYaml {
    /// Reads the first document of `text`. `name` and `path` are those of the file.
    pub(crate) fn parse(name: &str, path: Option<PathBuf>, text: &str) -> Result<Self, HelmYamlError> {
        let file = ChartFile::masked(name, path, text);
        let fail = |error: YamlError| HelmYamlError::new(&file, error);
        let document = YamlDocument::parse(text, MAX_NODES).map_err(fail)?;
        if let Some(span) = document.cycle() {
            return Err(fail(YamlError { message: "the anchor contains itself".to_owned(), span }));
        }
        Ok(Self { file, document, read: Cell::new(0) })
    }

    /// Returns the value of the whole document, or `None` if the document is empty or null.
    pub(crate) fn root(&self) -> Option<HelmNode<'_>> {
        let root = self.document.root().map(|node| HelmNode { yaml: self, node });
        root.filter(|root| !root.is_null())
    }

    /// Whether aliases expand to more than is read. If so, the values that were read are incomplete.
    pub(crate) fn is_too_much(&self) -> bool {
        self.read.get() > MAX_READ
    }

    /// Counts an amount that is read. Returns false if the total is too much.
    fn count(&self, amount: usize) -> bool {
        self.read.set(self.read.get().saturating_add(amount).saturating_add(1));
        !self.is_too_much()
    }

    /// Returns its beginning, for findings about the whole document.
    pub(crate) fn start(&self) -> FileSpan {
        FileSpan::new(&self.file, 0..0)
    }
}

/// The reason why a file of a chart cannot be read as YAML, and where.
pub(crate) struct HelmYamlError {
    pub(crate) span: FileSpan,
    pub(crate) message: String,
}

impl HelmYamlError {
    pub(crate) fn new(file: &Arc<ChartFile>, error: YamlError) -> Self {
        Self { span: FileSpan::new(file, error.span), message: error.message }
    }
}

/// A value of a document.
#[derive(Clone, Copy)]
pub(crate) struct HelmNode<'a> {
    yaml: &'a HelmYaml,
    node: YamlNode<'a>,
}

/// A key of a mapping, and its value.
#[derive(Clone)]
pub(crate) struct HelmEntry<'a> {
    pub(crate) key: String,
    pub(crate) key_bytes: Range<usize>,
    pub(crate) value: HelmNode<'a>,
}

impl HelmEntry<'_> {
    /// Returns the place of the key.
    pub(crate) fn key_span(&self) -> FileSpan {
        FileSpan::new(&self.value.yaml.file, self.key_bytes.clone())
    }
}

/// The content of a value.
pub(crate) enum HelmContent<'a> {
    Scalar(GoScalar),
    List(Vec<HelmNode<'a>>),
    Mapping(Vec<HelmEntry<'a>>),
}

impl<'a> HelmNode<'a> {
    /// Returns its place.
    pub(crate) fn span(&self) -> FileSpan {
        FileSpan::new(&self.yaml.file, self.bytes())
    }

    /// Returns its bytes in the text.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.node.span()
    }

    /// Returns the bytes at which it is defined, which for an alias are those of its anchor's value.
    pub(crate) fn own_bytes(&self) -> Range<usize> {
        self.node.own_span()
    }

    /// Whether the value is neither a list nor a mapping.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self.content(), HelmContent::Scalar(_))
    }

    /// Whether the value is null or not written.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content(), HelmContent::Scalar(GoScalar::Null))
    }

    /// Returns the value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let HelmContent::Mapping(entries) = self.content() else { return None };
        entries.into_iter().find(|entry| entry.key == key).map(|entry| entry.value)
    }

    /// Returns the content; null if too much was read already.
    pub(crate) fn content(&self) -> HelmContent<'a> {
        self.content_at(0)
    }

    fn content_at(&self, merges: usize) -> HelmContent<'a> {
        let yaml = self.yaml;
        // Counted before anything is built: an alias of a long list may stand in thousands of places.
        let weight = if self.node.is_mapping() { KEY } else { 1 };
        if !yaml.count(self.node.length().saturating_mul(weight)) {
            return HelmContent::Scalar(GoScalar::Null);
        }
        match self.node.content() {
            YamlContent::Scalar(scalar) => HelmContent::Scalar(GoScalar::of(scalar)),
            YamlContent::Sequence(items) => {
                HelmContent::List(items.into_iter().map(|node| Self { yaml, node }).collect())
            }
            YamlContent::Mapping(entries) => HelmContent::Mapping(self.entries(&entries, merges)),
        }
    }

    fn entries(&self, entries: &[YamlEntry<'a>], merges: usize) -> Vec<HelmEntry<'a>> {
        let yaml = self.yaml;
        let mut own: Vec<HelmEntry<'a>> = Vec::new();
        let mut merged = Vec::new();
        for entry in entries {
            let YamlContent::Scalar(scalar) = entry.key.content() else { continue };
            let value = Self { yaml, node: entry.value };
            match GoScalar::of(scalar) {
                GoScalar::Text(text) if text == "<<" => merged.push(value),
                key => own.push(HelmEntry { key: key.to_text(), key_bytes: entry.key.span(), value }),
            }
        }
        if merged.is_empty() || merges >= MAX_MERGES {
            return own;
        }
        // Merged keys give way to keys of the mapping itself, and to keys that were merged earlier.
        let mut known: BTreeSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
        let parts = merged.into_iter().flat_map(|value| match value.content_at(merges + 1) {
            HelmContent::List(items) => items,
            _ => vec![value],
        });
        for part in parts {
            let HelmContent::Mapping(entries) = part.content_at(merges + 1) else { continue };
            for entry in entries {
                if yaml.count(KEY) && known.insert(entry.key.clone()) {
                    own.push(entry);
                }
            }
        }
        own
    }

    /// Returns the text of a scalar as it is written; `None` for a list or a mapping.
    pub(crate) fn written(&self) -> Option<&'a str> {
        match self.node.content() {
            YamlContent::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns its description for messages: `a list`, `` `1.5` ``.
    pub(crate) fn description(&self) -> String {
        match self.content() {
            HelmContent::Scalar(GoScalar::Text(_)) => "a string".to_owned(),
            HelmContent::Scalar(GoScalar::Null) => "empty".to_owned(),
            HelmContent::Scalar(scalar) => format!("`{}`", scalar.to_text()),
            HelmContent::List(_) => "a list".to_owned(),
            HelmContent::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Returns the text of each key of a mapping at the top of a document.
    fn texts(text: &str) -> BTreeMap<String, String> {
        let yaml =
            HelmYaml::parse("Chart.yaml", None, text).unwrap_or_else(|error| panic!("{}", error.message));
        let Some(HelmContent::Mapping(entries)) = yaml.root().map(|root| root.content()) else {
            return BTreeMap::new();
        };
        let text = |value: HelmNode<'_>| match value.content() {
            HelmContent::Scalar(scalar) => scalar.to_text(),
            _ => value.description(),
        };
        entries.into_iter().map(|entry| (entry.key, text(entry.value))).collect()
    }

    #[test]
    fn mappings_are_merged_and_scalars_have_the_types_of_go() {
        let text =
            "base: &base {a: 1.10, b: yes}\nother: &other {b: 2, c: 010}\n<<: [*base, *other]\nc: ! 010\n";
        let found = texts(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [("a", "1.1"), ("b", "true"), ("base", "a mapping"), ("c", "010"), ("other", "a mapping")]
        );
    }

    proptest! {
        #[test]
        fn strings_in_quotes_are_read_as_they_are(values in prop::collection::btree_map("[a-z]{1,6}", "[ -~\u{e9}]{0,12}", 0..6)) {
            let text = serde_json::to_string(&values).expect("JSON");
            prop_assert_eq!(texts(&text), values);
        }

        #[test]
        fn any_text_is_read_or_refused_inside_the_text(text in "[ab:\\-\\[\\]{}&*!|>'\"#,.0-9\n \t\u{e9}%?<=~]{0,60}") {
            match HelmYaml::parse("Chart.yaml", None, &text) {
                Ok(yaml) => {
                    let Some(HelmContent::Mapping(entries)) = yaml.root().map(|root| root.content()) else { return Ok(()) };
                    for entry in entries {
                        prop_assert!(text.get(entry.key_bytes.clone()).is_some());
                        prop_assert!(text.get(entry.value.bytes()).is_some());
                    }
                }
                Err(error) => prop_assert!(text.get(error.span.bytes.clone()).is_some()),
            }
        }
    }
}
