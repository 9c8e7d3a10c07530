//! The desired side of a plan: which tag of which repository should name which digest, and by which rule.
//!
//! It is a function of config, context and sources; the registries are not asked. `lint` and `tags` need less than
//! [`resolve`]: neither opens a source.

mod checks;
mod collisions;
mod comparison_tokens;
mod comparisons;
mod content;
mod filters;
mod forks;
mod forward;
mod lint;
mod lint_content;
mod lint_images;
mod lint_reuse;
mod nothing;
mod opened;
mod partition;
mod preview;
mod profiles;
mod released;
mod rendered;
mod repositories;
mod retention;
mod rules;
mod samples;
mod selection;
mod standard;
mod tag_reader;
mod tag_template;
mod tags;
mod template;
mod template_syntax;
mod values;
mod version;
mod version_value;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use checks::checks;
pub use forks::fork_unknown;
pub use forward::ReleaseLine;
pub use lint::{lint, lint_part, uses_dirty, uses_history};
pub use lint_content::{lint_charts, named_images};
pub use nothing::{nothing_published, unversioned_tag};
pub use preview::{Preview, preview};
pub use profiles::against as against_profile;
pub use released::{BranchTag, ReleaseTag, Releases, Rendered, Untraceable, VersionReaders};
pub use rendered::{RenderedTag, ResourceTags};
pub use repositories::place_repositories;
pub use retention::{
    Decided, Decisions, InUse, KeptTag, KnownRefs, ListedTag, ReferencesError, RemovedTag,
    RetainedRepository, Retentions, Spared, UntaggedRetention, UsedReferences, merge, unnamed,
    used_references,
};
pub use selection::{Address, Selection};
pub use tag_template::TagTemplate;
pub use tags::tags;
pub use template::TemplateError;
pub use version::{ResourceVersion, release_tags};

use indexmap::IndexMap;

use crate::config::{Config, DeclaredContent, NamedResource};
use crate::content::Published;
use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::model::forward::OnUnknown;
use crate::model::signing::PlannedStatement;
use crate::model::standing::other_readers;
use crate::model::version::ReleaseVersion;
use crate::model::{ContentSpec, EventName, Mutability, OnConflict, OnSameImages, ResourceId, Visibility};
use helm_package::ChartImage;
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
    /// The diagnostic of a run that publishes nothing.
    pub nothing: Option<Diagnostic>,
    /// The warning about a git tag that starts like a release, but holds no version.
    pub unversioned: Option<Diagnostic>,
    /// The declared registries that sources are read from, by name.
    pub read: BTreeMap<String, RegistryEndpoint>,
}

/// A resource in one registry.
#[derive(Clone)]
pub struct DesiredRepository {
    /// The resource that is published.
    pub resource: ResourceId,
    /// The registry's name in `publish.toml`.
    pub registry: String,
    /// Whether a run fails if the registry does.
    pub required: bool,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, namespace included.
    pub name: RepositoryName,
    /// The content to publish, the same in every registry.
    pub published: Arc<Published>,
    /// The declared visibility: who should be able to pull.
    pub visibility: Option<Visibility>,
    /// The names of the gates that its source must pass.
    pub gates: Vec<String>,
    /// The names of the signers that sign it.
    pub sign: Vec<String>,
    /// The statements that each of them signs. The run reads their files.
    pub statements: Vec<PlannedStatement>,
    /// The version being published, if the configuration withdraws it.
    pub withdrawn: Option<ReleaseVersion>,
    /// The behavior if an immutable tag names an index of the same images.
    pub on_same_images: OnSameImages,
    /// The tags, in the order of the rules.
    pub tags: Vec<DesiredTag>,
}

impl DesiredRepository {
    /// Returns the address of the repository in a plan.
    pub fn address(&self) -> String {
        format!("{}@{}", self.resource, self.registry)
    }
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

impl DesiredTag {
    /// Whether a pre-release does not take the tag, which the plan only shows.
    fn is_held_back(&self) -> bool {
        matches!(self.basis, Basis::Prerelease(_))
    }
}

/// The basis for deciding whether a forward tag moves.
#[derive(Debug, Clone)]
pub enum Basis {
    /// The tag is not forward.
    None,
    /// The versions of its line.
    Release(Box<ReleaseLine>),
    /// A forward tag that a pre-release does not take, with the version being published.
    Prerelease(ReleaseVersion),
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
    let unversioned = unversioned_tag(config, context, &rendered);
    let claims = rendered.iter().map(|(id, tags)| (id, tags.tags.as_slice()));
    let mut diagnostics = collisions::kinds(config);
    diagnostics.extend(collisions::find(config, claims, &format!("on {}", context.describe())));
    let mut desired = Desired { unversioned, ..Desired::default() };
    for (id, tags) in rendered.iter().filter(|(_, tags)| tags.all().next().is_none()) {
        desired.silent.push((id.clone(), tags.silent.clone()));
    }
    let silent: Vec<&ResourceId> = desired.silent.iter().map(|(id, _)| id).collect();
    let every_address = addresses(config, &rendered);
    diagnostics.extend(selection.unknown(&every_address, &silent, "this plan"));
    let mut opener = opened::ContentOpener::new(&renderer, context, surroundings, &rendered);
    for named in config.named_resources() {
        let Some(resource_tags) = rendered.get(named.id) else { continue };
        let selected = |address: &Address<'_>| address.resource == named.id && selection.selects(*address);
        if !every_address.iter().any(selected) {
            continue;
        }
        match opener.open(named) {
            Ok(published) => {
                let tags = desired_tags(&renderer, context, named, resource_tags);
                let version = resource_tags.version.known().ok().filter(|_| context.event == EventName::Tag);
                let withdrawn = version.filter(|it| config.withdrawn(named.resource).contains(it));
                let here = repositories(config, named, &tags, &published);
                desired
                    .repositories
                    .extend(here.map(|it| DesiredRepository { withdrawn: withdrawn.clone(), ..it }));
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
    if desired.repositories.iter().flat_map(|it| &it.tags).all(DesiredTag::is_held_back) {
        desired.nothing = nothing_published(config, context, &rendered, selection);
    }
    desired.read = registries_read(config, &desired.repositories);
    if diagnostics.is_empty() { Ok(desired) } else { Err(diagnostics) }
}

/// The declared registries that the sources of `repositories` are read from.
fn registries_read(
    config: &Config,
    repositories: &[DesiredRepository],
) -> BTreeMap<String, RegistryEndpoint> {
    let declared: Vec<_> = config.registries.iter().map(|(name, it)| (name, &it.endpoint)).collect();
    let specs = repositories.iter().map(|repository| &repository.published.spec);
    let remotes = specs.clone().flat_map(|spec| match spec {
        ContentSpec::Image(image) => image.source.remotes().collect(),
        ContentSpec::Chart(_) | ContentSpec::Artifact(_) => Vec::new(),
    });
    let read = remotes.filter_map(|image| image.declared(declared.iter().copied()));
    // An apply asks for the images that charts name.
    let images = specs.flat_map(|spec| match spec {
        ContentSpec::Chart(chart) => chart.images.as_slice(),
        ContentSpec::Image(_) | ContentSpec::Artifact(_) => &[],
    });
    let of_image = |image: &ChartImage| {
        let is_its = |endpoint: &RegistryEndpoint| endpoint.url.full_name(&image.repository) == image.name();
        declared.iter().copied().find(|(_, endpoint)| is_its(endpoint))
    };
    read.chain(images.filter_map(of_image)).map(|(name, endpoint)| (name.clone(), endpoint.clone())).collect()
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

/// The tags of a resource, in every registry the same.
fn desired_tags(
    renderer: &tags::Renderer<'_>,
    context: &Context,
    named: NamedResource<'_>,
    resource_tags: &ResourceTags,
) -> Vec<DesiredTag> {
    let tags = resource_tags.all().filter_map(|rendered| {
        let template = TagTemplate::called(renderer.config, named, &rendered.rule)?;
        let basis = basis(renderer, context, named, template, &rendered.tag, &resource_tags.version);
        let by_default = match basis {
            Basis::Release(_) => OnUnknown::for_releases(),
            Basis::None | Basis::Prerelease(_) | Basis::Commit(_) => OnUnknown::for_branches(),
        };
        Some(DesiredTag {
            tag: rendered.tag.clone(),
            rule: rendered.rule.clone(),
            mutability: rendered.mutability,
            on_conflict: rendered.on_conflict,
            on_unknown: template.on_unknown().unwrap_or(by_default),
            basis,
        })
    });
    tags.collect()
}

/// A resource in each of its registries.
fn repositories<'a>(
    config: &'a Config,
    NamedResource { id, resource }: NamedResource<'a>,
    tags: &'a [DesiredTag],
    published: &'a Arc<Published>,
) -> impl Iterator<Item = DesiredRepository> + 'a {
    let declared = resource.registries.iter().filter_map(|place| Some((place, config.registry(place)?)));
    declared.map(|(name, registry)| DesiredRepository {
        resource: id.clone(),
        registry: name.clone(),
        required: registry.required,
        endpoint: registry.endpoint.clone(),
        name: registry.endpoint.url.repository(resource.repository_in(name)),
        published: Arc::clone(published),
        visibility: resource.visibility.or(registry.visibility),
        gates: resource.gates.clone(),
        sign: resource.sign.clone(),
        statements: Vec::new(),
        withdrawn: None,
        on_same_images: match &resource.content {
            DeclaredContent::Image(image) => image.same_images,
            DeclaredContent::Chart(_) | DeclaredContent::Artifact(_) => OnSameImages::Fail,
        },
        tags: tags.to_vec(),
    })
}

/// The basis for deciding about `tag`, which `template` rendered for a resource of this version.
fn basis(
    renderer: &tags::Renderer<'_>,
    context: &Context,
    named: NamedResource<'_>,
    template: TagTemplate<'_>,
    tag: &Tag,
    version: &ResourceVersion,
) -> Basis {
    if template.mutability() != Mutability::Forward {
        return Basis::None;
    }
    let (EventName::Tag, ResourceVersion::Known(version)) = (context.event, version) else {
        return Basis::Commit(context.sha.clone());
    };
    let config = renderer.config;
    if template.holds_back(version) {
        return Basis::Prerelease(version.clone());
    }
    let (_, values) = renderer.values(context, named.id, named.resource);
    let form = &named.resource.releases;
    let templates = Arc::new(template::Templates::new(config.vars.keys()).with_schemes([&form.scheme]));
    let of_releases = TagTemplate::of_resource(config, named)
        .filter(|template| template.events().contains(&EventName::Tag))
        .map(TagTemplate::text);
    let readers = forward::all_readers(&templates, of_releases, &values, form);
    let read = context.tag.as_deref().and_then(|tag| form.read(tag));
    let tag_prefix = read.map_or(form.prefix(), |read| read.prefix);
    let other_readers = other_readers(&readers, form);
    Basis::Release(Box::new(ReleaseLine {
        templates,
        readers: Arc::new(readers),
        other_readers: Arc::new(other_readers),
        on_unknown: template.on_unknown().unwrap_or(OnUnknown::for_releases()),
        tag_prefix: tag_prefix.to_owned(),
        template: template.text().to_owned(),
        vars: config.vars.clone(),
        values,
        tag: tag.clone(),
        version: version.clone(),
        prereleases: template.takes_prereleases(),
        withdrawn: config.withdrawn(named.resource),
    }))
}
