//! Diagnostics as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::repository_path::repository_path;
use crate::diagnostic::{Code, Diagnostic, Label, Location};
use crate::report::clean;
use oci_registry::Digest;

/// The home page of the program.
const HOME: &str = "https://github.com/colliery-io/brokkr-publish";

/// Returns a log with one run. Its rules are the codes that occur.
pub fn sarif(diagnostics: &[Diagnostic]) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut seen = HashMap::new();
    let results: Vec<Value> =
        diagnostics.iter().map(|diagnostic| result(diagnostic, &codes, &mut seen)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "brokkr-publish",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    clean::json(&format!("{log:#}\n"))
}

fn rule(code: Code) -> Value {
    let page = code.page();
    let first = page
        .split("\n\n")
        .map(str::trim)
        .find(|paragraph| !paragraph.is_empty() && !paragraph.starts_with(['#', '`']))
        .map_or_else(|| code.to_string(), |paragraph| paragraph.replace('\n', " "));
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.as_str() },
        "fullDescription": { "text": first },
        "help": { "text": page, "markdown": page },
        "helpUri": format!("{HOME}/blob/main/docs/errors/{}", page_name(code)),
    })
}

/// Returns the file name of the code's page in `docs/errors/`.
fn page_name(code: Code) -> String {
    let name = code.as_str().trim_start_matches("publish::").replace("::", "-").replace('_', "-");
    format!("{name}.md")
}

fn result(diagnostic: &Diagnostic, codes: &[Code], seen: &mut HashMap<String, usize>) -> Value {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": codes.binary_search(&diagnostic.code).unwrap_or_default(),
        "level": diagnostic.severity.as_str(),
        "message": { "text": text },
        "partialFingerprints": { "brokkrPublish/v1": fingerprint(diagnostic, seen) },
    });
    let mut labels = diagnostic.labels.iter();
    if let Some(first) = labels.next() {
        result["locations"] = json!([location(first)]);
    }
    let related: Vec<Value> = labels
        .enumerate()
        .map(|(index, label)| {
            let mut related = location(label);
            related["id"] = (index + 1).into();
            related
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn location(label: &Label) -> Value {
    let place = &label.place;
    let mut location = if place.source.file.is_some() {
        let (line, column) = place.position();
        let (end_line, end_column) = place.source.position(place.span.end);
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(&repository_path(&place.source)) },
            "region": {
                "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column
            },
        } })
    } else {
        json!({ "logicalLocations": [{ "fullyQualifiedName": place.source.name }] })
    };
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}

/// Returns a path as a relative or absolute URI reference (RFC 3986).
fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'\\' => "/".to_owned(),
            b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Returns a fingerprint that stays the same when lines are added above. It is made of the code, the message, the file and the
/// text of the line.
fn fingerprint(diagnostic: &Diagnostic, seen: &mut HashMap<String, usize>) -> String {
    let place = diagnostic.labels.first().map(|label| &label.place);
    let name = place.map_or("", |place| place.source.name.as_str());
    let identity = format!("{}\n{}\n{name}\n{}", diagnostic.code, diagnostic.message, place.map_or("", line));
    let count = seen.entry(identity.clone()).or_default();
    *count += 1;
    let digest = Digest::of(identity.as_bytes());
    format!("{}:{count}", digest.hex().get(..32).unwrap_or_default())
}

fn line(place: &Location) -> &str {
    let text = place.source.text.as_str();
    let start =
        text.get(..place.span.start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
}
