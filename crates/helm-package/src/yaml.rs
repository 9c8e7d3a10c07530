//! A YAML document as a tree with places, for files that are read as a whole: `Chart.yaml` and `Chart.lock`.
//!
//! Aliases point at the node of their anchor and are never copied, so a tree has at most as many nodes as its text has values. Plain
//! scalars follow YAML 1.1 as Go reads it (`scalar`), because Helm reads these files that way.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::finding::{place, source_text};
use super::scalar::{Scalar, resolve};
use crate::text::{Place, SourceText};

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
pub(super) struct Yaml {
    source: Arc<SourceText>,
    nodes: Vec<Node>,
    root: Option<usize>,
    /// How much was read.
    read: Cell<usize>,
}

struct Node {
    kind: Kind,
    span: Range<usize>,
}

enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Link>),
    Mapping(Vec<(usize, Link)>),
}

/// A node as the value of a key or an item of a list, with its place there: that of the alias, if it is one.
#[derive(Clone)]
struct Link {
    node: usize,
    span: Range<usize>,
}

/// Why a text cannot be read as YAML.
pub(super) struct YamlError {
    pub(super) place: Place,
    pub(super) message: String,
}

impl Yaml {
    /// Reads the first document of `text`.
    pub(super) fn parse(name: &str, file: Option<PathBuf>, text: &str) -> Result<Self, YamlError> {
        let yaml =
            Self { source: source_text(name, file, text), nodes: Vec::new(), root: None, read: Cell::new(0) };
        let mut builder = Builder { yaml, open: Vec::new(), anchors: HashMap::new() };
        for event in Parser::new_from_str(text) {
            match event {
                Ok((Event::DocumentEnd, _)) => break,
                Ok((event, span)) => builder.event(event, &range(&span))?,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(text.len());
                    return Err(builder.yaml.error(at..at, error.info()));
                }
            }
        }
        Ok(builder.yaml)
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> YamlError {
        YamlError { place: place(&self.source, span), message: message.into() }
    }

    /// Returns the value of the whole document, or `None` if the document is empty.
    pub(super) fn root(&self) -> Option<Value<'_>> {
        let node = self.root?;
        Some(Value { yaml: self, node, span: self.nodes.get(node)?.span.clone() })
    }

    /// Whether aliases expand to more than is read. If so, the values that were read are incomplete.
    pub(super) fn is_too_much(&self) -> bool {
        self.read.get() > MAX_READ
    }

    /// Counts an amount that is read. Returns false if the total is too much.
    fn count(&self, amount: usize) -> bool {
        self.read.set(self.read.get().saturating_add(amount).saturating_add(1));
        !self.is_too_much()
    }

    /// Returns its beginning, for findings about the whole document.
    pub(super) fn start(&self) -> Place {
        place(&self.source, 0..0)
    }
}

fn range(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

/// A collection that has not ended.
struct Open {
    node: usize,
    /// The key whose value is next.
    key: Option<usize>,
}

struct Builder {
    yaml: Yaml,
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: &Range<usize>) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let says_string = tag
                    .as_deref()
                    .is_some_and(|tag| tag.is_yaml_core_schema_tag("str") || tag.original() == "!");
                let scalar = match style {
                    ScalarStyle::Plain if !says_string => resolve(&text),
                    _ => Scalar::Text(text.into_owned()),
                };
                let node = self.node(Kind::Scalar(scalar), span, anchor)?;
                self.attach(Link { node, span: span.clone() });
            }
            Event::SequenceStart(_, anchor, _) => {
                let node = self.node(Kind::Sequence(Vec::new()), &(span.start..span.start), anchor)?;
                self.attach(Link { node, span: span.start..span.start });
                self.open.push(Open { node, key: None });
            }
            Event::MappingStart(_, anchor, _) => {
                let node = self.node(Kind::Mapping(Vec::new()), &(span.start..span.start), anchor)?;
                self.attach(Link { node, span: span.start..span.start });
                self.open.push(Open { node, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).copied() else {
                    return Err(self.yaml.error(span.clone(), "no such anchor"));
                };
                if self.open.iter().any(|open| open.node == node) {
                    return Err(self.yaml.error(span.clone(), "the anchor contains itself"));
                }
                self.attach(Link { node, span: span.clone() });
            }
            _ => {}
        }
        Ok(())
    }

    fn node(&mut self, kind: Kind, span: &Range<usize>, anchor: usize) -> Result<usize, YamlError> {
        let node = self.yaml.nodes.len();
        if node >= MAX_NODES {
            return Err(self.yaml.error(span.clone(), format!("the file has more than {MAX_NODES} values")));
        }
        self.yaml.nodes.push(Node { kind, span: span.clone() });
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        Ok(node)
    }

    fn attach(&mut self, link: Link) {
        let Some(open) = self.open.last_mut() else {
            self.yaml.root.get_or_insert(link.node);
            return;
        };
        match self.yaml.nodes.get_mut(open.node).map(|node| &mut node.kind) {
            Some(Kind::Sequence(items)) => items.push(link),
            Some(Kind::Mapping(entries)) => match open.key.take() {
                None => open.key = Some(link.node),
                Some(key) => entries.push((key, link)),
            },
            _ => {}
        }
    }
}

/// A value of a document, with its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    yaml: &'a Yaml,
    node: usize,
    span: Range<usize>,
}

/// A key of a mapping, and its value.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Value<'a>,
}

/// The kinds of values.
pub(super) enum Is<'a> {
    Scalar(&'a Scalar),
    List(Vec<Value<'a>>),
    Mapping(Vec<Entry<'a>>),
}

impl<'a> Value<'a> {
    /// Returns its place.
    pub(super) fn place(&self) -> Place {
        place(&self.yaml.source, self.span.clone())
    }

    /// Returns the text that it was read from.
    pub(super) fn source(&self) -> &'a Arc<SourceText> {
        &self.yaml.source
    }

    /// Returns its range in the text.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the kind of the value; null if too much was read already.
    pub(super) fn is(&self) -> Is<'a> {
        self.is_at(0)
    }

    fn is_at(&self, merges: usize) -> Is<'a> {
        let yaml = self.yaml;
        let value = |link: &Link| Value { yaml, node: link.node, span: link.span.clone() };
        match yaml.nodes.get(self.node).map(|node| &node.kind) {
            Some(Kind::Scalar(scalar)) if yaml.count(scalar.length()) => Is::Scalar(scalar),
            Some(Kind::Sequence(items)) if yaml.count(items.len()) => {
                Is::List(items.iter().map(value).collect())
            }
            Some(Kind::Mapping(entries)) if yaml.count(entries.len().saturating_mul(KEY)) => {
                Is::Mapping(self.entries(entries, merges))
            }
            _ => Is::Scalar(&Scalar::Null),
        }
    }

    fn entries(&self, entries: &[(usize, Link)], merges: usize) -> Vec<Entry<'a>> {
        let yaml = self.yaml;
        let mut found: Vec<Entry<'a>> = Vec::new();
        let mut merged = Vec::new();
        for (key, link) in entries {
            let Some(node) = yaml.nodes.get(*key) else { continue };
            let Kind::Scalar(scalar) = &node.kind else { continue };
            let value = Value { yaml, node: link.node, span: link.span.clone() };
            match scalar {
                Scalar::Text(text) if text == "<<" => merged.push(value),
                _ => found.push(Entry { key: scalar.to_text(), key_span: node.span.clone(), value }),
            }
        }
        if merged.is_empty() || merges >= MAX_MERGES {
            return found;
        }
        // Merged keys give way to keys of the mapping itself, and to keys that were merged earlier.
        let mut known: BTreeSet<String> = found.iter().map(|entry| entry.key.clone()).collect();
        let parts = merged.into_iter().flat_map(|value| match value.is_at(merges + 1) {
            Is::List(items) => items,
            _ => vec![value],
        });
        for part in parts {
            let Is::Mapping(entries) = part.is_at(merges + 1) else { continue };
            for entry in entries {
                if yaml.count(KEY) && known.insert(entry.key.clone()) {
                    found.push(entry);
                }
            }
        }
        found
    }

    /// Returns its description for messages: `a list`, `` `1.5` ``.
    pub(super) fn described(&self) -> String {
        match self.is() {
            Is::Scalar(Scalar::Text(_)) => "a string".to_owned(),
            Is::Scalar(scalar) => format!("`{}`", scalar.to_text()),
            Is::List(_) => "a list".to_owned(),
            Is::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

/// Reads `text` to its end, and checks that it is YAML in which every document is a mapping or empty. It keeps nothing, so the size
/// of the text does not matter.
pub(super) fn check_mappings(name: &str, file: Option<&Path>, text: &str) -> Result<(), YamlError> {
    let fail = |at: Range<usize>, message: String| {
        Err(YamlError { place: place(&source_text(name, file.map(Path::to_owned), text), at), message })
    };
    let mut top = false;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::DocumentStart(..), _)) => top = true,
            Ok((event, span)) if top => {
                top = false;
                let empty = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..)
                    if resolve(text) == Scalar::Null);
                if !(empty || matches!(event, Event::MappingStart(..) | Event::DocumentEnd)) {
                    let start = range(&span).start;
                    return fail(start..start, "it is not a mapping of keys to values".to_owned());
                }
            }
            Ok(_) => {}
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                return fail(at..at, error.info());
            }
        }
    }
    Ok(())
}
