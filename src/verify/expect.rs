//! The expected tags and content of each repository, from the configuration and the tags that the registries list. No
//! I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;
use semver::Version;

use super::recorded::RecordedTag;
use crate::config::{Config, Content, Resource, TagRule};
use crate::desired::{Address, Readers, Releases, Rendered, Selection};
use crate::diagnostic::Diagnostic;
use crate::model::verification::{Unverified, UnverifiedKind};
use crate::model::{Mutability, ResourceId, Visibility};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Platform, RepositoryName, Tag};

/// A resource in one registry, before the registry is asked.
#[derive(Debug, Clone)]
pub struct Place {
    /// `images.NAME@REGISTRY`.
    pub address: String,
    /// The resource that is published there.
    pub resource: ResourceId,
    /// The registry's name in `publish.toml`.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, namespace included.
    pub repository: RepositoryName,
    /// The full name, shown to people.
    pub name: String,
    /// The declared visibility: who should be able to pull.
    pub visibility: Option<Visibility>,
}

/// Everything that is expected.
#[derive(Debug, Default)]
pub struct Expected {
    /// The expectation for each place, in the order of the places.
    pub repositories: Vec<ExpectedRepository>,
    /// The declared items that cannot be verified.
    pub unverified: Vec<Unverified>,
}

/// The expectation for one repository.
#[derive(Debug)]
pub struct ExpectedRepository {
    /// The repository.
    pub place: Place,
    /// The versions in this repository, each with its tags.
    pub versions: BTreeMap<Version, Vec<Tag>>,
    /// The last known version: the highest release in any registry of the resource, or the highest pre-release if there
    /// is no release.
    pub last: Option<Version>,
    /// If there is no version: the highest release that git knows, and its tag.
    pub tagged: Option<(Version, String)>,
    /// The number of versions in all registries of the resource.
    pub known: usize,
    /// Whether a rule prints the full version, or no rule is for releases.
    pub readable: bool,
    /// The tags, starting with those of the highest version.
    pub tags: IndexMap<Tag, ExpectedTag>,
    /// The platforms that the last version must have.
    pub platforms: Vec<Platform>,
    /// The annotations that the last version must have.
    pub annotations: BTreeMap<String, String>,
    /// The tags here that records mention.
    pub recorded: Vec<RecordedTag>,
}

/// An expected tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTag {
    /// The rule that renders it.
    pub rule: String,
    /// The rule's mutability.
    pub mutability: Mutability,
    /// The version that the tag should stand for, if it is a tag of versions.
    pub version: Option<Version>,
    /// The requirement on the tag.
    pub demand: Demand,
}

/// The requirement on a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The tag is in every registry, with the same digest in all.
    Everywhere,
    /// If the tag is in one registry, it is in all, with the same digest.
    EverywhereIfAnywhere,
    /// The tag has the same digest in all registries that have it.
    SameWhereItIs,
    /// The tag names the highest version of its line in this registry.
    Highest {
        /// The versions of the line that could have taken it.
        line: BTreeSet<Version>,
        /// Whether the highest version here keeps the tag from the others without taking it itself. Any version of the
        /// line may then have it.
        withheld: bool,
    },
    /// Only the requirement of a record.
    Recorded,
}

/// The places of `config` that `selection` selects, wholly or in part.
pub fn places(config: &Config, selection: &Selection) -> Vec<Place> {
    let mut places = Vec::new();
    for (id, resource) in &config.resources {
        for registry_name in &resource.registries {
            let Some(registry) = config.registries.get(registry_name) else { continue };
            if !selection.touches(id, registry_name) {
                continue;
            }
            let repository = registry.endpoint.url.repository(&resource.repository);
            places.push(Place {
                address: format!("{id}@{registry_name}"),
                resource: id.clone(),
                registry: registry_name.clone(),
                endpoint: registry.endpoint.clone(),
                name: registry.endpoint.url.full_name(&repository),
                repository,
                visibility: resource.visibility.or(registry.visibility),
            });
        }
    }
    places
}

/// Returns the expectations for `places`. `listings` has the tags of each of their repositories.
pub fn expect(config: &Config, releases: &Releases<'_>, places: &[Place], listings: &[Vec<Tag>]) -> Expected {
    let mut expected = Expected::default();
    for (id, resource) in &config.resources {
        let here: Vec<(&Place, &[Tag])> = places
            .iter()
            .zip(listings)
            .filter(|(place, _)| place.resource == *id)
            .map(|(place, listing)| (place, listing.as_slice()))
            .collect();
        if !here.is_empty() {
            expect_resource(&mut expected, releases, (id, resource), &here);
        }
    }
    expected
}

fn expect_resource<'a>(
    expected: &mut Expected,
    releases: &Releases<'a>,
    (id, resource): (&ResourceId, &'a Resource),
    places: &[(&Place, &[Tag])],
) {
    let readers = releases.readers(id, resource);
    let held: Vec<BTreeMap<Version, Vec<Tag>>> =
        places.iter().map(|(_, listing)| readers.versions(listing)).collect();
    let all: BTreeSet<Version> = held.iter().flat_map(BTreeMap::keys).cloned().collect();
    let last = all.iter().rev().find(|version| version.pre.is_empty()).or(all.last());
    let last = last.cloned();
    let mut notes = Notes::new(id);
    for (rule, why) in releases.untraceable(resource) {
        notes.add(UnverifiedKind::Rule, rule, why, None);
    }
    let rendered: Vec<Release<'_>> = all
        .iter()
        .rev()
        .map(|version| Release { version: version.clone(), rules: releases.tags(id, resource, version) })
        .collect();
    for release in &rendered {
        for (rule, _, rendered) in &release.rules {
            if let Rendered::Unknown(why) = rendered {
                notes.add(UnverifiedKind::Rule, rule, why.clone(), Some(&release.version));
            }
        }
    }
    let mut branches = Vec::new();
    for (rule, definition, branch, tag) in releases.branches(id, resource) {
        match tag {
            Ok(tag) => branches.push((rule, definition, tag)),
            Err(why) => {
                notes.add(UnverifiedKind::Rule, rule, format!("on the branch `{branch}`: {why}"), None);
            }
        }
    }
    let mut annotations = BTreeMap::new();
    if let Some(last) = &last {
        for (key, value) in releases.annotations(id, resource, last) {
            match value {
                Ok(value) => drop(annotations.insert(key, value)),
                Err(why) => notes.add(UnverifiedKind::Annotation, &key, why, Some(last)),
            }
        }
    }
    expected.unverified.extend(notes.unverified);
    let tagged =
        last.is_none().then(|| releases.highest_tagged(resource)).flatten().filter(|_| !readers.is_empty());
    let is_of_releases = !releases.tags(id, resource, &Version::new(0, 0, 0)).is_empty();
    for ((place, _), versions) in places.iter().zip(held) {
        let mut tags = IndexMap::new();
        // The lack of any version is one finding, not one for each tag.
        if !versions.is_empty() {
            tags = release_tags(&rendered, &versions, &readers);
        }
        for (rule, definition, tag) in &branches {
            let tag = (tag.clone(), expected_tag(rule, definition, None, Demand::EverywhereIfAnywhere));
            tags.entry(tag.0).or_insert(tag.1);
        }
        expected.repositories.push(ExpectedRepository {
            place: (*place).clone(),
            versions,
            last: last.clone(),
            tagged: tagged.clone(),
            known: all.len(),
            readable: !readers.is_empty() || !is_of_releases,
            tags,
            platforms: match &resource.content {
                Content::Image(image) => image.platforms.clone(),
                Content::Chart(_) | Content::Artifact(_) => Vec::new(),
            },
            annotations: annotations.clone(),
            recorded: Vec::new(),
        });
    }
}

/// The tags that the rules render for a version.
struct Release<'a> {
    version: Version,
    rules: Vec<(&'a str, &'a TagRule, Rendered)>,
}

fn expected_tag(rule: &str, definition: &TagRule, version: Option<&Version>, demand: Demand) -> ExpectedTag {
    let (rule, mutability) = (rule.to_owned(), definition.mutability);
    ExpectedTag { rule, mutability, version: version.cloned(), demand }
}

/// The tags of `releases`, highest first, in a repository that has `versions`.
fn release_tags(
    releases: &[Release<'_>],
    versions: &BTreeMap<Version, Vec<Tag>>,
    readers: &Readers,
) -> IndexMap<Tag, ExpectedTag> {
    let mut tags: IndexMap<Tag, ExpectedTag> = IndexMap::new();
    let mut withheld_tags: BTreeSet<&Tag> = BTreeSet::new();
    for Release { version, rules } in releases {
        let is_here = versions.contains_key(version);
        for (rule, definition, rendered) in rules {
            let tag = match rendered {
                Rendered::Tag(tag) => tag,
                Rendered::Silent(Some(tag)) if is_here && !tags.contains_key(tag) => {
                    withheld_tags.insert(tag);
                    continue;
                }
                Rendered::Silent(_) | Rendered::Unknown(_) => continue,
            };
            let demand = match definition.mutability {
                _ if readers.reads(rule) => Demand::Everywhere,
                Mutability::Immutable => Demand::Everywhere,
                Mutability::Mutable => Demand::SameWhereItIs,
                Mutability::Forward if !is_here => continue,
                Mutability::Forward => match tags.get_mut(tag).map(|known| &mut known.demand) {
                    Some(Demand::Highest { line, .. }) => {
                        line.insert(version.clone());
                        continue;
                    }
                    _ => Demand::Highest {
                        line: [version.clone()].into(),
                        withheld: withheld_tags.contains(tag),
                    },
                },
            };
            tags.entry(tag.clone()).or_insert_with(|| expected_tag(rule, definition, Some(version), demand));
        }
    }
    tags
}

/// The items of a resource that cannot be verified, each rule and annotation once.
struct Notes<'a> {
    resource: &'a ResourceId,
    unverified: Vec<Unverified>,
    known: HashMap<(UnverifiedKind, String), usize>,
}

impl<'a> Notes<'a> {
    fn new(resource: &'a ResourceId) -> Self {
        Self { resource, unverified: Vec::new(), known: HashMap::new() }
    }

    /// Adds a reason. The versions of one item are collected in one entry.
    fn add(&mut self, kind: UnverifiedKind, name: &str, why: String, version: Option<&Version>) {
        let versions: Vec<String> = version.iter().map(ToString::to_string).collect();
        if version.is_some() {
            let key = (kind, name.to_owned());
            if let Some(known) = self.known.get(&key).and_then(|at| self.unverified.get_mut(*at)) {
                known.versions.extend(versions);
                return;
            }
            self.known.insert(key, self.unverified.len());
        }
        let (resource, name) = (self.resource.clone(), name.to_owned());
        self.unverified.push(Unverified { resource, kind, name, why, versions });
    }
}

impl Expected {
    /// Keeps only the tags that `selection` selects. Returns a diagnostic for each target that names nothing. `all` are
    /// the places of the whole configuration.
    pub fn select(&mut self, selection: &Selection, all: &[Place]) -> Vec<Diagnostic> {
        let mut addresses = Vec::new();
        for Place { address, resource, registry, .. } in all {
            addresses.push(Address { resource, registry, tag: "" });
            let here = self.repositories.iter().filter(|it| it.place.address == *address);
            let tags = here.flat_map(|it| it.tags.keys());
            addresses.extend(tags.map(|tag| Address { resource, registry, tag: tag.as_str() }));
        }
        let unknown = selection.unknown(&addresses, &[], "this verification");
        for ExpectedRepository { place, tags, recorded, .. } in &mut self.repositories {
            let Place { resource, registry, .. } = &*place;
            let selects = |tag: &Tag| selection.selects(Address { resource, registry, tag: tag.as_str() });
            tags.retain(|tag, _| selects(tag));
            recorded.retain(|recorded| selects(&recorded.tag));
        }
        unknown
    }
}

#[cfg(test)]
#[path = "expected_tests.rs"]
mod tests;
