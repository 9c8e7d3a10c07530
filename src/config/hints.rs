//! Hints for editors in the schema: an example or a default for every key, what each value of an enumeration means, and a link to the
//! reference for every table. taplo reads `x-taplo`, tombi `x-tombi-…`; validators ignore both.

use serde_json::{Map, Value, json};

/// The page that explains the tables.
const REFERENCE: &str = "https://github.com/colliery-io/brokkr-publish/blob/main/docs/reference/config.md";

/// The meanings of `"standard"` and `"none"` for annotations and labels.
const STANDARD: [(&str, &str); 2] = [
    (
        "standard",
        "Writes the standard annotations or labels: source, revision, version, created, title, url and ref.name.",
    ),
    ("none", "Writes none."),
];

/// The tables at the top: their anchors in the reference, and an example of each.
fn tables() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("project", "project", json!({ "source": "https://github.com/acme/hello" })),
        ("registries", "registriesname", json!({ "ghcr": { "url": "ghcr.io/acme" } })),
        ("tags", "tagsname", json!({ "version": { "on": "tag", "template": "v{{ version }}" } })),
        ("images", "imagesname", json!({ "hello": { "source": "oci-archive:dist/hello.tar" } })),
        ("charts", "chartsname", json!({ "hello": { "source": "charts/hello" } })),
        (
            "artifacts",
            "artifactsname",
            json!({ "manifests": {
                "artifact_type": "application/vnd.acme.manifests",
                "files": [{ "path": "dist/hello.yaml", "media_type": "application/yaml" }],
            } }),
        ),
        ("gates", "gatesname", json!({ "tested": { "require": { "signature": { "key": "staging.pub" } } } })),
        ("signing", "signingname", json!({ "release": { "key": { "env": "COSIGN_PRIVATE_KEY" } } })),
        ("apply", "apply", json!({ "registries": ["ghcr.io/acme"] })),
        ("verify", "verify", json!({ "signatures": true })),
        ("secrets", "secrets", json!({ "policy": "deny" })),
        (
            "checks",
            "checks",
            json!([{ "file": "Cargo.toml", "key": "package.version", "equals": "{{ version }}" }]),
        ),
        ("retention", "retentionname", json!({ "pr": { "rule": "pr", "on": "pull_request_closed" } })),
        (
            "profile",
            "profilename",
            json!({ "dev": { "registries": { "ghcr": { "url": "localhost:5000" } } } }),
        ),
        ("vars", "vars", json!({ "channel": "stable" })),
    ]
}

/// Adds the hints.
pub(super) fn add_hints(schema: &mut Value) {
    let definitions = schema.get("definitions").and_then(Value::as_object).cloned().unwrap_or_default();
    hint(schema, &definitions);
    for (name, anchor, example) in tables() {
        let top = format!("/properties/{name}");
        let in_profile = format!("/definitions/Profile/properties/{name}");
        for pointer in [top, in_profile] {
            let Some(Value::Object(property)) = schema.pointer_mut(&pointer) else { continue };
            if !property.contains_key("default") {
                property.entry("examples").or_insert_with(|| json!([example]));
            }
            let link = format!("{REFERENCE}#{anchor}");
            property.insert("x-taplo".to_owned(), json!({ "links": { "key": link } }));
            if property.contains_key("additionalProperties") && property.contains_key("propertyNames") {
                property.insert("x-tombi-additional-key-label".to_owned(), "NAME".into());
            }
        }
    }
    if let Some(root) = schema.as_object_mut() {
        root.insert("x-tombi-toml-version".to_owned(), "v1.0.0".into());
    }
}

fn hint(part: &mut Value, definitions: &Map<String, Value>) {
    match part {
        Value::Array(items) => items.iter_mut().for_each(|item| hint(item, definitions)),
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for (name, property) in properties.iter_mut() {
                    give_example(name, property, definitions);
                }
            }
            if let Some(meanings) = object.get("enum").and_then(meanings) {
                object.insert("x-taplo".to_owned(), json!({ "docs": { "enumValues": meanings } }));
            }
            for (key, value) in object.iter_mut() {
                if key != "examples" && key != "default" {
                    hint(value, definitions);
                }
            }
        }
        _ => {}
    }
}

/// Gives a property that has neither a default nor an example the values of its enumeration, or an example of its own.
fn give_example(name: &str, property: &mut Value, definitions: &Map<String, Value>) {
    let Some(object) = property.as_object_mut() else { return };
    if object.contains_key("default") || object.contains_key("examples") {
        return;
    }
    let values = object.get("allOf").and_then(|all| all.get(0)?.get("$ref")?.as_str()?.rsplit('/').next());
    let values = values.and_then(|definition| definitions.get(definition)?.get("oneOf")?.as_array());
    let values: Vec<Value> = values.into_iter().flatten().filter_map(|it| it.get("const").cloned()).collect();
    let examples = match name {
        _ if !values.is_empty() => values,
        "version" => vec![json!({ "file": "Cargo.toml", "key": "package.version" })],
        "require" => vec![json!({ "signature": { "key": "staging.pub" } })],
        _ => match object.get("type").and_then(Value::as_str) {
            Some("integer") => vec![json!(0)],
            Some("boolean") => vec![json!(true)],
            _ => return,
        },
    };
    object.insert("examples".to_owned(), examples.into());
}

/// The meanings of the values of an enumeration that has no descriptions of its own.
fn meanings(values: &Value) -> Option<Vec<&'static str>> {
    let meaning =
        |value: &Value| STANDARD.iter().find(|(name, _)| value == name).map(|(_, meaning)| *meaning);
    values.as_array()?.iter().map(meaning).collect()
}
