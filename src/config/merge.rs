//! Merges all layers into one value, through figment, and records which place each part of it came from.

use std::sync::Arc;

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use indexmap::IndexMap;

use super::layers::Layer;
use super::places::{Places, Written};
use super::tree::{Content, Node};

/// The merged configuration, in the order of the layers and their texts.
pub(super) struct Merged {
    /// The value.
    pub json: serde_json::Value,
    /// The place where each part was written.
    pub places: Places,
}

/// One layer as a provider for figment. Its index is the source of its values, and shows which layer gave a value.
struct LayerProvider<'a> {
    index: usize,
    layer: &'a Layer,
}

impl Provider for LayerProvider<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::from(self.layer.source.name.clone(), Source::Custom(self.index.to_string()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = match from_content(&self.layer.root.content) {
            Value::Dict(_, dict) => dict,
            _ => Dict::new(),
        };
        Ok(Profile::Default.collect(dict))
    }
}

fn from_content(content: &Content) -> Value {
    let tag = Tag::Default;
    match content {
        Content::Table(table) => Value::Dict(
            tag,
            table.iter().map(|(key, node)| (key.clone(), from_content(&node.content))).collect(),
        ),
        Content::Array(items) => {
            Value::Array(tag, items.iter().map(|node| from_content(&node.content)).collect())
        }
        Content::String(text) => Value::String(tag, text.clone()),
        Content::Integer(number) => Value::Num(tag, (*number).into()),
        Content::Float(number) => Value::Num(tag, (*number).into()),
        Content::Boolean(value) => Value::Bool(tag, *value),
        Content::Unfit(_) => Value::Empty(tag, Empty::Unit),
    }
}

/// Merges the layers. Later layers win: tables are merged key by key, and any other value is replaced as a whole.
pub(super) fn merge(layers: &[Layer]) -> Result<Merged, Box<figment::Error>> {
    let figment = layers
        .iter()
        .enumerate()
        .fold(Figment::new(), |figment, (index, layer)| figment.merge(LayerProvider { index, layer }));
    let merged = figment.find_value("")?;
    let roots: Vec<_> = layers.iter().enumerate().map(|(index, layer)| (index, &layer.root)).collect();
    let (json, root) = walk(&merged, &roots, &figment);
    let sources = layers.iter().map(|layer| Arc::clone(&layer.source)).collect();
    Ok(Merged { json, places: Places::new(sources, root) })
}

/// Builds the JSON value and the places at one path. `here` holds the nodes that the layers have at this path, lowest layer
/// first.
fn walk(value: &Value, here: &[(usize, &Node)], figment: &Figment) -> (serde_json::Value, Written) {
    let Value::Dict(_, dict) = value else {
        let origin = figment.get_metadata(value.tag()).and_then(|metadata| match &metadata.source {
            Some(Source::Custom(index)) => index.parse::<usize>().ok(),
            _ => None,
        });
        let owner = here.iter().find(|(layer, _)| Some(*layer) == origin).or(here.last());
        return match owner {
            Some((layer, node)) => leaf(node, *layer),
            None => (serde_json::Value::Null, Written::default()),
        };
    };
    // A table that replaced another kind of value starts with no keys from the layers below.
    let replaced = here.iter().rposition(|(_, node)| node.table().is_none()).map_or(0, |at| at + 1);
    let tables = here.get(replaced..).unwrap_or_default();
    let mut entries: Vec<(&String, serde_json::Value, Written)> = dict
        .iter()
        .map(|(key, value)| {
            let below: Vec<_> =
                tables.iter().filter_map(|(layer, node)| Some((*layer, node.get(key)?))).collect();
            let (json, written) = walk(value, &below, figment);
            (key, json, written)
        })
        .collect();
    entries.sort_by_key(|(_, _, written)| (written.layer, written.key.start));
    // The file is a better place for a table than the defaults, or than a layer that overrides a single key of it.
    let owner = tables.iter().find(|(layer, _)| *layer > 0).or(tables.first());
    let (layer, key, at) =
        owner.map_or((0, 0..0, 0..0), |(layer, node)| (*layer, node.key.clone(), node.value.clone()));
    let mut json = serde_json::Map::with_capacity(entries.len());
    let mut below = IndexMap::with_capacity(entries.len());
    for (name, value, written) in entries {
        json.insert(name.clone(), value);
        below.insert(name.clone(), written);
    }
    (serde_json::Value::Object(json), Written { layer, key, value: at, kind: "a table", below })
}

/// Builds a value that one layer gave as a whole.
fn leaf(node: &Node, layer: usize) -> (serde_json::Value, Written) {
    let mut written = Written {
        layer,
        key: node.key.clone(),
        value: node.value.clone(),
        kind: node.content.kind(),
        below: IndexMap::new(),
    };
    let json = match &node.content {
        Content::Table(table) => {
            let mut json = serde_json::Map::new();
            for (key, node) in table {
                let (value, inner) = leaf(node, layer);
                json.insert(key.clone(), value);
                written.below.insert(key.clone(), inner);
            }
            serde_json::Value::Object(json)
        }
        Content::Array(items) => {
            let mut json = Vec::with_capacity(items.len());
            for (index, node) in items.iter().enumerate() {
                let (value, inner) = leaf(node, layer);
                json.push(value);
                written.below.insert(index.to_string(), inner);
            }
            serde_json::Value::Array(json)
        }
        Content::String(text) => text.as_str().into(),
        Content::Integer(number) => (*number).into(),
        Content::Float(number) => (*number).into(),
        Content::Boolean(value) => (*value).into(),
        Content::Unfit(_) => serde_json::Value::Null,
    };
    (json, written)
}
