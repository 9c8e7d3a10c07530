//! The files of `schemas/` are what the types say, and the reference names all keys of the configuration.
//! `BROKKR_PUBLISH_UPDATE_SCHEMAS=1` writes the files again.

use std::collections::BTreeSet;
use std::path::Path;

use brokkr_publish::model::access::AccessReport;
use brokkr_publish::model::catalogue::Catalogue;
use brokkr_publish::model::plan::Plan;
use brokkr_publish::model::record::Record;
use brokkr_publish::model::verification::Verification;
use brokkr_publish::report::EventLine;
use brokkr_publish::saved::{json_schema, printed_schema};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_schemas_are_up_to_date() {
    for (name, schema) in [
        ("publish.schema.json", brokkr_publish::config::json_schema()),
        ("plan.schema.json", json_schema::<Plan>()),
        ("record.schema.json", json_schema::<Record>()),
        ("access.schema.json", printed_schema::<AccessReport>("access")),
        ("event.schema.json", printed_schema::<EventLine<'static>>("event")),
        ("catalogue.schema.json", printed_schema::<Catalogue>("catalogue")),
        ("verification.schema.json", printed_schema::<Verification>("verification")),
    ] {
        let path = root().join("schemas").join(name);
        let expected = format!("{schema:#}\n");
        if std::env::var_os("BROKKR_PUBLISH_UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &expected).expect("written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "run the test with BROKKR_PUBLISH_UPDATE_SCHEMAS=1 and commit {}",
            path.display()
        );
    }
}

#[test]
fn the_schemas_of_what_is_printed_and_saved_describe_every_member() {
    // That of records holds that of plans.
    let printed = [
        printed_schema::<AccessReport>("access"),
        printed_schema::<Verification>("verification"),
        printed_schema::<EventLine<'static>>("event"),
        printed_schema::<Catalogue>("catalogue"),
    ];
    for schema in printed.into_iter().chain([json_schema::<Record>()]) {
        assert!(jsonschema::meta::is_valid(&schema));
        let mut undescribed = Vec::new();
        walk(&schema, &mut |name, property| {
            // A `const` needs no description.
            if property.get("description").is_none() && property.get("const").is_none() {
                undescribed.push(name.to_owned());
            }
        });
        assert_eq!(undescribed, Vec::<String>::new(), "without a description");
    }
}

#[test]
fn the_schema_is_one_that_editors_read() {
    let schema = brokkr_publish::config::json_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(jsonschema::meta::is_valid(&schema));
    let mut undescribed = Vec::new();
    walk(&schema, &mut |name, property| {
        if property.get("description").is_none() {
            undescribed.push(name.to_owned());
        }
    });
    assert_eq!(undescribed, Vec::<String>::new(), "without a description for hovers");
}

#[test]
fn the_reference_names_every_key() {
    let reference = std::fs::read_to_string(root().join("docs/reference/config.md")).expect("the reference");
    let mut keys = BTreeSet::new();
    walk(&brokkr_publish::config::json_schema(), &mut |name, _| {
        keys.insert(name.to_owned());
    });
    let missing: Vec<_> = keys.into_iter().filter(|key| !reference.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/reference/config.md does not mention {missing:?}");
}

/// Calls `each` with the name and schema of every property.
fn walk(schema: &Value, each: &mut dyn FnMut(&str, &Value)) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        for (name, property) in properties {
                            each(name, property);
                            walk(property, each);
                        }
                    }
                    ("examples" | "default", _) => {}
                    _ => walk(value, each),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, each)),
        _ => {}
    }
}
