//! The images that charts name by themselves, compared with the images that are declared.

use helm_package::{CheckedChart, NamedImage, NamedTag, dotted};
use oci_registry::Tag;

use super::rules::{self, Firing};
use super::samples;
use super::tag_reader::TagReader;
use super::tag_template::TagTemplate;
use super::tags::Renderer;
use crate::advice::chart::place_of;
use crate::config::{Config, DeclaredChart, NamedResource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use oci_registry::RegistryLocation;

/// Returns a warning for each image that the chart names with a tag that the image does not get. On sample events, or in `context`, if it
/// is given.
pub(super) fn unpinned(
    renderer: &Renderer<'_>,
    named: NamedResource<'_>,
    declared: &DeclaredChart,
    checked: &CheckedChart,
    context: Option<&Context>,
) -> Vec<Diagnostic> {
    let mut warnings: Vec<Diagnostic> = Vec::new();
    for image in &checked.images {
        let covers = |path: &[String]| {
            image.path.as_ref().is_some_and(|it| it.starts_with(path) || path.starts_with(it))
        };
        if declared.images.iter().any(|it| covers(it.path.parts())) {
            continue;
        }
        let Some(Match { resource, full_name }) = find(renderer.config, &image.repository) else { continue };
        let check = NamedCheck { renderer, chart: named, declared, checked, context };
        let Some(reason) = check.reason(image, resource, full_name.as_ref()) else { continue };
        let chart = named.id.title();
        let help = match &image.path {
            Some(path) => format!(
                "let the package name what the same run publishes: `images = {{ {:?} = {:?} }}` in `[charts.{}]`",
                dotted(path),
                resource.id.name,
                named.id.name
            ),
            None => format!(
                "write the image in `values.yaml` and `{{{{ .Values.image }}}}` here; then `images = {{ \"image\" = {:?} }}` in \
                 `[charts.{}]` lets the package name what the same run publishes",
                resource.id.name, named.id.name
            ),
        };
        let warning = Diagnostic::warning(Code::SourceChartImage, format!("{chart} {reason}"))
            .at_maybe(Some(place_of(&image.span)), "")
            .help(help);
        if !warnings.iter().any(|known| known.message == warning.message) {
            warnings.push(warning);
        }
    }
    warnings
}

/// A declared image that a chart names.
struct Match<'a> {
    resource: NamedResource<'a>,
    /// Its name in the registry, if the chart names it otherwise.
    full_name: Option<String>,
}

/// Finds the declared image that is called `name`: by its full name, or without registry and namespace.
fn find<'a>(config: &'a Config, name: &str) -> Option<Match<'a>> {
    let mut found = None;
    for resource in config.named_resources().filter(|it| it.id.kind == crate::model::ResourceKind::Image) {
        for registry in resource.resource.registries.iter().filter_map(|name| config.registries.get(name)) {
            let location = &registry.endpoint.url;
            let RegistryLocation::Http { host, .. } = location else { continue };
            let repository = location.repository(&resource.resource.repository);
            let full_name = location.full_name(&repository);
            let is_hub = oci_registry::reference::is_docker_hub(host.split(':').next().unwrap_or_default());
            if name == full_name || (is_hub && name == repository.as_str()) {
                return Some(Match { resource, full_name: None });
            }
            if name == repository.as_str() || name == resource.resource.repository.as_str() {
                found.get_or_insert(Match { resource, full_name: Some(full_name) });
            }
        }
    }
    found
}

struct NamedCheck<'c, 'a> {
    renderer: &'c Renderer<'a>,
    chart: NamedResource<'a>,
    declared: &'c DeclaredChart,
    checked: &'c CheckedChart,
    context: Option<&'c Context>,
}

impl<'a> NamedCheck<'_, 'a> {
    /// Returns why the name is wrong, to follow the title of the chart.
    fn reason(
        &self,
        image: &NamedImage,
        resource: NamedResource<'a>,
        full_name: Option<&String>,
    ) -> Option<String> {
        let title = resource.id.title();
        let name = &image.repository;
        if let Some(full_name) = full_name {
            return Some(format!("names `{name}`, but {title} is published as `{full_name}`"));
        }
        match &image.tag {
            NamedTag::Text(text) => {
                let renders = text.parse().is_ok_and(|tag| self.might_render(resource, &tag));
                (!renders).then(|| format!("names `{name}:{text}`, a tag that no rule of {title} renders"))
            }
            NamedTag::AppVersion => self.by_app_version(name, resource),
            NamedTag::Unknown => None,
        }
    }

    fn might_render(&self, resource: NamedResource<'a>, tag: &Tag) -> bool {
        TagTemplate::of_resource(self.renderer.config, resource).any(|template| {
            TagReader::new(self.renderer, template, resource).map_or(true, |reader| reader.might_render(tag))
        })
    }

    /// Compares the `appVersion` with the tags of the image, on each event that publishes both.
    fn by_app_version(&self, name: &str, resource: NamedResource<'a>) -> Option<String> {
        let title = resource.id.title();
        let fixed = self.declared.app_version.is_none();
        let own = self.checked.app_version.as_str();
        if let (None, true) = (self.context, fixed) {
            let renders = own.parse().is_ok_and(|tag| self.might_render(resource, &tag));
            return (!renders).then(|| {
                format!("names `{name}:{own}`, its `appVersion`, a tag that no rule of {title} renders")
            });
        }
        let all = match self.context {
            Some(context) => vec![("here".to_owned(), context.clone())],
            None => samples::all(self.renderer.config, &self.renderer.forms)
                .into_iter()
                .map(|sample| (sample.situation, sample.context))
                .collect(),
        };
        all.into_iter().find_map(|(situation, context)| {
            let chart = self.tags(self.chart, &context);
            let tags = self.tags(resource, &context);
            let version = match &self.declared.app_version {
                Some(template) => self.app_version(template, &context)?,
                None => own.to_owned(),
            };
            // A tag has `_` for the `+` of build metadata, which releases of applications do not have.
            let has_build = version.contains('+');
            let is_wrong = !chart.is_empty() && !tags.is_empty() && !has_build && !tags.contains(&version);
            is_wrong.then(|| {
                format!(
                    "names `{name}:{version}` by its `appVersion` {situation}, a tag that {title} does not get: it gets {}",
                    tags.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ")
                )
            })
        })
    }

    fn tags(&self, resource: NamedResource<'a>, context: &Context) -> Vec<String> {
        let (version, values) = self.renderer.values(context, resource.id, resource.resource);
        let fired =
            TagTemplate::of_resource(self.renderer.config, resource).filter_map(
                |template| match rules::fire(&self.renderer.templates, template, context, &values, &version) {
                    Ok(Firing::Tag(tag)) => Some(tag.to_string()),
                    Ok(Firing::Silent(_)) | Err(_) => None,
                },
            );
        fired.collect()
    }

    fn app_version(&self, template: &str, context: &Context) -> Option<String> {
        let (_, values) = self.renderer.values(context, self.chart.id, self.chart.resource);
        let templates = &self.renderer.templates;
        let (version, _) = rules::render_chart_version(templates, &self.declared.version, &values).ok()?;
        let values = values.with_chart_version(&self.chart.id.name, &version.to_string());
        templates.render(template, &values).ok()
    }
}
