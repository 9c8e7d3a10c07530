//! Where each key and value of the merged configuration was written.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::strings;
use crate::diagnostic::{Place, SourceText};

/// Where each key and value of the merged configuration was written, by path:
/// `["tags", "version", "template"]`. Elements of arrays go by their index: `["images", "a", "tags", "0"]`.
#[derive(Debug, Clone, Default)]
pub struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sources: Vec<Arc<SourceText>>,
    root: Written,
}

/// Where one key and value were written, and what is below it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The layer, as an index of the sources.
    pub layer: usize,
    /// The bytes of the key.
    pub key: Range<usize>,
    /// The bytes of the value.
    pub value: Range<usize>,
    /// What the value is: `a string`.
    pub kind: &'static str,
    /// What is below, by key or index.
    pub below: IndexMap<String, Written>,
}

impl Places {
    /// Places in `sources`, which the layers of `root` are indices of.
    pub(super) fn new(sources: Vec<Arc<SourceText>>, root: Written) -> Self {
        Self { inner: Arc::new(Inner { sources, root }) }
    }

    /// Where the value at `path` was written, in whichever layer gave it. A table is where its header is.
    pub fn value(&self, path: &[&str]) -> Option<Place> {
        let written = self.find(path)?;
        self.place(written, written.value.clone())
    }

    /// Where the key at `path` was written.
    pub fn key(&self, path: &[&str]) -> Option<Place> {
        let written = self.find(path)?;
        self.place(written, written.key.clone())
    }

    /// Where the bytes `range` of the string at `path` were written, through the escapes of TOML.
    pub fn inside(&self, path: &[&str], range: Range<usize>) -> Option<Place> {
        let written = self.find(path)?;
        let text = &self.inner.sources.get(written.layer)?.text;
        let inside = strings::inside(text.get(written.value.clone())?, range)?;
        let start = written.value.start;
        self.place(written, start + inside.start..start + inside.end)
    }

    /// What the value at `path` is, in the words of TOML.
    pub(super) fn kind(&self, path: &[&str]) -> Option<&'static str> {
        self.find(path).map(|written| written.kind)
    }

    fn find(&self, path: &[&str]) -> Option<&Written> {
        path.iter().try_fold(&self.inner.root, |written, part| written.below.get(*part))
    }

    fn place(&self, written: &Written, span: Range<usize>) -> Option<Place> {
        let source = self.inner.sources.get(written.layer)?;
        Some(Place { source: Arc::clone(source), span })
    }
}
