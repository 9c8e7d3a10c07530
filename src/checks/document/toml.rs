//! One value of a TOML document, with its place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{LookupProblem, MAX_LISTED_KEYS, ValueContents, ValueKind};
use std::ops::Range;

/// Returns the string that `parts` lead to.
pub(super) fn find(text: &str, parts: &[String]) -> Result<(String, Option<Range<usize>>), LookupProblem> {
    let root = DeTable::parse(text)
        .map_err(|error| LookupProblem::Syntax { message: error.message().to_owned(), span: error.span() })?;
    let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
    let mut here = &root;
    for (found, part) in parts.iter().enumerate() {
        let next = match here.as_ref() {
            DeValue::Table(table) => table.get(part.as_str()),
            DeValue::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        here = next.ok_or_else(|| LookupProblem::NoKey { found, has: contents(here.as_ref()) })?;
    }
    let kind = match here.as_ref() {
        DeValue::String(text) => return Ok((text.to_string(), Some(here.span()))),
        DeValue::Table(_) => ValueKind::Table,
        DeValue::Array(_) => ValueKind::List,
        DeValue::Integer(number) => ValueKind::Unquoted("the number", number.to_string()),
        DeValue::Float(number) => ValueKind::Unquoted("the number", number.to_string()),
        DeValue::Boolean(value) => ValueKind::Unquoted("the boolean", value.to_string()),
        DeValue::Datetime(value) => ValueKind::Unquoted("the date", value.to_string()),
    };
    Err(LookupProblem::NotText { kind, has: contents(here.as_ref()), span: Some(here.span()) })
}

fn contents(value: &DeValue<'_>) -> ValueContents {
    match value {
        DeValue::Table(table) => ValueContents::Keys(
            table.iter().take(MAX_LISTED_KEYS).map(|(key, _)| key.as_ref().to_string()).collect(),
        ),
        DeValue::Array(items) => ValueContents::Items(items.len()),
        _ => ValueContents::Nothing,
    }
}
