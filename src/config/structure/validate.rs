//! Validates a value against a part of the schema, and finds all violations at once.
//!
//! A library did this before. It compiled the whole schema for each run, which took a third of a `lint` and a tenth of the build
//! (docs/adr/0012-own-schema-validator.md). It is still the judge: a test compares both verdicts on broken configurations.

use std::collections::HashSet;

use serde_json::Value;

use super::findings::{Violation, ViolationKind, meant_branch};
use crate::config::schema::{Node, Schema};

/// The violations of `schema` by `value`, in the order of the schema and of the value.
pub(super) fn violations(schema: &Schema<'_>, value: &Value) -> Vec<Violation> {
    let mut found = Found { count: 0, list: Some(Vec::new()) };
    Walk { schema }.check(schema.root(), value, &Place::Root, &mut found);
    found.list.unwrap_or_default()
}

/// The place of a value, from its own key up to the root.
enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn path(&self) -> Vec<String> {
        let (above, part) = match self {
            Self::Root => return Vec::new(),
            Self::Key(above, key) => (above, (*key).to_owned()),
            Self::Item(above, index) => (above, index.to_string()),
        };
        let mut path = above.path();
        path.push(part);
        path
    }
}

/// The violations so far: counted, and listed if somebody reads them.
struct Found {
    count: usize,
    list: Option<Vec<Violation>>,
}

impl Found {
    fn add(&mut self, place: &Place<'_>, kind: impl FnOnce() -> ViolationKind) {
        self.count += 1;
        if let Some(list) = &mut self.list {
            list.push(Violation { path: place.path(), kind: kind() });
        }
    }
}

struct Walk<'s> {
    schema: &'s Schema<'s>,
}

impl Walk<'_> {
    fn check(&self, node: &Node<'_>, value: &Value, place: &Place<'_>, found: &mut Found) {
        if let Some(reference) = node.reference {
            match self.schema.definition(reference) {
                Some(definition) => self.check(definition, value, place, found),
                None => found.add(place, || ViolationKind::Other(format!("the schema has no {reference}"))),
            }
            return;
        }
        if node.is_never {
            found.add(place, || ViolationKind::Other("the schema allows no value here".to_owned()));
        }
        if let Some(types) = &node.types
            && !types.iter().any(|one| one.is_of(value))
        {
            found.add(place, || ViolationKind::Type(types.clone()));
        }
        if let Some(constant) = &node.constant
            && !is_same(constant, value)
        {
            found.add(place, || ViolationKind::Choice(vec![constant.clone()]));
        }
        if let Some(choices) = &node.choices
            && !choices.iter().any(|choice| is_same(choice, value))
        {
            found.add(place, || ViolationKind::Choice(choices.clone()));
        }
        match value {
            Value::Object(table) => self.check_table(node, table, place, found),
            Value::Array(items) => self.check_list(node, items, place, found),
            Value::String(text) => check_text(node, text, place, found),
            Value::Number(number) => check_number(node, number, place, found),
            Value::Bool(_) | Value::Null => {}
        }
        for part in &node.all_of {
            self.check(part, value, place, found);
        }
        self.check_branches(&node.any_of, false, value, place, found);
        self.check_branches(&node.one_of, true, value, place, found);
    }

    fn check_table(
        &self,
        node: &Node<'_>,
        table: &serde_json::Map<String, Value>,
        place: &Place<'_>,
        found: &mut Found,
    ) {
        for (key, value) in table {
            let below = Place::Key(place, key);
            if let Some(names) = &node.property_names
                && !self.is_valid(names, &Value::String(key.clone()))
            {
                found.add(&below, || ViolationKind::Name);
            }
            let property = node.property(key);
            let matching = || node.pattern_properties.iter().filter(|(pattern, _)| pattern.matches(key));
            for part in property.into_iter().chain(matching().map(|(_, part)| part)) {
                self.check(part, value, &below, found);
            }
            if property.is_none()
                && let Some(part) = &node.additional_properties
                && matching().next().is_none()
            {
                if part.is_never {
                    found.add(&below, || ViolationKind::UnknownKey);
                } else {
                    self.check(part, value, &below, found);
                }
            }
        }
        for key in &node.required {
            if !table.contains_key(*key) {
                found.add(place, || ViolationKind::Missing((*key).to_owned()));
            }
        }
        if node.min_properties.is_some_and(|least| table.len() < least) {
            found.add(place, || ViolationKind::Empty);
        }
    }

    fn check_list(&self, node: &Node<'_>, items: &[Value], place: &Place<'_>, found: &mut Found) {
        if let Some(part) = &node.items {
            for (index, item) in items.iter().enumerate() {
                self.check(part, item, &Place::Item(place, index), found);
            }
        }
        if node.min_items.is_some_and(|least| items.len() < least) {
            found.add(place, || ViolationKind::Empty);
        }
        let mut seen = HashSet::new();
        if node.unique_items && !items.iter().all(|item| seen.insert(item.to_string())) {
            found.add(place, || ViolationKind::Duplicate);
        }
    }

    /// Checks `anyOf`, or `oneOf` if `only_one` may apply.
    fn check_branches(
        &self,
        branches: &[Node<'_>],
        only_one: bool,
        value: &Value,
        place: &Place<'_>,
        found: &mut Found,
    ) {
        let valid = branches.iter().filter(|branch| self.is_valid(branch, value));
        match valid.take(2).count() {
            0 if branches.is_empty() => {}
            0 => {
                found.count += 1;
                if let Some(list) = &mut found.list {
                    let tried = branches.iter().map(|branch| {
                        let mut inner = Found { count: 0, list: Some(Vec::new()) };
                        self.check(branch, value, place, &mut inner);
                        inner.list.unwrap_or_default()
                    });
                    meant_branch(&place.path(), tried.collect(), list);
                }
            }
            2 if only_one => {
                found.add(place, || ViolationKind::Other("more than one form of the key applies".to_owned()));
            }
            _ => {}
        }
    }

    fn is_valid(&self, node: &Node<'_>, value: &Value) -> bool {
        let mut found = Found { count: 0, list: None };
        self.check(node, value, &Place::Root, &mut found);
        found.count == 0
    }
}

/// Whether both are the same text, number or boolean. `1` and `1.0` are one number (draft 7, 4.2.3).
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

fn check_text(node: &Node<'_>, text: &str, place: &Place<'_>, found: &mut Found) {
    if node.min_length.is_some_and(|least| text.chars().count() < least) {
        found.add(place, || ViolationKind::Empty);
    }
    if node.pattern.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
        found.add(place, || ViolationKind::Pattern);
    }
}

fn check_number(node: &Node<'_>, number: &serde_json::Number, place: &Place<'_>, found: &mut Found) {
    let less = |least: &serde_json::Number| match (number.as_i128(), least.as_i128()) {
        (Some(number), Some(least)) => number < least,
        _ => number.as_f64() < least.as_f64(),
    };
    if let Some(least) = node.minimum.as_ref().filter(|least| less(least)) {
        found.add(place, || ViolationKind::TooSmall(Value::Number(least.clone())));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, json};

    use super::*;
    use crate::config::schema::{self, JsonType};

    fn is_valid(value: &Value) -> bool {
        violations(schema::schema().unwrap(), value).is_empty()
    }

    #[test]
    fn a_profile_requires_nothing() {
        let profile = json!({ "images": { "a": { "tags": ["b"] } }, "registries": { "c": { "auth": { "password_env": "D" } } } });
        assert!(is_valid(&json!({ "version": 1, "profile": { "p": profile } })));
        assert!(!is_valid(&json!({ "version": 1, "images": { "a": { "tags": ["b"] } } })));
        assert!(!is_valid(&json!({ "version": 1, "profile": { "p": { "version": 1 } } })));
        assert!(is_valid(&json!({ "version": 1, "profile": { "p": { "checks": [] } } })));
        assert!(!is_valid(&json!({ "version": 1, "profile": { "p": { "checks": [{ "file": "a" }] } } })));
    }

    /// A value with every key of the schema, made of the examples.
    fn whole(node: &Node<'_>, schema: &Schema<'_>) -> Value {
        if let Some(definition) = node.reference.and_then(|reference| schema.definition(reference)) {
            return whole(definition, schema);
        }
        let mut table = Map::new();
        for (key, part) in &node.properties {
            table.insert((*key).to_owned(), whole(part, schema));
        }
        if let Some(part) = node.additional_properties.as_deref().filter(|part| !part.is_never) {
            table.insert("name".to_owned(), whole(part, schema));
        }
        if !table.is_empty() {
            return Value::Object(table);
        }
        if let Some(example) = node.examples.first().or(node.constant.as_ref()) {
            return example.clone();
        }
        if let Some(item) = &node.items {
            return json!([whole(item, schema)]);
        }
        let is_flag = node.types.as_ref().is_some_and(|types| types.contains(&JsonType::Boolean));
        if is_flag {
            return json!(true);
        }
        let part = node.all_of.iter().chain(&node.any_of).chain(&node.one_of).next();
        part.map_or_else(|| json!("text"), |part| whole(part, schema))
    }

    fn documents() -> Vec<Value> {
        let schema = schema::schema().unwrap();
        let mut documents = vec![whole(schema.root(), schema)];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let examples =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("publish.toml"));
        documents.extend(
            examples
                .filter_map(|file| std::fs::read_to_string(file).ok())
                .map(|text| toml::from_str::<Value>(&text).unwrap()),
        );
        documents
    }

    /// Every value of the document in turn is replaced, removed, or gets a key more.
    fn broken(value: &Value, give: &mut dyn FnMut(Value)) {
        let others = [
            json!(true),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.0),
            json!(1.5),
            json!(""),
            json!("x"),
            json!("Ü b"),
            json!("standard"),
            json!([]),
            json!(["a", "a"]),
            json!([1]),
            json!([{}]),
            json!({}),
            json!({ "standard": 1 }),
            json!({ "Ü b": "x" }),
        ];
        for other in others {
            give(other);
        }
        match value {
            Value::Object(table) => {
                let mut more = table.clone();
                more.insert("no key".to_owned(), json!("x"));
                give(Value::Object(more));
                for (key, below) in table {
                    let mut less = table.clone();
                    less.shift_remove(key);
                    give(Value::Object(less));
                    broken(below, &mut |other| {
                        let mut changed = table.clone();
                        changed.insert(key.clone(), other);
                        give(Value::Object(changed));
                    });
                }
            }
            Value::Array(items) => {
                for (index, below) in items.iter().enumerate() {
                    give(items.iter().chain([below]).cloned().collect());
                    broken(below, &mut |other| {
                        let mut changed = items.clone();
                        changed[index] = other;
                        give(Value::Array(changed));
                    });
                }
            }
            _ => {}
        }
    }

    #[test]
    fn the_verdict_is_that_of_a_validator_that_others_wrote() {
        let judge = jsonschema::draft7::new(&schema::json_schema()).unwrap();
        let mut counts = [0, 0];
        for document in documents() {
            let found = violations(schema::schema().unwrap(), &document);
            assert!(found.is_empty() && judge.is_valid(&document), "{found:#?}\n{document:#}");
            broken(&document, &mut |changed| {
                let verdict = is_valid(&changed);
                assert_eq!(verdict, judge.is_valid(&changed), "{changed:#}");
                counts[usize::from(verdict)] += 1;
            });
        }
        let [refused, accepted] = counts;
        assert!(refused > 2000 && accepted > 500, "{refused} refused, {accepted} accepted");
    }
}
