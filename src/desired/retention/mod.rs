//! The tags that `prune` may remove: a function of the configuration, the context, the tag lists of the repositories,
//! and the time.
//!
//! The registries are not asked here. [`Retentions::repositories`] returns the repositories to list,
//! [`Retentions::needs_time`] the tags whose time must be known, and [`Retentions::decide`] which tags go and which
//! stay, with the reasons.

mod claims;
mod decide;
mod lint;
mod merge;
mod protection;

pub(super) use lint::lint;
pub use merge::{Decided, merge};

use super::rules::{self, Part, RuleError};
use super::tag_reader;
use super::tags::{Renderer, rule_diagnostic};
use crate::config::{Config, Resource, Retention, RetentionCondition, RetentionSubject};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::retention::{KeepReason, RemovalReason};
use crate::model::{EventName, ResourceId};
use claims::{Claim, Claims, Own, Readers, Repositories, matchers, others};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RepositoryName, Tag};

/// The retentions of a configuration that act in a context.
pub struct Retentions<'a> {
    renderer: Renderer<'a>,
    scopes: Vec<Scope<'a>>,
    silent: Vec<(String, String)>,
}

/// One resource in one registry, and the tags that retentions claim there.
struct Scope<'a> {
    repository: RetainedRepository,
    /// All resources of the repository, including this one.
    resources: Vec<(&'a ResourceId, &'a Resource)>,
    members: Vec<Member<'a>>,
}

/// A retention in one repository.
struct Member<'a> {
    name: &'a str,
    retention: &'a Retention,
    claims: Claims<'a>,
    /// The pull request that was closed.
    pull_request: Option<u64>,
}

/// A repository that retentions are about.
#[derive(Debug, Clone)]
pub struct RetainedRepository {
    /// The resource that is published there.
    pub resource: ResourceId,
    /// The registry's name in `publish.toml`.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, including the namespace. Images may share a repository; each is decided by itself.
    pub name: RepositoryName,
}

/// A tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTag {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The time when the content was made, in seconds since 1970, if it is known. Times before 1980 count as unknown.
    pub created: Option<i64>,
}

/// The decisions about the tags of one repository that a retention matches, in the order of the listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The tags that go.
    pub remove: Vec<Removal>,
    /// The tags that stay.
    pub keep: Vec<Kept>,
}

/// A tag that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The first retention that removes it.
    pub retention: String,
    /// The reason for the removal.
    pub reason: RemovalReason,
}

/// A tag that stays although a retention matches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The tag.
    pub tag: Tag,
    /// The digest that the tag names.
    pub digest: Digest,
    /// The first retention that matches it.
    pub retention: String,
    /// The reason why the tag stays.
    pub reason: KeepReason,
}

impl<'a> Retentions<'a> {
    /// The retentions of `config` that act in `context`.
    ///
    /// # Errors
    ///
    /// The errors that [`super::lint`] finds in them, and a closed pull request whose number is not known.
    pub fn new(config: &'a Config, context: &Context) -> Result<Self, Vec<Diagnostic>> {
        let renderer = Renderer::with_file_version(config, None);
        let mut diagnostics = lint(&renderer);
        let (mut scopes, mut silent): (Vec<Scope<'a>>, Vec<_>) = (Vec::new(), Vec::new());
        let repositories = Repositories::new(config);
        let mut readers = Readers::new(&renderer);
        for (name, retention) in &config.retention {
            if let Some(reason) = silence(retention, context) {
                silent.push((name.clone(), reason));
                continue;
            }
            if retention.condition == RetentionCondition::PullRequestClosed && context.pull_request.is_none()
            {
                diagnostics.push(no_number(config, context, name));
                continue;
            }
            for (resource_id, registry) in places(config, retention) {
                let Some((resource_id, resource)) = config.resources.get_key_value(resource_id) else {
                    continue;
                };
                let resources = repositories.resources(config, resource, registry);
                let claims =
                    match claims(&mut readers, retention, context, (resource_id, resource), &resources) {
                        Ok(Some(claims)) => claims,
                        Ok(None) => continue,
                        Err(found) => {
                            diagnostics.push(*found);
                            continue;
                        }
                    };
                let member = Member { name, retention, claims, pull_request: context.pull_request };
                let known = scopes
                    .iter_mut()
                    .find(|it| it.repository.resource == *resource_id && it.repository.registry == registry);
                if let Some(scope) = known {
                    scope.members.push(member);
                } else if let Some(declared) = config.registries.get(registry) {
                    let repository = RetainedRepository {
                        resource: resource_id.clone(),
                        registry: registry.to_owned(),
                        endpoint: declared.endpoint.clone(),
                        name: declared.endpoint.url.repository(&resource.repository),
                    };
                    scopes.push(Scope { repository, resources, members: vec![member] });
                }
            }
        }
        if diagnostics.is_empty() { Ok(Self { renderer, scopes, silent }) } else { Err(diagnostics) }
    }

    /// The repositories whose tags have to be listed.
    pub fn repositories(&self) -> impl Iterator<Item = &RetainedRepository> {
        self.scopes.iter().map(|scope| &scope.repository)
    }

    /// The retentions that do not act in this context, with the reasons.
    pub fn silent(&self) -> &[(String, String)] {
        &self.silent
    }

    /// Returns those of `tags` whose time must be known before [`Self::decide`] can decide about them.
    pub fn needs_time(&self, resource: &ResourceId, registry: &str, tags: &[Tag]) -> Vec<Tag> {
        let Some(scope) = self.scope(resource, registry) else { return Vec::new() };
        let needs = |tag: &&Tag| {
            scope.members.iter().any(|member| {
                member.needs_time() && member.claims.of(&self.renderer.templates, tag) == Claim::Yes
            })
        };
        tags.iter().filter(needs).cloned().collect()
    }

    /// Decides about the `tags` that a resource has in a registry. All of them must be given, because the newest stay.
    /// `now` is in seconds since 1970.
    pub fn decide(&self, resource: &ResourceId, registry: &str, tags: &[ListedTag], now: i64) -> Decisions {
        let scope = self.scope(resource, registry);
        scope.map_or_else(Decisions::default, |scope| decide::decide(&self.renderer, scope, tags, now))
    }

    fn scope(&self, resource: &ResourceId, registry: &str) -> Option<&Scope<'a>> {
        self.scopes
            .iter()
            .find(|it| it.repository.resource == *resource && it.repository.registry == registry)
    }
}

impl Member<'_> {
    fn needs_time(&self) -> bool {
        match self.retention.condition {
            RetentionCondition::PullRequestClosed => false,
            RetentionCondition::Limits { older_than, .. } => {
                older_than.is_some() || self.claims.by_version().is_none()
            }
        }
    }
}

/// The reason why a retention does not act in `context`, if it does not.
fn silence(retention: &Retention, context: &Context) -> Option<String> {
    let acts = retention.condition != RetentionCondition::PullRequestClosed
        || context.event == EventName::PullRequestClosed;
    let taken = match &context.unknown_event {
        Some(problem) => format!(", which is assumed because {problem}; set the event with `--event`"),
        None => String::new(),
    };
    (!acts).then(|| {
        let wanted = EventName::PullRequestClosed;
        format!("`on` is `{wanted}`, and this event is `{}`{taken}", context.event)
    })
}

/// The resources and registries that a retention is about.
fn places<'c>(config: &'c Config, retention: &'c Retention) -> Vec<(&'c ResourceId, &'c str)> {
    let mut places = Vec::new();
    for id in &retention.resources {
        let Some(resource) = config.resources.get(id) else { continue };
        let registries =
            resource.registries.iter().filter(|registry| retention.registries.contains(registry));
        places.extend(registries.map(|registry| (id, registry.as_str())));
    }
    places
}

/// Returns the tags that a retention claims in the repository of these resources, or `None` if its rule does not exist.
fn claims<'a>(
    readers: &mut Readers<'_, 'a>,
    retention: &'a Retention,
    context: &Context,
    (id, resource): (&'a ResourceId, &'a Resource),
    resources: &[(&'a ResourceId, &'a Resource)],
) -> Result<Option<Claims<'a>>, Box<Diagnostic>> {
    let renderer = readers.renderer;
    let rule_name = match &retention.subject {
        // A glob says which tags are meant, whatever rule made them.
        RetentionSubject::Globs(globs) => {
            return Ok(Some(Claims { own: Own::Globs(matchers(globs)), others: Vec::new() }));
        }
        RetentionSubject::Rule(rule_name) => rule_name.as_str(),
    };
    let Some((rule_name, rule)) = renderer.config.tags.get_key_value(rule_name) else { return Ok(None) };
    let Some(reader) = readers.of(rule_name, (id, resource)) else { return Ok(None) };
    let own = match (retention.condition, context.pull_request) {
        (RetentionCondition::PullRequestClosed, Some(_)) if is_of_number_alone(renderer, &rule.template) => {
            let (_, values) = renderer.values(context, id, resource);
            let rendered = rules::render(&renderer.templates, &rule.template, &values);
            let failed = |error| RuleError { part: Part::Template, error };
            Own::Equal(
                rendered
                    .map_err(|error| Box::new(rule_diagnostic(renderer.config, rule_name, &failed(error))))?,
            )
        }
        (RetentionCondition::PullRequestClosed, Some(number)) => Own::PullRequest(reader, number),
        (RetentionCondition::PullRequestClosed, None) => return Ok(None),
        (RetentionCondition::Limits { .. }, _) => Own::Rule(reader),
    };
    Ok(Some(Claims { own, others: others(readers, resources, (rule_name, id)) }))
}

/// Whether a template's output depends only on the number of the pull request. Its tag then belongs to that pull
/// request.
fn is_of_number_alone(renderer: &Renderer<'_>, template: &str) -> bool {
    let variables = tag_reader::variables(&renderer.templates, template);
    variables.iter().all(|variable| variable == "pr.number")
        && !renderer.templates.uses(template, super::template::Kind::Text, "event")
}

fn no_number(config: &Config, context: &Context, retention: &str) -> Diagnostic {
    let reason = context.absent.get("pr.number").map_or("no pull request is known here", String::as_str);
    let message = format!("retention `{retention}`: `pr.number` has no value here: {reason}");
    Diagnostic::error(Code::ContextMissing, message)
        .at_maybe(config.places.value(&["retention", retention, "on"]), "")
        .help("say which pull request was closed: `--event pull_request_closed --pr 12`")
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod property_tests;
