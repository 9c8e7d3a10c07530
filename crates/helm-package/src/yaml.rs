//! YAML documents as trees of nodes with byte ranges: the reader for text that others wrote.
//!
//! [`YamlDocument::parse`] reads the first document of a stream. It decides no types: a scalar is its text, whether it was written
//! plain, and its tag. Programs differ in the types that plain scalars have, and in merge keys (`<<`), so callers resolve both.
//!
//! Reading is bounded. A document has at most as many nodes as the caller allows; collections are nested at most 255 levels deep in
//! block style and 255 in flow style, which the parser checks; and an alias points at the node of its anchor and is never copied, so
//! a tree has at most as many nodes as its text has values. A caller that follows aliases must bound how much it reads.
//!
//! ```
//! use helm_package::yaml::{YamlContent, YamlDocument};
//!
//! let text = "name: broker\nversion: 1.2.3\n";
//! let document = YamlDocument::parse(text, 1_000)?;
//! let Some(YamlContent::Mapping(entries)) = document.root().map(|root| root.content()) else { unreachable!() };
//! let version = entries[1].value;
//! assert_eq!(&text[version.span()], "1.2.3");
//! # Ok::<(), helm_package::yaml::YamlError>(())
//! ```

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

/// The reason why a text cannot be read as YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// The message, without the position.
    pub message: String,
    /// The bytes that it is about; empty if they are only a position.
    pub span: Range<usize>,
}

impl YamlError {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }
}

/// A document: its nodes, in the order of the text.
#[derive(Debug)]
pub struct YamlDocument {
    nodes: Vec<StoredNode>,
    root: Option<usize>,
    cycle: Option<Range<usize>>,
}

#[derive(Debug)]
struct StoredNode {
    content: StoredContent,
    span: Range<usize>,
}

#[derive(Debug)]
enum StoredContent {
    Scalar(YamlScalar),
    Sequence(Vec<NodeLink>),
    Mapping(Vec<(NodeLink, NodeLink)>),
}

/// A node as a key, a value or an item, with its bytes there: those of the alias, if it is one.
#[derive(Debug, Clone)]
struct NodeLink {
    node: usize,
    span: Range<usize>,
}

/// A scalar as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlScalar {
    /// The text, without quotes and with escapes resolved.
    pub text: String,
    /// Whether it is written without quotes and not as a block, so that it may be something other than a string.
    pub is_plain: bool,
    /// The tag, as it is written.
    pub tag: Option<String>,
    /// Whether the tag makes it a string: `!!str` or `!`.
    pub is_tagged_string: bool,
}

impl YamlScalar {
    fn new(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Self {
        let written = |tag: &Tag| format!("{}{}", tag.original_handle(), tag.suffix());
        let says_string =
            |tag: &Tag| tag.is_yaml_core_schema_tag("str") || tag.original() == "!" || written(tag) == "!";
        Self {
            text,
            is_plain: style == ScalarStyle::Plain,
            tag: tag.map(written),
            is_tagged_string: tag.is_some_and(says_string),
        }
    }

    /// Whether it is null in every version of YAML.
    pub fn is_null(&self) -> bool {
        self.is_plain
            && !self.is_tagged_string
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// A node of a document.
#[derive(Debug, Clone, Copy)]
pub struct YamlNode<'d> {
    document: &'d YamlDocument,
    node: &'d StoredNode,
    span: &'d Range<usize>,
}

/// The content of a node.
#[derive(Debug, Clone)]
pub enum YamlContent<'d> {
    /// A scalar.
    Scalar(&'d YamlScalar),
    /// The items of a list.
    Sequence(Vec<YamlNode<'d>>),
    /// The entries of a mapping in the order of the text. Keys may appear twice.
    Mapping(Vec<YamlEntry<'d>>),
}

/// A key of a mapping, and its value.
#[derive(Debug, Clone, Copy)]
pub struct YamlEntry<'d> {
    /// The key, which may be a list or a mapping.
    pub key: YamlNode<'d>,
    /// The value.
    pub value: YamlNode<'d>,
}

impl YamlDocument {
    /// Reads the first document of `text`.
    ///
    /// # Errors
    ///
    /// [`YamlError`] if the text is not YAML up to the end of that document, or has more than `max_nodes` nodes.
    pub fn parse(text: &str, max_nodes: usize) -> Result<Self, YamlError> {
        let document = Self { nodes: Vec::new(), root: None, cycle: None };
        let mut builder = TreeBuilder { document, max_nodes, open: Vec::new(), anchors: HashMap::new() };
        for event in yaml_events(text) {
            match event? {
                (Event::DocumentEnd, _) => break,
                (event, span) => builder.add(event, span)?,
            }
        }
        Ok(builder.document)
    }

    /// Returns the node of the whole document, or `None` if the stream is empty.
    pub fn root(&self) -> Option<YamlNode<'_>> {
        let node = self.nodes.get(self.root?)?;
        Some(YamlNode { document: self, node, span: &node.span })
    }

    /// Returns the bytes of the first alias that is inside the node that it names. A walk through such a document has no end.
    pub fn cycle(&self) -> Option<Range<usize>> {
        self.cycle.clone()
    }

    fn follow<'d>(&'d self, link: &'d NodeLink) -> Option<YamlNode<'d>> {
        Some(YamlNode { document: self, node: self.nodes.get(link.node)?, span: &link.span })
    }
}

impl<'d> YamlNode<'d> {
    /// Returns the bytes where the node is written: those of the alias, if it was reached by one. A list or a mapping has the empty
    /// range at its start, because its last byte is not where people look.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the bytes of the node itself, even if it was reached by an alias.
    pub fn own_span(&self) -> Range<usize> {
        self.node.span.clone()
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.node.content, StoredContent::Mapping(_))
    }

    /// Returns how many items or entries it has, or the length of its text in bytes.
    pub fn length(&self) -> usize {
        match &self.node.content {
            StoredContent::Scalar(scalar) => scalar.text.len(),
            StoredContent::Sequence(items) => items.len(),
            StoredContent::Mapping(entries) => entries.len(),
        }
    }

    /// Returns the content.
    pub fn content(&self) -> YamlContent<'d> {
        let follow = |link: &'d NodeLink| self.document.follow(link);
        match &self.node.content {
            StoredContent::Scalar(scalar) => YamlContent::Scalar(scalar),
            StoredContent::Sequence(items) => {
                YamlContent::Sequence(items.iter().filter_map(follow).collect())
            }
            StoredContent::Mapping(entries) => {
                let entry = |(key, value)| Some(YamlEntry { key: follow(key)?, value: follow(value)? });
                YamlContent::Mapping(
                    entries.iter().map(|(key, value)| (key, value)).filter_map(entry).collect(),
                )
            }
        }
    }
}

/// A collection that has not ended.
struct OpenCollection {
    node: usize,
    /// The key whose value is next.
    key: Option<NodeLink>,
}

struct TreeBuilder {
    document: YamlDocument,
    max_nodes: usize,
    open: Vec<OpenCollection>,
    anchors: HashMap<usize, usize>,
}

impl TreeBuilder {
    fn add(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = YamlScalar::new(text.into_owned(), style, tag.as_deref());
                self.node(StoredContent::Scalar(scalar), span, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.collection(StoredContent::Sequence(Vec::new()), span.start, anchor)?;
            }
            Event::MappingStart(_, anchor, _) => {
                self.collection(StoredContent::Mapping(Vec::new()), span.start, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => drop(self.open.pop()),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).copied() else {
                    return Err(YamlError::new(span, "no such anchor"));
                };
                if self.open.iter().any(|open| open.node == node) {
                    self.document.cycle.get_or_insert_with(|| span.clone());
                }
                self.attach(NodeLink { node, span });
            }
            _ => {}
        }
        Ok(())
    }

    fn collection(&mut self, content: StoredContent, start: usize, anchor: usize) -> Result<(), YamlError> {
        let node = self.node(content, start..start, anchor)?;
        self.open.push(OpenCollection { node, key: None });
        Ok(())
    }

    fn node(
        &mut self,
        content: StoredContent,
        span: Range<usize>,
        anchor: usize,
    ) -> Result<usize, YamlError> {
        let node = self.document.nodes.len();
        if node >= self.max_nodes {
            return Err(YamlError::new(span, format!("the file has more than {} values", self.max_nodes)));
        }
        self.document.nodes.push(StoredNode { content, span: span.clone() });
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.attach(NodeLink { node, span });
        Ok(node)
    }

    /// Adds a node to the collection that is open.
    fn attach(&mut self, link: NodeLink) {
        let Some(open) = self.open.last_mut() else {
            self.document.root.get_or_insert(link.node);
            return;
        };
        match self.document.nodes.get_mut(open.node).map(|node| &mut node.content) {
            Some(StoredContent::Sequence(items)) => items.push(link),
            Some(StoredContent::Mapping(entries)) => match open.key.take() {
                None => open.key = Some(link),
                Some(key) => entries.push((key, link)),
            },
            _ => {}
        }
    }
}

/// Reads `text` to its end, and checks that every document in it is a mapping or empty. It keeps nothing, so the size of the text does
/// not matter.
///
/// # Errors
///
/// [`YamlError`] if the text is not YAML, or a document is something else.
pub fn check_mappings(text: &str) -> Result<(), YamlError> {
    let mut is_first = false;
    for event in yaml_events(text) {
        match event? {
            (Event::DocumentStart(..), _) => is_first = true,
            (event, span) if is_first => {
                is_first = false;
                let is_mapping = match event {
                    Event::MappingStart(..) | Event::DocumentEnd => true,
                    Event::Scalar(text, style, _, tag) => {
                        YamlScalar::new(text.into_owned(), style, tag.as_deref()).is_null()
                    }
                    _ => false,
                };
                if !is_mapping {
                    let start = span.start;
                    return Err(YamlError::new(start..start, "it is not a mapping of keys to values"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the events of the parser with their bytes.
fn yaml_events(text: &str) -> impl Iterator<Item = Result<(Event<'_>, Range<usize>), YamlError>> {
    Parser::new_from_str(text).map(|event| match event {
        Ok((event, span)) => Ok((event, span.byte_range().unwrap_or(0..0))),
        Err(error) => {
            let at = error.marker().byte_offset().unwrap_or(text.len());
            Err(YamlError::new(at..at, error.info()))
        }
    })
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
