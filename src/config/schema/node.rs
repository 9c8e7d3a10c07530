//! The schema as data: the keywords of JSON Schema draft 7 that the schema of `publish.toml` uses.
//!
//! Any other keyword is an error, so that none is ignored without notice: a type that needs a new one fails a test.

use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use regex::Regex;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A type of JSON (draft 7, validation 6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum JsonType {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    Null,
}

impl JsonType {
    /// Whether `value` has this type. A number without a fraction is an integer, however it is written.
    pub(in crate::config) fn is_of(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
            }
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Null => value.is_null(),
        }
    }
}

/// A whole schema: its root, and the definitions that references name.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::config) struct Schema<'a> {
    #[serde(borrow)]
    root: Node<'a>,
}

impl<'a> Schema<'a> {
    /// The part that applies to the whole file.
    pub(in crate::config) fn root(&self) -> &Node<'a> {
        &self.root
    }

    /// The definition that a `$ref` names: `#/definitions/NAME`.
    pub(in crate::config) fn definition(&self, reference: &str) -> Option<&Node<'a>> {
        let name = reference.strip_prefix("#/definitions/")?;
        self.root.definitions.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
    }
}

/// One part of a schema. A keyword that is missing allows everything.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields, remote = "Self")]
pub(in crate::config) struct Node<'a> {
    /// The part is the schema `false`, which allows nothing.
    #[serde(skip)]
    pub is_never: bool,
    /// The part that applies instead of this one: draft 7 ignores all keywords beside `$ref`.
    #[serde(rename = "$ref")]
    pub reference: Option<&'a str>,
    /// The types that are allowed.
    #[serde(rename = "type", deserialize_with = "types")]
    pub types: Option<Vec<JsonType>>,
    /// The only value.
    #[serde(rename = "const")]
    pub constant: Option<Value>,
    /// The values that are allowed.
    #[serde(rename = "enum")]
    pub choices: Option<Vec<Value>>,
    /// The parts for the values of these keys.
    #[serde(borrow, deserialize_with = "entries")]
    pub properties: Vec<(&'a str, Node<'a>)>,
    /// The parts for the values of the keys that match.
    #[serde(borrow, deserialize_with = "entries")]
    pub pattern_properties: Vec<(Pattern, Node<'a>)>,
    /// The part for the values of all other keys.
    #[serde(borrow)]
    pub additional_properties: Option<Box<Node<'a>>>,
    /// The part for the names of the keys.
    #[serde(borrow)]
    pub property_names: Option<Box<Node<'a>>>,
    /// The keys that must be there.
    #[serde(borrow)]
    pub required: Vec<&'a str>,
    /// The least number of keys.
    pub min_properties: Option<usize>,
    /// The part for each item of a list.
    #[serde(borrow)]
    pub items: Option<Box<Node<'a>>>,
    /// The least number of items.
    pub min_items: Option<usize>,
    /// Whether all items must differ.
    pub unique_items: bool,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// The pattern of a text.
    pub pattern: Option<Pattern>,
    /// The least value of a number.
    pub minimum: Option<serde_json::Number>,
    /// All of these apply.
    #[serde(borrow)]
    pub all_of: Vec<Node<'a>>,
    /// At least one of these applies.
    #[serde(borrow)]
    pub any_of: Vec<Node<'a>>,
    /// Exactly one of these applies.
    #[serde(borrow)]
    pub one_of: Vec<Node<'a>>,
    /// The parts that references name.
    #[serde(borrow, deserialize_with = "entries")]
    pub definitions: Vec<(&'a str, Node<'a>)>,
    /// Values that show what is meant.
    pub examples: Vec<Value>,
    // The keywords that only describe. `format` names the width of an integer, which the types check.
    #[serde(rename = "$schema")]
    _schema: IgnoredAny,
    #[serde(rename = "$id")]
    _id: IgnoredAny,
    #[serde(rename = "title")]
    _title: IgnoredAny,
    #[serde(rename = "description")]
    _description: IgnoredAny,
    #[serde(rename = "default")]
    _default: IgnoredAny,
    /// Hints for editors: links, and the meanings of values.
    #[serde(rename = "x-taplo")]
    pub hints: Option<IgnoredAny>,
    #[serde(rename = "x-tombi-additional-key-label")]
    _x_tombi_additional_key_label: IgnoredAny,
    #[serde(rename = "x-tombi-toml-version")]
    _x_tombi_toml_version: IgnoredAny,
    #[serde(rename = "format")]
    _format: IgnoredAny,
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnySchema;

        impl<'de> Visitor<'de> for AnySchema {
            type Value = Node<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a schema: an object or a boolean")
            }

            fn visit_bool<E: de::Error>(self, allowed: bool) -> Result<Self::Value, E> {
                Ok(Node { is_never: !allowed, ..Node::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Node::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_any(AnySchema)
    }
}

impl<'a> Node<'a> {
    /// The part for the value of `key`, if the table names the key.
    pub(in crate::config) fn property(&self, key: &str) -> Option<&Node<'a>> {
        self.properties.iter().find(|(known, _)| *known == key).map(|(_, node)| node)
    }
}

/// A regular expression, compiled when a text is first compared with it.
#[derive(Debug)]
pub(in crate::config) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Whether the pattern matches a part of `text` (draft 7, validation 6.3.3).
    pub(in crate::config) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: String::deserialize(deserializer)?, compiled: OnceLock::new() })
    }
}

/// Reads an object as its entries, in order.
fn entries<'de: 'a, 'a, K, D>(deserializer: D) -> Result<Vec<(K, Node<'a>)>, D::Error>
where
    K: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Entries<K>(PhantomData<K>);

    impl<'de, K: Deserialize<'de>> Visitor<'de> for Entries<K> {
        type Value = Vec<(K, Node<'de>)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object of schemas")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::with_capacity(map.size_hint().unwrap_or_default());
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}

/// Reads the types, which are one name or a list of names.
fn types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<JsonType>>, D::Error> {
    struct Types;

    impl<'de> Visitor<'de> for Types {
        type Value = Vec<JsonType>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a type or a list of types")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
            JsonType::deserialize(name.into_deserializer()).map(|only| vec![only])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Self::Value, A::Error> {
            let mut types = Vec::new();
            while let Some(name) = names.next_element()? {
                types.push(name);
            }
            Ok(types)
        }
    }

    deserializer.deserialize_any(Types).map(Some)
}
