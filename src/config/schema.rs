//! The JSON Schema of `publish.toml`: generated from the types of `raw`, and queried for the keys that a table takes.
//!
//! The program reads the generated schema from `schemas/`, because generating it takes a fifth of a `lint`. A test fails if that
//! file differs from the types.
//!
//! It is draft 7, because the TOML extensions of editors (taplo, Even Better TOML) read that draft.

use std::sync::OnceLock;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::hints::add_hints;
use super::raw;

/// The address of the schema on the current main branch.
const ID: &str =
    "https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/publish.schema.json";

/// The JSON Schema of `publish.toml`, generated from the types.
pub fn json_schema() -> Value {
    generate()
}

/// The schema as it was generated last, read at the first call.
pub(super) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let generated = include_str!("../../schemas/publish.schema.json");
        serde_json::from_str(generated).unwrap_or_else(|_| generate())
    })
}

/// The schema, compiled at the first call. `None` only if it were not a valid schema, which a test rules out.
pub(super) fn validator() -> Option<&'static Validator> {
    static VALIDATOR: OnceLock<Option<Validator>> = OnceLock::new();
    VALIDATOR.get_or_init(|| jsonschema::draft7::new(schema()).ok()).as_ref()
}

fn generate() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<raw::RawConfig>().to_value();
    without_null(&mut schema);
    add_overlays(&mut schema);
    add_hints(&mut schema);
    // `$id` goes to the front, after `$schema`, for people who read the file.
    if let Some(object) = schema.as_object_mut() {
        let mut ordered = Map::new();
        for key in ["$schema", "title"] {
            if let Some(value) = object.shift_remove(key) {
                ordered.insert(key.to_owned(), value);
            }
            if key == "$schema" {
                ordered.insert("$id".to_owned(), ID.into());
            }
        }
        ordered.extend(std::mem::take(object));
        *object = ordered;
    }
    schema
}

/// Removes null from the types, because TOML has no null: an optional key is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(object) => {
            object.values_mut().for_each(without_null);
            if object.get("default") == Some(&Value::Null) {
                object.shift_remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            let null = json!({ "type": "null" });
            let nullable =
                matches!(object.get("anyOf"), Some(Value::Array(branches)) if branches.contains(&null));
            if nullable && let Some(Value::Array(mut branches)) = object.shift_remove("anyOf") {
                branches.retain(|branch| *branch != null);
                match branches.as_mut_slice() {
                    // Draft 7 ignores keywords beside `$ref`, so the reference goes into `allOf`.
                    [Value::Object(only)] if !only.contains_key("$ref") => {
                        let only = std::mem::take(only);
                        only.into_iter().for_each(|(key, value)| {
                            object.entry(key).or_insert(value);
                        });
                    }
                    [_] => {
                        object.insert("allOf".to_owned(), Value::Array(branches));
                    }
                    _ => {
                        object.insert("anyOf".to_owned(), Value::Array(branches));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Gives `Profile` copies of the definitions that require nothing, because a profile may hold a part of a table.
fn add_overlays(schema: &mut Value) {
    let Some(definitions) = schema.get("definitions").and_then(Value::as_object) else { return };
    let mut overlays = Map::new();
    let mut profile = definitions.get("Profile").cloned().unwrap_or_default();
    overlay(&mut profile, definitions, &mut overlays);
    if let Some(definitions) = schema.get_mut("definitions").and_then(Value::as_object_mut) {
        definitions.insert("Profile".to_owned(), profile);
        definitions.extend(overlays);
    }
}

fn overlay(part: &mut Value, definitions: &Map<String, Value>, overlays: &mut Map<String, Value>) {
    match part {
        Value::Array(items) => items.iter_mut().for_each(|item| overlay(item, definitions, overlays)),
        Value::Object(object) => {
            // Only a list is the keyword. A property called `required` would be an object.
            if object.get("required").is_some_and(Value::is_array) {
                object.shift_remove("required");
            }
            // Lists are replaced as a whole, so their items must be complete.
            let parts = object.iter_mut().filter(|(key, _)| *key != "items");
            parts.for_each(|(_, value)| overlay(value, definitions, overlays));
            let Some(name) = object.get("$ref").and_then(Value::as_str).and_then(definition_name) else {
                return;
            };
            let Some(definition) = definitions.get(name) else { return };
            let copy_name = format!("{name}Overlay");
            let mut copy = definition.clone();
            overlay(&mut copy, definitions, overlays);
            if copy != *definition {
                object.insert("$ref".to_owned(), format!("#/definitions/{copy_name}").into());
                overlays.insert(copy_name, copy);
            }
        }
        _ => {}
    }
}

fn definition_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/definitions/")
}

/// The schemas that may apply to the value at `path`: every branch, with references followed.
fn at<T: AsRef<str>>(path: &[T]) -> Vec<&'static Map<String, Value>> {
    let mut here = branches(schema());
    for part in path {
        here = here
            .iter()
            .filter_map(|schema| {
                let property = schema.get("properties").and_then(|properties| properties.get(part.as_ref()));
                property.or_else(|| schema.get("additionalProperties")).or_else(|| schema.get("items"))
            })
            .flat_map(branches)
            .collect();
    }
    here
}

fn branches(schema: &'static Value) -> Vec<&'static Map<String, Value>> {
    let Value::Object(object) = schema else { return Vec::new() };
    let referenced = object
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(definition_name)
        .and_then(|name| self::schema().get("definitions")?.get(name));
    let combined =
        ["anyOf", "oneOf", "allOf"].iter().filter_map(|keyword| object.get(*keyword)?.as_array()).flatten();
    std::iter::once(object).chain(referenced.into_iter().chain(combined).flat_map(branches)).collect()
}

/// The keys that the table at `path` accepts.
pub(super) fn keys<T: AsRef<str>>(path: &[T]) -> Vec<&'static str> {
    at(path)
        .into_iter()
        .filter_map(|schema| schema.get("properties")?.as_object())
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect()
}

/// An example of the value at `path`.
pub(super) fn example<T: AsRef<str>>(path: &[T]) -> Option<&'static Value> {
    at(path).into_iter().find_map(|schema| schema.get("examples")?.as_array()?.first())
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
    use super::*;

    #[test]
    fn the_file_is_that_of_the_types() {
        assert_eq!(
            *schema(),
            json_schema(),
            "BROKKR_PUBLISH_UPDATE_SCHEMAS=1 cargo test --test it schema:: writes it again"
        );
    }

    #[test]
    fn is_a_schema_and_knows_its_tables() {
        assert!(validator().is_some());
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
        assert!(!schema().to_string().contains("null"));
    }

    #[test]
    fn a_profile_requires_nothing() {
        let valid = |value: Value| validator().is_some_and(|validator| validator.is_valid(&value));
        let profile = json!({ "images": { "a": { "tags": ["b"] } }, "registries": { "c": { "auth": { "password_env": "D" } } } });
        assert!(valid(json!({ "version": 1, "profile": { "p": profile } })));
        assert!(!valid(json!({ "version": 1, "images": { "a": { "tags": ["b"] } } })));
        assert!(!valid(json!({ "version": 1, "profile": { "p": { "version": 1 } } })));
        assert!(valid(json!({ "version": 1, "profile": { "p": { "checks": [] } } })));
        assert!(!valid(json!({ "version": 1, "profile": { "p": { "checks": [{ "file": "a" }] } } })));
    }
}
