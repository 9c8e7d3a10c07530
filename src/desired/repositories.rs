//! Repositories that are templates, rendered once the context is known.

use super::samples;
use super::tags::Renderer;
use super::template::TemplateSyntax;
use crate::config::{Config, Lowered, Resource, lowered, lowered_diagnostic};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;
use oci_registry::RepositoryName;

/// A repository's name, and the note that it was lowered.
type Rendered = (RepositoryName, Option<Lowered>);

/// Renders the repositories of `config` that are templates in `context`, and returns the notes about them.
///
/// # Errors
///
/// The errors in the templates, and names that no registry accepts.
pub fn place_repositories(
    config: &mut Config,
    context: &Context,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let renderer = Renderer::new(config);
    let (mut placed, mut notes, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for id in config.templated_repositories() {
        let Some(resource) = config.resources.get(&id) else { continue };
        match render(&renderer, context, &id, resource) {
            Ok(rendered) => {
                let found = rendered.iter().filter_map(|(_, note)| note.as_ref());
                notes.extend(found.map(|note| lowered_diagnostic(note).about(id.title())));
                placed.push((id, rendered));
            }
            Err(error) => errors.push(*error),
        }
    }
    place(config, placed);
    if errors.is_empty() { Ok(notes) } else { Err(errors) }
}

/// Returns `config` with repositories as the first sample event renders them that has the values they need, and the errors in
/// them.
pub(super) fn with_samples(config: &Config) -> (Config, Vec<Diagnostic>) {
    let renderer = Renderer::with_file_version(config, samples::version(config)).with_sample_versions();
    let samples = samples::all(config, &renderer.forms);
    let (mut placed, mut errors) = (Vec::new(), Vec::new());
    for id in config.templated_repositories() {
        let Some(resource) = config.resources.get(&id) else { continue };
        let wrong = |text: &str| !renderer.templates.check(text, TemplateSyntax::Text).is_empty();
        if resource.declared_repositories.iter().any(|it| wrong(&it.text)) {
            // The templates are reported by themselves.
            continue;
        }
        let mut results = samples.iter().map(|sample| {
            let result = render(&renderer, &sample.context, &id, resource);
            result.map_err(|mut error| {
                error.message = format!("{}, {}", sample.situation, error.message);
                error
            })
        });
        // A value that one event lacks may be what another has.
        let is_final = |result: &Result<_, Box<Diagnostic>>| !matches!(result, Err(error) if error.code == Code::ContextMissing);
        match results.find(is_final) {
            Some(Ok(rendered)) => placed.push((id, rendered)),
            Some(Err(error)) => errors.push(*error),
            None => {}
        }
    }
    let mut sampled = config.clone();
    place(&mut sampled, placed);
    (sampled, errors)
}

fn place(config: &mut Config, placed: Vec<(ResourceId, Vec<Rendered>)>) {
    for (id, rendered) in placed {
        let names: Vec<RepositoryName> = rendered.into_iter().map(|(name, _)| name).collect();
        if let Some(resource) = config.resources.get_mut(&id) {
            resource.place_repositories(&names);
        }
    }
}

fn render(
    renderer: &Renderer<'_>,
    context: &Context,
    id: &ResourceId,
    resource: &Resource,
) -> Result<Vec<Rendered>, Box<Diagnostic>> {
    let (_, values) = renderer.values(context, id, resource);
    let places = &renderer.config.places;
    let render = |declared: &crate::config::RepositoryTemplate| {
        let path: Vec<&str> = id.path().into_iter().chain(declared.keys.iter().map(String::as_str)).collect();
        let rendered = renderer.templates.render(&declared.text, &values).map_err(|error| {
            let place = places.inside(&path, error.range.clone()).or_else(|| places.value(&path));
            let help = error.help.or_else(|| {
                (error.code == Code::ContextMissing).then(|| {
                    "use a value that every run of this command has, such as `ci.repository`".to_owned()
                })
            });
            Diagnostic::error(error.code, format!("`repository` of {}: {}", id.title(), error.message))
                .at_maybe(place, "")
                .help_maybe(help)
        })?;
        lowered(rendered.trim()).map_err(|error| {
            Box::new(
                Diagnostic::error(Code::ConfigRepository, format!("{}: {error}", id.title()))
                    .at_maybe(places.value(&path), "this template renders it")
                    .help("use the filter `lower` for upper-case letters, and `replace` for other characters that are not allowed"),
            )
        })
    };
    resource.declared_repositories.iter().map(render).collect()
}
