//! The checks that the schema cannot express: whether names resolve, and whether strings can be parsed. They turn the raw types
//! into the types of the domain.
//!
//! Each value is checked on its own, so that one mistake does not hide another.

mod annotations;
mod artifact;
mod chart;
mod checks;
mod image;
mod registry;
mod resource;
mod retention;
mod secrets;
mod tag;

use std::collections::HashSet;

use globset::Glob;
use indexmap::IndexMap;

use super::places::Places;
use super::{Project, Registry, TagRule, VersionFile, raw, suggest};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;

/// The tables of a `Config`.
pub(super) struct Checked {
    pub project: Project,
    pub vars: IndexMap<String, serde_json::Value>,
    pub registries: IndexMap<String, Registry>,
    pub tags: IndexMap<String, TagRule>,
    pub resources: IndexMap<ResourceId, super::Resource>,
    pub secrets: super::Secrets,
    pub checks: Vec<super::Check>,
    pub retention: IndexMap<String, super::Retention>,
}

/// The places that checks look up, and the diagnostics that they report.
struct Desk<'a> {
    places: &'a Places,
    diagnostics: Vec<Diagnostic>,
}

impl Desk<'_> {
    fn tell(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports that the value at `path` is wrong.
    fn wrong(&mut self, code: Code, message: String, path: &[&str], label: &str, help: impl Into<String>) {
        self.tell(Diagnostic::error(code, message).at_maybe(self.places.value(path), label).help(help));
    }

    /// Reports the names in the list at `path` that are not `known`.
    fn known(&mut self, names: &[String], known: &[String], path: &[&str], code: Code) {
        for (index, name) in names.iter().enumerate() {
            let index = index.to_string();
            let whole: Vec<&str> = path.iter().copied().chain(std::iter::once(index.as_str())).collect();
            self.known_name(name, known, &whole, code);
        }
    }

    /// Reports the items of the list at `path` that are not globs. `one` says that the value was written without brackets.
    fn globs(&mut self, globs: &[String], one: bool, path: &[&str]) {
        for (index, glob) in globs.iter().enumerate() {
            let Err(error) = Glob::new(glob) else { continue };
            let index = index.to_string();
            let whole: Vec<&str> = path.iter().copied().chain((!one).then_some(index.as_str())).collect();
            let message = format!("`{}` is not a glob: {}", glob.escape_debug(), error.kind());
            let help = "`*` matches any text, `?` one character, `[abc]` one of several, `{a,b}` alternatives; `\\` escapes a character";
            self.wrong(Code::ConfigValue, message, &whole, "not a glob", help);
        }
    }

    /// Reports the name at `path` if it is not one of those `known`.
    fn known_name(&mut self, name: &String, known: &[String], path: &[&str], code: Code) {
        if known.contains(name) {
            return;
        }
        let (noun, section) = match code {
            Code::ConfigUnknownRegistry => ("registry", "registries"),
            Code::ConfigUnknownImage => match path {
                [.., "charts", _] => ("chart", "charts"),
                [.., "artifacts", _] => ("artifact", "artifacts"),
                _ => ("image", "images"),
            },
            _ => ("tag rule", "tags"),
        };
        let message = format!("there is no {noun} `{}`", name.escape_debug());
        let help = if known.is_empty() {
            format!("declare it: `[{section}.{}]`", suggest::key(name))
        } else {
            format!("declared names: {}", suggest::listed(known.iter().map(String::as_str)))
        };
        let label = match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("no `[{section}.{}]` is declared", suggest::key(name)),
        };
        self.wrong(code, message, path, &label, help);
    }
}

/// The names that are declared, even if their tables are wrong. A field is `None` if not even its names are known.
pub(super) struct Declared {
    pub registries: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub images: Option<Vec<String>>,
    pub charts: Option<Vec<String>>,
    pub artifacts: Option<Vec<String>>,
    /// Keys that retentions misspell of retentions: the name of the retention, and the key that was probably meant.
    pub meant: HashSet<(String, &'static str)>,
}

/// Checks everything. The tables are complete only if no diagnostic is an error.
pub(super) fn check(file: raw::File, declared: &Declared, places: &Places) -> (Checked, Vec<Diagnostic>) {
    let mut desk = Desk { places, diagnostics: Vec::new() };
    let project = file.project.unwrap_or_default();
    let version = project.version.and_then(|version| {
        let key = checks::key_path(&version.key?, &["project", "version", "key"], &mut desk)?;
        Some(VersionFile { file: version.file?, key })
    });
    let standard = project.annotations == Some(raw::Word::Standard);
    let setting = resource::Setting { declared, standard };
    let mut resources = IndexMap::new();
    resources.extend(image::check(file.images.unwrap_or_default(), &setting, &mut desk));
    resources.extend(chart::check(file.charts.unwrap_or_default(), &setting, &mut desk));
    resources.extend(artifact::check(file.artifacts.unwrap_or_default(), &setting, &mut desk));
    let mut tags = tag::check(file.tags.unwrap_or_default(), &mut desk);
    tags.extend(chart::version_rules(&resources));
    let registries = registry::check(file.registries.unwrap_or_default(), &mut desk);
    registry::visibilities(&registries, &resources, &mut desk);
    let checked = Checked {
        project: Project {
            source: project.source,
            tag_prefix: project.tag_prefix.unwrap_or_default(),
            version,
            title: project.title,
            description: project.description,
            licenses: project.licenses,
            url: project.url,
            documentation: project.documentation,
        },
        vars: file.vars.unwrap_or_default().into_iter().map(|(name, value)| (name, value.0)).collect(),
        registries,
        tags,
        secrets: secrets::check(file.secrets.unwrap_or_default(), &mut desk),
        checks: checks::check(file.checks.unwrap_or_default(), declared, &mut desk),
        retention: retention::check(file.retention.unwrap_or_default(), declared, &resources, &mut desk),
        resources,
    };
    (checked, desk.diagnostics)
}
