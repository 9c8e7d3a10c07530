//! One value of the first document of a YAML stream, with its place.
//!
//! The core schema (YAML 1.2.2, 10.3) decides which plain scalars are strings. Merge keys (`<<`) belong to YAML 1.1 and are keys like
//! any other here.

use std::ops::Range;

use helm_package::yaml::{YamlContent, YamlDocument, YamlEntry, YamlError, YamlNode, YamlScalar};

use super::problem::{LookupProblem, MAX_LISTED_KEYS, ValueContents, ValueKind};

/// The most values that a file may have. A description of an API with thousands of operations has fewer.
const MAX_NODES: usize = 500_000;

/// Returns the string that `parts` lead to.
pub(super) fn find(text: &str, parts: &[String]) -> Result<(String, Option<Range<usize>>), LookupProblem> {
    let document = YamlDocument::parse(text, MAX_NODES).map_err(syntax)?;
    let Some(mut here) = document.root() else {
        return Err(LookupProblem::NoKey { found: 0, has: ValueContents::Nothing });
    };
    for (found, part) in parts.iter().enumerate() {
        let next = match here.content() {
            YamlContent::Mapping(entries) => value_of(&entries, part)?,
            YamlContent::Sequence(items) => {
                part.parse::<usize>().ok().and_then(|index| items.get(index)).copied()
            }
            YamlContent::Scalar(_) => None,
        };
        here = next.ok_or_else(|| LookupProblem::NoKey { found, has: contents(here) })?;
    }
    let span = Some(here.own_span());
    let kind = match here.content() {
        YamlContent::Mapping(_) => ValueKind::Table,
        YamlContent::Sequence(_) => ValueKind::List,
        YamlContent::Scalar(scalar) => match scalar_kind(scalar) {
            Some(kind) => kind,
            None => return Ok((scalar.text.clone(), span)),
        },
    };
    Err(LookupProblem::NotText { kind, has: contents(here), span })
}

/// Returns the value of a key, which must not be there twice: programs differ in which of the two counts.
fn value_of<'d>(entries: &[YamlEntry<'d>], wanted: &str) -> Result<Option<YamlNode<'d>>, LookupProblem> {
    let mut matching = entries.iter().filter(|entry| key_text(entry) == Some(wanted));
    let first = matching.next().map(|entry| entry.value);
    match matching.next() {
        None => Ok(first),
        Some(second) => {
            let message = format!("the key `{wanted}` appears twice");
            Err(LookupProblem::Syntax { message, span: Some(second.key.span()) })
        }
    }
}

fn key_text<'d>(entry: &YamlEntry<'d>) -> Option<&'d str> {
    match entry.key.content() {
        YamlContent::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

fn contents(node: YamlNode<'_>) -> ValueContents {
    match node.content() {
        YamlContent::Mapping(entries) => {
            let keys = entries.iter().filter_map(key_text).take(MAX_LISTED_KEYS);
            ValueContents::Keys(keys.map(str::to_owned).collect())
        }
        YamlContent::Sequence(items) => ValueContents::Items(items.len()),
        YamlContent::Scalar(_) => ValueContents::Nothing,
    }
}

/// Returns the kind of a scalar that is not a string. The tag `!` makes it a string, whatever it looks like.
fn scalar_kind(scalar: &YamlScalar) -> Option<ValueKind> {
    match &scalar.tag {
        Some(_) if scalar.is_tagged_string => None,
        Some(tag) => Some(ValueKind::Tagged(tag.clone())),
        None if scalar.is_null() => Some(ValueKind::Null),
        None if scalar.is_plain => {
            plain_kind(&scalar.text).map(|kind| ValueKind::Unquoted(kind, scalar.text.clone()))
        }
        None => None,
    }
}

/// Returns the kind of a plain scalar that is neither null nor a string, by the core schema.
fn plain_kind(text: &str) -> Option<&'static str> {
    if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") {
        return Some("the boolean");
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let based = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|it| it.is_digit(radix)))
    };
    // The floats that Rust parses, except words such as `infinity`.
    let decimal = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | 'e' | 'E' | '+' | '-'))
        && unsigned.parse::<f64>().is_ok();
    let is_number = decimal
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || based("0o", 8)
        || based("0x", 16);
    is_number.then_some("the number")
}

fn syntax(error: YamlError) -> LookupProblem {
    LookupProblem::Syntax { message: error.message, span: Some(error.span) }
}
