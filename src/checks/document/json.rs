//! One value of a JSON document, with its place. If an object has a key twice, the last one counts, as in most programs.

use std::ops::Range;

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::RawValue;

use super::problem::{Holds, Problem, TOLD, What};

/// Returns the string that `parts` lead to. A raw value is a slice of `text`, so its address gives its place.
pub(super) fn find(text: &str, parts: &[String]) -> Result<(String, Option<Range<usize>>), Problem> {
    // Without the file name and the position: the message already names the file, and the label shows the position.
    let mut here: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error, text))?;
    for (found, part) in parts.iter().enumerate() {
        let next = match inner(here) {
            Inner::Object(object) => object.get(part).copied(),
            Inner::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)).copied(),
            Inner::Other => None,
        };
        here = next.ok_or_else(|| Problem::NoKey { found, has: holds(here) })?;
    }
    let span = span(text, here.get());
    let what = match serde_json::from_str::<Value>(here.get()) {
        Ok(Value::String(text)) => return Ok((text, span)),
        Ok(Value::Object(_)) => What::Table,
        Ok(Value::Array(_)) => What::List,
        Ok(Value::Null) => What::Null,
        Ok(Value::Bool(value)) => What::Unquoted("the boolean", value.to_string()),
        Ok(Value::Number(_)) => What::Unquoted("the number", here.get().to_owned()),
        Err(error) => return Err(Problem::Syntax { message: error.to_string(), span }),
    };
    Err(Problem::NotText { what, has: holds(here), span })
}

/// A value, read one level deep.
enum Inner<'a> {
    Object(IndexMap<String, &'a RawValue>),
    Array(Vec<&'a RawValue>),
    Other,
}

fn inner(raw: &RawValue) -> Inner<'_> {
    if let Ok(object) = serde_json::from_str(raw.get()) {
        return Inner::Object(object);
    }
    serde_json::from_str(raw.get()).map_or(Inner::Other, Inner::Array)
}

fn holds(raw: &RawValue) -> Holds {
    match inner(raw) {
        Inner::Object(object) => Holds::Keys(object.keys().take(TOLD).cloned().collect()),
        Inner::Array(items) => Holds::Items(items.len()),
        Inner::Other => Holds::Nothing,
    }
}

/// Returns the range of `part`, which was borrowed from `text`.
fn span(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start + part.len();
    (text.get(range.clone())? == part).then_some(range)
}

fn syntax(error: &serde_json::Error, text: &str) -> Problem {
    // Lines and columns are counted from 1, and columns count bytes; at the end of a line the column is 0.
    let line_start =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let offset = line_start + error.column().saturating_sub(1);
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map(char::len_utf8);
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    Problem::Syntax {
        message: whole.strip_suffix(&place).unwrap_or(&whole).to_owned(),
        span: length.map(|length| offset..offset + length),
    }
}
