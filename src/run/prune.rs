//! The plan of a prune: the retentions applied to the tags that the registries list.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::Run;
use super::session::{Result, Session};
use crate::config::{Config, RetentionSubject};
use crate::connections::RepositoryFailure;
use crate::context::CommitUse;
use crate::desired::{self, Address, Decided, RetainedRepository, Retentions, Selection};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Mutability;
use crate::model::plan::Plan;
use crate::observed;
use crate::plan::{self, Pruned};
use oci_registry::{RegistryError, Repository};

/// A repository, and the resources that share it, each with its own retentions.
struct SharedRepository<'r> {
    /// The repository as the first of them names it.
    first: &'r RetainedRepository,
    /// All of them.
    resources: Vec<&'r RetainedRepository>,
}

impl Run {
    /// Makes the plan that removes the tags that the retentions of `publish.toml` select.
    ///
    /// # Errors
    ///
    /// Everything that prevents it.
    pub async fn prune(&mut self, targets: &[String]) -> Result<Plan> {
        let loaded = self.loaded()?;
        let config = &loaded.config;
        if config.retention.is_empty() {
            return Err(vec![none_declared(&self.session, config)]);
        }
        let context = self.session.context(config, CommitUse::Unused)?;
        let retentions = Retentions::new(config, &context)?;
        let selection = Selection::new(targets);
        let now = jiff::Timestamp::now().as_second();
        let groups = groups(&retentions, &selection);
        let at = groups.iter().map(|group| (&group.first.endpoint, &group.first.name));
        let repositories = self.connections.repositories(at)?;
        let (rules, selected) = (&retentions, &selection);
        let decided = groups.iter().zip(repositories).map(|(group, repository)| async move {
            let decided = decide(rules, group, repository.as_ref(), selected, now).await;
            decided.map_err(|error| RepositoryFailure {
                repository: group.first.endpoint.url.full_name(&group.first.name),
                error,
            })
        });
        let pruned = RepositoryFailure::none_of(join_all(decided).await)?;
        if retentions.repositories().next().is_some() {
            let unknown = unknown(&selection, &retentions, &pruned);
            if !unknown.is_empty() {
                return Err(unknown);
            }
        }
        let mut plan = plan::prune(
            &pruned,
            &mutabilities(config),
            retentions.silent(),
            self.origin(loaded, &context),
            now,
        );
        self.note_credentials(&mut plan);
        self.made_plan = true;
        Ok(plan)
    }
}

/// Returns the selected repositories, each with the resources that share it.
fn groups<'r>(retentions: &'r Retentions<'_>, selection: &Selection) -> Vec<SharedRepository<'r>> {
    let mut groups: Vec<SharedRepository<'r>> = Vec::new();
    // All names of one repository have one identity.
    let identity = |it: &RetainedRepository| it.endpoint.url.identity(&it.name);
    for repository in retentions.repositories() {
        let known = groups.iter_mut().find(|group| identity(group.first) == identity(repository));
        match known {
            Some(group) => group.resources.push(repository),
            None => groups.push(SharedRepository { first: repository, resources: vec![repository] }),
        }
    }
    groups.retain(|group| group.resources.iter().any(|it| selection.touches(&it.resource, &it.registry)));
    groups
}

/// Decides about the tags of one repository, and how they are removed.
async fn decide(
    retentions: &Retentions<'_>,
    group: &SharedRepository<'_>,
    repository: &dyn Repository,
    selection: &Selection,
    now: i64,
) -> std::result::Result<Pruned, RegistryError> {
    let listing = observed::listing(repository).await?;
    let tags: Vec<_> = listing.tags.iter().map(|(tag, _)| tag.clone()).collect();
    let needed =
        group.resources.iter().flat_map(|it| retentions.needs_time(&it.resource, &it.registry, &tags));
    let listed = observed::times(repository, &listing, &needed.collect()).await?;
    let decisions = group
        .resources
        .iter()
        .map(|it| {
            let of = (&it.resource, it.registry.as_str());
            (of, retentions.decide(&it.resource, &it.registry, &listed, now))
        })
        .collect();
    let decided: Vec<Decided> = desired::merge(decisions, &listing.tags, selection);
    let removes = decided.iter().any(|it| it.verdict.is_ok());
    let removing = if removes { Some(observed::removing(repository).await?) } else { None };
    let first = group.first;
    Ok(Pruned {
        resource: first.resource.clone(),
        registry: first.registry.clone(),
        endpoint: first.endpoint.clone(),
        repository: first.name.clone(),
        decided,
        removing,
    })
}

/// Returns a diagnostic for each target that names neither a repository of a retention nor a tag that a retention matches.
fn unknown(selection: &Selection, retentions: &Retentions<'_>, pruned: &[Pruned]) -> Vec<Diagnostic> {
    let whole = retentions.repositories().map(|it| Address {
        resource: &it.resource,
        registry: &it.registry,
        tag: "",
    });
    let tags = pruned.iter().flat_map(|it| &it.decided).map(|decided| Address {
        resource: &decided.resource,
        registry: &decided.registry,
        tag: decided.tag.as_str(),
    });
    selection.unknown(&whole.chain(tags).collect::<Vec<_>>(), &[], "this prune")
}

/// Returns the mutability of the tags of each retention that names a rule.
fn mutabilities(config: &Config) -> BTreeMap<String, Mutability> {
    let of_rule = config.retention.iter().filter_map(|(name, retention)| match &retention.subject {
        RetentionSubject::Rule(rule) => Some((name.clone(), config.tags.get(rule)?.mutability)),
        RetentionSubject::Globs(_) => None,
    });
    of_rule.collect()
}

fn none_declared(session: &Session, config: &Config) -> Diagnostic {
    let path = session.shown(&config.path);
    let message = format!("nothing may be removed: `{}` declares no `[retention.NAME]`", path.display());
    Diagnostic::error(Code::RetentionNone, message)
        .help("declare which tags may go, and when: `[retention.pr]` with `rule = \"pr\"` and `on = \"pull_request_closed\"`, or with `match` and `keep_last` or `older_than`")
}
