//! Generates the JSON Schema of `publish.toml` from the types of `raw`.
//!
//! It is draft 7, because the TOML extensions of editors (taplo, Even Better TOML) read that draft.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::config::hints::add_hints;
use crate::config::raw;

/// The address of the schema on the current main branch.
const ID: &str =
    "https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/publish.schema.json";

/// The JSON Schema of `publish.toml`, generated from the types.
pub fn json_schema() -> Value {
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
