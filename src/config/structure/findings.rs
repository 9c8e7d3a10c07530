//! Turns the validator's errors into plain findings. `anyOf` and `oneOf` are followed into the branch that was probably meant.

use std::collections::HashSet;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

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
    /// Any other error, in the validator's words, without the value.
    Other(String),
}

/// Adds the findings of `error`.
pub(super) fn collect(error: &ValidationError<'_>, findings: &mut Vec<Violation>) {
    let path = segments(error.instance_path());
    let mut add = |path: Vec<String>, kind: ViolationKind| findings.push(Violation { path, kind });
    let below = |key: &str| path.iter().cloned().chain(std::iter::once(key.to_owned())).collect::<Vec<_>>();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for key in unexpected {
                add(below(key), ViolationKind::UnknownKey);
            }
        }
        ValidationErrorKind::Required { property } => {
            add(path, ViolationKind::Missing(property.as_str().unwrap_or_default().to_owned()));
        }
        ValidationErrorKind::Type { kind } => add(path, ViolationKind::Type(types(kind))),
        ValidationErrorKind::Constant { expected_value } => {
            add(path, ViolationKind::Choice(vec![expected_value.as_ref().clone()]));
        }
        ValidationErrorKind::Enum { options } => {
            add(path, ViolationKind::Choice(options.as_array().cloned().unwrap_or_default()));
        }
        ValidationErrorKind::PropertyNames { error: inner } => {
            add(below(inner.instance().as_str().unwrap_or_default()), ViolationKind::Name);
        }
        ValidationErrorKind::Pattern { .. } => add(path, ViolationKind::Pattern),
        ValidationErrorKind::MinLength { .. }
        | ValidationErrorKind::MinItems { .. }
        | ValidationErrorKind::MinProperties { .. } => add(path, ViolationKind::Empty),
        ValidationErrorKind::Minimum { limit } => add(path, ViolationKind::TooSmall(limit.clone())),
        ValidationErrorKind::UniqueItems => add(path, ViolationKind::Duplicate),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            meant_branch(&path, error.instance_path(), context, findings);
        }
        _ => add(path, ViolationKind::Other(error.masked_with("the value").to_string())),
    }
}

/// Follows the branches whose type the value has.
fn meant_branch(
    path: &[String],
    location: &Location,
    context: &[Vec<ValidationError<'static>>],
    findings: &mut Vec<Violation>,
) {
    let wrong_types = |branch: &Vec<ValidationError<'static>>| {
        branch
            .iter()
            .find_map(|error| (error.instance_path() == location).then(|| wrong_type(error)).flatten())
    };
    let candidates: Vec<_> = context.iter().filter(|branch| wrong_types(branch).is_none()).collect();
    if candidates.is_empty() {
        let mut types: Vec<JsonType> = context.iter().filter_map(wrong_types).flatten().collect();
        let mut seen = HashSet::new();
        types.retain(|it| seen.insert(*it as u8));
        findings.push(Violation { path: path.to_vec(), kind: ViolationKind::Type(types) });
        return;
    }
    let mut best: Option<Vec<Violation>> = None;
    let mut choices = Vec::new();
    for branch in candidates {
        let mut inner = Vec::new();
        for error in branch {
            collect(error, &mut inner);
        }
        match inner.as_mut_slice() {
            [Violation { path: at, kind: ViolationKind::Choice(options) }] if at == path => {
                choices.append(options);
            }
            found => {
                let fewest = best.as_ref().is_none_or(|best| found.len() < best.len());
                if fewest {
                    best = Some(inner);
                }
            }
        }
    }
    match best {
        Some(best) if choices.is_empty() => findings.extend(best),
        _ => findings.push(Violation { path: path.to_vec(), kind: ViolationKind::Choice(choices) }),
    }
}

/// The expected types, if the error says that the value has another type.
fn wrong_type(error: &ValidationError<'_>) -> Option<Vec<JsonType>> {
    match error.kind() {
        ValidationErrorKind::Type { kind } => Some(types(kind)),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let all: Option<Vec<Vec<JsonType>>> = context
                .iter()
                .map(|branch| {
                    branch.iter().find_map(|inner| {
                        (inner.instance_path() == error.instance_path()).then(|| wrong_type(inner)).flatten()
                    })
                })
                .collect();
            all.map(|types| types.into_iter().flatten().collect())
        }
        _ => None,
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

fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(single) => vec![*single],
        TypeKind::Multiple(several) => several.iter().collect(),
    }
}

fn segments(location: &Location) -> Vec<String> {
    location
        .segments()
        .map(|segment| match segment {
            LocationSegment::Property(name) => name.into_owned(),
            LocationSegment::Index(index) => index.to_string(),
        })
        .collect()
}
