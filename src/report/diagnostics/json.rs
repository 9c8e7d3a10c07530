//! Diagnostics as one JSON document.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Label, SourceText};
use crate::report::clean;

/// Returns the document: `{"format_version": 1, "diagnostics": [...]}`. Lines and columns count from 1, and columns count
/// characters. Offsets are bytes of the text, without a byte order mark.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let diagnostics: Vec<Value> = diagnostics.iter().map(member).collect();
    clean::json(&format!("{:#}\n", json!({ "format_version": 1, "diagnostics": diagnostics })))
}

/// Returns one diagnostic, as a member of a document.
pub fn member(diagnostic: &Diagnostic) -> Value {
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": diagnostic.labels.iter().map(label).collect::<Vec<_>>(),
    })
}

/// Returns a label. `file` is null if the source is a variable or a flag instead of a file. `source` names it in any case.
fn label(label: &Label) -> Value {
    let source = &label.place.source;
    json!({
        "file": source.file.as_ref().map(|_| source.name.as_str()),
        "source": source.name,
        "start": position(source, label.place.span.start),
        "end": position(source, label.place.span.end),
        "text": label.text,
    })
}

fn position(source: &SourceText, offset: usize) -> Value {
    let (line, column) = source.position(offset);
    json!({ "line": line, "column": column, "offset": offset })
}
