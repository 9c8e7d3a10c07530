//! Computes what is expected, from the configuration and the tags that the registries list. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;

use super::expected::{DeclaredRepository, Demand, Expected, ExpectedRepository, ExpectedTag};
use crate::config::{Config, DeclaredContent, NamedResource};
use crate::desired::{
    BranchTag, ReleaseTag, Releases, Rendered, Selection, TagTemplate, Untraceable, VersionReaders,
};
use crate::model::forward::marked_versions;
use crate::model::standing::version_candidates;
use crate::model::verification::{Unverified, UnverifiedKind};
use crate::model::version::ReleaseVersion;
use crate::model::{Mutability, ResourceId};
use oci_registry::{Tag, TagListing};

/// A repository, and the tags that its registry lists.
#[derive(Debug, Clone)]
pub struct ListedRepository {
    /// The declared repository.
    pub declared: DeclaredRepository,
    /// The list of its tags.
    pub listing: TagListing,
}

/// The repositories of `config` that `selection` selects, wholly or in part.
pub fn declared_repositories(config: &Config, selection: &Selection) -> Vec<DeclaredRepository> {
    let mut repositories = Vec::new();
    for (id, resource) in &config.resources {
        for registry_name in &resource.registries {
            let Some(registry) = config.registry(registry_name) else { continue };
            if !selection.touches(id, registry_name) {
                continue;
            }
            let repository = registry.endpoint.url.repository(resource.repository_in(registry_name));
            repositories.push(DeclaredRepository {
                address: format!("{id}@{registry_name}"),
                resource: id.clone(),
                registry: registry_name.clone(),
                endpoint: registry.endpoint.clone(),
                name: registry.endpoint.url.full_name(&repository),
                repository,
                visibility: resource.visibility.or(registry.visibility),
                sign: resource.sign.clone(),
                gates: resource.gates.clone(),
            });
        }
    }
    repositories
}

/// Returns the expectations for the listed repositories.
pub fn expect(config: &Config, releases: &Releases<'_>, listed: &[ListedRepository]) -> Expected {
    let mut expected = Expected::default();
    for named in config.named_resources() {
        let here: Vec<&ListedRepository> =
            listed.iter().filter(|it| it.declared.resource == *named.id).collect();
        if !here.is_empty() {
            expect_resource(&mut expected, releases, named, &here);
        }
    }
    expected
}

fn expect_resource<'a>(
    expected: &mut Expected,
    releases: &Releases<'a>,
    named: NamedResource<'a>,
    listed: &[&ListedRepository],
) {
    let readers = releases.readers(named);
    let held: Vec<(&ListedRepository, BTreeMap<ReleaseVersion, Vec<Tag>>)> =
        listed.iter().map(|it| (*it, readers.versions(it.listing.tags()))).collect();
    let other_readers = releases.other_readers(named);
    let marks = listed.iter().map(|it| marked_versions(it.listing.tags(), readers.as_slice()));
    let withdrawn: BTreeSet<ReleaseVersion> = marks.flatten().chain(releases.withdrawn(named)).collect();
    let all = held.iter().flat_map(|(_, versions)| versions.keys());
    let all: BTreeSet<ReleaseVersion> =
        all.filter(|version| !withdrawn.contains(*version)).cloned().collect();
    let last = all.iter().rev().find(|version| !version.is_prerelease()).or(all.last());
    let last = last.cloned();
    let mut unverified = UnverifiedItems::new(named.id);
    for Untraceable { template, reason } in releases.untraceable(named) {
        unverified.add(UnverifiedKind::Rule, &template.name(), reason, None);
    }
    let rendered: Vec<Release<'_>> = all
        .iter()
        .rev()
        .map(|version| Release { version: version.clone(), tags: releases.tags(named, version) })
        .collect();
    for release in &rendered {
        for ReleaseTag { template, rendered } in &release.tags {
            if let Rendered::Unknown(why) = rendered {
                unverified.add(UnverifiedKind::Rule, &template.name(), why.clone(), Some(&release.version));
            }
        }
    }
    let mut branches = Vec::new();
    for BranchTag { template, branch, tag } in releases.branches(named) {
        match tag {
            Ok(tag) => branches.push((template, tag)),
            Err(why) => {
                let why = format!("on the branch `{branch}`: {why}");
                unverified.add(UnverifiedKind::Rule, &template.name(), why, None);
            }
        }
    }
    let mut annotations = BTreeMap::new();
    if let Some(last) = &last {
        for (key, value) in releases.annotations(named, last) {
            match value {
                Ok(value) => drop(annotations.insert(key, value)),
                Err(why) => unverified.add(UnverifiedKind::Annotation, &key, why, Some(last)),
            }
        }
    }
    expected.unverified.extend(unverified.items);
    let tagged = last
        .is_none()
        .then(|| releases.highest_tagged(named.resource))
        .flatten()
        .filter(|_| !readers.is_empty());
    let any = ReleaseVersion::sentinel(&named.resource.releases.scheme);
    let is_of_releases = !releases.tags(named, &any).is_empty();
    for (ListedRepository { declared, listing }, versions) in held {
        let mut tags = IndexMap::new();
        // The lack of any version is one finding, not one for each tag.
        if !versions.is_empty() {
            tags = release_tags(&rendered, &versions, &readers);
        }
        for (template, tag) in &branches {
            let expected = || expected_tag(*template, None, Demand::EverywhereIfAnywhere);
            tags.entry(tag.clone()).or_insert_with(expected);
        }
        expected.repositories.push(ExpectedRepository {
            declared: declared.clone(),
            listing: listing.clone(),
            candidates: version_candidates(&[], readers.as_slice(), &other_readers, listing.tags()),
            other_readers: other_readers.clone(),
            versions,
            withdrawn: withdrawn.clone(),
            last: last.clone(),
            tagged: tagged.clone(),
            known: all.len(),
            readable: !readers.is_empty() || !is_of_releases,
            tags,
            platforms: match &named.resource.content {
                DeclaredContent::Image(image) => image.platforms.clone(),
                DeclaredContent::Chart(_) | DeclaredContent::Artifact(_) => Vec::new(),
            },
            annotations: annotations.clone(),
            recorded: Vec::new(),
        });
    }
}

/// The tags that the templates render for a version.
struct Release<'a> {
    version: ReleaseVersion,
    tags: Vec<ReleaseTag<'a>>,
}

fn expected_tag(template: TagTemplate<'_>, version: Option<&ReleaseVersion>, demand: Demand) -> ExpectedTag {
    let (rule, mutability) = (template.name().into_owned(), template.mutability());
    ExpectedTag { rule, mutability, version: version.cloned(), demand }
}

/// The tags of `releases`, highest first, in a repository that has `versions`.
fn release_tags(
    releases: &[Release<'_>],
    versions: &BTreeMap<ReleaseVersion, Vec<Tag>>,
    readers: &VersionReaders,
) -> IndexMap<Tag, ExpectedTag> {
    let mut tags: IndexMap<Tag, ExpectedTag> = IndexMap::new();
    let mut withheld_tags: BTreeSet<&Tag> = BTreeSet::new();
    for Release { version, tags: of_version } in releases {
        let is_here = versions.contains_key(version);
        for ReleaseTag { template, rendered } in of_version {
            let tag = match rendered {
                Rendered::Tag(tag) => tag,
                Rendered::Silent(Some(tag)) if is_here && !tags.contains_key(tag) => {
                    withheld_tags.insert(tag);
                    continue;
                }
                Rendered::Silent(_) | Rendered::Unknown(_) => continue,
            };
            let demand = match template.mutability() {
                _ if readers.reads(&template.name()) => Demand::Everywhere,
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
            tags.entry(tag.clone()).or_insert_with(|| expected_tag(*template, Some(version), demand));
        }
    }
    tags
}

/// The items of a resource that cannot be verified, each rule and annotation once.
struct UnverifiedItems<'a> {
    resource: &'a ResourceId,
    items: Vec<Unverified>,
    known: HashMap<(UnverifiedKind, String), usize>,
}

impl<'a> UnverifiedItems<'a> {
    fn new(resource: &'a ResourceId) -> Self {
        Self { resource, items: Vec::new(), known: HashMap::new() }
    }

    /// Adds a reason. The versions of one item are collected in one entry.
    fn add(&mut self, kind: UnverifiedKind, name: &str, why: String, version: Option<&ReleaseVersion>) {
        let versions: Vec<String> = version.iter().map(ToString::to_string).collect();
        if version.is_some() {
            let key = (kind, name.to_owned());
            if let Some(known) = self.known.get(&key).and_then(|at| self.items.get_mut(*at)) {
                known.versions.extend(versions);
                return;
            }
            self.known.insert(key, self.items.len());
        }
        let (resource, name) = (self.resource.clone(), name.to_owned());
        self.items.push(Unverified { resource, kind, name, why, versions });
    }
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;
