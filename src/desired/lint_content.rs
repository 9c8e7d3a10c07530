//! The checks of `lint` for sources, annotations and labels beyond their syntax: each is rendered on every sample event
//! that publishes its resource. For charts whose directories exist, also the errors that Helm would report.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::content;
use super::lint_images;
use super::opened;
use super::rules::Firing;
use super::samples::{self, Sample};
use super::tag_template::{TagTemplate, TagTemplateKey};
use super::tags::Renderer;
use super::template::is_template;
use crate::advice::chart::diagnostics_of_findings;
use crate::config::{Config, DeclaredContent, NamedResource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::version::ReleaseForm;
use oci_content::Confines;

/// The resources whose templates have to be rendered: one of each set with the same templates.
pub(super) struct ResourceTemplates<'a>(Vec<NamedResource<'a>>);

impl<'a> ResourceTemplates<'a> {
    pub fn new(renderer: &Renderer<'a>) -> Self {
        let config = renderer.config;
        let mut seen: HashSet<(&ReleaseForm, &[String], Vec<&str>)> = HashSet::new();
        let resources = config.named_resources().filter(|NamedResource { resource, .. }| {
            let of_project = config.project.templates();
            let templates = resource.templates().into_iter().chain(of_project).map(|it| it.text);
            let templates: Vec<&str> = templates.filter(|text| is_template(text)).collect();
            !templates.is_empty() && seen.insert((&resource.releases, &resource.tags, templates))
        });
        Self(resources.collect())
    }

    /// Finds the errors in these templates in `sample`, if a rule that is not `broken` publishes the resource.
    pub fn lint(
        &self,
        renderer: &'a Renderer<'a>,
        sample: &Sample<'_>,
        broken: &BTreeSet<TagTemplateKey<'_>>,
    ) -> Vec<Diagnostic> {
        let mut firings = renderer.fire_all(&sample.context);
        let mut found = Vec::new();
        for named in self.0.iter().copied() {
            let NamedResource { id, resource } = named;
            if sample.form.is_some_and(|form| *form != resource.releases) {
                continue;
            }
            let mut templates = TagTemplate::of_resource(renderer.config, named)
                .filter(|template| !broken.contains(&template.key()));
            if !templates.any(|template| matches!(firings.of(template, named), Ok(Firing::Tag(_)))) {
                continue;
            }
            let Err(errors) = content::content(renderer, &sample.context, id, resource) else { continue };
            let title = format!("{}: ", id.title());
            found.extend(errors.into_iter().map(|mut error| {
                let message = error.message.strip_prefix(&title).unwrap_or(&error.message);
                error.message = format!("{title}{}, {message}", sample.situation);
                error
            }));
        }
        found
    }
}

/// Finds the errors for which Helm would refuse charts whose directories exist, and images that they name wrongly. People know the folder
/// of `publish.toml` as `shown`. A chart outside of the `confines` is an error, and not read.
pub fn lint_charts(config: &Config, shown: &Path, confines: &Confines) -> Vec<Diagnostic> {
    let renderer = Renderer::with_file_version(config, samples::version(config)).with_sample_versions();
    charts(&renderer, shown, confines, None)
}

/// Finds the images that charts would name wrongly in `context`.
pub fn named_images(
    config: &Config,
    shown: &Path,
    confines: &Confines,
    context: &Context,
) -> Vec<Diagnostic> {
    let found = charts(&Renderer::new(config), shown, confines, Some(context));
    found.into_iter().filter(|it| it.code == Code::SourceChartImage).collect()
}

fn charts(
    renderer: &Renderer<'_>,
    shown: &Path,
    confines: &Confines,
    context: Option<&Context>,
) -> Vec<Diagnostic> {
    let config = renderer.config;
    let mut found = Vec::new();
    for named in config.named_resources() {
        let resource = named.resource;
        let DeclaredContent::Chart(declared) = &resource.content else { continue };
        if is_template(&declared.source) {
            continue;
        }
        if let Err(outside) = confines.check(&config.folder, &declared.source) {
            found.push(outside.to_diagnostic());
            continue;
        }
        if !config.folder.join(&declared.source).is_dir() {
            continue;
        }
        let name = resource.repository.as_str().rsplit('/').next();
        let sets = declared.app_version.is_some();
        let images = &declared.images;
        let sample =
            images.iter().filter_map(|image| opened::sample(config, named, image)).collect::<Vec<_>>();
        let sets = sets || !images.is_empty();
        match helm_package::check_chart(&config.folder, shown, &declared.source, name, sets, &sample) {
            Ok(checked) => {
                found.extend(diagnostics_of_findings(&checked.findings));
                found.extend(lint_images::unpinned(renderer, named, declared, &checked, context));
            }
            Err(error) => found.push(error.to_diagnostic()),
        }
    }
    found
}
