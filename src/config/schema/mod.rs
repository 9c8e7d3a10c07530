//! The JSON Schema of `publish.toml`: generated from the types, read from `schemas/`, and queried for the keys that a table takes.
//!
//! The program reads the written schema, because generating it takes a fifth of a `lint`. A test fails if that file differs from
//! the types.

mod generate;
mod node;

use std::sync::OnceLock;

pub use generate::json_schema;
pub(super) use node::{JsonType, Node, Schema};
use serde_json::Value;

/// The schema as it was generated last.
const WRITTEN: &str = include_str!("../../../schemas/publish.schema.json");

/// The schema, read at the first call. `None` only if it had a keyword that is not known here, which a test rules out.
pub(super) fn schema() -> Option<&'static Schema<'static>> {
    static SCHEMA: OnceLock<Option<Schema<'static>>> = OnceLock::new();
    SCHEMA.get_or_init(|| serde_json::from_str(WRITTEN).ok()).as_ref()
}

/// The parts of the schema that may apply to the value at `path`: every branch, with references followed.
fn at<T: AsRef<str>>(path: &[T]) -> Vec<&'static Node<'static>> {
    let Some(schema) = schema() else { return Vec::new() };
    let mut here = branches(schema, schema.root());
    for part in path {
        let below = here.iter().filter_map(|node| {
            node.property(part.as_ref()).or(node.additional_properties.as_deref()).or(node.items.as_deref())
        });
        here = below.flat_map(|node| branches(schema, node)).collect();
    }
    here
}

fn branches<'a>(schema: &'a Schema<'a>, node: &'a Node<'a>) -> Vec<&'a Node<'a>> {
    let referenced = node.reference.and_then(|reference| schema.definition(reference));
    let combined = node.any_of.iter().chain(&node.one_of).chain(&node.all_of);
    let below = referenced.into_iter().chain(combined).flat_map(|below| branches(schema, below));
    std::iter::once(node).chain(below).collect()
}

/// The keys that the table at `path` accepts.
pub(super) fn keys<T: AsRef<str>>(path: &[T]) -> Vec<&'static str> {
    at(path).into_iter().flat_map(|node| node.properties.iter().map(|(key, _)| *key)).collect()
}

/// An example of the value at `path`.
pub(super) fn example<T: AsRef<str>>(path: &[T]) -> Option<&'static Value> {
    // The example of a whole table is for editors: it is too long for a message.
    let mut nodes = at(path).into_iter().filter(|node| node.hints.is_none());
    nodes.find_map(|node| node.examples.first())
}

/// The tables that accept `key`, as headers: `[images.NAME]`.
pub(super) fn tables_with(key: &str) -> Vec<&'static str> {
    const TABLES: [(&str, &[&str]); 11] = [
        ("[project]", &["project"]),
        ("[registries.NAME]", &["registries", ""]),
        ("[registries.NAME.auth]", &["registries", "", "auth"]),
        ("[tags.NAME]", &["tags", ""]),
        ("[images.NAME]", &["images", ""]),
        ("[charts.NAME]", &["charts", ""]),
        ("[artifacts.NAME]", &["artifacts", ""]),
        ("[apply]", &["apply"]),
        ("[secrets]", &["secrets"]),
        ("[[checks]]", &["checks", "0"]),
        ("[retention.NAME]", &["retention", ""]),
    ];
    TABLES.into_iter().filter(|(_, path)| keys(path).contains(&key)).map(|(header, _)| header).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_file_is_that_of_the_types() {
        let written: Value = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(
            written,
            json_schema(),
            "BROKKR_PUBLISH_UPDATE_SCHEMAS=1 cargo test --test it schema:: writes it again"
        );
        assert!(!WRITTEN.contains("null"));
    }

    #[test]
    fn is_a_schema_and_knows_its_tables() {
        assert!(schema().is_some());
        assert_eq!(
            keys::<&str>(&[]),
            [
                "version",
                "project",
                "vars",
                "registries",
                "tags",
                "images",
                "charts",
                "artifacts",
                "gates",
                "signing",
                "apply",
                "verify",
                "secrets",
                "checks",
                "retention",
                "profile"
            ]
        );
        assert_eq!(keys(&["project", "version"]), ["file", "key"]);
        assert_eq!(keys(&["registries", "any", "auth"]), ["username_env", "password_env"]);
        assert_eq!(keys(&["checks", "3"]), ["file", "key", "equals", "compare", "image"]);
        assert_eq!(tables_with("template"), ["[tags.NAME]"]);
        assert_eq!(tables_with("equals"), ["[[checks]]"]);
        assert_eq!(example(&["images", "a", "registries"]), Some(&json!(["ghcr"])));
    }
}
