//! The plan of a prune: the retentions applied to the tags that the registries list.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::connect::Connections;
use super::{Result, Session, origin, told};
use crate::apply::Connect;
use crate::config::{Config, RetentionSubject};
use crate::desired::{self, Address, Decided, RetainedRepository, Retentions, Selection};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::event::Reporter;
use crate::model::Mutability;
use crate::model::plan::Plan;
use crate::observed;
use crate::plan::{self, Pruned};
use oci_registry::{RegistryError, Repository};

/// The resources that share one repository, each with its own retentions.
type Group<'r> = Vec<&'r RetainedRepository>;

/// Makes the plan that removes the tags that the retentions of `publish.toml` select.
pub async fn prune(
    session: &Session,
    targets: &[String],
    parallelism: usize,
    reporter: &Arc<dyn Reporter>,
) -> Result<Plan> {
    let config = session.load()?;
    if config.retention.is_empty() {
        return Err(vec![none_declared(session, &config)]);
    }
    let context = session.context(&config)?;
    let retentions = Retentions::new(&config, &context)?;
    let selection = Selection::new(targets);
    let connections =
        Connections::new(config.folder.clone(), &session.environment, parallelism, reporter.clone());
    let now = jiff::Timestamp::now().as_second();
    let (mut asked, mut diagnostics) = (Vec::new(), Vec::new());
    for group in groups(&retentions, &selection) {
        let Some(first) = group.first() else { continue };
        match connections.repository(&first.endpoint, &first.name) {
            Ok(repository) => asked.push((group, repository)),
            Err(error) => diagnostics.push(error.to_diagnostic()),
        }
    }
    if !diagnostics.is_empty() {
        diagnostics.dedup();
        return Err(diagnostics);
    }
    let answers = asked.iter().map(|(group, repository)| async {
        let pruned = decide(&retentions, group, repository.as_ref(), &selection, now).await;
        pruned.map_err(|error| (name(group), error))
    });
    let (mut pruned, mut errors) = (Vec::new(), Vec::new());
    for answer in join_all(answers).await {
        match answer {
            Ok(answer) => pruned.extend(answer),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(told(&errors));
    }
    if retentions.repositories().next().is_some() {
        let unknown = unknown(&selection, &retentions, &pruned);
        if !unknown.is_empty() {
            return Err(unknown);
        }
    }
    let origin = origin(session, &config, &context);
    Ok(plan::prune(&pruned, &mutabilities(&config), retentions.silent(), origin, now))
}

/// Returns the selected repositories, each with the resources that share it.
fn groups<'r>(retentions: &'r Retentions<'_>, selection: &Selection) -> Vec<Group<'r>> {
    let mut groups: Vec<Group<'r>> = Vec::new();
    for repository in retentions.repositories() {
        let is_it = |it: &&RetainedRepository| identity(it) == identity(repository);
        let known = groups.iter_mut().find(|group| group.first().is_some_and(is_it));
        match known {
            Some(group) => group.push(repository),
            None => groups.push(vec![repository]),
        }
    }
    groups.retain(|group| group.iter().any(|it| selection.touches(&it.resource, &it.registry)));
    groups
}

/// Returns a key that is the same for all names of one repository.
fn identity(repository: &RetainedRepository) -> String {
    repository.endpoint.url.identity(&repository.name)
}

/// Returns the full name of a repository, for people.
fn name(group: &Group<'_>) -> String {
    group.first().map(|it| it.endpoint.url.full_name(&it.name)).unwrap_or_default()
}

/// Decides about the tags of one repository, and how they are removed.
async fn decide(
    retentions: &Retentions<'_>,
    group: &Group<'_>,
    repository: &dyn Repository,
    selection: &Selection,
    now: i64,
) -> std::result::Result<Option<Pruned>, RegistryError> {
    let Some(first) = group.first() else { return Ok(None) };
    let listing = observed::listing(repository).await?;
    let tags: Vec<_> = listing.tags.iter().map(|(tag, _)| tag.clone()).collect();
    let needed = group.iter().flat_map(|it| retentions.needs_time(&it.resource, &it.registry, &tags));
    let listed = observed::times(repository, &listing, &needed.collect()).await?;
    let decisions = group
        .iter()
        .map(|it| {
            let of = (&it.resource, it.registry.as_str());
            (of, retentions.decide(&it.resource, &it.registry, &listed, now))
        })
        .collect();
    let decided: Vec<Decided> = desired::merge(decisions, &listing.tags, selection);
    let removes = decided.iter().any(|it| it.verdict.is_ok());
    let removing = if removes { Some(observed::removing(repository).await?) } else { None };
    Ok(Some(Pruned {
        resource: first.resource.clone(),
        registry: first.registry.clone(),
        endpoint: first.endpoint.clone(),
        repository: first.name.clone(),
        decided,
        removing,
    }))
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
    let path = super::path::relative(&session.working_folder, &config.path);
    let message = format!("nothing may be removed: `{}` declares no `[retention.NAME]`", path.display());
    Diagnostic::error(Code::RetentionNone, message)
        .help("declare which tags may go, and when: `[retention.pr]` with `rule = \"pr\"` and `on = \"pull_request_closed\"`, or with `match` and `keep_last` or `older_than`")
}
