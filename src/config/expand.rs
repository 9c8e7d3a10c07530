//! `[charts."*"]` and `[images."*"]`: one table for all directories or files that a pattern matches.
//!
//! `[charts."*"]` with `source = "charts/*"` stands for one chart for each directory below `charts` that has a `Chart.yaml`. `each` names
//! the files if they are not the source: `[images."*"]` with `each = "docker/*/Dockerfile"`. A table of its own name replaces what the
//! pattern gives.

use std::path::Path;

use serde_json::{Map, Value};

use super::places::Places;
use super::suggest;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceKind;

/// Replaces the tables of patterns in `json` by one for each match below `folder`, and returns what is wrong with them.
pub(super) fn expand_patterns(json: &mut Value, places: &mut Places, folder: &Path) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for kind in [ResourceKind::Image, ResourceKind::Chart] {
        let section = kind.table();
        let Some(tables) = json.get_mut(section).and_then(Value::as_object_mut) else { continue };
        if !tables.keys().any(|name| name.contains('*')) {
            continue;
        }
        // A table of its own replaces that of a pattern, whichever comes first.
        let own_names: Vec<String> = tables.keys().filter(|name| !name.contains('*')).cloned().collect();
        let mut expanded = Map::new();
        for (name, table) in std::mem::take(tables) {
            if !name.contains('*') {
                expanded.insert(name, table);
                continue;
            }
            match matches(kind, &name, &table, folder) {
                Ok(found) => {
                    for (own, table) in found {
                        if !own_names.contains(&own) && !expanded.contains_key(&own) {
                            places.add_expanded(section, &own, &name);
                            expanded.insert(own, table);
                        }
                    }
                }
                Err((message, help)) => {
                    let table = suggest::table(&[section, &name]);
                    let place = places.key(&[section, &name]);
                    let diagnostic = Diagnostic::error(Code::ConfigValue, format!("`{table}` {message}"));
                    diagnostics.push(diagnostic.at_maybe(place, "").help(help));
                }
            }
        }
        *tables = expanded;
    }
    diagnostics
}

type Tables = Vec<(String, Value)>;

/// Returns the names and tables that the table of a pattern stands for, or what is wrong with it and what to do.
fn matches(
    kind: ResourceKind,
    name: &str,
    table: &Value,
    folder: &Path,
) -> Result<Tables, (String, &'static str)> {
    let key = if table.get("each").is_some() || kind == ResourceKind::Image { "each" } else { "source" };
    let help = match kind {
        ResourceKind::Chart => "write a directory with one `*`: `source = \"charts/*\"`",
        _ => {
            "write files with one `*`: `each = \"docker/*/Dockerfile\"`, and use `{{ image.name }}` in `source`"
        }
    };
    let Some(pattern) = table.get(key).and_then(Value::as_str) else {
        return Err((format!("has no `{key}` that says what it stands for"), help));
    };
    let outside = Path::new(pattern).is_absolute() || pattern.split('/').any(|part| part == "..");
    let (Some((before, after)), 1) = (pattern.split_once('*'), name.matches('*').count()) else {
        return Err((format!("needs one `*` in its name, and one in `{key}`"), help));
    };
    if outside || after.contains('*') {
        return Err((format!("has a `{key}` that is not a pattern with one `*` inside the project"), help));
    }
    let mut found = Tables::new();
    let (above, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let (suffix, below) = after.split_once('/').map_or((after, ""), |(suffix, below)| (suffix, below));
    let entries = std::fs::read_dir(folder.join(above)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for entry in names.iter().filter(|entry| !entry.starts_with('.')) {
        let Some(part) = entry.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)) else {
            continue;
        };
        let path = pattern.replacen('*', part, 1);
        let is_there = match (kind, key) {
            (ResourceKind::Chart, "source") => folder.join(&path).join("Chart.yaml").is_file(),
            _ => folder.join(above).join(entry).join(below).exists() || folder.join(&path).exists(),
        };
        if part.is_empty() || !is_there {
            continue;
        }
        let mut own = table.clone();
        if let Some(own) = own.as_object_mut() {
            own.remove("each");
            if key == "source" {
                own.insert("source".to_owned(), path.into());
            }
        }
        found.push((name.replacen('*', part, 1), own));
    }
    if found.is_empty() {
        return Err((format!("stands for nothing: nothing matches `{}`", pattern.escape_debug()), help));
    }
    Ok(found)
}
