//! Collisions in one repository: two resources want the same tag, one resource wants it in two registries that are the
//! same place, or two rules render it with different mutabilities or conflict policies.

use std::collections::{HashMap, HashSet};

use super::rendered::RenderedTag;
use super::tag_template::TagTemplate;
use crate::config::{Config, Resource, registry_of_place};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::model::{OnConflict, ResourceId, ResourceKind};
use oci_registry::Tag;

/// One claim on a tag of a repository.
#[derive(Clone, Copy)]
struct WantedTag<'a> {
    resource: &'a ResourceId,
    registry: &'a str,
    tag: &'a RenderedTag,
}

/// Finds every collision among the tags of resources, each given with the resource. `situation` is shown to people:
/// `on a release`.
pub(super) fn find<'a>(
    config: &'a Config,
    resources: impl IntoIterator<Item = (&'a ResourceId, &'a [RenderedTag])>,
    situation: &str,
) -> Vec<Diagnostic> {
    let (mut diagnostics, mut seen) = (Vec::new(), HashSet::new());
    let mut claims: HashMap<(String, &Tag), WantedTag<'a>> = HashMap::new();
    for (id, tags) in resources {
        let Some(resource) = config.resources.get(id) else { continue };
        for registry in &resource.registries {
            let Some(declaration) = config.registry(registry) else { continue };
            let location = &declaration.endpoint.url;
            let full = location.repository(resource.repository_in(registry));
            let (repository, identity) = (location.full_name(&full), location.identity(&full));
            for tag in tags {
                let claim = WantedTag { resource: id, registry, tag };
                let Some(first) = claims.get(&(identity.clone(), &tag.tag)).copied() else {
                    claims.insert((identity.clone(), &tag.tag), claim);
                    continue;
                };
                if let Some(diagnostic) = collision(config, first, claim, &repository, situation)
                    && seen.insert(diagnostic.message.clone())
                {
                    diagnostics.push(diagnostic);
                }
            }
        }
    }
    diagnostics
}

/// The place in the file that determines the repository of a resource.
fn repository_place(config: &Config, id: &ResourceId) -> Option<Location> {
    config.places.value(&id.key("repository")).or_else(|| config.places.key(&id.path()))
}

/// Finds each repository that a chart shares with another resource. Helm takes every tag of a repository that is a
/// version for a version of the chart.
pub(super) fn kinds(config: &Config) -> Vec<Diagnostic> {
    let (mut diagnostics, mut seen) = (Vec::new(), HashSet::new());
    let mut first: HashMap<String, &ResourceId> = HashMap::new();
    for (id, resource) in &config.resources {
        for (identity, repository) in places(config, resource) {
            let other = *first.entry(identity).or_insert(id);
            let is_chart = |id: &ResourceId| id.kind == ResourceKind::Chart;
            if other == id || !(is_chart(id) || is_chart(other)) || !seen.insert((other, id)) {
                continue;
            }
            let message = format!("{} and {} share the repository `{repository}`", other.title(), id.title());
            diagnostics.push(
                Diagnostic::error(Code::TagCollision, message)
                    .at_maybe(repository_place(config, id), "the same repository")
                    .at_maybe(repository_place(config, other), "as this one")
                    .help("give the chart a `repository` of its own, such as `charts/NAME`: Helm takes every version there for a version of the chart"),
            );
        }
    }
    diagnostics
}

/// The identity and the name of each repository of `resource`.
fn places(config: &Config, resource: &Resource) -> Vec<(String, String)> {
    let place = |place: &String| {
        let location = &config.registry(place)?.endpoint.url;
        let name = location.repository(resource.repository_in(place));
        Some((location.identity(&name), location.full_name(&name)))
    };
    resource.registries.iter().filter_map(place).collect()
}

fn collision(
    config: &Config,
    first: WantedTag<'_>,
    second: WantedTag<'_>,
    repository: &str,
    situation: &str,
) -> Option<Diagnostic> {
    let tag = &second.tag.tag;
    let template_place = |claim: WantedTag<'_>| -> Option<Location> {
        let named = config.named_resource(claim.resource)?;
        let path = TagTemplate::called(config, named, &claim.tag.rule)?.path();
        config.places.value(&path).or_else(|| config.places.key(&path[..2]))
    };
    if first.resource != second.resource {
        let (one, other) = (first.resource, second.resource);
        let message = format!(
            "{} and {} both want the tag `{tag}` of `{repository}` {situation}",
            one.title(),
            other.title()
        );
        let place = |id| repository_place(config, id);
        return Some(
            Diagnostic::error(Code::TagCollision, message)
                .at_maybe(place(other), format!("rule `{}` renders `{tag}` here", second.tag.rule))
                .at_maybe(place(one), format!("and rule `{}` here", first.tag.rule))
                .help("give each a `repository` of its own, or put `{{ image.name }}` into the template"),
        );
    }
    if first.registry != second.registry {
        let (one, other) = (first.registry, second.registry);
        let place = |registry: &str| config.places.value(&["registries", registry_of_place(registry), "url"]);
        let message = format!(
            "registries `{one}` and `{other}` are the same place for {}: `{repository}`",
            second.resource.title()
        );
        return Some(
            Diagnostic::error(Code::TagCollision, message)
                .at_maybe(place(other), "the same place")
                .at_maybe(place(one), "as this one")
                .help(format!("remove one of them, or name one in `registries` of `[{}]`", second.resource)),
        );
    }
    if first.tag.is_same(second.tag) {
        return None;
    }
    let (one, other) = (&first.tag.rule, &second.tag.rule);
    let (key, words) = if first.tag.mutability == second.tag.mutability {
        let words = |tag: &RenderedTag| match tag.on_conflict {
            OnConflict::Fail => "on_conflict = \"fail\"",
            OnConflict::Keep => "on_conflict = \"keep\"",
        };
        ("on_conflict", [words(first.tag), words(second.tag)])
    } else {
        ("mutability", [first.tag.mutability.as_str(), second.tag.mutability.as_str()])
    };
    let message = format!(
        "tag rules `{one}` ({}) and `{other}` ({}) both render `{tag}` {situation}",
        words[0], words[1],
    );
    Some(
        Diagnostic::error(Code::TagCollision, message)
            .at_maybe(template_place(second), format!("renders `{tag}`"))
            .at_maybe(template_place(first), "and so does this")
            .help(format!("change one template, give both the same `{key}`, or keep one from firing with `match` or `when`")),
    )
}
