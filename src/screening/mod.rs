//! The search for secrets in the content to send, and what a finding means for a plan. The crate `secret-scan` decides what looks like
//! a secret.
//!
//! In reading order: `policy` decides which repositories are searched and with what effect; `selection` selects their content, of which
//! `reachable` finds the part that tags reach already;
//! `gather` collects its blobs, each once; `blob_search` searches them; `allow` applies the allowances; `findings` makes the
//! findings, and `public` finds those in content that strangers can pull already. For a saved plan, `required` decides again, by the rules that `own` has from the apply.

mod allow;
mod blob_search;
mod findings;
mod gather;
mod own;
mod policy;
mod public;
mod reachable;
mod required;
mod selection;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Secrets;
use crate::connections::Connections;
use crate::context::Environment;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::event::Reporter;
use crate::model::plan::Plan;
use crate::model::secret_search::{NotSearched, PlannedSecrets, SearchedContent, SecretAllowance};
use crate::observed::Observed;
use blob_search::BlobSearcher;
use policy::{ScreenedRepository, SearchDecision};
use secret_scan::{CacheKey, ReportCache, Rules};

pub(crate) use findings::secret_diagnostic;
pub(crate) use gather::SentContent;
pub use own::OwnSearch;
pub(crate) use required::SentRepository;

/// The search for secrets in the content that a plan sends.
pub struct Screening {
    rules: &'static Rules,
    cache: Option<ReportCache<'static>>,
    reporter: Arc<dyn Reporter>,
}

impl Screening {
    /// Returns a search that remembers results in the user's folder for caches, if `environment` names one.
    pub fn new(environment: &Environment, reporter: Arc<dyn Reporter>) -> Self {
        let rules = Rules::standard();
        let cache = cache_folder(environment).and_then(|folder| {
            let key = CacheKey::in_file(&key_file(environment)?)?;
            Some(ReportCache::new(&folder.join("brokkr-publish").join("secrets"), key, rules))
        });
        Self { rules, cache, reporter }
    }

    /// Searches the content that `plan` sends, if the policy `declared` asks for it. Returns the result, or `None` if there is nothing to
    /// search; and the addresses of the repositories that are not searched, with the reason for each.
    /// `complete` says whether the plan has all declared repositories.
    ///
    /// # Errors
    ///
    /// Everything that could not be searched.
    pub(crate) async fn plan(
        &self,
        plan: &Plan,
        declared: &Secrets,
        observed: &Observed,
        connections: &Connections,
        complete: bool,
    ) -> Result<(Option<PlannedSecrets>, BTreeMap<String, NotSearched>), Vec<Diagnostic>> {
        let repositories: Vec<ScreenedRepository<'_>> = plan
            .repositories
            .iter()
            .filter_map(|planned| ScreenedRepository::new(planned, observed))
            .collect();
        let (mut selected, mut not_searched, mut all_searched) = (BTreeMap::new(), BTreeMap::new(), complete);
        for repository in &repositories {
            let search = match policy::repository_search(declared, repository, connections).await? {
                SearchDecision::Search(search) => search,
                SearchDecision::Nothing => {
                    all_searched = false;
                    continue;
                }
                SearchDecision::Not(why) => {
                    all_searched = false;
                    not_searched.insert(repository.planned.address.clone(), why);
                    continue;
                }
            };
            let desired = repository.desired();
            let connected = connections.repository(&desired.endpoint, &desired.name);
            let connected = connected.map_err(|error| vec![error.to_diagnostic()])?;
            let content = selection::select(search, repository, connected.as_ref()).await;
            all_searched &= content.blobs.len() == selection::all_blobs(repository.desired()).len();
            selected.insert(repository.planned.address.clone(), content);
        }
        if selected.is_empty() {
            return Ok((None, not_searched));
        }
        let sent = repositories.iter().map(|it| SentRepository {
            planned: it.planned,
            endpoint: &it.desired().endpoint,
            content: SentContent {
                address: &it.planned.address,
                resource: &it.desired().resource,
                published: &it.desired().published,
            },
        });
        let sent: Vec<SentRepository<'_>> = sent.collect();
        let contents: Vec<&SentContent<'_>> = sent.iter().map(|it| &it.content).collect();
        let secrets = PlannedSecrets {
            rules: self.rules.identity().clone(),
            allow: declared.allow.clone(),
            block: declared.block,
            unsearched_policy: declared.unsearched,
            repositories: selected,
            searched: SearchedContent::default(),
            findings: Vec::new(),
            unsearched: Vec::new(),
            unused: Vec::new(),
        };
        // Layers are read on threads that may block.
        let never = || false;
        let (mut secrets, unused) = tokio::task::block_in_place(|| self.search(secrets, &contents, &never))?;
        self.spare_public(&mut secrets, &sent, connections).await;
        // An allowance may apply to content that was not searched.
        secrets.unused = if all_searched { unused } else { Vec::new() };
        Ok((Some(secrets), not_searched))
    }

    /// Searches the parts of `sent` that `planned` names, with the policy and the allowances that it carries, and returns it with the findings.
    /// `stopped` returns whether the person wants to stop; then findings may be missing. Blocks, and reads what was not searched before.
    ///
    /// # Errors
    ///
    /// Everything that could not be searched.
    pub(crate) fn search_again(
        &self,
        planned: &PlannedSecrets,
        sent: &[&SentContent<'_>],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<PlannedSecrets, Vec<Diagnostic>> {
        self.search(planned.clone(), sent, stopped).map(|(searched, _)| searched)
    }

    /// Returns `planned` with the findings, and the allowances that allow none of them.
    fn search(
        &self,
        planned: PlannedSecrets,
        sent: &[&SentContent<'_>],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<(PlannedSecrets, Vec<SecretAllowance>), Vec<Diagnostic>> {
        let gathered = gather::gather(self.rules, &planned, sent);
        let cache = self.cache.as_ref();
        let searcher = BlobSearcher { rules: self.rules, cache, reporter: &self.reporter, stopped };
        let results = searcher.search_all(&gathered.jobs);
        if let Some(cache) = cache {
            cache.prune();
        }
        findings::findings(self.rules, planned, &gathered, &results)
    }
}

/// Returns the folder for caches, by the conventions of the system.
fn cache_folder(environment: &Environment) -> Option<PathBuf> {
    let folder = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let beside_home = |below: &str| folder("HOME").map(|home| home.join(below));
    folder("XDG_CACHE_HOME").or_else(|| {
        if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            beside_home("Library/Caches")
        } else {
            beside_home(".cache")
        }
    })
}

/// Returns the file of the key of the cache. It is not in the folder for caches, which may be restored from elsewhere.
fn key_file(environment: &Environment) -> Option<PathBuf> {
    let folder = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let beside_home = |below: &str| folder("HOME").map(|home| home.join(below));
    let found = folder("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            folder("APPDATA")
        } else if cfg!(target_os = "macos") {
            beside_home("Library/Application Support")
        } else {
            beside_home(".local/state")
        }
    });
    Some(found?.join("brokkr-publish").join("cache-key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_for_caches_is_not_used() {
        let folder = |path: &str| {
            let environment = [("XDG_CACHE_HOME".to_owned(), path.to_owned())].into_iter().collect();
            cache_folder(&environment)
        };
        assert_eq!(folder("relative"), None);
        let absolute = std::env::temp_dir();
        assert_eq!(folder(&absolute.display().to_string()), Some(absolute));
    }
}

#[cfg(test)]
mod reference_tests;
