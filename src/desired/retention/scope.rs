//! The repositories that retentions are about, and the retentions in each.

use super::claims::ClaimedTags;
use crate::config::{
    Config, NamedResource, Retention, RetentionCondition, RetentionSubject, registry_of_place,
};
use crate::model::ResourceId;
use crate::model::retention::{Age, AgeFrom};
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
    /// The retention of manifests without a tag.
    pub untagged: Option<UntaggedRetention>,
}

/// The retention of the manifests without a tag of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntaggedRetention {
    /// The name of the retention.
    pub name: String,
    /// The number of newest ones that stay.
    pub keep_last: Option<u64>,
    /// The age up to which they stay.
    pub older_than: Option<Age>,
}

impl UntaggedRetention {
    /// The retention, if it is about manifests without a tag.
    pub(super) fn of(name: &str, retention: &Retention) -> Option<Self> {
        let RetentionCondition::Limits { keep_last, older_than, .. } = retention.condition else {
            return None;
        };
        let is_it = retention.subject == RetentionSubject::Untagged;
        is_it.then(|| Self { name: name.to_owned(), keep_last, older_than })
    }
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
            RetentionCondition::Limits { older_than, keep_last, .. } => {
                older_than.is_some() || (keep_last.is_some() && self.claims.by_version().is_none())
            }
        }
    }

    /// Whether the time that the image states counts, whatever the registry says.
    pub fn counts_from_creation(&self) -> bool {
        self.retention.age_from == AgeFrom::Creation
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
