//! Loads the layers into a [`Config`], or into diagnostics for everything that is wrong with them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::{self, Declared};
use super::layers::{self, Above, Layers};
use super::merge::{self, Merged};
use super::{Config, file, raw, schema, structure};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceKind;
use oci_registry::Digest;
use oci_registry::mask;

/// The sources of the layers of a configuration.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The file.
    pub path: PathBuf,
    /// The name of the file in messages.
    pub display_name: String,
    /// The active profile.
    pub profile: Option<String>,
    /// The whole environment of the process; variables `BROKKR_PUBLISH_*` set keys.
    pub environment: Vec<(String, String)>,
    /// Arguments `a.b=c` that set keys, in order.
    pub set: Vec<String>,
}

/// The result of loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration, or `None` if any diagnostic is an error.
    pub config: Option<Config>,
    /// The valid part of a configuration with errors, so that its templates can still be checked. It must not be published
    /// from.
    pub part: Option<Config>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Every profile that the file declares, in its order.
    pub profiles: Vec<String>,
    /// The digest of the merged configuration, with or without errors. `None` if the layers cannot be merged.
    pub digest: Option<Digest>,
}

impl Loaded {
    /// The result for a file whose layers cannot be merged.
    fn unreadable(diagnostics: Vec<Diagnostic>, profiles: Vec<String>) -> Self {
        Self { config: None, part: None, diagnostics, profiles, digest: None }
    }
}

/// Loads the configuration: reads the file, merges the layers and checks the result.
pub fn load(options: &LoadOptions) -> Loaded {
    match file::read(&options.path, &options.display_name) {
        Ok(text) => load_text(&text, options),
        Err(diagnostic) => Loaded::unreadable(vec![diagnostic], Vec::new()),
    }
}

/// Like [`load`], but takes the text of the file, without a byte order mark.
pub fn load_text(text: &str, options: &LoadOptions) -> Loaded {
    let above =
        Above { profile: options.profile.as_deref(), environment: &options.environment, set: &options.set };
    let Layers { stack, profiles, mut diagnostics, readable } =
        layers::gather(text, &options.display_name, &options.path, &above);
    if !readable {
        return Loaded::unreadable(diagnostics, profiles);
    }
    let Merged { mut json, places } = match merge::merge(&stack) {
        Ok(merged) => merged,
        Err(error) => {
            let message = format!("the layers cannot be merged: {error}");
            diagnostics.push(Diagnostic::error(Code::ConfigFile, message));
            return Loaded::unreadable(diagnostics, profiles);
        }
    };
    let digest = Digest::of_json(&json);
    let unknown: Vec<String> = undeclared_sections(&json);
    let declared = declared(&json);
    let secret: HashSet<_> = stack.iter().flat_map(|layer| layer.credentials.iter().cloned()).collect();
    diagnostics.extend(structure::check(&mut json, &places, &secret));
    diagnostics.extend(nothing_declared(&unknown, &json, &places));
    let raw: raw::File = match serde_json::from_value(json) {
        Ok(raw) => raw,
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", options.display_name);
            diagnostics.push(Diagnostic::error(Code::ConfigFile, message));
            return Loaded { digest: Some(digest), ..Loaded::unreadable(diagnostics, profiles) };
        }
    };
    let (checked, found) = check::check(raw, &declared, &places);
    diagnostics.extend(found);
    for diagnostic in &mut diagnostics {
        diagnostic.message = mask::without_tokens(&diagnostic.message);
        diagnostic.help = diagnostic.help.as_deref().map(mask::without_tokens);
        for label in &mut diagnostic.labels {
            label.text = mask::without_tokens(&label.text);
        }
    }
    in_order(&mut diagnostics);
    let config = Config {
        path: options.path.clone(),
        folder: folder(&options.path),
        digest: digest.clone(),
        profile: options.profile.clone(),
        project: checked.project,
        vars: checked.vars,
        registries: checked.registries,
        tags: checked.tags,
        resources: checked.resources,
        secrets: checked.secrets,
        checks: checked.checks,
        retention: checked.retention,
        places,
    };
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Loaded { config: None, part: Some(config), diagnostics, profiles, digest: Some(digest) };
    }
    Loaded { config: Some(config), part: None, diagnostics, profiles, digest: Some(digest) }
}

/// Every profile that the file declares, in its order. Empty if the file cannot be read.
pub fn profiles(options: &LoadOptions) -> Vec<String> {
    let base = LoadOptions { profile: None, environment: Vec::new(), set: Vec::new(), ..options.clone() };
    load(&base).profiles
}

/// The digest of the file and the active profile without the layers above them, so that it does not depend on the environment.
/// `None` if the file cannot be read.
pub fn file_digest(options: &LoadOptions) -> Option<Digest> {
    load(&LoadOptions { environment: Vec::new(), set: Vec::new(), ..options.clone() }).digest
}

/// The folder of the file, or `.` if its path has none.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The required sections that the configuration lacks. A section does not count as missing if an unknown key was probably meant
/// as its name.
fn undeclared_sections(json: &Value) -> Vec<String> {
    let keys: Vec<&str> = json.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let known = schema::keys::<&str>(&[]);
    let meant: Vec<&str> = keys
        .iter()
        .filter(|key| !known.contains(*key))
        .filter_map(|key| structure::meant(key, &known))
        .collect();
    let lacks = |section: &str| {
        !meant.contains(&section)
            && match json.get(section) {
                None => true,
                Some(value) => value.as_object().is_some_and(serde_json::Map::is_empty),
            }
    };
    let mut undeclared = Vec::new();
    if lacks("registries") {
        undeclared.push("registries".to_owned());
    }
    // A chart needs no tag rule, because its version is its tag.
    let only_charts = !lacks("charts") && lacks("images") && lacks("artifacts");
    if lacks("tags") && !only_charts {
        undeclared.push("tags".to_owned());
    }
    if ResourceKind::ALL.into_iter().all(|kind| lacks(kind.table())) {
        undeclared.push("images".to_owned());
    }
    undeclared
}

fn nothing_declared(sections: &[String], json: &Value, places: &super::Places) -> Option<Diagnostic> {
    if sections.is_empty() || !json.is_object() {
        return None;
    }
    let words: Vec<&str> = sections
        .iter()
        .map(|section| match section.as_str() {
            "registries" => "no registry",
            "tags" => "no tag rule",
            _ => "no image, chart or artifact",
        })
        .collect();
    let tables: Vec<String> = sections
        .iter()
        .map(|section| match section.as_str() {
            "registries" => "`[registries.ghcr]` with `url`".to_owned(),
            "tags" => "`[tags.version]` with `on` and `template`".to_owned(),
            _ => "`[images.broker]` with `source`".to_owned(),
        })
        .collect();
    let message = format!("nothing can be published: {} is declared", words.join(", "));
    Some(
        Diagnostic::error(Code::ConfigMissingKey, message)
            .at_maybe(places.value(&[]), words.join(", "))
            .help(format!("add a table such as {}", tables.join(", "))),
    )
}

/// The names that are declared, before wrong values are removed.
fn declared(json: &Value) -> Declared {
    let names = |section: &str| match json.get(section) {
        None => Some(Vec::new()),
        Some(value) => value.as_object().map(|table| table.keys().cloned().collect()),
    };
    let retentions = json.get("retention").and_then(Value::as_object).into_iter().flatten();
    let known = schema::keys(&["retention", ""]);
    let meant = retentions
        .flat_map(|(name, table)| table.as_object().into_iter().flatten().map(move |(key, _)| (name, key)))
        .filter_map(|(name, key)| Some((name.clone(), structure::meant(key, &known)?)))
        .collect();
    Declared {
        registries: names("registries"),
        tags: names("tags"),
        images: names("images"),
        charts: names("charts"),
        artifacts: names("artifacts"),
        meant,
    }
}

/// Sorts by place: the file first, from top to bottom. Diagnostics without a place stay in front.
fn in_order(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| {
        diagnostic.labels.first().map(|label| {
            let place = &label.place;
            (place.source.file.is_none(), place.source.name.clone(), place.span.start)
        })
    });
}
