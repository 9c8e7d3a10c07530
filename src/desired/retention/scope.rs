//! The repositories that retentions are about, and the retentions in each.

use super::claims::ClaimedTags;
use crate::config::{Config, NamedResource, Retention, RetentionCondition, registry_of_place};
use crate::model::ResourceId;
use oci_registry::RepositoryName;
use oci_registry::reference::RegistryEndpoint;

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

/// One resource in one registry, and the tags that retentions claim there.
pub(super) struct RetentionScope<'a> {
    pub repository: RetainedRepository,
    /// All resources of the repository, including this one.
    pub resources: Vec<NamedResource<'a>>,
    pub members: Vec<ScopedRetention<'a>>,
}

/// A retention in one repository.
pub(super) struct ScopedRetention<'a> {
    pub name: &'a str,
    pub retention: &'a Retention,
    pub claims: ClaimedTags<'a>,
    /// The pull request that was closed.
    pub pull_request: Option<u64>,
}

impl ScopedRetention<'_> {
    /// Whether the times of its tags must be known before it can decide about them.
    pub fn needs_time(&self) -> bool {
        match self.retention.condition {
            RetentionCondition::PullRequestClosed => false,
            RetentionCondition::Limits { older_than, .. } => {
                older_than.is_some() || self.claims.by_version().is_none()
            }
        }
    }
}

/// A resource in one registry.
#[derive(Clone, Copy)]
pub(super) struct ResourceInRegistry<'a> {
    pub named: NamedResource<'a>,
    /// The registry's name in `publish.toml`.
    pub registry: &'a str,
}

/// The resources and registries that a retention is about.
pub(super) fn resources_of<'a>(config: &'a Config, retention: &'a Retention) -> Vec<ResourceInRegistry<'a>> {
    let mut found = Vec::new();
    for named in retention.resources.iter().filter_map(|id| config.named_resource(id)) {
        let is_covered = |place: &&String| {
            retention.registries.iter().any(|registry| registry == registry_of_place(place))
        };
        let registries = named.resource.registries.iter().filter(is_covered);
        found.extend(registries.map(|registry| ResourceInRegistry { named, registry }));
    }
    found
}
