//! The part of what is desired that one of several runs publishes.

use std::collections::{BTreeMap, BTreeSet};

use super::Desired;
use crate::model::{Partition, ResourceId};

impl Desired {
    /// Keeps only the repositories of `partition`. A resource is in one partition with all its repositories, and so are resources that share
    /// a repository, so that each repository has one writer.
    pub fn keep_partition(&mut self, partition: Partition) {
        let mut groups: BTreeMap<ResourceId, ResourceId> = BTreeMap::new();
        let mut owners: BTreeMap<String, ResourceId> = BTreeMap::new();
        for it in &self.repositories {
            groups.entry(it.resource.clone()).or_insert_with(|| it.resource.clone());
            let owner =
                owners.entry(it.endpoint.url.full_name(&it.name)).or_insert_with(|| it.resource.clone());
            let (one, other) = (group(&groups, owner), group(&groups, &it.resource));
            let (first, second) = if one <= other { (one, other) } else { (other, one) };
            groups.insert(second, first);
        }
        let key = |resource: &ResourceId| group(&groups, resource).to_string();
        let keys: BTreeSet<String> = self.repositories.iter().map(|it| key(&it.resource)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let own: BTreeSet<&str> = partition.select(&keys).into_iter().collect();
        self.repositories.retain(|it| own.contains(key(&it.resource).as_str()));
    }
}

/// Returns the resource that stands for the group of `resource`.
fn group(groups: &BTreeMap<ResourceId, ResourceId>, resource: &ResourceId) -> ResourceId {
    let mut found = resource;
    while let Some(next) = groups.get(found).filter(|next| *next != found) {
        found = next;
    }
    found.clone()
}
