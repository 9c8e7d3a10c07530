//! One value of a JSON document, with its place. If an object has a key twice, the last one counts, as in most programs.

use std::ops::Range;

use indexmap::IndexMap;
use serde_json::Value;
use serde_json::value::RawValue;

use super::problem::{LookupProblem, MAX_LISTED_KEYS, ValueContents, ValueKind};

/// Returns the string that `parts` lead to. A raw value is a slice of `text`, so its address gives its place.
pub(super) fn find(text: &str, parts: &[String]) -> Result<(String, Option<Range<usize>>), LookupProblem> {
    // Without the file name and the position: the message already names the file, and the label shows the position.
    let mut here: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error, text))?;
    for (found, part) in parts.iter().enumerate() {
        let next = match one_level(here) {
            JsonLevel::Object(object) => object.get(part).copied(),
            JsonLevel::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)).copied(),
            JsonLevel::Other => None,
        };
        here = next.ok_or_else(|| LookupProblem::NoKey { found, has: contents(here) })?;
    }
    let span = span(text, here.get());
    let kind = match serde_json::from_str::<Value>(here.get()) {
        Ok(Value::String(text)) => return Ok((text, span)),
        Ok(Value::Object(_)) => ValueKind::Table,
        Ok(Value::Array(_)) => ValueKind::List,
        Ok(Value::Null) => ValueKind::Null,
        Ok(Value::Bool(value)) => ValueKind::Unquoted("the boolean", value.to_string()),
        Ok(Value::Number(_)) => ValueKind::Unquoted("the number", here.get().to_owned()),
        Err(error) => return Err(LookupProblem::Syntax { message: error.to_string(), span }),
    };
    Err(LookupProblem::NotText { kind, has: contents(here), span })
}

/// A value, read one level deep.
enum JsonLevel<'a> {
    Object(IndexMap<String, &'a RawValue>),
    Array(Vec<&'a RawValue>),
    Other,
}

fn one_level(raw: &RawValue) -> JsonLevel<'_> {
    if let Ok(object) = serde_json::from_str(raw.get()) {
        return JsonLevel::Object(object);
    }
    serde_json::from_str(raw.get()).map_or(JsonLevel::Other, JsonLevel::Array)
}

fn contents(raw: &RawValue) -> ValueContents {
    match one_level(raw) {
        JsonLevel::Object(object) => {
            ValueContents::Keys(object.keys().take(MAX_LISTED_KEYS).cloned().collect())
        }
        JsonLevel::Array(items) => ValueContents::Items(items.len()),
        JsonLevel::Other => ValueContents::Nothing,
    }
}

/// Returns the range of `part`, which was borrowed from `text`.
fn span(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start + part.len();
    (text.get(range.clone())? == part).then_some(range)
}

fn syntax(error: &serde_json::Error, text: &str) -> LookupProblem {
    // Lines and columns are counted from 1, and columns count bytes; at the end of a line the column is 0.
    let line_start =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let offset = line_start + error.column().saturating_sub(1);
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map(char::len_utf8);
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    LookupProblem::Syntax {
        message: whole.strip_suffix(&place).unwrap_or(&whole).to_owned(),
        span: length.map(|length| offset..offset + length),
    }
}
