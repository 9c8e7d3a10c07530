//! One value of a TOML document, with its place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Holds, Problem, TOLD, What};
use std::ops::Range;

/// Returns the string that `parts` lead to.
pub(super) fn find(text: &str, parts: &[String]) -> Result<(String, Option<Range<usize>>), Problem> {
    let root = DeTable::parse(text)
        .map_err(|error| Problem::Syntax { message: error.message().to_owned(), span: error.span() })?;
    let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
    let mut here = &root;
    for (found, part) in parts.iter().enumerate() {
        let next = match here.as_ref() {
            DeValue::Table(table) => table.get(part.as_str()),
            DeValue::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        here = next.ok_or_else(|| Problem::NoKey { found, has: holds(here.as_ref()) })?;
    }
    let what = match here.as_ref() {
        DeValue::String(text) => return Ok((text.to_string(), Some(here.span()))),
        DeValue::Table(_) => What::Table,
        DeValue::Array(_) => What::List,
        DeValue::Integer(number) => What::Unquoted("the number", number.to_string()),
        DeValue::Float(number) => What::Unquoted("the number", number.to_string()),
        DeValue::Boolean(value) => What::Unquoted("the boolean", value.to_string()),
        DeValue::Datetime(value) => What::Unquoted("the date", value.to_string()),
    };
    Err(Problem::NotText { what, has: holds(here.as_ref()), span: Some(here.span()) })
}

fn holds(value: &DeValue<'_>) -> Holds {
    match value {
        DeValue::Table(table) => {
            Holds::Keys(table.iter().take(TOLD).map(|(key, _)| key.as_ref().to_string()).collect())
        }
        DeValue::Array(items) => Holds::Items(items.len()),
        _ => Holds::Nothing,
    }
}
