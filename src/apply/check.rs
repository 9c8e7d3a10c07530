//! The checks before anything is sent: the plan can be applied, the sources still have the planned content, and the tags
//! still name what the plan says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;

use super::forward::{self, ForwardVerdict};
use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::progress::Progress;
use super::referrers;
use super::refused::{PrepareError, conflict, contradiction};
use crate::content::Published;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Change, Plan, PlannedContent, TagTarget};
use crate::model::secret_search::PlannedSecrets;
use oci_registry::Digest;
use oci_registry::RegistryError;

/// Opens the sources and connections of `plan`, or returns everything that prevents it: for `optional`, a registry that is not required,
/// or for all that are.
pub fn prepare<'p>(
    plan: &'p Plan,
    optional: Option<&str>,
    options: &ApplyOptions<'p>,
) -> Result<Vec<Prepared<'p>>, Vec<PrepareError>> {
    let (mut prepared, mut errors) = (Vec::new(), Vec::new());
    let mut sources: BTreeMap<String, Arc<Published>> = BTreeMap::new();
    let mut claimed = BTreeSet::new();
    errors.extend(plan.errors().cloned().map(PrepareError::Problem));
    let secrets = plan.secrets.iter().flat_map(PlannedSecrets::blocking);
    errors.extend(secrets.map(|finding| PrepareError::Secret(Box::new(finding.clone()))));
    let is_due = |registry: &String| match optional {
        Some(name) => registry == name,
        None => !plan.optional.names.contains(registry),
    };
    let due = plan.repositories.iter().enumerate().filter(|(_, planned)| is_due(&planned.registry));
    for (position, planned) in due {
        errors.extend(planned.changes.iter().filter_map(|change| conflict(planned, change)));
        for change in &planned.changes {
            let once = claimed.insert((&planned.registry, &planned.repository, &change.tag));
            let reason = if once { contradiction(planned, change) } else { Some("the tag occurs twice") };
            errors.extend(reason.map(|reason| PrepareError::Inconsistent {
                address: change.address.clone(),
                reason: reason.to_owned(),
            }));
        }
        let Some(endpoint) = plan.registries.get(&planned.registry) else {
            errors.push(PrepareError::UnknownRegistry(planned.registry.clone()));
            continue;
        };
        let described = endpoint.url.full_name(&planned.repository);
        if described != planned.name {
            errors.push(PrepareError::Inconsistent {
                address: planned.address.clone(),
                reason: format!("it is for `{}` but describes the registry as `{described}`", planned.name),
            });
        }
        let content = planned.content.as_ref().map(|it| content(&planned.address, it, options, &mut sources));
        let content = match content.transpose() {
            Ok(content) => content,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let observed = options.observed.and_then(|observed| observed.repositories.get(&planned.address));
        match options.connections.repository(endpoint, &planned.repository) {
            Ok(repository) => {
                let host = endpoint.url.host();
                prepared.push(Prepared { position, planned, content, repository, host, endpoint, observed });
            }
            Err(error) => errors
                .push(PrepareError::Registry { address: planned.address.clone(), error: Box::new(error) }),
        }
    }
    if errors.is_empty() { Ok(prepared) } else { Err(errors) }
}

fn content(
    address: &str,
    planned: &PlannedContent,
    options: &ApplyOptions<'_>,
    known: &mut BTreeMap<String, Arc<Published>>,
) -> Result<Arc<Published>, PrepareError> {
    // The run that made the plan has it open.
    let observed = options.observed.and_then(|observed| observed.repositories.get(address));
    let opened = observed.map(|it| &it.desired.published).filter(|it| it.spec == planned.source);
    // The serialized source is the key, so that equal sources are opened once.
    let key = serde_json::to_string(&planned.source).unwrap_or_default();
    let published = if let Some(published) = opened.or_else(|| known.get(&key)) {
        published.clone()
    } else {
        let published = crate::content::publishable(&planned.source, &options.surroundings)
            .map_err(|error| PrepareError::Source { address: address.to_owned(), error })?;
        known.entry(key).or_insert(Arc::new(published)).clone()
    };
    let found = &published.content.root.digest;
    if *found != planned.root.digest {
        return Err(PrepareError::SourceChanged {
            address: address.to_owned(),
            source_spec: planned.source.to_string(),
            planned: planned.root.digest.clone(),
            found: found.clone(),
        });
    }
    match referrers::gone(address, planned, &published) {
        None => Ok(published),
        Some(error) => Err(error),
    }
}

/// Whether `found` is the planned digest or the wanted one. If the plan was made in this run, a digest that another release
/// left there meanwhile counts too, because the tag is decided again when its turn comes. A saved plan is applied as it was
/// approved.
async fn stands(
    it: &Prepared<'_>,
    change: &Change,
    found: Option<&Digest>,
    options: &ApplyOptions<'_>,
) -> Result<bool, RegistryError> {
    if found == change.wanted() || found == change.present() {
        return Ok(true);
    }
    if options.saved || change.forward.is_none() {
        return Ok(false);
    }
    let listing = forward::listing(it, [change]).await?;
    let verdict = forward::judge(it, change, found, listing.as_ref(), options).await?;
    Ok(!matches!(verdict, ForwardVerdict::Unexplained))
}

/// Whether the wanted manifest is available, from the source or from the repository.
async fn has_wanted(it: &Prepared<'_>, change: &Change) -> Result<bool, RegistryError> {
    let Some(wanted) = change.wanted() else { return Ok(true) };
    let manifests = it.content.iter().flat_map(|published| &published.content.manifests);
    if manifests.into_iter().any(|manifest| manifest.digest() == wanted) {
        return Ok(true);
    }
    it.holds(wanted).await
}

/// Reads every tag that is to change again, unless the run has just observed it, and refuses the whole plan if one of them no longer
/// names what the plan says. Returns the positions of the repositories in which a tag does not name the wanted digest yet.
pub(super) async fn stale(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<BTreeSet<usize>, Vec<Diagnostic>> {
    let asked = prepared.iter().flat_map(|it| {
        let changes = it.planned.changes.iter().enumerate().filter(|(_, change)| change.action.is_change());
        changes.map(move |(position, change)| async move {
            let standing = async {
                let found = match it.observed.filter(|_| !options.tags_are_old) {
                    Some(observed) => observed.tags.get(&change.tag).map(|tag| tag.digest.clone()),
                    None => it.present(change).await?,
                };
                let pending = found.as_ref() != change.wanted();
                if !has_wanted(it, change).await? {
                    return Ok((pending, Some(it.gone(change))));
                }
                if stands(it, change, found.as_ref(), options).await? {
                    return Ok::<_, RegistryError>((pending, None));
                }
                let diagnostic = it.stale(change, found.as_ref());
                progress.found(it.position, position, found.map(TagTarget::new));
                Ok((pending, Some(diagnostic)))
            };
            (it, position, change, standing.await)
        })
    });
    let (mut problems, mut pending) = (Vec::new(), BTreeSet::new());
    for (it, position, change, standing) in join_all(asked).await {
        let name = &it.planned.name;
        match standing {
            Ok((is_pending, None)) => pending.extend(is_pending.then_some(it.position)),
            Ok((_, Some(diagnostic))) => {
                progress.change(it.position, position, ChangeResult::Stale, Some(diagnostic.message.clone()));
                problems.push(diagnostic);
            }
            Err(error) => {
                let diagnostic = error.to_diagnostic().about(format_args!("{name}:{}", change.tag));
                progress.change(
                    it.position,
                    position,
                    ChangeResult::Failed,
                    Some(diagnostic.message.clone()),
                );
                problems.push(diagnostic);
            }
        }
    }
    if problems.is_empty() { Ok(pending) } else { Err(problems) }
}
