//! Hints of the schema for editors: every key has a description and an example or a default, every example is valid, every value of an
//! enumeration has a meaning, and every link leads to a heading of the reference.

use std::path::Path;

use brokkr_publish::config::json_schema;
use serde_json::{Value, json};

/// Calls `each` with the path and schema of every property.
fn walk(schema: &Value, path: &str, each: &mut dyn FnMut(&str, &Value)) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        for (name, property) in properties {
                            let path = format!("{path}.{name}");
                            each(&path, property);
                            walk(property, &path, each);
                        }
                    }
                    ("examples" | "default", _) => {}
                    _ => walk(value, &format!("{path}/{key}"), each),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, each)),
        _ => {}
    }
}

#[test]
fn every_key_has_an_example_or_a_default_that_is_valid() {
    let schema = json_schema();
    let (mut bare, mut wrong) = (Vec::new(), Vec::new());
    walk(&schema, "", &mut |path, property| {
        if property.get("default").is_none() && property.get("examples").is_none() {
            bare.push(path.to_owned());
        }
        // A part of the schema on its own, with the definitions that it refers to.
        let mut own = property.clone();
        own["definitions"] = schema["definitions"].clone();
        let validator = jsonschema::draft7::new(&own).expect("a schema");
        let examples = property.get("examples").and_then(Value::as_array).into_iter().flatten();
        for example in examples.chain(property.get("default")) {
            if !validator.is_valid(example) {
                wrong.push(format!("{path}: {example}"));
            }
        }
    });
    assert!(bare.is_empty(), "neither an example nor a default: {bare:#?}");
    assert!(wrong.is_empty(), "not valid: {wrong:#?}");
}

/// Calls `each` with every object of the schema.
fn objects(schema: &Value, each: &mut dyn FnMut(&Value)) {
    match schema {
        Value::Object(object) => {
            each(schema);
            for (key, value) in object {
                if !matches!(key.as_str(), "examples" | "default") {
                    objects(value, each);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, each)),
        _ => {}
    }
}

#[test]
fn every_value_of_an_enumeration_has_a_meaning() {
    let mut bare = Vec::new();
    objects(&json_schema(), &mut |object| {
        if object.get("const").is_some_and(Value::is_string) && object.get("description").is_none() {
            bare.push(object.to_string());
        }
        if let Some(values) = object.get("enum").and_then(Value::as_array) {
            let meanings = object.pointer("/x-taplo/docs/enumValues").and_then(Value::as_array);
            if meanings.is_none_or(|meanings| meanings.len() != values.len()) {
                bare.push(object.to_string());
            }
        }
    });
    assert!(bare.is_empty(), "without a meaning: {bare:#?}");
}

#[test]
fn every_link_leads_to_a_heading_of_the_reference() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/config.md");
    let page = std::fs::read_to_string(page).expect("the reference");
    let anchors: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let text = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            text.chars().filter(|it| it.is_alphanumeric() || matches!(it, '-' | '_')).collect()
        })
        .collect();
    let mut links = 0;
    objects(&json_schema(), &mut |object| {
        let Some(link) = object.pointer("/links/key").and_then(Value::as_str) else { return };
        let anchor = link.split_once('#').expect("an anchor").1;
        assert!(anchors.iter().any(|it| it == anchor), "{anchor} is no heading: {anchors:?}");
        links += 1;
    });
    assert!(links >= 14, "{links}");
    assert_eq!(json_schema()["x-tombi-toml-version"], json!("v1.0.0"));
}
