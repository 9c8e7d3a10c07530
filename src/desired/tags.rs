//! The tags that a context renders: for each resource its version, its tags, and the reasons why the other rules are
//! silent.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::rendered::{RenderedTag, ResourceTags};
use super::rules::{self, Firing, RuleError, RulePart};
use super::tag_template::{TagTemplate, TagTemplateKey};
use super::template::{TemplateSyntax, Templates};
use super::values::Values;
use super::version::{self, FileVersion, ResourceVersion};
use crate::config::{Config, DeclaredContent, NamedResource, Resource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::version::ReleaseForm;
use crate::model::{EventName, Mutability, ResourceId, ResourceKind};
use oci_registry::Tag;

/// Renders for a config and contexts, and remembers results that do not depend on the resource.
pub(super) struct Renderer<'a> {
    pub config: &'a Config,
    pub templates: Templates,
    /// The forms of release tags, each once.
    pub forms: Vec<&'a ReleaseForm>,
    file: FileVersion,
    /// The versions in the `Chart.yaml` of charts that are published under them, or the reasons why they are unknown.
    own_versions: HashMap<&'a ResourceId, Result<String, String>>,
    /// Whether the rendering of each rule depends on the resource's name.
    by_resource: HashMap<&'a str, bool>,
}

impl<'a> Renderer<'a> {
    pub fn new(config: &'a Config) -> Self {
        Self::with_file_version(config, version::read_version_file(config))
    }

    pub fn with_file_version(config: &'a Config, file: FileVersion) -> Self {
        let forms = version::forms(config);
        let templates = Templates::new(config.vars.keys())
            .with_env(&config.project.env)
            .with_schemes(forms.iter().map(|form| &form.scheme));
        let by_resource = config
            .tags
            .iter()
            .map(|(name, rule)| {
                let names = ResourceKind::ALL.map(ResourceKind::noun);
                let in_when = rule.when.as_deref().is_some_and(|when| {
                    names.iter().any(|noun| templates.uses(when, TemplateSyntax::Expression, noun))
                });
                let in_template =
                    names.iter().any(|noun| templates.uses(&rule.template, TemplateSyntax::Text, noun));
                (name.as_str(), in_when || in_template)
            })
            .collect();
        let own_versions = version::read_own_versions(config);
        Self { config, templates, forms, file, own_versions, by_resource }
    }

    /// The version and the values of a resource.
    pub fn values(
        &self,
        context: &Context,
        id: &ResourceId,
        resource: &Resource,
    ) -> (ResourceVersion, Values) {
        self.values_from(&Values::new(context, &self.config.vars, Some(id)), context, id, resource)
    }

    /// Like `values`, but starts from the known values of another resource.
    fn values_from(
        &self,
        values: &Values,
        context: &Context,
        id: &ResourceId,
        resource: &Resource,
    ) -> (ResourceVersion, Values) {
        let version = version::of(&self.forms, &resource.releases, context, &self.file);
        let mut values = values.with_resource(id).with_version(version.known());
        match self.own_versions.get(id) {
            Some(Ok(own)) => values = values.with_chart_version(&id.name, own),
            Some(Err(reason)) => values = values.without_chart_version(reason),
            None => {}
        }
        (version, values)
    }

    /// The values of the project, without those of a resource.
    pub fn project_values(&self, context: &Context) -> Values {
        let version = version::of(&self.forms, &self.config.project.releases, context, &self.file);
        Values::new(context, &self.config.vars, None).without_resource().with_version(version.known())
    }

    /// The reason why the version file gives no version, if one is named but gives none.
    pub fn file_problem(&self) -> Option<&str> {
        self.file.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// Whether the output of `template` depends on the resource.
    pub fn is_by_resource(&self, template: TagTemplate<'_>) -> bool {
        match template {
            TagTemplate::Rule { name, .. } => self.by_resource.get(name).copied().unwrap_or(true),
            TagTemplate::ChartVersion { .. } => true,
        }
    }

    /// The same renderer with a sample in place of each version of a chart that cannot be read, for a configuration without its charts.
    #[must_use]
    pub fn with_sample_versions(mut self) -> Self {
        for version in self.own_versions.values_mut().filter(|version| version.is_err()) {
            *version = Ok("1.4.2".to_owned());
        }
        self
    }

    /// The same renderer for a configuration with errors, in which any name below `vars` may be declared.
    #[must_use]
    pub fn with_any_vars(self) -> Self {
        Self { templates: self.templates.with_any_vars(), ..self }
    }

    /// Prepares to fire each rule of each resource in `context`, once for all resources that the rule cannot
    /// distinguish.
    pub fn fire_all<'c>(&'c self, context: &'c Context) -> Firings<'c, 'a> {
        let values = Values::new(context, &self.config.vars, None);
        Firings { renderer: self, context, values, known: HashMap::new() }
    }
}

/// The resources for which a template has the same result in one context.
#[derive(PartialEq, Eq, Hash)]
struct FiringKey<'a> {
    template: TagTemplateKey<'a>,
    /// The form of the git tags that release the resource, if the context has a version.
    form: Option<&'a ReleaseForm>,
    /// The resource, if the template can distinguish it from others.
    resource: Option<&'a ResourceId>,
}

/// The results of templates in one context.
pub(super) struct Firings<'c, 'a> {
    renderer: &'c Renderer<'a>,
    context: &'c Context,
    /// The values without those of a resource.
    values: Values,
    known: HashMap<FiringKey<'a>, Result<Firing, RuleError>>,
}

impl<'a> Firings<'_, 'a> {
    /// The result of `template` for a resource.
    pub fn of(&mut self, template: TagTemplate<'a>, named: NamedResource<'a>) -> Result<Firing, RuleError> {
        let NamedResource { id, resource } = named;
        let renderer = self.renderer;
        // Only git tags and a version file have versions.
        let has_version = self.context.tag.is_some() || renderer.file.is_some();
        let form = has_version.then_some(&resource.releases);
        let resource_key = renderer.is_by_resource(template).then_some(id);
        let key = FiringKey { template: template.key(), form, resource: resource_key };
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (version, values) = renderer.values_from(&self.values, self.context, id, resource);
        let fired = rules::fire(&renderer.templates, template, self.context, &values, &version);
        self.known.insert(key, fired.clone());
        fired
    }
}

/// Returns the tags of every resource of `config` in `context`, or all errors.
pub fn tags(
    config: &Config,
    context: &Context,
) -> Result<IndexMap<ResourceId, ResourceTags>, Vec<Diagnostic>> {
    let renderer = Renderer::new(config);
    let mut firings = renderer.fire_all(context);
    let (mut resources, mut diagnostics): (_, Vec<Diagnostic>) = (IndexMap::new(), Vec::new());
    let (mut seen, mut versionless) = (HashSet::new(), false);
    for named in config.named_resources() {
        let (version, _) = renderer.values(context, named.id, named.resource);
        let mut tags = ResourceTags {
            version,
            tags: Vec::new(),
            held_back: Vec::new(),
            chart_version: None,
            silent: Vec::new(),
        };
        for template in TagTemplate::of_resource(config, named) {
            match firings.of(template, named) {
                Ok(Firing::Silent(reason)) => tags.silent.push((template.name().into_owned(), reason)),
                Ok(Firing::Tag(tag)) => add(context, &mut tags, template, tag),
                Err(error) => {
                    let diagnostic = template_diagnostic(config, template, &error);
                    // A git tag without a version is one mistake, however many rules need the version.
                    let again =
                        diagnostic.code == Code::ContextVersion && std::mem::replace(&mut versionless, true);
                    if !again && seen.insert((diagnostic.code, diagnostic.message.clone())) {
                        diagnostics.push(diagnostic);
                    }
                }
            }
        }
        resources.insert(named.id.clone(), tags);
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    silence_charts(config, &mut resources);
    let nothing = resources
        .values()
        .all(|resource: &ResourceTags| resource.tags.is_empty() && resource.held_back.is_empty());
    match &context.unknown_event {
        // Silence would look like a run with nothing to publish.
        Some(problem) if nothing => Err(vec![
            Diagnostic::error(
                Code::ContextGit,
                format!("no rule fires, and the event is unknown: {problem}"),
            )
            .help(unknown_event_help(context)),
        ]),
        _ => Ok(resources),
    }
}

/// Silences the charts that name an image of which nothing is published: they would name an image that does not exist.
fn silence_charts(config: &Config, resources: &mut IndexMap<ResourceId, ResourceTags>) {
    for NamedResource { id, resource } in config.named_resources() {
        let DeclaredContent::Chart(chart) = &resource.content else { continue };
        let is_silent = |image: &ResourceId| resources.get(image).is_none_or(|tags| tags.tags.is_empty());
        let Some(silent) = chart.images.iter().map(|it| &it.image).find(|image| is_silent(image)) else {
            continue;
        };
        let reason = format!("the chart names {}, of which nothing is published", silent.title());
        if let Some(tags) = resources.get_mut(id) {
            let gone = tags.tags.drain(..).chain(tags.held_back.drain(..));
            tags.silent.extend(gone.map(|tag| (tag.rule, reason.clone())));
            tags.chart_version = None;
        }
    }
}

fn unknown_event_help(context: &Context) -> String {
    let assumed = match context.event {
        EventName::Other => String::new(),
        event => format!("; `{event}` is assumed if nothing is known"),
    };
    format!("name it: `--ref refs/tags/v1.2.3`, `--ref refs/heads/main`, or `--event` with `--pr`{assumed}")
}

/// Adds the tag of a template. The same tag with the same mutability is one tag and belongs to the first template. A tag that
/// any rule takes is not held back by another.
fn add(context: &Context, tags: &mut ResourceTags, template: TagTemplate<'_>, tag: Tag) {
    let rendered = RenderedTag::new(tag, template);
    if let TagTemplate::ChartVersion { .. } = template {
        // No version contains a `_`.
        tags.chart_version = Some(rendered.tag.as_str().replace('_', "+"));
    }
    match &tags.version {
        ResourceVersion::Known(version)
            if context.event == EventName::Tag
                && rendered.mutability == Mutability::Forward
                && template.holds_back(version) =>
        {
            let reason = if version.is_development() {
                format!("`{version}` is a commit between two releases, which takes no forward tag")
            } else {
                let marked = if version.reads_as_prerelease() { "" } else { ", as the release says" };
                format!(
                    "`{version}` is a pre-release{marked}, and the rule does not set `prereleases = true`"
                )
            };
            tags.silent.push((rendered.rule.clone(), reason));
            if !tags.tags.iter().chain(&tags.held_back).any(|known| known.tag == rendered.tag) {
                tags.held_back.push(rendered);
            }
        }
        _ => {
            tags.held_back.retain(|known| known.tag != rendered.tag);
            if !tags.tags.iter().any(|known| known.is_same(&rendered)) {
                tags.tags.push(rendered);
            }
        }
    }
}

/// Returns the error of a template with its place in the file.
pub(super) fn template_diagnostic(
    config: &Config,
    template: TagTemplate<'_>,
    error: &RuleError,
) -> Diagnostic {
    let path = match error.part {
        RulePart::When => template.when_path(),
        RulePart::Template => template.path(),
    };
    let message = format!("{}: {}", template.title(), error.error.message);
    let place = config.places.inside(&path, error.error.range.clone()).or_else(|| config.places.value(&path));
    // The default version of a chart is not written anywhere in the file.
    let place = place.or_else(|| config.places.key(&path[..2]));
    Diagnostic::error(error.error.code, message).at_maybe(place, "").help_maybe(error.error.help.clone())
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
