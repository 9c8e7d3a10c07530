//! The search for secrets in the content to send. In reading order: `policy` decides which repositories are searched and with
//! what policy, `gather` collects the blobs, `search` searches them, `cache` remembers blobs that need not be read again, `allow`
//! applies the allowances, and `findings` makes the findings. The plan decides what is sent, and `guard` decides what looks
//! like a secret.

mod allow;
mod cache;
mod findings;
mod gather;
mod policy;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cache::Cache;
use gather::Place;
use policy::Search;

use crate::apply::{SecretSearch, Sent};
use crate::config::Secrets;
use crate::context::Environment;
use crate::desired::{Desired, DesiredRepository};
use crate::diagnostic::Diagnostic;
use crate::engine::connect::Connections;
use crate::event::Reporter;
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::referrer::ReferrerAction;
use crate::model::secret_search::{
    PlannedSecrets, SearchedContent, SearchedRepository, SecretAllowance, SecretFinding,
};
use crate::observed::{Observed, ObservedRepository};
use secret_scan::Rules;

/// Searches the content that `plan` sends, and adds the findings to the plan.
pub(crate) async fn planned(
    plan: &mut Plan,
    declared: &Secrets,
    (desired, observed): (&Desired, &Observed),
    connections: &Connections,
    (environment, reporter): (&Environment, &Arc<dyn Reporter>),
    whole: bool,
) -> Result<(), Vec<Diagnostic>> {
    let mut repositories = BTreeMap::new();
    let mut all_searched = whole;
    let standing = desired.repositories.iter().zip(&observed.repositories);
    for (planned, (desired, observed)) in plan.repositories.iter().zip(standing) {
        let searched = if planned.places_content() || planned.is_opened() {
            let at = [(&desired.endpoint, &desired.name)];
            let Some((repository, anonymous, _)) = connections.both(at)?.into_iter().next() else { continue };
            policy::policy(declared, desired, observed, (repository.as_ref(), anonymous.as_ref())).await
        } else {
            None
        };
        let Some(search) = searched else {
            all_searched = false;
            continue;
        };
        let searched = what(search, planned, desired, observed);
        all_searched &= searched.blobs.len() == all_blobs(desired).len();
        repositories.insert(planned.address.clone(), searched);
    }
    if repositories.is_empty() {
        return Ok(());
    }
    let searcher = Searcher::new(environment, reporter.clone());
    let sent: Vec<Sent<'_>> = desired
        .repositories
        .iter()
        .zip(&plan.repositories)
        .map(|(desired, planned)| Sent {
            address: &planned.address,
            resource: &desired.resource,
            published: &desired.published,
        })
        .collect();
    let secrets = PlannedSecrets {
        rules: searcher.rules.identity().clone(),
        allow: declared.allow.clone(),
        repositories,
        searched: SearchedContent::default(),
        findings: Vec::new(),
        unsearched: Vec::new(),
        unused: Vec::new(),
    };
    // Layers are read on threads that may block.
    let never = || false;
    let (mut secrets, unused) = tokio::task::block_in_place(|| searcher.searched(secrets, &sent, &never))?;
    // An allowance may apply to content that was not searched.
    secrets.unused = if all_searched { unused } else { Vec::new() };
    plan.secrets = Some(secrets);
    Ok(())
}

/// Returns every blob of the published content and of its referrers.
fn all_blobs(desired: &DesiredRepository) -> BTreeSet<&oci_registry::Digest> {
    let published = &desired.published;
    let referrers = published.referrers.iter().flat_map(|it| &it.content.blobs);
    published.content.blobs.iter().chain(referrers).map(|blob| &blob.digest).collect()
}

/// Returns the content that is searched: what the repository does not hold yet, because the rest is already published there. If
/// `whole`, everything, because an anonymous pull was not seen to work and everybody may be able to pull once this is applied.
fn what(
    Search { policy, whole }: Search,
    planned: &PlannedRepository,
    desired: &DesiredRepository,
    observed: &ObservedRepository,
) -> SearchedRepository {
    let published = &desired.published;
    if whole {
        let referrers = published.referrers.iter().flat_map(|it| &it.content.manifests);
        let manifests: BTreeSet<_> =
            published.content.manifests.iter().chain(referrers).map(|it| it.digest().clone()).collect();
        return SearchedRepository {
            policy,
            manifests: manifests.into_iter().collect(),
            blobs: all_blobs(desired).into_iter().cloned().collect(),
        };
    }
    let root = &published.content.root.digest;
    let stands = observed.tags.values().any(|tag| tag.digest == *root);
    let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    if !stands {
        manifests.extend(observed.missing_manifests.iter().cloned());
        blobs.extend(observed.missing_blobs.iter().cloned());
    }
    let sends = |action: &ReferrerAction| *action == ReferrerAction::Send;
    if planned.sends_referrers() || observed.referrers.actions.iter().any(sends) {
        manifests.extend(observed.referrers.missing_manifests.iter().cloned());
        blobs.extend(observed.referrers.missing_blobs.iter().cloned());
    }
    SearchedRepository {
        policy,
        manifests: manifests.into_iter().collect(),
        blobs: blobs.into_iter().collect(),
    }
}

/// The search for secrets in the content to send.
pub(crate) struct Searcher {
    rules: &'static Rules,
    cache: Option<Cache>,
    reporter: Arc<dyn Reporter>,
}

impl Searcher {
    /// Returns a searcher whose cache is in the folder that `environment` names.
    pub fn new(environment: &Environment, reporter: Arc<dyn Reporter>) -> Self {
        let rules = Rules::standard();
        Self { rules, cache: Cache::new(environment, rules), reporter }
    }

    /// Returns `planned` with the findings, and the allowances that allow none of them.
    fn searched(
        &self,
        planned: PlannedSecrets,
        sent: &[Sent<'_>],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<(PlannedSecrets, Vec<SecretAllowance>), Vec<Diagnostic>> {
        let places = sent.iter().filter_map(|it| {
            let searched = planned.repositories.get(it.address)?;
            Some(Place { address: it.address, resource: it.resource, published: it.published, searched })
        });
        let gathered = gather::gather(self.rules, &places.collect::<Vec<_>>());
        let searching = search::Searching {
            rules: self.rules,
            cache: self.cache.as_ref(),
            reporter: &self.reporter,
            stopped,
        };
        let answers = searching.all(&gathered.jobs);
        if let Some(cache) = &self.cache {
            cache.prune();
        }
        findings::findings(self.rules, planned, &gathered, &answers)
    }
}

impl SecretSearch for Searcher {
    fn search(
        &self,
        planned: &PlannedSecrets,
        sent: &[Sent<'_>],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<SecretFinding>, Vec<Diagnostic>> {
        self.searched(planned.clone(), sent, stopped).map(|(searched, _)| searched.findings)
    }
}
