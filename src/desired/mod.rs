//! The desired side of a plan: which tag of which repository should name which digest, and by which rule.
//!
//! It is a function of config, context and sources; the registries are not asked. `lint` and `tags` need less than
//! [`resolve`]: neither opens a source.

mod checks;
mod collisions;
mod content;
mod filters;
mod forward;
mod lint;
mod lint_content;
mod profiles;
mod released;
mod retention;
mod rules;
mod samples;
mod selection;
mod standard;
mod tag_reader;
mod tags;
mod template;
mod values;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use checks::checks;
pub use forward::Line;
pub use lint::{lint, lint_part, uses_dirty};
pub use lint_content::lint_charts;
pub use profiles::against as against_profile;
pub use released::{Readers, Releases, Rendered};
pub use retention::{Decided, Decisions, Kept, ListedTag, Removal, RetainedRepository, Retentions, merge};
pub use selection::{Address, Selection};
pub use tags::{RenderedTag, ResourceTags, tags};
pub use template::TemplateError;
pub use version::ResourceVersion;

use indexmap::IndexMap;

use crate::config::{Config, Resource};
use crate::content::Published;
use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::model::forward::OnUnknown;
use crate::model::{ContentSpec, EventName, Mutability, OnConflict, ResourceId, ResourceKind, Visibility};
use oci_content::Surroundings;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{RepositoryName, Tag};

/// Everything that should exist.
#[derive(Default)]
pub struct Desired {
    /// Each repository of each resource.
    pub repositories: Vec<DesiredRepository>,
    /// Resources of which this context publishes nothing, and the reasons, shown to people.
    pub silent: Vec<(ResourceId, Vec<(String, String)>)>,
    /// The declared registries that sources are read from, by name.
    pub read: BTreeMap<String, RegistryEndpoint>,
}

/// A resource in one registry.
pub struct DesiredRepository {
    /// The resource that is published.
    pub resource: ResourceId,
    /// The registry's name in `publish.toml`.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, namespace included.
    pub name: RepositoryName,
    /// The content to publish, the same in every registry.
    pub published: Arc<Published>,
    /// The declared visibility: who should be able to pull.
    pub visibility: Option<Visibility>,
    /// The tags, in the order of the rules.
    pub tags: Vec<DesiredTag>,
}

/// A tag that should name the root of the content.
#[derive(Debug, Clone)]
pub struct DesiredTag {
    /// The tag.
    pub tag: Tag,
    /// The rule that renders it.
    pub rule: String,
    /// Whether it may move.
    pub mutability: Mutability,
    /// The policy if an immutable tag names another digest.
    pub on_conflict: OnConflict,
    /// The policy if it cannot be known whether a forward tag would move forward.
    pub on_unknown: OnUnknown,
    /// The basis for deciding whether a forward tag moves.
    pub basis: Basis,
}

/// The basis for deciding whether a forward tag moves.
#[derive(Debug, Clone)]
pub enum Basis {
    /// The tag is not forward.
    None,
    /// The versions of its line.
    Release(Box<Line>),
    /// A forward tag that a pre-release does not take, with the version being published.
    Prerelease(semver::Version),
    /// The commits, with the one being published if it is known.
    Commit(Option<String>),
}

/// Resolves the selected part of `config` in `context`: renders tags and opens sources. Reports every mistake of every
/// resource at once.
///
/// # Errors
///
/// The diagnostics of all templates, sources and collisions, and of targets that name nothing.
pub fn resolve(
    config: &Config,
    context: &Context,
    selection: &Selection,
    surroundings: &Surroundings,
) -> Result<Desired, Vec<Diagnostic>> {
    let rendered = tags::tags(config, context)?;
    let renderer = tags::Renderer::new(config);
    let claims = rendered.iter().map(|(id, tags)| (id, tags.tags.as_slice()));
    let mut diagnostics = collisions::kinds(config);
    diagnostics.extend(collisions::find(config, claims, &format!("on {}", context.describe())));
    let mut desired = Desired::default();
    for (id, tags) in rendered.iter().filter(|(_, tags)| tags.all().next().is_none()) {
        desired.silent.push((id.clone(), tags.silent.clone()));
    }
    let silent: Vec<&ResourceId> = desired.silent.iter().map(|(id, _)| id).collect();
    diagnostics.extend(selection.unknown(&addresses(config, &rendered), &silent, "this plan"));
    for (id, resource) in &config.resources {
        let Some(resource_tags) = rendered.get(id) else { continue };
        let selected = |address: &Address<'_>| address.resource == id && selection.selects(*address);
        if !addresses(config, &rendered).iter().any(selected) {
            continue;
        }
        match content(&renderer, context, id, resource, surroundings) {
            Ok(published) => {
                add_repositories(&mut desired, &renderer, context, (id, resource), resource_tags, &published);
            }
            Err(found) => diagnostics.extend(found),
        }
    }
    for repository in &mut desired.repositories {
        let (resource, registry) = (repository.resource.clone(), repository.registry.clone());
        let selects =
            |tag: &str| selection.selects(Address { resource: &resource, registry: &registry, tag });
        repository.tags.retain(|tag| selects(tag.tag.as_str()));
    }
    desired.repositories.retain(|repository| !repository.tags.is_empty());
    if !selection.is_everything() {
        desired.silent.clear();
    }
    desired.read = read(config, &desired.repositories);
    if diagnostics.is_empty() { Ok(desired) } else { Err(diagnostics) }
}

/// The declared registries that the sources of `repositories` are read from.
fn read(config: &Config, repositories: &[DesiredRepository]) -> BTreeMap<String, RegistryEndpoint> {
    let declared: Vec<_> = config.registries.iter().map(|(name, it)| (name, &it.endpoint)).collect();
    let specs = repositories.iter().map(|repository| &repository.published.spec);
    let remotes = specs.flat_map(|spec| match spec {
        ContentSpec::Image(image) => image.source.remotes().collect(),
        ContentSpec::Chart(_) | ContentSpec::Artifact(_) => Vec::new(),
    });
    remotes
        .filter_map(|image| image.declared(declared.iter().copied()))
        .map(|(name, endpoint)| (name.clone(), endpoint.clone()))
        .collect()
}

/// The address of every rendered tag in every registry.
fn addresses<'a>(config: &'a Config, rendered: &'a IndexMap<ResourceId, ResourceTags>) -> Vec<Address<'a>> {
    let mut addresses = Vec::new();
    for (id, tags) in rendered {
        let Some(resource) = config.resources.get(id) else { continue };
        for registry in &resource.registries {
            let address = |tag: &'a RenderedTag| Address { resource: id, registry, tag: tag.tag.as_str() };
            addresses.extend(tags.all().map(address));
        }
    }
    addresses
}

fn content(
    renderer: &tags::Renderer<'_>,
    context: &Context,
    id: &ResourceId,
    resource: &Resource,
    surroundings: &Surroundings,
) -> Result<Arc<Published>, Vec<Diagnostic>> {
    let spec = content::content(renderer, context, id, resource)?;
    let config = renderer.config;
    let published = crate::content::publishable(&spec, surroundings).map_err(|error| {
        let key = if id.kind == ResourceKind::Artifact { "files" } else { "source" };
        let place = config.places.value(&id.key(key)).or_else(|| config.places.key(&id.key(key)));
        let placed = |diagnostic: Diagnostic| {
            // Errors inside a chart have their own places there.
            let place = place.clone().filter(|_| diagnostic.labels.is_empty());
            diagnostic.about(id.title()).at_maybe(place, "")
        };
        error.to_diagnostics().into_iter().map(placed).collect::<Vec<_>>()
    })?;
    Ok(Arc::new(published))
}

fn add_repositories(
    desired: &mut Desired,
    renderer: &tags::Renderer<'_>,
    context: &Context,
    (id, resource): (&ResourceId, &Resource),
    resource_tags: &ResourceTags,
    published: &Arc<Published>,
) {
    let config = renderer.config;
    let tags: Vec<DesiredTag> = resource_tags
        .all()
        .filter_map(|rendered| {
            let rule = config.tags.get(&rendered.rule)?;
            let basis = basis(renderer, context, (id, resource), rendered, &resource_tags.version);
            Some(DesiredTag {
                tag: rendered.tag.clone(),
                rule: rendered.rule.clone(),
                mutability: rendered.mutability,
                on_conflict: rule.on_conflict,
                on_unknown: rule.on_unknown,
                basis,
            })
        })
        .collect();
    for registry_name in &resource.registries {
        let Some(registry) = config.registries.get(registry_name) else { continue };
        desired.repositories.push(DesiredRepository {
            resource: id.clone(),
            registry: registry_name.clone(),
            endpoint: registry.endpoint.clone(),
            name: registry.endpoint.url.repository(&resource.repository),
            published: published.clone(),
            visibility: resource.visibility.or(registry.visibility),
            tags: tags.clone(),
        });
    }
}

fn basis(
    renderer: &tags::Renderer<'_>,
    context: &Context,
    (id, resource): (&ResourceId, &Resource),
    rendered: &RenderedTag,
    version: &ResourceVersion,
) -> Basis {
    if rendered.mutability != Mutability::Forward {
        return Basis::None;
    }
    let (EventName::Tag, ResourceVersion::Known(version)) = (context.event, version) else {
        return Basis::Commit(context.sha.clone());
    };
    let config = renderer.config;
    let Some(rule) = config.tags.get(&rendered.rule) else { return Basis::None };
    if !version.pre.is_empty() && !rule.prereleases {
        return Basis::Prerelease(version.clone());
    }
    let (_, values) = renderer.values(context, id, resource);
    let templates = Arc::new(template::Templates::new(config.vars.keys()));
    let readers = resource
        .tags
        .iter()
        .filter_map(|rule| config.tags.get(rule))
        .filter(|rule| rule.on.contains(&EventName::Tag))
        .filter_map(|rule| forward::reader(&templates, &rule.template, &values))
        .collect();
    Basis::Release(Box::new(Line {
        templates,
        readers: Arc::new(readers),
        template: rule.template.clone(),
        vars: config.vars.clone(),
        values,
        tag: rendered.tag.clone(),
        version: version.clone(),
        prereleases: rule.prereleases,
    }))
}
