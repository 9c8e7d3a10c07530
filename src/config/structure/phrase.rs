//! Turns findings into diagnostics, each with a label and help.

use serde_json::Value;

use super::findings::{Violation, ViolationKind};
use crate::config::places::Places;
use crate::config::schema::JsonType;
use crate::config::{schema, suggest};
use crate::diagnostic::{Code, Diagnostic, Location};

/// Words that people write instead of keys of the language, if their spelling alone does not show which key was meant.
const SYNONYMS: &[(&str, &str)] = &[
    ("account", "username_env"),
    ("age", "older_than"),
    ("archive", "source"),
    ("branch", "match"),
    ("branches", "match"),
    ("cert", "ca_file"),
    ("cert_file", "client_certificate"),
    ("client_cert", "client_certificate"),
    ("condition", "when"),
    ("event", "on"),
    ("events", "on"),
    ("events_on", "on"),
    ("expect", "equals"),
    ("expected", "equals"),
    ("host", "url"),
    ("hostname", "url"),
    ("if", "when"),
    ("keep", "keep_last"),
    ("labels", "annotations"),
    ("lockstep", "checks"),
    ("mode", "compare"),
    ("max_age", "older_than"),
    ("name", "repository"),
    ("path", "file"),
    ("path", "source"),
    ("pattern", "match"),
    ("prefix", "tag_prefix"),
    ("prerelease", "prereleases"),
    ("registry", "registries"),
    ("repo", "repository"),
    ("rules", "tags"),
    ("server", "url"),
    ("tag_rules", "tags"),
    ("tls_ca", "ca_file"),
    ("trigger", "on"),
    ("value", "equals"),
    ("variables", "vars"),
];

/// The diagnostic of one finding in the merged value.
pub(super) fn diagnostic(finding: &Violation, json: &Value, places: &Places) -> Diagnostic {
    let parts: Vec<&str> = finding.path.iter().map(String::as_str).collect();
    let path = parts.as_slice();
    let subject = suggest::value(path);
    let error = |code: Code, message: String| Diagnostic::error(code, message);
    match &finding.kind {
        ViolationKind::UnknownKey => unknown_key(path, places),
        ViolationKind::Missing(key) => missing(path, key, places),
        ViolationKind::Type(types) => wrong_type(path, types, json, places),
        ViolationKind::Choice(options) => choice(path, options, json, places),
        ViolationKind::Name => bad_name(path, places),
        ViolationKind::Pattern => {
            error(Code::ConfigValue, format!("{subject} has characters that are not allowed"))
                .at_maybe(places.value(path), "not allowed")
                .help(example(path).unwrap_or_else(|| "see docs/reference/config.md".to_owned()))
        }
        ViolationKind::Empty => error(Code::ConfigValue, format!("{subject} is empty"))
            .at_maybe(places.value(path), "empty")
            .help(empty_help(path)),
        ViolationKind::Duplicate => duplicate(path, json, places),
        ViolationKind::TooSmall(minimum) => {
            error(Code::ConfigValue, format!("{subject} must be at least {minimum}"))
                .at_maybe(places.value(path), format!("less than {minimum}"))
                .help(too_small_help(path))
        }
        ViolationKind::Other(said) => error(Code::ConfigValue, format!("{subject}: {said}"))
            .at_maybe(places.value(path), "not allowed")
            .help("see docs/reference/config.md"),
    }
}

/// The place of an error about the table at `path`: its header or key, or the start of the file.
fn table_place(path: &[&str], places: &Places) -> Option<Location> {
    if path.is_empty() { places.value(path) } else { places.value(path).or_else(|| places.key(path)) }
}

fn unknown_key(path: &[&str], places: &Places) -> Diagnostic {
    let Some((key, table)) = path.split_last() else {
        return Diagnostic::error(Code::ConfigUnknownKey, "unknown key");
    };
    let known = schema::keys(table);
    let place =
        if table.is_empty() { "at the top".to_owned() } else { format!("in `{}`", suggest::table(table)) };
    let message = format!("unknown key `{}` {place}", suggest::key(key));
    let meant = meant(key, &known);
    let label = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "not a key here".to_owned(),
    };
    let takes = match table {
        [] => "the file takes".to_owned(),
        ["registries" | "tags" | "images" | "charts" | "artifacts" | "retention", _, rest @ ..] => {
            let mut named = vec![table.first().copied().unwrap_or_default(), "NAME"];
            named.extend(rest);
            format!("`[{}]` takes", named.join("."))
        }
        table => format!("`{}` takes", suggest::table(table)),
    };
    let mut help = format!("{takes} {}", suggest::listed(known.iter().copied()));
    if meant.is_none() {
        let elsewhere = schema::tables_with(key);
        if !elsewhere.is_empty() {
            help = format!("`{key}` is a key of `{}`; {help}", elsewhere.join("`, `"));
        }
    }
    Diagnostic::error(Code::ConfigUnknownKey, message).at_maybe(places.key(path), label).help(help)
}

/// The one of the `known` keys that `key` was probably meant to be.
pub(in crate::config) fn meant<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let folded = suggest::folded(key);
    let mut synonyms = SYNONYMS.iter().filter(|(word, _)| *word == folded).map(|(_, meant)| *meant);
    synonyms
        .find_map(|synonym| known.iter().copied().find(|candidate| *candidate == synonym))
        .or_else(|| suggest::nearest(key, known.iter().copied()))
}

fn missing(path: &[&str], key: &str, places: &Places) -> Diagnostic {
    let message = match path {
        [] => format!("the file has no `{key}`"),
        path => format!("`{}` has no `{key}`", suggest::table(path)),
    };
    let mut whole = path.to_vec();
    whole.push(key);
    let help = match key {
        "version" if path.is_empty() => "add `version = 1` as the first line".to_owned(),
        key => match schema::example(&whole) {
            Some(example) => format!("add the key, for example `{key} = {}`", toml_value(example)),
            None => format!("add the key `{key}`"),
        },
    };
    Diagnostic::error(Code::ConfigMissingKey, message)
        .at_maybe(table_place(path, places), format!("needs `{key}`"))
        .help(help)
}

fn bad_name(path: &[&str], places: &Places) -> Diagnostic {
    let (name, table) = path.split_last().map_or(("", path), |(name, table)| (*name, table));
    let allowed = match table {
        ["vars"] => {
            "letters, digits and `_`, and does not start with a digit: templates read it as `vars.NAME`"
        }
        ["images" | "charts" | "artifacts"] => {
            "letters, digits, `.`, `_`, `-` and `/`, and starts with a letter or digit"
        }
        [_] => "letters, digits, `.`, `_` and `-`, and starts with a letter or digit",
        _ => "at least one character",
    };
    let message = format!("`{}` cannot be a name in `{}`", name.escape_debug(), suggest::table(table));
    Diagnostic::error(Code::ConfigValue, message)
        .at_maybe(places.key(path), "not a name")
        .help(format!("a name here has {allowed}"))
}

fn wrong_type(path: &[&str], types: &[JsonType], json: &Value, places: &Places) -> Diagnostic {
    let found = places.kind(path).unwrap_or("something else");
    let expected = alternatives(types);
    let what = format!("expected {expected}, found {found}");
    let message = format!("{}: {what}", suggest::value(path));
    let value = at(json, path);
    let key = path.last().map(|key| suggest::key(key)).unwrap_or_default();
    let bracketed = value.is_some_and(Value::is_string) && types.contains(&JsonType::Array);
    let help = match value {
        Some(Value::Number(number)) if key == "older_than" => {
            Some(format!("give hours, days or weeks: `\"{number}d\"`"))
        }
        Some(value @ (Value::Number(_) | Value::Bool(_))) if matches!(types, [JsonType::String]) => {
            Some(format!("put it in quotes: `\"{value}\"`"))
        }
        Some(Value::String(text))
            if types.contains(&JsonType::Boolean) && matches!(text.as_str(), "true" | "false") =>
        {
            Some(format!("leave the quotes out: `{text}`"))
        }
        Some(Value::String(text)) if types.contains(&JsonType::Integer) && text.parse::<i64>().is_ok() => {
            Some(format!("leave the quotes out: `{text}`"))
        }
        Some(value) if bracketed => Some(format!("put it in brackets: `{key} = [{value}]`")),
        _ => None,
    };
    let by_place = match path {
        ["registries" | "tags" | "images" | "charts" | "artifacts" | "retention" | "profile"] => {
            Some(format!("write a table for each, with its name: `[{key}.NAME]`"))
        }
        [section @ ("registries" | "tags" | "images" | "charts" | "artifacts" | "retention"), _] => {
            Some(format!("write a table: `[{section}.{key}]`, and its keys below"))
        }
        ["checks"] | ["checks", _] => {
            Some("write `[[checks]]`, with two brackets, once for each check".to_owned())
        }
        ["vars", _] => Some("a variable is text in quotes, a number, `true` or `false`".to_owned()),
        ["profile", name] => Some(format!("write tables such as `[profile.{}.vars]`", suggest::key(name))),
        ["project" | "vars" | "apply" | "secrets"] => {
            Some(format!("write a table: `[{key}]`, and its keys below"))
        }
        _ => None,
    };
    Diagnostic::error(Code::ConfigType, message)
        .at_maybe(places.value(path), format!("expected {expected}"))
        .help_maybe(Some("see docs/reference/config.md".to_owned()))
        .help_maybe(example(path))
        .help_maybe(by_place)
        .help_maybe(help)
}

fn choice(path: &[&str], options: &[Value], json: &Value, places: &Places) -> Diagnostic {
    let words: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
    let subject = suggest::value(path);
    if words.is_empty() {
        let allowed: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
        let allowed = allowed.join(" or ");
        let help = match path {
            ["version"] => "this program reads version 1 of the language: write `version = 1`".to_owned(),
            _ => format!("write {allowed}"),
        };
        return Diagnostic::error(Code::ConfigValue, format!("{subject} must be {allowed}"))
            .at_maybe(places.value(path), format!("must be {allowed}"))
            .help(help);
    }
    let found = at(json, path).and_then(Value::as_str).unwrap_or_default();
    let message = format!("{subject} cannot be `{}`", found.escape_debug());
    let label = match suggest::nearest(found, words.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "not one of the allowed values".to_owned(),
    };
    Diagnostic::error(Code::ConfigValue, message)
        .at_maybe(places.value(path), label)
        .help(format!("expected one of {}", suggest::listed(words)))
}

fn duplicate(path: &[&str], json: &Value, places: &Places) -> Diagnostic {
    let items = at(json, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut seen = std::collections::HashMap::new();
    let second = items.iter().enumerate().find_map(|(index, item)| {
        let text = item.as_str()?;
        seen.insert(text, index).map(|first| (first, index, text))
    });
    let message = format!("{} holds a value twice", suggest::value(path));
    let diagnostic = Diagnostic::error(Code::ConfigValue, message).help("write each value once");
    let Some((first, index, text)) = second else {
        return diagnostic.at_maybe(places.value(path), "holds a value twice");
    };
    let item = |index: usize| {
        let index = index.to_string();
        let whole: Vec<&str> = path.iter().copied().chain(std::iter::once(index.as_str())).collect();
        places.value(&whole)
    };
    let message = format!("{} holds `{}` twice", suggest::value(path), text.escape_debug());
    Diagnostic { message, ..diagnostic }.at_maybe(item(index), "again").at_maybe(item(first), "first here")
}

fn too_small_help(path: &[&str]) -> String {
    match path {
        ["retention", _, "keep_last"] => {
            "a retention that keeps nothing would remove every tag: keep at least the newest, or limit the age of tags with `older_than`".to_owned()
        }
        path => example(path).unwrap_or_else(|| "see docs/reference/config.md".to_owned()),
    }
}

fn empty_help(path: &[&str]) -> String {
    let key = path.iter().rev().find(|part| part.parse::<usize>().is_err()).copied().unwrap_or_default();
    match (path, key) {
        (["images" | "charts" | "artifacts", ..], "registries") => {
            "leave the key out to publish to all registries".to_owned()
        }
        (["charts", ..], "tags") => "leave the key out to publish only the tag of its version".to_owned(),
        (["images" | "artifacts", ..], "tags") => "leave the key out for all tag rules".to_owned(),
        (["images", ..], "platforms") => {
            "leave the key out to publish every platform of the source".to_owned()
        }
        (["retention", ..], "images" | "charts" | "artifacts") => {
            "leave the key out: a retention that names none applies to all".to_owned()
        }
        (["retention", ..], "registries") => "leave the key out for all registries".to_owned(),
        (["tags", ..], "match") => "leave the key out to match any".to_owned(),
        (["tags", ..], "when") => "leave the key out if there is no condition".to_owned(),
        (path, _) => example(path).unwrap_or_else(|| "give it a value, or leave the key out".to_owned()),
    }
}

fn example(path: &[&str]) -> Option<String> {
    let key = path.last().map(|key| suggest::key(key))?;
    schema::example(path).map(|example| format!("for example `{key} = {}`", toml_value(example)))
}

/// Writes a JSON value in TOML.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let entries: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{} = {}", suggest::key(key), toml_value(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_value).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn alternatives(types: &[JsonType]) -> String {
    let words: Vec<&str> = types
        .iter()
        .map(|it| match it {
            JsonType::String => "a string",
            JsonType::Integer => "an integer",
            JsonType::Number => "a float",
            JsonType::Boolean => "a boolean",
            JsonType::Array => "an array",
            JsonType::Object => "a table",
            JsonType::Null => "nothing",
        })
        .collect();
    if words.is_empty() { "another type".to_owned() } else { crate::model::words::alternatives(&words) }
}

fn at<'a>(json: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(json, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}
