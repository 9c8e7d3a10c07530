//! The content that a resource publishes in a context: its sources, annotations and labels, rendered.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;

use super::rules;
use super::standard;
use super::tags::Renderer;
use super::template::TemplateError;
use super::values::Values;
use crate::config::{
    Config, DeclaredArtifact, DeclaredChart, DeclaredContent, DeclaredImage, Description, ImageSource,
    Resource,
};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ContentSpec, ResourceId};
use helm_package::ChartSpec;
use oci_content::{ArtifactFile, ArtifactSpec, ImageSpec};
use oci_content::{DigestFolder, SourceSpecError};
use oci_content::{SourceSpec, TransportSpec};
use oci_registry::annotation;

/// Returns the content that `resource` publishes in `context`, or all errors in its templates.
pub(super) fn content(
    renderer: &Renderer<'_>,
    context: &Context,
    id: &ResourceId,
    resource: &Resource,
) -> Result<ContentSpec, Vec<Diagnostic>> {
    let (_, values) = renderer.values(context, id, resource);
    let mut content = ContentRenderer { renderer, id, values, diagnostics: Vec::new() };
    let spec = match &resource.content {
        DeclaredContent::Image(image) => content.image(context, resource, image),
        DeclaredContent::Chart(chart) => content.chart(context, resource, chart),
        DeclaredContent::Artifact(artifact) => content.artifact(context, resource, artifact),
    };
    match spec {
        Some(spec) if content.diagnostics.is_empty() => Ok(spec),
        _ => Err(content.diagnostics),
    }
}

/// Labels and annotations, by key.
type LabelsAndAnnotations = (BTreeMap<String, String>, BTreeMap<String, String>);

/// Returns the labels and the annotations of `resource` in `context`, or all errors in their templates. Its source is left alone.
pub(super) fn description(
    renderer: &Renderer<'_>,
    context: &Context,
    id: &ResourceId,
    resource: &Resource,
) -> Result<LabelsAndAnnotations, Vec<Diagnostic>> {
    let (_, values) = renderer.values(context, id, resource);
    let mut content = ContentRenderer { renderer, id, values, diagnostics: Vec::new() };
    let mut labels = BTreeMap::new();
    match &resource.content {
        DeclaredContent::Image(image) => labels = content.labels(context, image),
        DeclaredContent::Chart(chart) => {
            match rules::render_chart_version(&renderer.templates, &chart.version, &content.values) {
                Ok((version, _)) => {
                    content.values = content.values.with_chart_version(&id.name, &version.to_string());
                }
                Err(error) => content.report(error, &id.key("version")),
            }
        }
        DeclaredContent::Artifact(_) => {}
    }
    let annotations = content.annotations(context, resource);
    if content.diagnostics.is_empty() { Ok((labels, annotations)) } else { Err(content.diagnostics) }
}

/// Renders the templates of one resource and collects the errors in them.
struct ContentRenderer<'a> {
    renderer: &'a Renderer<'a>,
    id: &'a ResourceId,
    values: Values,
    diagnostics: Vec<Diagnostic>,
}

impl ContentRenderer<'_> {
    fn config(&self) -> &Config {
        self.renderer.config
    }

    fn report(&mut self, error: TemplateError, path: &[&str]) {
        let places = &self.config().places;
        let place = places.inside(path, error.range.clone()).or_else(|| places.value(path));
        let message = format!("{}: {}", self.id.title(), error.message);
        let elsewhere =
            "use it only on events that have it, as in `{{ version if event == 'tag' else git.short_sha }}`";
        let help = error.help.or_else(|| (error.code == Code::ContextMissing).then(|| elsewhere.to_owned()));
        let diagnostic = Diagnostic::error(error.code, message).at_maybe(place, "").help_maybe(help);
        self.diagnostics.push(diagnostic);
    }

    fn render(&mut self, text: &str, path: &[&str]) -> Option<String> {
        match self.renderer.templates.render(text, &self.values) {
            Ok(text) => Some(text),
            Err(error) => {
                self.report(error, path);
                None
            }
        }
    }

    /// Renders the templates of the table at `path`.
    fn table(&mut self, path: &[&str], table: &IndexMap<String, String>) -> BTreeMap<String, String> {
        let rendered = table.iter().map(|(entry, text)| {
            let path: Vec<&str> = path.iter().copied().chain([entry.as_str()]).collect();
            (entry.clone(), self.render(text, &path).unwrap_or_default())
        });
        rendered.collect()
    }

    /// Returns the annotations or labels, which the table `key` of the resource declares. Its own override those of the project,
    /// which override the standard ones. A standard one that is overridden with an empty text is left out.
    fn described(
        &mut self,
        context: &Context,
        key: &str,
        declared: &Description,
        of_project: &IndexMap<String, String>,
        source: Option<(String, String)>,
    ) -> BTreeMap<String, String> {
        let id = self.id;
        let [section, name] = id.path();
        let mut described = BTreeMap::new();
        if declared.standard {
            described = standard::annotations(self.config(), context, id, self.values.version.as_ref());
        }
        described.extend(source);
        let standard: Vec<String> = described.keys().cloned().collect();
        if declared.of_project {
            described.extend(self.table(&["project", key], of_project));
        }
        described.extend(self.table(&[section, name, key], &declared.own));
        described.retain(|entry, text| !text.is_empty() || !standard.contains(entry));
        described
    }

    /// Returns the annotations.
    fn annotations(&mut self, context: &Context, resource: &Resource) -> BTreeMap<String, String> {
        let project = &self.renderer.config.project;
        let source = project.source.as_ref().filter(|_| resource.annotations.of_project);
        let source = source.map(|source| (annotation::SOURCE.to_owned(), source.clone()));
        self.described(context, "annotations", &resource.annotations, &project.annotations, source)
    }

    /// Returns the labels of an image.
    fn labels(&mut self, context: &Context, image: &DeclaredImage) -> BTreeMap<String, String> {
        let of_project = &self.renderer.config.project.labels;
        self.described(context, "labels", &image.labels, of_project, None)
    }

    fn image(
        &mut self,
        context: &Context,
        resource: &Resource,
        image: &DeclaredImage,
    ) -> Option<ContentSpec> {
        let mut parsed: Vec<(Option<String>, TransportSpec)> = Vec::new();
        let (mut folder, mut target) = (None, None);
        for (key, text) in image.source.templates() {
            let id = self.id;
            let path: Vec<&str> = id.key("source").into_iter().chain(key.as_deref()).collect();
            let Some(text) = self.render(text, &path) else { continue };
            match key.as_deref().filter(|_| matches!(image.source, ImageSource::Digests { .. })) {
                Some("digests") => {
                    folder = Some(text);
                    continue;
                }
                Some("target") => {
                    target = Some(text);
                    continue;
                }
                _ => {}
            }
            // Tags in registries and engines are rendered like published tags.
            let is_tagged =
                ["docker://", "docker-daemon:", "containers-storage:"].iter().any(|it| text.starts_with(it));
            let text =
                if is_tagged { rules::without_plus(&text, self.values.version.as_ref()) } else { text };
            match text.parse::<TransportSpec>() {
                Ok(spec) => parsed.push((key, spec)),
                Err(error) => self.report_source(&error, &path),
            }
        }
        let annotations = self.annotations(context, resource);
        let labels = self.labels(context, image);
        let mut specs = parsed.into_iter();
        let source = match &image.source {
            ImageSource::One(_) => SourceSpec::One(specs.next()?.1),
            ImageSource::Several(_) => SourceSpec::Several(specs.map(|(_, spec)| spec).collect()),
            ImageSource::Digests { .. } => {
                SourceSpec::Digests(DigestFolder { digests: folder?, from: specs.next()?.1, target })
            }
            ImageSource::Platforms(_) => {
                SourceSpec::Platforms(specs.filter_map(|(key, spec)| Some((key?, spec))).collect())
            }
        };
        Some(ContentSpec::Image(ImageSpec {
            platforms: image.platforms.clone(),
            annotations,
            annotate: image.annotate.clone(),
            labels,
            referrers: image.referrers,
            source,
        }))
    }

    fn report_source(&mut self, error: &SourceSpecError, path: &[&str]) {
        let diagnostic = Diagnostic::error(Code::ConfigSource, format!("{}: {error}", self.id.title()))
            .at_maybe(self.config().places.value(path), "")
            .help_maybe(error.suggestion.as_ref().map(|it| format!("did you mean `{it}`?")));
        self.diagnostics.push(diagnostic);
    }

    fn chart(
        &mut self,
        context: &Context,
        resource: &Resource,
        chart: &DeclaredChart,
    ) -> Option<ContentSpec> {
        let id = self.id;
        let templates = &self.renderer.templates;
        let version = match rules::render_chart_version(templates, &chart.version, &self.values) {
            Ok((version, _)) => version,
            Err(error) => {
                self.report(error, &id.key("version"));
                return None;
            }
        };
        self.values = self.values.with_chart_version(&id.name, &version.to_string());
        let path = self.render(&chart.source, &id.key("source"));
        let app_version = chart
            .app_version
            .as_ref()
            .map(|text| self.render(text, &id.key("app_version")).unwrap_or_default());
        let annotations = self.annotations(context, resource);
        let name = resource.repository.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        Some(ContentSpec::Chart(ChartSpec {
            path: path?,
            name,
            version: version.to_string(),
            app_version,
            images: Vec::new(),
            annotations,
            created: context.commit_time,
        }))
    }

    fn artifact(
        &mut self,
        context: &Context,
        resource: &Resource,
        artifact: &DeclaredArtifact,
    ) -> Option<ContentSpec> {
        let id = self.id;
        let [section, name] = id.path();
        let mut files = Vec::new();
        for (index, file) in artifact.files.iter().enumerate() {
            let path = self.render(&file.path, &[section, name, "files", &index.to_string(), "path"])?;
            let last = Path::new(&path).file_name().and_then(|last| last.to_str()).unwrap_or(&path);
            let title = if file.title.is_empty() { last.to_owned() } else { file.title.clone() };
            files.push(ArtifactFile { title, path, media_type: file.media_type.clone() });
        }
        let annotations = self.annotations(context, resource);
        let artifact_type = artifact.artifact_type.clone();
        Some(ContentSpec::Artifact(ArtifactSpec { artifact_type, files, annotations }))
    }
}
