//! The preview of a plan for a build step that runs before: tags, labels and annotations. No source is opened.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::rendered::ResourceTags;
use super::selection::{Address, Selection};
use super::{addresses, collisions, content, tags};
use crate::config::{Config, DeclaredContent, ImageSource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::ResourceId;
use oci_content::AnnotationPlace;

/// The tags of a resource in a context, and what describes its content.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The tags.
    pub tags: ResourceTags,
    /// The labels of an image.
    pub labels: BTreeMap<String, String>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
    /// The levels of the annotations, as build tools name them: `index`, `manifest`, `manifest-descriptor`.
    pub levels: Vec<&'static str>,
    /// The repositories, by full name, each with the tags that are selected there.
    pub repositories: Vec<(String, Vec<String>)>,
}

/// The previews of the resources, and the warnings about them.
pub type Previews = (IndexMap<ResourceId, Preview>, Vec<Diagnostic>);

/// Previews the selected part of `config` in `context`. Also returns warnings: a label or annotation whose value this context does not
/// have, such as the commit outside of a repository, leaves out those of its resource.
///
/// # Errors
///
/// The diagnostics of all templates and collisions, and of targets that name nothing: those that a plan would have.
pub fn preview(
    config: &Config,
    context: &Context,
    selection: &Selection,
) -> Result<Previews, Vec<Diagnostic>> {
    let rendered = tags::tags(config, context)?;
    let mut diagnostics = collisions::kinds(config);
    let claims = rendered.iter().map(|(id, tags)| (id, tags.tags.as_slice()));
    diagnostics.extend(collisions::find(config, claims, &format!("on {}", context.describe())));
    let silent: Vec<&ResourceId> =
        rendered.iter().filter(|(_, tags)| tags.all().next().is_none()).map(|(id, _)| id).collect();
    diagnostics.extend(selection.unknown(&addresses(config, &rendered), &silent, "this context"));
    let renderer = tags::Renderer::new(config);
    let (mut previews, mut warnings) = (IndexMap::new(), Vec::new());
    for named in config.named_resources().filter(|named| selection.selects_resource(named.id)) {
        let Some(tags) = rendered.get(named.id) else { continue };
        let (labels, annotations) = if tags.tags.is_empty() {
            Default::default()
        } else {
            match content::description(&renderer, context, named.id, named.resource) {
                Ok(description) => description,
                Err(found) if found.iter().all(|it| it.code == Code::ContextMissing) => {
                    let warning = |it| Diagnostic { severity: Severity::Warning, ..it };
                    warnings.extend(found.into_iter().map(warning));
                    Default::default()
                }
                Err(found) => {
                    diagnostics.extend(found);
                    continue;
                }
            }
        };
        let repositories = repositories(config, named.id, tags, selection);
        let mut tags = tags.clone();
        let is_selected =
            |tag: &str| repositories.iter().any(|(_, selected)| selected.iter().any(|it| it == tag));
        if !selection.is_everything() {
            tags.tags.retain(|tag| is_selected(tag.tag.as_str()));
        }
        let levels = levels(&named.resource.content);
        previews.insert(named.id.clone(), Preview { tags, labels, annotations, levels, repositories });
    }
    if diagnostics.is_empty() { Ok((previews, warnings)) } else { Err(diagnostics) }
}

/// The repositories of a resource, each with its selected tags.
fn repositories(
    config: &Config,
    id: &ResourceId,
    tags: &ResourceTags,
    selection: &Selection,
) -> Vec<(String, Vec<String>)> {
    let Some(resource) = config.resources.get(id) else { return Vec::new() };
    let declared = resource.registries.iter().filter_map(|place| Some((place, config.registry(place)?)));
    declared
        .filter(|(name, _)| selection.touches(id, name))
        .map(|(registry, declaration)| {
            let location = &declaration.endpoint.url;
            let name = location.full_name(&location.repository(resource.repository_in(registry)));
            let tags = tags.tags.iter().map(|tag| tag.tag.to_string());
            let selected = tags.filter(|tag| selection.selects(Address { resource: id, registry, tag }));
            (name, selected.collect())
        })
        .collect()
}

/// The levels of a resource's annotations in a build. A build for several platforms makes an index.
fn levels(content: &DeclaredContent) -> Vec<&'static str> {
    let DeclaredContent::Image(image) = content else { return vec!["manifest"] };
    let is_index = image.platforms.len() > 1 || !matches!(image.source, ImageSource::One(_));
    let root = if is_index { "index" } else { "manifest" };
    let level = |place: &AnnotationPlace| match place {
        AnnotationPlace::Root => root,
        AnnotationPlace::Manifests => "manifest",
        AnnotationPlace::Descriptors => "manifest-descriptor",
    };
    let mut levels: Vec<&'static str> = image.annotate.iter().map(level).collect();
    if levels.is_empty() {
        levels.push(root);
    }
    levels.sort_unstable();
    levels.dedup();
    levels
}
