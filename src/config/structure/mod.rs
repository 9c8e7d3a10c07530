//! Validates the merged value against the schema, and reports every error at once, each with its place.
//!
//! `validate` finds the violations, and `phrase` turns them into diagnostics.

mod findings;
mod phrase;
mod validate;

use std::collections::HashSet;

use findings::{Violation, ViolationKind};
pub(super) use phrase::meant;
use serde_json::Value;

use super::places::Places;
use super::schema;
use crate::diagnostic::{Code, Diagnostic};

/// A path in the merged value.
pub(super) type Path = Vec<String>;

/// Validates `json` and removes wrong values from it, so that the rest can be checked further. Skips the paths in
/// `credentials`, because they have already been reported and their values are secret.
pub(super) fn check_structure(
    json: &mut Value,
    places: &Places,
    credentials: &HashSet<Path>,
) -> Vec<Diagnostic> {
    let Some(schema) = schema::schema() else {
        return vec![Diagnostic::error(Code::ConfigFile, "the schema of `publish.toml` cannot be read")];
    };
    for path in credentials {
        prune(json, path);
    }
    let mut findings = validate::violations(schema, json);
    findings::distinct(&mut findings);
    findings.retain(|finding| !is_credential(finding, credentials));
    let diagnostics = findings.iter().map(|finding| phrase::diagnostic(finding, json, places)).collect();
    for finding in &findings {
        match finding.kind {
            ViolationKind::Missing(_) => {}
            _ => prune(json, &finding.path),
        }
    }
    diagnostics
}

/// Whether the finding is a missing key that was removed because of its credential.
fn is_credential(finding: &Violation, credentials: &HashSet<Path>) -> bool {
    let ViolationKind::Missing(key) = &finding.kind else { return false };
    let depth = finding.path.len();
    credentials.iter().any(|path| path.starts_with(&finding.path) && path.get(depth) == Some(key))
}

/// Removes the value at `path`, or the whole key of the registry, tag rule, image or check that contains it. An item of a list
/// becomes an empty table, so that the items after it keep their positions.
fn prune(json: &mut Value, path: &[String]) {
    let depth = match path.first().map(String::as_str) {
        Some("project" | "vars") => 2,
        _ => 3,
    };
    let Some((last, before)) = path.get(..depth.min(path.len())).and_then(<[String]>::split_last) else {
        return;
    };
    let holder = before.iter().try_fold(json, |value, part| match value {
        Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?),
        value => value.get_mut(part),
    });
    match holder {
        Some(Value::Object(table)) => {
            table.shift_remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(item) = last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                *item = Value::Object(serde_json::Map::new());
            }
        }
        _ => {}
    }
}
