//! Merges all layers into one value, through figment, and records which place each part of it came from.
//!
//! Figment decides what wins, and knows for each value which layer gave it: every layer is a provider with metadata of its own.
//! The rest of the work of a configuration library is done elsewhere, for reasons that [ADR 9] gives: figment's values have no
//! places in their texts, its deserialization ends at the first error, and its profiles ignore case and reserve two names.
//!
//! [ADR 9]: https://github.com/colliery-io/brokkr-publish/blob/main/docs/adr/0009-figment-merges.md

use std::sync::Arc;

use figment::value::{Dict, Empty, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};
use indexmap::IndexMap;

use super::layers::Layer;
use super::places::{PlaceTree, Places};
use super::tree::{Content, Node};

/// The merged configuration, in the order of the layers and their texts.
pub(super) struct Merged {
    /// The value.
    pub json: serde_json::Value,
    /// The place where each part was places.
    pub places: Places,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = match from_content(&self.root.content) {
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
    let merger = Merger { figment: layers.iter().fold(Figment::new(), Figment::merge) };
    let merged = merger.figment.find_value("")?;
    let roots: Vec<LayerNode<'_>> =
        layers.iter().enumerate().map(|(layer, it)| LayerNode { layer, node: it.root.as_ref() }).collect();
    let (json, root) = merger.walk(&merged, &roots);
    let sources = layers.iter().map(|layer| Arc::clone(&layer.source)).collect();
    Ok(Merged { json, places: Places::new(sources, root) })
}

/// The node that one layer has at a path.
#[derive(Clone, Copy)]
struct LayerNode<'a> {
    /// The position of the layer.
    layer: usize,
    node: &'a Node,
}

/// Finds the layers of merged values.
struct Merger {
    figment: Figment,
}

impl Merger {
    /// The position of the layer that gave `value`. Figment numbers providers as they are merged and sorts metadata by that
    /// number.
    fn layer_of(&self, value: &Value) -> Option<usize> {
        let metadata = self.figment.get_metadata(value.tag())?;
        self.figment.metadata().position(|other| std::ptr::eq(other, metadata))
    }

    /// Builds the JSON value and the places at one path. `here` holds the nodes that the layers have at this path, lowest layer
    /// first.
    fn walk(&self, value: &Value, here: &[LayerNode<'_>]) -> (serde_json::Value, PlaceTree) {
        let Value::Dict(_, dict) = value else {
            let origin = self.layer_of(value);
            let owner = here.iter().find(|it| Some(it.layer) == origin).or(here.last());
            return match owner {
                Some(LayerNode { layer, node }) => leaf(node, *layer),
                None => (serde_json::Value::Null, PlaceTree::default()),
            };
        };
        // A table that replaced another kind of value starts with no keys from the layers below.
        let replaced = here.iter().rposition(|it| it.node.table().is_none()).map_or(0, |at| at + 1);
        let tables = here.get(replaced..).unwrap_or_default();
        let mut entries: Vec<(&String, serde_json::Value, PlaceTree)> = dict
            .iter()
            .map(|(key, value)| {
                let below: Vec<_> = tables
                    .iter()
                    .filter_map(|it| Some(LayerNode { layer: it.layer, node: it.node.get(key)? }))
                    .collect();
                let (json, places) = self.walk(value, &below);
                (key, json, places)
            })
            .collect();
        entries.sort_by_key(|(_, _, places)| (places.layer, places.key.start));
        // The file is a better place for a table than the defaults, or than a layer that overrides a single key of it.
        let owner = tables.iter().find(|it| it.layer > 0).or(tables.first());
        let (layer, key, at) =
            owner.map_or((0, 0..0, 0..0), |it| (it.layer, it.node.key.clone(), it.node.value.clone()));
        let mut json = serde_json::Map::with_capacity(entries.len());
        let mut below = IndexMap::with_capacity(entries.len());
        for (name, value, places) in entries {
            json.insert(name.clone(), value);
            below.insert(name.clone(), places);
        }
        (serde_json::Value::Object(json), PlaceTree { layer, key, value: at, kind: "a table", below })
    }
}

/// Builds a value that one layer gave as a whole.
fn leaf(node: &Node, layer: usize) -> (serde_json::Value, PlaceTree) {
    let mut places = PlaceTree {
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
                places.below.insert(key.clone(), inner);
            }
            serde_json::Value::Object(json)
        }
        Content::Array(items) => {
            let mut json = Vec::with_capacity(items.len());
            for (index, node) in items.iter().enumerate() {
                let (value, inner) = leaf(node, layer);
                json.push(value);
                places.below.insert(index.to_string(), inner);
            }
            serde_json::Value::Array(json)
        }
        Content::String(text) => text.as_str().into(),
        Content::Integer(number) => (*number).into(),
        Content::Float(number) => (*number).into(),
        Content::Boolean(value) => (*value).into(),
        Content::Unfit(_) => serde_json::Value::Null,
    };
    (json, places)
}
