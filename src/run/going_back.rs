//! The plans of `rollback --to` and `withdraw`, made from `publish.toml` and the versions that the registries hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::version::ReleaseVersion;

use super::Run;
use super::session::Result;
use crate::config::{Config, NamedResource, version_of};
use crate::context::{Context, TaggedCommits};
use crate::desired::{Address, Releases, Rendered, Selection, VersionReaders};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::EventName;
use crate::model::forward::{VersionReader, marked_versions};
use crate::model::plan::Plan;
use crate::model::problem::PlannedProblem;
use crate::observed::{self, RepositoryPlace, VersionQuestions};
use crate::plan::{self, FloatingTag, VersionedRepository, WayBack};
use oci_registry::{RepositoryName, Tag, TagListing};

/// A resource in one registry, with the version that the command names.
struct Place<'c> {
    named: NamedResource<'c>,
    registry: &'c str,
    repository: RepositoryName,
    version: ReleaseVersion,
}

impl Run {
    /// Makes the plan that puts the floating tags of the version `text` to it.
    ///
    /// # Errors
    ///
    /// Everything that prevents it: also a version that no registry holds.
    pub async fn rollback_to(&mut self, text: &str, targets: &[String]) -> Result<Plan> {
        self.go_back(WayBack::To, text, targets).await
    }

    /// Makes the plan that takes the floating tags from the version `text`, and marks it as withdrawn.
    ///
    /// # Errors
    ///
    /// Everything that prevents it: also a list of tags that may lack some.
    pub async fn withdraw(&mut self, text: &str, targets: &[String]) -> Result<Plan> {
        self.go_back(WayBack::Withdraw, text, targets).await
    }

    /// Returns the value of `[project] withdrawn` with `text`, or `None` if it has that version already.
    ///
    /// # Errors
    ///
    /// A run without a configuration.
    pub fn withdrawn_setting(&self, text: &str) -> Result<Option<String>> {
        let config = self.config()?;
        let withdrawn = &config.project.withdrawn;
        let is_known = |resource: &crate::config::Resource| {
            let version = version_of(text, &resource.releases);
            version.is_none_or(|version| config.withdrawn(resource).contains(&version))
        };
        if config.resources.values().all(is_known) {
            return Ok(None);
        }
        let prefixes: BTreeSet<&str> = config.resources.values().map(|it| it.releases.prefix()).collect();
        // With one prefix, the plain version says it all.
        let own = match (prefixes.len(), prefixes.first()) {
            (1, Some(_)) => {
                let named = config.resources.values().find_map(|it| version_of(text, &it.releases));
                named.map_or_else(|| text.to_owned(), |it| it.to_string())
            }
            _ => text.to_owned(),
        };
        let all = withdrawn.iter().cloned().chain([own]);
        let quoted: Vec<String> = all.map(|it| format!("\"{it}\"")).collect();
        Ok(Some(format!("[{}]", quoted.join(", "))))
    }

    async fn go_back(&mut self, way: WayBack, text: &str, targets: &[String]) -> Result<Plan> {
        let loaded = self.loaded()?;
        let config = &loaded.config;
        let selection = Selection::new(targets);
        let releases =
            Releases::new(config, TaggedCommits::of(&self.folder, config.project.default_branch.as_deref()));
        let places = places(config, text, &selection)?;
        let endpoints = places.iter().filter_map(|it| config.registries.get(it.registry));
        let at: Vec<RepositoryPlace<'_>> = endpoints
            .zip(&places)
            .map(|(registry, place)| RepositoryPlace {
                endpoint: &registry.endpoint,
                name: &place.repository,
            })
            .collect();
        let listings = observed::list_tags(&at, &self.connections, way == WayBack::Withdraw).await?;
        let mut found = Vec::new();
        for ((place, at), listing) in places.iter().zip(&at).zip(&listings) {
            found.push(Candidate::new(way, config, &releases, place, *at, listing)?);
        }
        let questions: Vec<_> = found.iter().map(|it| it.questions(way)).collect();
        let held = observed::version_tags(&questions, &self.connections).await?;
        drop(questions);
        let is_there = |(it, held): &(&Candidate<'_>, &observed::VersionTags)| {
            it.repository.own.iter().any(|tag| held.tags.contains_key(tag))
        };
        let mut problems = Vec::new();
        for (candidate, _) in found.iter().zip(&held).filter(|it| !is_there(it)) {
            problems.push(candidate.lacks());
        }
        if problems.len() == found.len() {
            let problem = problems
                .into_iter()
                .next()
                .map(|it| Diagnostic { severity: crate::diagnostic::Severity::Error, ..it });
            return Err(problem.into_iter().collect());
        }
        let unknown = unknown(&selection, &found);
        if !unknown.is_empty() {
            return Err(unknown);
        }
        problems.extend(found.iter().flat_map(|it| it.problems.clone()));
        let version = found.first().map(|it| it.repository.version.to_string()).unwrap_or_default();
        let context = Context::new(EventName::Manual);
        let mut origin = self.origin(loaded, &context, BTreeMap::new(), None, BTreeMap::new());
        origin.title = match way {
            WayBack::To => format!("rollback to {version}"),
            WayBack::Withdraw => format!("withdrawal of {version}"),
        };
        let repositories: Vec<VersionedRepository> = found.into_iter().map(|it| it.repository).collect();
        let problems = problems.iter().map(PlannedProblem::from).collect();
        let mut plan = plan::back_to_version(way, &repositories, &held, &selection, problems, origin);
        self.note_credentials(&mut plan);
        self.made_plan = true;
        Ok(plan)
    }
}

/// A repository that may hold the version, and how its tags are read.
struct Candidate<'a> {
    repository: VersionedRepository,
    at: RepositoryPlace<'a>,
    listing: &'a TagListing,
    readers: VersionReaders,
    others: Vec<VersionReader>,
    problems: Vec<Diagnostic>,
}

impl<'a> Candidate<'a> {
    fn new(
        way: WayBack,
        config: &'a Config,
        releases: &Releases<'a>,
        place: &Place<'a>,
        at: RepositoryPlace<'a>,
        listing: &'a TagListing,
    ) -> Result<Self> {
        let Place { named, registry, repository, version } = place;
        let (readers, tags) = (releases.readers(*named), listing.tags());
        let mut withdrawn = config.withdrawn(named.resource);
        if way == WayBack::To {
            let marked = marked_versions(tags, readers.as_slice());
            if withdrawn.contains(version) || marked.contains(version) {
                let message = format!("{}: {version} is withdrawn", at.endpoint.url.full_name(repository));
                let help = "go back to another version, or take it out of `withdrawn` and remove its tag `withdrawn-…`";
                return Err(vec![Diagnostic::error(Code::PlanTarget, message).help(help)]);
            }
        }
        withdrawn.insert(version.clone());
        let mut own = readers.versions(tags).remove(version).unwrap_or_default();
        let rendered = releases.tags(*named, version);
        let mut problems = Vec::new();
        for tag in &rendered {
            match &tag.rendered {
                // A list may lack a tag that exists.
                Rendered::Tag(it) if own.is_empty() && readers.reads(&tag.template.name()) => {
                    own.push(it.clone());
                }
                Rendered::Unknown(why) => {
                    let message =
                        format!("{}: its tag for {version} is not known: {why}", tag.template.title());
                    let help = "the tag stays as it is";
                    problems.push(
                        Diagnostic::warning(Code::PlanTarget, message).about(named.id.title()).help(help),
                    );
                }
                _ => {}
            }
        }
        let floating: Vec<FloatingTag> = plan::floating_tags(
            way,
            version,
            |version| releases.tags(*named, version),
            &readers,
            &own,
            tags,
            &withdrawn,
        );
        let repository = VersionedRepository {
            resource: named.id.clone(),
            registry: (*registry).to_owned(),
            endpoint: at.endpoint.clone(),
            repository: repository.clone(),
            version: version.clone(),
            own,
            floating,
        };
        Ok(Self { repository, at, listing, readers, others: releases.other_readers(*named), problems })
    }

    fn questions(&self, way: WayBack) -> VersionQuestions<'_> {
        VersionQuestions {
            place: self.at,
            listing: self.listing,
            tags: self.repository.asked(way),
            floating: self.repository.floating.iter().map(|it| it.tag.clone()).collect(),
            readers: &self.readers,
            others: &self.others,
            version: &self.repository.version,
        }
    }

    /// The warning that the repository does not hold the version.
    fn lacks(&self) -> Diagnostic {
        let VersionedRepository { version, own, repository, .. } = &self.repository;
        let name = self.at.endpoint.url.full_name(repository);
        let (message, help) = if own.is_empty() && self.readers.is_empty() {
            let message = format!(
                "{name}: no rule prints the full version, so the versions that it holds are not known"
            );
            (message, "publish each release with a tag such as `v{{ version }}`".to_owned())
        } else {
            let mut held: Vec<String> =
                self.readers.versions(self.listing.tags()).keys().rev().map(ToString::to_string).collect();
            let more = held.len() > 5;
            held.truncate(5);
            let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
            let help = format!("the versions there are {held}{}", if more { ", …" } else { "" });
            (format!("{name} does not hold {version}, so its tags stay"), help)
        };
        Diagnostic::warning(Code::PlanTarget, message).help(help)
    }
}

/// Returns the repositories of the resources that `text` names a version of.
fn places<'c>(config: &'c Config, text: &str, selection: &Selection) -> Result<Vec<Place<'c>>> {
    let usage = |message: String, help: &str| vec![Diagnostic::error(Code::CommandUsage, message).help(help)];
    let mut places = Vec::new();
    for named in config.named_resources() {
        let Some(version) = version_of(text, &named.resource.releases) else { continue };
        for registry in &named.resource.registries {
            let Some(declared) = config.registries.get(registry) else { continue };
            if selection.touches(named.id, registry) {
                let repository = declared.endpoint.url.repository(&named.resource.repository);
                places.push(Place { named, registry, repository, version: version.clone() });
            }
        }
    }
    let prefixes: BTreeSet<&str> = places.iter().map(|it| it.named.resource.releases.prefix()).collect();
    if prefixes.len() > 1 && places.iter().any(|it| it.named.resource.releases.scheme.parse(text).is_ok()) {
        let tags: Vec<String> = prefixes.iter().map(|prefix| format!("`{prefix}{text}`")).collect();
        let message = format!("`{}` may mean any of the git tags {}", text.escape_debug(), tags.join(", "));
        return Err(usage(message, "name the git tag of the release, or select with `--target`"));
    }
    if places.is_empty()
        && (selection.is_everything()
            || config.named_resources().all(|it| version_of(text, &it.resource.releases).is_none()))
    {
        let message = format!("`{}` is not a version of anything here", text.escape_debug());
        return Err(usage(
            message,
            "write the whole version, such as `1.2.3`, or its git tag, such as `v1.2.3`",
        ));
    }
    if places.is_empty() {
        let all = config.named_resources().flat_map(|named| {
            named.resource.registries.iter().map(move |registry| Address {
                resource: named.id,
                registry,
                tag: "",
            })
        });
        return Err(selection.unknown(&all.collect::<Vec<_>>(), &[], "this configuration"));
    }
    Ok(places)
}

/// Returns a diagnostic for each target that names nothing of `found`.
fn unknown(selection: &Selection, found: &[Candidate<'_>]) -> Vec<Diagnostic> {
    let address = |it: &'_ Candidate<'_>, tag: &Tag| {
        (it.repository.resource.clone(), it.repository.registry.clone(), tag.to_string())
    };
    let mut known = Vec::new();
    for it in found {
        let mark = it.repository.mark();
        known.push((it.repository.resource.clone(), it.repository.registry.clone(), String::new()));
        known.extend(it.repository.floating.iter().map(|floating| address(it, &floating.tag)));
        known.extend(mark.iter().map(|tag| address(it, tag)));
    }
    let addresses: Vec<Address<'_>> =
        known.iter().map(|(resource, registry, tag)| Address { resource, registry, tag }).collect();
    selection.unknown(&addresses, &[], "this plan")
}
