//! The places where the keys and values of the merged configuration were written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::strings;
use crate::diagnostic::{Location, SourceText};

/// The places where the keys and values of the merged configuration were written, by path: `["tags", "version", "template"]`.
/// The path of an array's element ends with its index: `["images", "a", "tags", "0"]`.
#[derive(Debug, Clone, Default)]
pub struct Places {
    inner: Arc<PlaceSources>,
    /// The tables that a pattern stands for: section and name, and the name of the pattern's table.
    expanded: BTreeMap<(String, String), String>,
}

#[derive(Debug, Default)]
struct PlaceSources {
    sources: Vec<Arc<SourceText>>,
    root: PlaceTree,
}

/// The place where one key and its value were written, and those of the keys below.
#[derive(Debug, Default)]
pub(super) struct PlaceTree {
    /// The layer, as an index of the sources.
    pub layer: usize,
    /// The bytes of the key.
    pub key: Range<usize>,
    /// The bytes of the value.
    pub value: Range<usize>,
    /// The type of the value, in TOML's words: `a string`.
    pub kind: &'static str,
    /// The places below, by key or index.
    pub below: IndexMap<String, PlaceTree>,
}

impl Places {
    /// Makes places in `sources`. The layers in `root` are indices into them.
    pub(super) fn new(sources: Vec<Arc<SourceText>>, root: PlaceTree) -> Self {
        Self { inner: Arc::new(PlaceSources { sources, root }), expanded: BTreeMap::new() }
    }

    /// The place where the value at `path` was written, in the layer that gave it. The place of a table is its header.
    pub fn value(&self, path: &[&str]) -> Option<Location> {
        let written = self.find(path)?;
        self.place(written, written.value.clone())
    }

    /// The place where the key at `path` was written.
    pub fn key(&self, path: &[&str]) -> Option<Location> {
        let written = self.find(path)?;
        self.place(written, written.key.clone())
    }

    /// The place where the bytes `range` of the string at `path` were written. Takes the escapes of TOML into account.
    pub fn inside(&self, path: &[&str], range: Range<usize>) -> Option<Location> {
        let written = self.find(path)?;
        let text = &self.inner.sources.get(written.layer)?.text;
        let inside = strings::inside(text.get(written.value.clone())?, range)?;
        let start = written.value.start;
        self.place(written, start + inside.start..start + inside.end)
    }

    /// The type of the value at `path`, in TOML's words.
    pub(super) fn kind(&self, path: &[&str]) -> Option<&'static str> {
        self.find(path).map(|written| written.kind)
    }

    /// Notes that the table `name` of a section is written as the table `pattern`.
    pub(super) fn add_expanded(&mut self, section: &str, name: &str, pattern: &str) {
        self.expanded.insert((section.to_owned(), name.to_owned()), pattern.to_owned());
    }

    fn find(&self, path: &[&str]) -> Option<&PlaceTree> {
        let pattern = match path {
            [section, name, ..] if !self.expanded.is_empty() => {
                self.expanded.get(&((*section).to_owned(), (*name).to_owned()))
            }
            _ => None,
        };
        if let (Some(pattern), [section, _, rest @ ..]) = (pattern, path) {
            let written = self.inner.root.below.get(*section)?.below.get(pattern)?;
            return rest.iter().try_fold(written, |written, part| written.below.get(*part));
        }
        path.iter().try_fold(&self.inner.root, |written, part| written.below.get(*part))
    }

    fn place(&self, written: &PlaceTree, span: Range<usize>) -> Option<Location> {
        let source = self.inner.sources.get(written.layer)?;
        Some(Location { source: Arc::clone(source), span })
    }
}
