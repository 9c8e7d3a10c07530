//! Loads the layers into a [`Config`], or into diagnostics for everything that is wrong with them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::check;
use super::declared::{self, DeclaredNames};
use super::layers::{ConfigLayers, ParsedFile};
use super::merge::{self, Merged};
use super::overrides::Overrides;
use super::{Config, expand, file, raw, structure};
use crate::diagnostic::{Code, Diagnostic};
use oci_registry::Digest;
use oci_registry::mask;

/// A `publish.toml` that was read and parsed once. Each profile of it becomes a [`Config`] by [`ConfigFile::select`].
pub struct ConfigFile {
    path: PathBuf,
    display_name: String,
    /// The parsed text, or the reason why the file cannot be read.
    parsed: Result<ParsedFile, Diagnostic>,
}

/// The configuration of one profile, or everything that is wrong with it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration, or `None` if any diagnostic is an error.
    pub config: Option<Config>,
    /// The valid part of a configuration with errors, so that its templates can still be checked. It must not be published
    /// from.
    pub part: Option<Config>,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The digest of the merged configuration, with or without errors. `None` if the layers cannot be merged.
    pub digest: Option<Digest>,
}

impl Loaded {
    /// The result for a file whose layers cannot be merged.
    fn unreadable(diagnostics: Vec<Diagnostic>) -> Self {
        Self { config: None, part: None, diagnostics, digest: None }
    }
}

impl ConfigFile {
    /// Reads and parses the file at `path`, which messages call `display_name`. If it cannot be read, every selection from it
    /// says so.
    pub fn read(path: &Path, display_name: &str) -> Self {
        let parsed =
            file::read_text(path, display_name).map(|text| ParsedFile::parse(&text, display_name, path));
        Self { path: path.to_owned(), display_name: display_name.to_owned(), parsed }
    }

    /// Like [`ConfigFile::read`], but takes the text of the file, without a byte order mark.
    pub fn parse(text: &str, path: &Path, display_name: &str) -> Self {
        let parsed = Ok(ParsedFile::parse(text, display_name, path));
        Self { path: path.to_owned(), display_name: display_name.to_owned(), parsed }
    }

    /// Every profile that the file declares, in its order. None if the file cannot be read.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.parsed.iter().flat_map(ParsedFile::profiles)
    }

    /// The digest of the file and `profile` without the layers above them, so that it does not depend on the environment.
    /// `None` if the two cannot be merged.
    pub fn digest(&self, profile: Option<&str>) -> Option<Digest> {
        let ConfigLayers { stack, readable, .. } =
            self.parsed.as_ref().ok()?.layers(profile, &Overrides::default());
        let merged = merge::merge(&stack).ok().filter(|_| readable)?;
        Some(Digest::of_json(&merged.json))
    }

    /// Merges the layers of `profile`, or those of the file alone, with `overrides` above them, and checks the result.
    pub fn select(&self, profile: Option<&str>, overrides: &Overrides) -> Loaded {
        match &self.parsed {
            Ok(parsed) => self.checked(parsed.layers(profile, overrides), profile),
            Err(diagnostic) => Loaded::unreadable(vec![diagnostic.clone()]),
        }
    }

    fn checked(&self, layers: ConfigLayers, profile: Option<&str>) -> Loaded {
        let ConfigLayers { stack, mut diagnostics, readable } = layers;
        if !readable {
            return Loaded::unreadable(diagnostics);
        }
        let Merged { mut json, mut places } = match merge::merge(&stack) {
            Ok(merged) => merged,
            Err(error) => {
                let message = format!("the layers cannot be merged: {error}");
                diagnostics.push(Diagnostic::error(Code::ConfigFile, message));
                return Loaded::unreadable(diagnostics);
            }
        };
        let digest = Digest::of_json(&json);
        diagnostics.extend(expand::expand_patterns(&mut json, &mut places, &folder(&self.path)));
        let missing: Vec<String> = declared::undeclared_sections(&json);
        let names = DeclaredNames::of(&json);
        let secret: HashSet<_> = stack.iter().flat_map(|layer| layer.credentials.iter().cloned()).collect();
        diagnostics.extend(structure::check_structure(&mut json, &places, &secret));
        diagnostics.extend(declared::nothing_declared(&missing, &json, &places));
        let raw: raw::RawConfig = match serde_json::from_value(json) {
            Ok(raw) => raw,
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", self.display_name);
                diagnostics.push(Diagnostic::error(Code::ConfigFile, message));
                return Loaded { digest: Some(digest), ..Loaded::unreadable(diagnostics) };
            }
        };
        let (checked, found) = check::check_file(raw, &names, &places);
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
            path: self.path.clone(),
            folder: folder(&self.path),
            digest: digest.clone(),
            profile: profile.map(str::to_owned),
            project: checked.project,
            vars: checked.vars,
            signing: checked.signing,
            gates: checked.gates,
            verify: checked.verify,
            registries: checked.registries,
            tags: checked.tags,
            resources: checked.resources,
            apply: checked.apply,
            secrets: checked.secrets,
            checks: checked.checks,
            retention: checked.retention,
            places,
        };
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Loaded { config: None, part: Some(config), diagnostics, digest: Some(digest) };
        }
        Loaded { config: Some(config), part: None, diagnostics, digest: Some(digest) }
    }
}

/// The arguments of [`load`].
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The file.
    pub path: PathBuf,
    /// The name of the file in messages.
    pub display_name: String,
    /// The active profile.
    pub profile: Option<String>,
    /// See [`Overrides::environment`].
    pub environment: Vec<(String, String)>,
    /// See [`Overrides::set`].
    pub set: Vec<String>,
}

/// Reads a file and selects one profile of it. A caller that needs more than one keeps the [`ConfigFile`].
pub fn load(options: &LoadOptions) -> Loaded {
    select(&ConfigFile::read(&options.path, &options.display_name), options)
}

/// Like [`load`], but takes the text of the file, without a byte order mark.
pub fn load_text(text: &str, options: &LoadOptions) -> Loaded {
    select(&ConfigFile::parse(text, &options.path, &options.display_name), options)
}

fn select(file: &ConfigFile, options: &LoadOptions) -> Loaded {
    let overrides = Overrides { environment: options.environment.clone(), set: options.set.clone() };
    file.select(options.profile.as_deref(), &overrides)
}

/// The folder of the file, or `.` if its path has none.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
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
