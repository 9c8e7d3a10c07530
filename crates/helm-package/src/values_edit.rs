//! Setting values in the text of a YAML file, with every other byte as its author wrote it.
//!
//! Each edit replaces one scalar in place, or adds a key. Then the text is read again: every value that was not to change must be the
//! same as before. An alias of a value that changed is replaced by the value that it had.

use serde_json::Value;

use crate::helm_yaml::{HelmContent, HelmEntry, HelmNode, HelmYaml};
use crate::scalar::{GoScalar, plain_or_quoted};

/// How many aliases are replaced at most.
const MAX_REPAIRS: usize = 100;

/// A value to set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueEdit {
    /// The keys that lead to it. The last may be missing in its mapping.
    pub(crate) path: Vec<String>,
    /// The new value: a string or a boolean.
    pub(crate) value: Value,
}

/// Returns the value that `path` leads to.
pub(crate) fn node_at<'a>(root: HelmNode<'a>, path: &[String]) -> Option<HelmNode<'a>> {
    path.iter().try_fold(root, |node, key| match node.content() {
        HelmContent::List(items) => items.get(key.parse::<usize>().ok()?).copied(),
        HelmContent::Mapping(_) => node.get(key),
        HelmContent::Scalar(_) => None,
    })
}

/// Returns `text` with the values set, or `None` if they cannot be set without changing others.
pub(crate) fn with_values(text: &str, edits: &[ValueEdit]) -> Option<String> {
    let mut wanted = tree(text)?;
    let mut text = text.to_owned();
    for edit in edits {
        set(&mut wanted, &edit.path, edit.value.clone())?;
        text = with_scalar(&text, &edit.path, &edit.value)?;
    }
    for _ in 0..MAX_REPAIRS {
        let found = tree(&text)?;
        let Some(path) = difference(&found, &wanted) else { return Some(text) };
        let value = path.iter().try_fold(&wanted, |value, key| child(value, key))?;
        text = with_scalar(&text, &path, value)?;
    }
    None
}

fn parse(text: &str) -> Option<HelmYaml> {
    HelmYaml::parse("values.yaml", None, text).ok()
}

/// Returns the values of the document.
fn tree(text: &str) -> Option<Value> {
    let yaml = parse(text)?;
    let value = value(&yaml.root()?);
    (!yaml.is_too_much()).then_some(value)
}

fn value(node: &HelmNode<'_>) -> Value {
    match node.content() {
        HelmContent::List(items) => items.iter().map(value).collect(),
        HelmContent::Mapping(entries) => {
            let entries = entries.into_iter().map(|entry| (entry.key, value(&entry.value)));
            Value::Object(entries.collect())
        }
        HelmContent::Scalar(scalar) => match scalar {
            GoScalar::Null => Value::Null,
            GoScalar::Bool(value) => value.into(),
            GoScalar::Int(value) => value.into(),
            GoScalar::Unsigned(value) => value.into(),
            GoScalar::Float(value) => value.into(),
            GoScalar::Text(text) => text.into(),
        },
    }
}

fn child<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => value.get(key),
    }
}

fn set(value: &mut Value, path: &[String], new: Value) -> Option<()> {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return Some(());
    };
    match value {
        Value::Array(items) => set(items.get_mut(key.parse::<usize>().ok()?)?, rest, new),
        Value::Object(entries) if rest.is_empty() => {
            entries.insert(key.clone(), new);
            Some(())
        }
        _ => set(value.get_mut(key)?, rest, new),
    }
}

/// Returns the path of the first scalar that differs.
fn difference(found: &Value, wanted: &Value) -> Option<Vec<String>> {
    if found == wanted {
        return None;
    }
    let inner = match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().find_map(|(key, wanted)| Some((key.clone(), difference(found.get(key)?, wanted)?)))
        }
        (Value::Array(found), Value::Array(wanted)) => found
            .iter()
            .zip(wanted)
            .enumerate()
            .find_map(|(at, (found, wanted))| Some((at.to_string(), difference(found, wanted)?))),
        _ => None,
    };
    Some(inner.map(|(key, rest)| std::iter::once(key).chain(rest).collect()).unwrap_or_default())
}

fn with_scalar(text: &str, path: &[String], value: &Value) -> Option<String> {
    let yaml = parse(text)?;
    let (key, above) = path.split_last()?;
    let parent = node_at(yaml.root()?, above)?;
    let entries = match parent.content() {
        HelmContent::Mapping(entries) => entries,
        HelmContent::List(items) => {
            let span = items.get(key.parse::<usize>().ok()?)?.bytes();
            if span.is_empty() {
                return None;
            }
            let new = written(text.get(span.clone())?, value)?;
            return Some([text.get(..span.start)?, &new, text.get(span.end..)?].concat());
        }
        HelmContent::Scalar(_) => return None,
    };
    // A key that `<<` merges into the mapping is written before it.
    let start = parent.own_bytes().start;
    let is_own = |entry: &&HelmEntry<'_>| entry.key_bytes.start >= start;
    if let Some(entry) = entries.iter().filter(is_own).find(|entry| entry.key == *key) {
        let span = entry.value.bytes();
        if span.is_empty() {
            let colon = entry.key_bytes.end + text.get(entry.key_bytes.end..)?.find(':')? + 1;
            return Some([text.get(..colon)?, " ", &written("", value)?, text.get(colon..)?].concat());
        }
        let new = written(text.get(span.clone())?, value)?;
        return Some([text.get(..span.start)?, &new, text.get(span.end..)?].concat());
    }
    let new = format!("{key}: {}", written("\"", value)?);
    let Some(last) = entries.iter().rfind(|entry| is_own(entry) && entry.value.is_scalar()) else {
        let open = start + 1;
        let is_empty_flow = entries.is_empty() && text.get(start..open) == Some("{");
        return is_empty_flow.then(|| [&text[..open], &new, &text[open..]].concat());
    };
    let after = last.value.bytes().end.max(last.key_bytes.end);
    if text.get(start..)?.starts_with('{') {
        return Some([text.get(..after)?, ", ", &new, text.get(after..)?].concat());
    }
    let line = text.get(..last.key_bytes.start)?.rsplit('\n').next().unwrap_or_default();
    let indentation = " ".repeat(line.chars().count());
    let rest = text.get(after..)?;
    let end = after + rest.find('\n').unwrap_or(rest.len());
    let end = if text[..end].ends_with('\r') { end - 1 } else { end };
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some([text.get(..end)?, line_end, &indentation, &new, text.get(end..)?].concat())
}

/// Returns `value` as a scalar, in the quotes of the `old` one.
fn written(old: &str, value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) if old.starts_with('"') => Value::from(text.as_str()).to_string(),
        Value::String(text) if old.starts_with('\'') => format!("'{}'", text.replace('\'', "''")),
        Value::String(text) => plain_or_quoted(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

#[cfg(test)]
#[path = "values_edit_tests.rs"]
mod tests;
