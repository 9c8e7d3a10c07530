//! The violations of the schema. `anyOf` and `oneOf` are followed into the branch that was probably meant.

use std::collections::HashSet;

use serde_json::Value;

use crate::config::schema::JsonType;

/// Something that the schema does not allow.
#[derive(Debug)]
pub(super) struct Violation {
    /// The path of the value, of the table that lacks a key, or of the unknown key.
    pub path: Vec<String>,
    /// The kind of finding.
    pub kind: ViolationKind,
}

/// The kinds of findings.
#[derive(Debug)]
pub(super) enum ViolationKind {
    /// The table does not accept a key of this name.
    UnknownKey,
    /// The table needs this key.
    Missing(String),
    /// The value has none of these JSON types.
    Type(Vec<JsonType>),
    /// The value is not one of these.
    Choice(Vec<Value>),
    /// The name of the entry does not match its pattern, or is empty.
    Name,
    /// The text does not match its pattern.
    Pattern,
    /// A string, list or table is empty.
    Empty,
    /// A list holds a value twice.
    Duplicate,
    /// The number is less than this.
    TooSmall(Value),
    /// Any other error, without the value.
    Other(String),
}

/// Adds the violations of the branch that was probably meant: of those whose type the value has, the one with the fewest. `tried`
/// has the violations of each branch of an `anyOf` or `oneOf` by the value at `path`.
pub(super) fn meant_branch(path: &[String], tried: Vec<Vec<Violation>>, findings: &mut Vec<Violation>) {
    let wrong_types = |branch: &Vec<Violation>| {
        branch.iter().find_map(|violation| match &violation.kind {
            ViolationKind::Type(types) if violation.path == path => Some(types.clone()),
            _ => None,
        })
    };
    let mut types = Vec::new();
    let mut candidates = Vec::new();
    for branch in tried {
        match wrong_types(&branch) {
            Some(wrong) => types.extend(wrong),
            None => candidates.push(branch),
        }
    }
    if candidates.is_empty() {
        let mut seen = HashSet::new();
        types.retain(|it| seen.insert(*it));
        findings.push(Violation { path: path.to_vec(), kind: ViolationKind::Type(types) });
        return;
    }
    let mut best: Option<Vec<Violation>> = None;
    let mut choices = Vec::new();
    for mut branch in candidates {
        match branch.as_mut_slice() {
            [Violation { path: at, kind: ViolationKind::Choice(options) }] if at == path => {
                choices.append(options);
            }
            found => {
                let fewest = best.as_ref().is_none_or(|best| found.len() < best.len());
                if fewest {
                    best = Some(branch);
                }
            }
        }
    }
    match best {
        Some(best) if choices.is_empty() => findings.extend(best),
        _ => findings.push(Violation { path: path.to_vec(), kind: ViolationKind::Choice(choices) }),
    }
}

/// Leaves one finding for each place. If the type is wrong, nothing else about the value is reported.
pub(super) fn distinct(findings: &mut Vec<Violation>) {
    let mistyped: HashSet<Vec<String>> = findings
        .iter()
        .filter(|finding| matches!(finding.kind, ViolationKind::Type(_)))
        .map(|finding| finding.path.clone())
        .collect();
    let mut seen = HashSet::new();
    findings.retain(|finding| {
        let key = match &finding.kind {
            ViolationKind::Missing(key) => return seen.insert((finding.path.clone(), key.clone())),
            ViolationKind::Type(_) => String::from("type"),
            _ if mistyped.contains(&finding.path) => return false,
            _ => String::from("value"),
        };
        seen.insert((finding.path.clone(), key))
    });
}
