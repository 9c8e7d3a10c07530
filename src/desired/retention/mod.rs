//! The tags that `prune` may remove: a function of the configuration, the context, the tag lists of the repositories,
//! and the time.
//!
//! The registries are not asked here. [`Retentions::repositories`] returns the repositories to list,
//! [`Retentions::needs_time`] the tags whose time must be known, and [`Retentions::decide`] which tags go and which
//! stay, with the reasons.

mod claims;
mod decide;
mod decisions;
mod guards;
mod lint;
mod merge;
mod protection;
mod references;
mod scope;

pub use decisions::{Decisions, KeptTag, ListedTag, RemovedTag};
pub use guards::{InUse, KnownRefs, Spared, unnamed};
pub(super) use lint::lint;
pub use merge::{Decided, merge};
pub use references::{ReferencesError, UsedReferences, used_references};
pub use scope::{RetainedRepository, UntaggedRetention};

use super::rules::{self, RuleError, RulePart};
use super::tag_template::TagTemplate;
use super::tags::{Renderer, template_diagnostic};
use crate::config::{Config, NamedResource, Retention, RetentionCondition, RetentionSubject};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{EventName, ResourceId};
use claims::{
    Attribution, ClaimedTags, OwnTags, SharedRepositories, TagReaders, is_of_number_alone, matchers, others,
    rendered_for_pull_request,
};
use oci_registry::Tag;
use scope::{ResourceInRegistry, RetentionScope, ScopedRetention};

/// The retentions of a configuration that act in a context.
pub struct Retentions<'a> {
    renderer: Renderer<'a>,
    scopes: Vec<RetentionScope<'a>>,
    silent: Vec<(String, String)>,
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
        let (mut scopes, mut silent): (Vec<RetentionScope<'a>>, Vec<_>) = (Vec::new(), Vec::new());
        let repositories = SharedRepositories::new(config);
        let mut readers = TagReaders::new(&renderer);
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
            for ResourceInRegistry { named, registry } in scope::resources_of(config, retention) {
                let resources = repositories.resources(config, named.resource, registry);
                let untagged = UntaggedRetention::of(name, retention);
                let claims = match claims(&mut readers, retention, context, named, &resources) {
                    Ok(Some(claims)) => Some(claims),
                    Ok(None) if untagged.is_some() => None,
                    Ok(None) => continue,
                    Err(found) => {
                        diagnostics.push(*found);
                        continue;
                    }
                };
                let member =
                    |claims| ScopedRetention { name, retention, claims, pull_request: context.pull_request };
                let members: Vec<_> = claims.map(member).into_iter().collect();
                let known = scopes
                    .iter_mut()
                    .find(|it| it.repository.resource == *named.id && it.repository.registry == registry);
                if let Some(scope) = known {
                    scope.members.extend(members);
                    scope.untagged = scope.untagged.take().or(untagged);
                } else if let Some(declared) = config.registry(registry) {
                    let repository = RetainedRepository {
                        resource: named.id.clone(),
                        registry: registry.to_owned(),
                        endpoint: declared.endpoint.clone(),
                        name: declared.endpoint.url.repository(named.resource.repository_in(registry)),
                    };
                    scopes.push(RetentionScope { repository, resources, members, untagged });
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

    /// The retention of the manifests without a tag that a resource has in a registry.
    pub fn untagged(&self, resource: &ResourceId, registry: &str) -> Option<&UntaggedRetention> {
        self.scope(resource, registry)?.untagged.as_ref()
    }

    /// Returns those of `tags` whose time must be known before [`Self::decide`] can decide about them.
    pub fn needs_time(&self, resource: &ResourceId, registry: &str, tags: &[Tag]) -> Vec<Tag> {
        let Some(scope) = self.scope(resource, registry) else { return Vec::new() };
        let needs = |tag: &&Tag| {
            scope.members.iter().any(|member| {
                member.needs_time() && member.claims.of(&self.renderer.templates, tag) == Attribution::Yes
            })
        };
        tags.iter().filter(needs).cloned().collect()
    }

    /// Decides about the `tags` that a resource has in a registry. All of them must be given, because the newest stay.
    /// `now` is in seconds since 1970.
    pub fn decide(
        &self,
        resource: &ResourceId,
        registry: &str,
        tags: &[ListedTag],
        spared: &Spared,
        now: i64,
    ) -> Decisions {
        let scope = self.scope(resource, registry);
        scope
            .map_or_else(Decisions::default, |scope| decide::decide(&self.renderer, scope, tags, spared, now))
    }

    /// Returns those of `tags` whose image has to be asked when it was made, whatever the registry says.
    pub fn needs_creation(&self, resource: &ResourceId, registry: &str, tags: &[Tag]) -> Vec<Tag> {
        let Some(scope) = self.scope(resource, registry) else { return Vec::new() };
        let members = || scope.members.iter().filter(|it| it.counts_from_creation() && it.needs_time());
        let needs =
            |tag: &&Tag| members().any(|it| it.claims.of(&self.renderer.templates, tag) == Attribution::Yes);
        tags.iter().filter(needs).cloned().collect()
    }

    fn scope(&self, resource: &ResourceId, registry: &str) -> Option<&RetentionScope<'a>> {
        self.scopes
            .iter()
            .find(|it| it.repository.resource == *resource && it.repository.registry == registry)
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

/// Returns the tags that a retention claims in the repository of these resources, or `None` if its rule does not exist.
fn claims<'a>(
    readers: &mut TagReaders<'_, 'a>,
    retention: &'a Retention,
    context: &Context,
    named: NamedResource<'a>,
    resources: &[NamedResource<'a>],
) -> Result<Option<ClaimedTags<'a>>, Box<Diagnostic>> {
    let renderer = readers.renderer;
    let rule_name = match &retention.subject {
        // A glob says which tags are meant, whatever rule made them.
        RetentionSubject::Globs(globs) => {
            return Ok(Some(ClaimedTags { own: OwnTags::Globs(matchers(globs)), others: Vec::new() }));
        }
        RetentionSubject::Untagged => return Ok(None),
        RetentionSubject::Rule(rule_name) => rule_name.as_str(),
    };
    let Some(template) = TagTemplate::named(renderer.config, rule_name) else { return Ok(None) };
    let reader = readers.of(template, named);
    let own = match (retention.condition, context.pull_request) {
        (RetentionCondition::PullRequestClosed, Some(_)) if is_of_number_alone(renderer, template.text()) => {
            let (_, values) = renderer.values(context, named.id, named.resource);
            let rendered = rules::render(&renderer.templates, template.text(), &values);
            OwnTags::Equal(rendered.map_err(|error| {
                let error = RuleError { part: RulePart::Template, error };
                Box::new(template_diagnostic(renderer.config, template, &error))
            })?)
        }
        (RetentionCondition::PullRequestClosed, Some(number)) => {
            let rendered = || rendered_for_pull_request(renderer, template, named, number);
            match reader.is_err().then(rendered).flatten() {
                Some(tag) => OwnTags::Equal(tag),
                None => OwnTags::PullRequest(reader, number),
            }
        }
        (RetentionCondition::PullRequestClosed, None) => return Ok(None),
        (RetentionCondition::Limits { .. }, _) => OwnTags::Rule(reader),
    };
    Ok(Some(ClaimedTags { own, others: others(readers, resources, template, named.id) }))
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
