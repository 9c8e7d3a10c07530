//! The rules that an apply of a saved plan searches by: its own, never those that the plan claims.

use std::collections::BTreeMap;

use crate::config::{Config, Secrets};
use crate::model::Visibility;
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::secret_search::{PlannedSecrets, SecretPolicy};
use oci_registry::reference::RegistryEndpoint;

/// The rules of an apply for the search of a saved plan's content. A plan is a file that others may have written, so it decides
/// neither whether content is searched, nor which of it, nor the effect of a finding.
#[derive(Debug, Clone, Default)]
pub struct OwnSearch {
    secrets: Secrets,
    /// The configuration of the apply, if it has one.
    config: Option<Config>,
    /// Whether the apply has no configuration, and `--expect` binds the plan.
    is_bound: bool,
    /// The policies of a bound plan by address.
    policies: BTreeMap<String, SecretPolicy>,
}

impl OwnSearch {
    /// Returns the rules of `config`, which the apply found itself.
    pub fn of_config(config: &Config) -> Self {
        Self { secrets: config.secrets.clone(), config: Some(config.clone()), ..Self::default() }
    }

    /// Returns the rules of an apply without a configuration: `secrets`, which its environment and command line set. If `is_bound`, the
    /// digest of `plan` was given, so that it is the approved plan, and its rules count as well: its allowances, the severities that block,
    /// and the policies of its repositories. Only a policy that turns the search off does not count.
    pub fn without_config(secrets: Secrets, plan: &Plan, is_bound: bool) -> Self {
        let mut own = Self { secrets, is_bound, ..Self::default() };
        if let Some(PlannedSecrets { allow, block, unsearched_policy, repositories, .. }) =
            plan.secrets.as_ref().filter(|_| is_bound)
        {
            own.secrets.allow.extend(allow.iter().cloned());
            own.secrets.block = *block;
            own.secrets.unsearched = *unsearched_policy;
            let searching = repositories.iter().filter(|(_, it)| it.policy != SecretPolicy::Off);
            own.policies = searching.map(|(address, it)| (address.clone(), it.policy)).collect();
        }
        own
    }

    /// Returns the allowances and the severities that block.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Returns the declared policy for the repository at `address`.
    pub(super) fn policy(&self, address: &str) -> Option<SecretPolicy> {
        self.secrets.policy.or_else(|| self.policies.get(address).copied())
    }

    /// Returns the visibility that the configuration of the apply declares for `planned`, or the approved plan, or `Err` if neither knows
    /// such a repository.
    pub(super) fn visibility(
        &self,
        planned: &PlannedRepository,
        endpoint: &RegistryEndpoint,
    ) -> Result<Option<Visibility>, UnknownRepository> {
        let find = || {
            let config = self.config.as_ref()?;
            let resource = config.resources.get(&planned.resource)?;
            let registry = config.registries.get(&planned.registry)?;
            let is_same = registry.endpoint.url == endpoint.url
                && registry.endpoint.url.repository(&resource.repository) == planned.repository;
            is_same.then(|| resource.visibility.or(registry.visibility))
        };
        let approved = || self.is_bound.then(|| planned.visibility.as_ref().map(|it| it.declared));
        find().or_else(approved).ok_or(UnknownRepository)
    }
}

/// The configuration does not declare a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownRepository;
