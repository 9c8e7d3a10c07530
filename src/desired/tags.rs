//! The tags that a context renders: for each image its version, its tags, and why the other rules are silent.

use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::IndexMap;

use super::collisions;
use super::rules::{self, Firing, Part, RuleError};
use super::template::{self, Templates};
use super::values::Values;
use super::version::{self, FileVersion, ImageVersion};
use crate::config::{Config, Image, ImageSource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::content::ImageSpec;
use crate::model::{ContentSpec, EventName, Mutability, SourceSpec, Tag, annotation};

/// The tags of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTags {
    /// The version it is published as.
    pub version: ImageVersion,
    /// Its tags, in the order of the rules; each once.
    pub tags: Vec<RenderedTag>,
    /// Forward tags that a pre-release does not take.
    pub held_back: Vec<RenderedTag>,
    /// The rules that are silent, and why.
    pub silent: Vec<(String, String)>,
}

impl ImageTags {
    /// The tags that a plan is about: those that a pre-release does not take too, since the plan says so.
    pub fn all(&self) -> impl Iterator<Item = &RenderedTag> {
        self.tags.iter().chain(&self.held_back)
    }
}

/// A tag, and the rule that rendered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedTag {
    /// The tag.
    pub tag: Tag,
    /// The name of the rule.
    pub rule: String,
    /// The rule's mutability.
    pub mutability: Mutability,
}

/// Renders for a config and contexts, and remembers what does not depend on the image.
pub(super) struct Renderer<'a> {
    pub config: &'a Config,
    pub templates: Templates,
    /// What release tags start with, each once.
    pub prefixes: Vec<&'a str>,
    file: FileVersion,
    /// For each rule whether its rendering depends on the image's name.
    by_image: HashMap<&'a str, bool>,
}

impl<'a> Renderer<'a> {
    pub fn new(config: &'a Config) -> Self {
        Self::with_file_version(config, version::read_file(config))
    }

    pub fn with_file_version(config: &'a Config, file: FileVersion) -> Self {
        let templates = Templates::new(config.vars.keys());
        let by_image = config
            .tags
            .iter()
            .map(|(name, rule)| {
                let in_when = rule
                    .when
                    .as_deref()
                    .is_some_and(|when| templates.uses(when, template::Kind::Expression, "image"));
                (name.as_str(), in_when || templates.uses(&rule.template, template::Kind::Text, "image"))
            })
            .collect();
        Self { config, templates, prefixes: version::prefixes(config), file, by_image }
    }

    /// The version and the values of `image`.
    pub fn values(&self, context: &Context, name: &str, image: &Image) -> (ImageVersion, Values) {
        self.values_from(&Values::new(context, &self.config.vars, name), context, name, image)
    }

    /// The same, where the values of another image are known.
    fn values_from(
        &self,
        values: &Values,
        context: &Context,
        name: &str,
        image: &Image,
    ) -> (ImageVersion, Values) {
        let prefix = version::prefix(self.config, image);
        let version = version::of(&self.prefixes, prefix, context, &self.file);
        let values = values.with_image(name).with_version(version.known());
        (version, values)
    }

    /// The values for what is of the project, and of no image.
    pub fn project_values(&self, context: &Context) -> Values {
        let prefix = &self.config.project.tag_prefix;
        let version = version::of(&self.prefixes, prefix, context, &self.file);
        Values::new(context, &self.config.vars, "").without_image().with_version(version.known())
    }

    /// Why the version file gives no version, where one is named and gives none.
    pub fn file_problem(&self) -> Option<&str> {
        self.file.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// Whether what the rule called `rule` renders depends on the image's name.
    pub fn is_by_image(&self, rule: &str) -> bool {
        self.by_image.get(rule).copied().unwrap_or(true)
    }

    /// What each rule of each image does in `context`, once for all images that it cannot tell apart.
    pub fn fire_all<'c>(&'c self, context: &'c Context) -> Firings<'c, 'a> {
        let values = Values::new(context, &self.config.vars, "");
        Firings { renderer: self, context, values, known: HashMap::new() }
    }
}

/// What rules do in one context.
pub(super) struct Firings<'c, 'a> {
    renderer: &'c Renderer<'a>,
    context: &'c Context,
    /// Those of no image yet.
    values: Values,
    known: HashMap<(&'a str, &'a str, Option<&'a str>), Result<Firing, RuleError>>,
}

impl<'a> Firings<'_, 'a> {
    /// What the rule called `rule` does for the image called `name`.
    pub fn of(&mut self, rule: &'a str, name: &'a str, image: &'a Image) -> Result<Firing, RuleError> {
        let renderer = self.renderer;
        let Some(definition) = renderer.config.tags.get(rule) else {
            return Ok(Firing::Silent("there is no such rule".to_owned()));
        };
        // Only a git tag has a prefix.
        let prefix =
            if self.context.event == EventName::Tag { version::prefix(renderer.config, image) } else { "" };
        let key = (rule, prefix, renderer.is_by_image(rule).then_some(name));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (version, values) = renderer.values_from(&self.values, self.context, name, image);
        let fired = rules::fire(&renderer.templates, definition, self.context, &values, &version);
        self.known.insert(key, fired.clone());
        fired
    }
}

/// The tags of every image of `config` in `context`, or everything that is wrong.
pub fn tags(config: &Config, context: &Context) -> Result<IndexMap<String, ImageTags>, Vec<Diagnostic>> {
    let renderer = Renderer::new(config);
    let mut firings = renderer.fire_all(context);
    let (mut images, mut diagnostics): (_, Vec<Diagnostic>) = (IndexMap::new(), Vec::new());
    let (mut told, mut versionless) = (HashSet::new(), false);
    for (name, image) in &config.images {
        let (version, _) = renderer.values(context, name, image);
        let mut tags = ImageTags { version, tags: Vec::new(), held_back: Vec::new(), silent: Vec::new() };
        for rule in &image.tags {
            match firings.of(rule, name, image) {
                Ok(Firing::Silent(reason)) => tags.silent.push((rule.clone(), reason)),
                Ok(Firing::Tag(tag)) => add(config, context, &mut tags, rule, tag),
                Err(error) => {
                    let diagnostic = rule_diagnostic(config, rule, &error);
                    // One git tag without a version is one mistake, however many rules want it.
                    let again =
                        diagnostic.code == Code::ContextVersion && std::mem::replace(&mut versionless, true);
                    if !again && told.insert((diagnostic.code, diagnostic.message.clone())) {
                        diagnostics.push(diagnostic);
                    }
                }
            }
        }
        images.insert(name.clone(), tags);
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let nothing =
        images.values().all(|image: &ImageTags| image.tags.is_empty() && image.held_back.is_empty());
    match &context.unknown_event {
        // Silence would look like a run that has nothing to publish.
        Some(problem) if nothing => Err(vec![
            Diagnostic::error(Code::ContextGit, format!("no rule fires, and what event this is cannot be told: {problem}"))
                .help("say it: `--ref refs/tags/v1.2.3`, `--ref refs/heads/main`, or `--event` with `--pr`; `manual` is taken where nothing is known"),
        ]),
        _ => Ok(images),
    }
}

/// Adds the tag of a rule: the same tag under the same mutability is one tag, the first rule's. A tag that any rule takes
/// is not held back by another.
fn add(config: &Config, context: &Context, tags: &mut ImageTags, name: &str, tag: Tag) {
    let Some(rule) = config.tags.get(name) else { return };
    let rendered = RenderedTag { tag, rule: name.to_owned(), mutability: rule.mutability };
    match &tags.version {
        ImageVersion::Known(version)
            if context.event == EventName::Tag
                && !version.pre.is_empty()
                && rule.mutability == Mutability::Forward
                && !rule.prereleases =>
        {
            let reason =
                format!("`{version}` is a pre-release, and the rule does not say `prereleases = true`");
            tags.silent.push((name.to_owned(), reason));
            if !tags.tags.iter().chain(&tags.held_back).any(|known| known.tag == rendered.tag) {
                tags.held_back.push(rendered);
            }
        }
        _ => {
            tags.held_back.retain(|known| known.tag != rendered.tag);
            if !tags.tags.iter().any(|known| collisions::is_one_tag(config, known, &rendered)) {
                tags.tags.push(rendered);
            }
        }
    }
}

/// A rule's error, with the place in the file.
pub(super) fn rule_diagnostic(config: &Config, rule: &str, error: &RuleError) -> Diagnostic {
    let key = match error.part {
        Part::Template => "template",
        Part::When => "when",
    };
    let path = ["tags", rule, key];
    let message = format!("tag rule `{rule}`: {}", error.error.message);
    let place = config.places.inside(&path, error.error.range.clone()).or_else(|| config.places.value(&path));
    Diagnostic::error(error.error.code, message).at_maybe(place, "").help_maybe(error.error.help.clone())
}

/// The sources and annotations of an image, rendered: or everything that is wrong.
pub(super) fn content(
    renderer: &Renderer<'_>,
    context: &Context,
    name: &str,
    image: &Image,
) -> Result<ContentSpec, Vec<Diagnostic>> {
    let (_, values) = renderer.values(context, name, image);
    let config = renderer.config;
    let mut diagnostics = Vec::new();
    let mut render = |text: &str, path: &[&str]| {
        renderer.templates.render(text, &values).unwrap_or_else(|error| {
            let place = config.places.inside(path, error.range.clone()).or_else(|| config.places.value(path));
            diagnostics.push(
                Diagnostic::error(error.code, format!("image `{name}`: {}", error.message))
                    .at_maybe(place, "")
                    .help_maybe(error.help),
            );
            String::new()
        })
    };
    let mut sources = Vec::new();
    match &image.source {
        ImageSource::One(text) => sources.push((None, render(text, &["images", name, "source"]))),
        ImageSource::Platforms(table) => {
            for (platform, text) in table {
                let key = platform.to_string();
                let text = render(text, &["images", name, "source", &key]);
                sources.push((Some(key), text));
            }
        }
    }
    let mut annotations: BTreeMap<String, String> = image
        .annotations
        .iter()
        .map(|(key, text)| (key.clone(), render(text, &["images", name, "annotations", key])))
        .collect();
    if let Some(source) = &config.project.source {
        annotations.entry(annotation::SOURCE.to_owned()).or_insert_with(|| source.clone());
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let (mut one, mut table) = (None, BTreeMap::new());
    for (key, text) in sources {
        match (text.parse(), key) {
            (Ok(spec), None) => one = Some(spec),
            (Ok(spec), Some(platform)) => {
                table.insert(platform, spec);
            }
            (Err(error), key) => {
                let error: crate::model::SourceSpecError = error;
                let path: Vec<&str> = ["images", name, "source"].into_iter().chain(key.as_deref()).collect();
                diagnostics.push(
                    Diagnostic::error(Code::ConfigSource, format!("image `{name}`: {error}"))
                        .at_maybe(config.places.value(&path), "")
                        .help_maybe(error.suggestion.map(|it| format!("did you mean `{it}`?"))),
                );
            }
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let source = one.map_or(SourceSpec::Platforms(table), SourceSpec::One);
    let platforms = image.platforms.clone();
    Ok(ContentSpec::Image(ImageSpec { platforms, annotations, ..ImageSpec::of(source) }))
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
