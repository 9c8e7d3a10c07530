//! The plan of a prune: the retentions applied to the tags that the registries list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::future::join_all;

use super::Run;
use super::session::{Result, Session};
use crate::config::{Config, RetentionSubject};
use crate::connections::RepositoryFailure;
use crate::context::{self, CommitUse};
use crate::desired::{
    self, Address, Decided, KnownRefs, RetainedRepository, Retentions, Selection, Spared, UsedReferences,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Mutability;
use crate::model::plan::Plan;
use crate::observed;
use crate::plan::{self, Pruned, UntaggedManifests};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RegistryError, Repository, RepositoryName};

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
        let sparing = Sparing::gather(config, &self.session.working_folder.join(&self.folder))?;
        let now = jiff::Timestamp::now().as_second();
        let groups = groups(&retentions, &selection);
        let at = groups.iter().map(|group| (&group.first.endpoint, &group.first.name));
        let repositories = self.connections.repositories(at)?;
        let (rules, selected, sparing) = (&retentions, &selection, &sparing);
        let decided = groups.iter().zip(repositories).map(|(group, repository)| async move {
            let decided = decide(rules, group, repository.as_ref(), selected, sparing, now).await;
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
            self.origin(loaded, &context, BTreeMap::new(), None, BTreeMap::new()),
            now,
        );
        self.note_credentials(&mut plan);
        self.made_plan = true;
        Ok(plan)
    }
}

/// Everything that retentions spare beside their limits, in every repository.
#[derive(Default)]
struct Sparing {
    refs: Option<KnownRefs>,
    /// The files that name what is in use, by retention.
    used: Vec<(String, UsedReferences)>,
}

impl Sparing {
    /// Asks git, and reads the files. Nothing is asked that no retention needs. `folder` is that of `publish.toml`.
    fn gather(config: &Config, folder: &Path) -> Result<Self> {
        let asks_git = config.retention.values().any(|it| it.keep.git_tags || it.keep.branches);
        let refs = asks_git.then(|| context::existing_refs(folder));
        let (mut used, mut diagnostics) = (Vec::new(), Vec::new());
        for (name, retention) in &config.retention {
            for (index, file) in retention.keep.in_use.iter().enumerate() {
                match desired::used_references(folder, file) {
                    Ok(read) => used.push((name.clone(), read)),
                    Err(error) => {
                        let place = config.places.value(&["retention", name, "in_use", &index.to_string()]);
                        diagnostics.push(
                            Diagnostic::error(Code::RetentionInUse, format!("retention `{name}`: {error}"))
                                .at_maybe(place, "named here")
                                .help("nothing is removed as long as it is unknown what is in use: write one reference on each line, or the output of `kubectl get pods -A -o json`"),
                        );
                    }
                }
            }
        }
        if diagnostics.is_empty() { Ok(Self { refs, used }) } else { Err(diagnostics) }
    }

    /// Everything that the retentions spare in one repository.
    fn of(&self, endpoint: &RegistryEndpoint, name: &RepositoryName) -> Spared {
        let mut spared = Spared { refs: self.refs.clone(), in_use: BTreeMap::new() };
        for (retention, references) in &self.used {
            spared.in_use.entry(retention.clone()).or_default().extend(references.of(endpoint, name));
        }
        spared
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
    sparing: &Sparing,
    now: i64,
) -> std::result::Result<Pruned, RegistryError> {
    let listing = observed::listing(repository).await?;
    let tags: Vec<_> = listing.tags.iter().map(|(tag, _)| tag.clone()).collect();
    let needed =
        group.resources.iter().flat_map(|it| retentions.needs_time(&it.resource, &it.registry, &tags));
    let stated =
        group.resources.iter().flat_map(|it| retentions.needs_creation(&it.resource, &it.registry, &tags));
    let listed = observed::times(repository, &listing, &needed.collect(), &stated.collect()).await?;
    let mut spared = sparing.of(&group.first.endpoint, &group.first.name);
    let decide = |spared: &Spared| -> Vec<Decided> {
        let decision =
            |it: &&'_ RetainedRepository| retentions.decide(&it.resource, &it.registry, &listed, spared, now);
        let decisions = group.resources.iter().map(|it| ((&it.resource, it.registry.as_str()), decision(it)));
        let decisions = decisions.collect();
        desired::merge(decisions, &listing.tags, selection)
    };
    let mut decided = decide(&spared);
    // A digest that is in use may be that of one platform of what a tag names.
    let parts: BTreeSet<Digest> =
        spared.in_use.values().flat_map(|in_use| desired::unnamed(in_use, &listed)).cloned().collect();
    if !parts.is_empty() {
        let going = decided.iter().filter(|it| it.verdict.is_ok()).map(|it| it.digest.clone());
        let used = observed::containing(repository, going.collect::<Vec<_>>(), &parts).await?;
        for in_use in spared.in_use.values_mut() {
            for (whole, part) in &used {
                if let Some(by) = in_use.digests.get(part).cloned() {
                    in_use.digests.insert(whole.clone(), by);
                }
            }
        }
        decided = decide(&spared);
    }
    let whole = |it: &&&RetainedRepository| {
        selection.selects(Address { resource: &it.resource, registry: &it.registry, tag: "" })
    };
    let mut untagged =
        group.resources.iter().filter(whole).filter_map(|it| retentions.untagged(&it.resource, &it.registry));
    let untagged = match untagged.next() {
        Some(retention) => {
            let inventory = observed::whole_inventory(repository).await?;
            let in_use = spared.in_use.get(&retention.name);
            let in_use = in_use.into_iter().flat_map(|in_use| in_use.digests.keys()).cloned().collect();
            Some(UntaggedManifests { retention: retention.clone(), inventory, in_use })
        }
        None => None,
    };
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
        untagged,
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
        RetentionSubject::Globs(_) | RetentionSubject::Untagged => None,
    });
    of_rule.collect()
}

fn none_declared(session: &Session, config: &Config) -> Diagnostic {
    let path = session.shown(&config.path);
    let message = format!("nothing may be removed: `{}` declares no `[retention.NAME]`", path.display());
    Diagnostic::error(Code::RetentionNone, message)
        .help("declare which tags may go, and when: `[retention.pr]` with `rule = \"pr\"` and `on = \"pull_request_closed\"`, or with `match` and `keep_last` or `older_than`")
}
