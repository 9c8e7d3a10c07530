//! Collisions between profiles: two profiles of a file want one tag with different content, or with different
//! mutabilities. The one that is applied last would win.

use std::collections::{BTreeMap, BTreeSet};

use super::content;
use super::rendered::{RenderedTag, ResourceTags};
use super::tag_template::TagTemplate;
use super::tags::{self, Renderer};
use crate::config::{Config, Resource};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::model::{ContentSpec, ResourceId};
use oci_content::Surroundings;
use oci_registry::{Digest, Tag};

/// A tag that a configuration wants.
struct ProfileTag<'a> {
    id: &'a ResourceId,
    resource: &'a Resource,
    tag: &'a RenderedTag,
    /// The repository, as shown to people.
    repository: String,
}

type ProfileTags<'a> = BTreeMap<(String, &'a Tag), ProfileTag<'a>>;

/// Finds the conflicts between `config` and `other`, the same file under another profile, in `context`. Errors in
/// `other` by itself are not reported here.
pub fn against(
    config: &Config,
    other: &Config,
    context: &Context,
    surroundings: &Surroundings,
) -> Vec<Diagnostic> {
    let (Ok(own_tags), Ok(other_tags)) = (tags::tags(config, context), tags::tags(other, context)) else {
        return Vec::new();
    };
    let (own, others) = (claims(config, &own_tags), claims(other, &other_tags));
    let mut contents = ContentComparison { config, other, context, surroundings, known: BTreeMap::new() };
    // A pair of resources is one mistake, however many tags they share.
    let mut found: BTreeMap<(&ResourceId, &ResourceId, Difference, &str), BTreeSet<&Tag>> = BTreeMap::new();
    for (place, claim) in &own {
        let Some(rival) = others.get(place) else { continue };
        if let Some(difference) = contents.difference(claim, rival) {
            let pair = (claim.id, rival.id, difference, claim.repository.as_str());
            found.entry(pair).or_default().insert(&claim.tag.tag);
        }
    }
    let diagnostics = found.iter().map(|((own, rival, difference, repository), tags)| {
        let side = |config, resource| Side { config, resource };
        let sides = [side(config, *own), side(other, *rival)];
        diagnostic(sides, difference, repository, tags)
    });
    diagnostics.collect()
}

fn claims<'a>(
    config: &'a Config,
    rendered: &'a indexmap::IndexMap<ResourceId, ResourceTags>,
) -> ProfileTags<'a> {
    let mut claims = ProfileTags::new();
    for (id, resource) in &config.resources {
        let Some(of_resource) = rendered.get(id) else { continue };
        for place in &resource.registries {
            let Some(registry) = config.registry(place) else { continue };
            let location = &registry.endpoint.url;
            let repository = location.repository(resource.repository_in(place));
            for tag in &of_resource.tags {
                let claim = ProfileTag { id, resource, tag, repository: location.full_name(&repository) };
                claims.insert((location.identity(&repository), &tag.tag), claim);
            }
        }
    }
    claims
}

/// The difference between two claims on one tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// The two mutabilities, each with its rule.
    Mutability([(&'static str, String); 2]),
    Digest(Digest, Digest),
}

/// The contents of resources, opened only if needed.
struct ContentComparison<'a> {
    config: &'a Config,
    other: &'a Config,
    context: &'a Context,
    surroundings: &'a Surroundings,
    known: BTreeMap<(&'a ResourceId, &'a ResourceId), Option<(Digest, Digest)>>,
}

impl<'a> ContentComparison<'a> {
    fn difference(&mut self, own: &ProfileTag<'a>, rival: &ProfileTag<'a>) -> Option<Difference> {
        if own.tag.mutability != rival.tag.mutability {
            let of = |claim: &ProfileTag<'_>| (claim.tag.mutability.as_str(), claim.tag.rule.clone());
            return Some(Difference::Mutability([of(own), of(rival)]));
        }
        let (config, other, context) = (self.config, self.other, self.context);
        let digests = self.known.entry((own.id, rival.id)).or_insert_with(|| {
            let spec = |config, id, resource: &Resource| {
                content::content(&Renderer::new(config), context, id, resource).ok()
            };
            let (one, two) = (spec(config, own.id, own.resource)?, spec(other, rival.id, rival.resource)?);
            if one == two {
                return None;
            }
            // A source that cannot be opened wants nothing. Engines and registries are not asked about resources that
            // this run does not publish.
            let digest = |spec: &ContentSpec| {
                if !spec.is_of_files() {
                    return None;
                }
                let published = crate::content::publishable(spec, self.surroundings).ok()?;
                Some(published.content.root.digest)
            };
            Some((digest(&one)?, digest(&two)?))
        });
        let (one, two) = digests.as_ref().filter(|(one, two)| one != two)?;
        Some(Difference::Digest(one.clone(), two.clone()))
    }
}

/// A resource under one of the two profiles.
#[derive(Clone, Copy)]
struct Side<'a> {
    config: &'a Config,
    resource: &'a ResourceId,
}

impl Side<'_> {
    /// The name of the profile, for people.
    fn profile(&self) -> String {
        match &self.config.profile {
            Some(profile) => format!("profile `{profile}`"),
            None => "the file without a profile".to_owned(),
        }
    }

    /// The place that gives the tag its mutability, by the rule or the version of the chart called `rule`.
    fn mutability_place(&self, rule: &str) -> Option<Location> {
        let places = &self.config.places;
        let named = self.config.named_resource(self.resource)?;
        let [table, name, _] = TagTemplate::called(self.config, named, rule)?.path();
        places.value(&[table, name, "mutability"]).or_else(|| places.key(&[table, name]))
    }

    /// The place that says where the content comes from.
    fn content_place(&self) -> Option<Location> {
        let places = &self.config.places;
        let key = self.config.resources.get(self.resource)?.content.key();
        places.value(&self.resource.key(key)).or_else(|| places.key(&self.resource.path()))
    }
}

fn diagnostic(
    [own, rival]: [Side<'_>; 2],
    difference: &Difference,
    repository: &str,
    tags: &BTreeSet<&Tag>,
) -> Diagnostic {
    let (one, two) = match difference {
        Difference::Mutability([(one, _), (two, _)]) => ((*one).to_owned(), (*two).to_owned()),
        Difference::Digest(one, two) => (one.short(12), two.short(12)),
    };
    let list = tags.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ");
    let message = format!(
        "{} and {} both want {list} of `{repository}`: as {one} ({}) and as {two} ({})",
        own.profile(),
        rival.profile(),
        own.resource.title(),
        rival.resource.title()
    );
    let (at_own, at_rival) = match difference {
        Difference::Mutability([(_, rule), (_, other)]) => {
            (own.mutability_place(rule), rival.mutability_place(other))
        }
        Difference::Digest(..) => (own.content_place(), rival.content_place()),
    };
    let distinct = at_rival.clone().filter(|_| at_rival != at_own);
    Diagnostic::error(Code::TagCollision, message)
        .at_maybe(at_own, own.profile())
        .at_maybe(distinct, rival.profile())
        .help("give one of them a registry, a repository or tags of its own")
}
