//! The text of one layer as a tree, in which every key and value has its range of bytes in the text.
//!
//! Nothing here knows the keys of the language.

use std::ops::Range;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

/// A value, with the places of the value and of its key.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The bytes of the key; empty for the root and for elements of arrays.
    pub key: Range<usize>,
    /// The bytes of the value, or of the header if it is a table.
    pub value: Range<usize>,
    /// The parsed content.
    pub content: NodeContent,
}

/// The content of a [`Node`].
#[derive(Debug, Clone)]
pub(super) enum NodeContent {
    /// A table, in the order of the text.
    Table(IndexMap<String, Node>),
    /// An array.
    Array(Vec<Node>),
    /// A string.
    String(String),
    /// An integer of 64 bits.
    Integer(i64),
    /// A finite float.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A value that JSON cannot represent, so that no key of the language takes it.
    Unfit(&'static str),
}

impl Node {
    /// An empty table at the start of the text.
    pub fn root() -> Self {
        Self { key: 0..0, value: 0..0, content: NodeContent::Table(IndexMap::new()) }
    }

    /// The table's entries, if this is a table.
    pub fn table(&self) -> Option<&IndexMap<String, Self>> {
        match &self.content {
            NodeContent::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The entry of the table at `name`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.table()?.get(name)
    }

    /// Moves every range by `offset`, for a value that was parsed from the middle of a text.
    pub fn shift(&mut self, offset: usize) {
        for range in [&mut self.key, &mut self.value] {
            *range = range.start + offset..range.end + offset;
        }
        match &mut self.content {
            NodeContent::Table(table) => table.values_mut().for_each(|node| node.shift(offset)),
            NodeContent::Array(items) => items.iter_mut().for_each(|node| node.shift(offset)),
            _ => {}
        }
    }
}

impl NodeContent {
    /// The type of the value, in TOML's words: `a string`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Array(_) => "an array",
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Unfit(kind) => kind,
        }
    }
}

/// Parses a whole document. Returns the part that could be read, and every syntax error.
pub(super) fn parse(text: &str) -> (Node, Vec<toml::de::Error>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    (Node { content: from_table(table.into_inner()), ..Node::root() }, errors)
}

/// Parses one value. White space around it is allowed.
pub(super) fn parse_value(text: &str) -> Option<Node> {
    let trimmed = text.trim();
    let value = DeValue::parse(trimmed).ok()?;
    let range = value.span();
    let mut node = Node { key: 0..0, value: range, content: from_value(value.into_inner()) };
    node.shift(text.len() - text.trim_start().len());
    Some(node)
}

fn from_table(table: DeTable<'_>) -> NodeContent {
    let entry = |(key, value): (toml::Spanned<std::borrow::Cow<'_, str>>, toml::Spanned<DeValue<'_>>)| {
        let node = Node { key: key.span(), value: value.span(), content: from_value(value.into_inner()) };
        (key.into_inner().into_owned(), node)
    };
    NodeContent::Table(table.into_iter().map(entry).collect())
}

fn from_value(value: DeValue<'_>) -> NodeContent {
    match value {
        DeValue::Table(table) => from_table(table),
        DeValue::Array(array) => {
            let item = |item: toml::Spanned<DeValue<'_>>| Node {
                key: 0..0,
                value: item.span(),
                content: from_value(item.into_inner()),
            };
            NodeContent::Array(array.into_iter().map(item).collect())
        }
        DeValue::String(text) => NodeContent::String(text.into_owned()),
        DeValue::Boolean(value) => NodeContent::Boolean(value),
        DeValue::Datetime(_) => NodeContent::Unfit("a date-time"),
        DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(value) => NodeContent::Integer(value),
            Err(_) => NodeContent::Unfit("an integer of more than 64 bits"),
        },
        DeValue::Float(value) => match value.as_str().parse::<f64>() {
            Ok(value) if value.is_finite() => NodeContent::Float(value),
            _ => NodeContent::Unfit("a float that is not a finite number"),
        },
    }
}
