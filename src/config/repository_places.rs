//! The places of the repositories of a resource: which is in which registry.

use indexmap::IndexMap;

use super::repository::{RepositoryTemplate, registry_of_place};
use super::{Config, DeclaredRegistry, Resource};
use crate::model::ResourceId;
use oci_registry::RepositoryName;

impl Resource {
    /// The repository at the place `place`, which is one of [`Resource::registries`].
    pub fn repository_in(&self, place: &str) -> &RepositoryName {
        self.repositories.get(place).unwrap_or(&self.repository)
    }

    /// Whether a repository is a template.
    pub fn has_repository_templates(&self) -> bool {
        self.declared_repositories.iter().any(RepositoryTemplate::is_template)
    }

    /// Puts the repositories, one for each of `declared_repositories`, into their places. The first in a registry has the name of the
    /// registry as its place, and each further one has its path behind it: `ghcr/other/app`.
    pub fn place_repositories(&mut self, names: &[RepositoryName]) {
        let mut places: IndexMap<String, RepositoryName> = IndexMap::new();
        let registries = self.registries_of_all.clone();
        for (declared, name) in self.declared_repositories.iter().zip(names) {
            let one = declared.registry.as_ref().map(std::slice::from_ref);
            for registry in one.unwrap_or(&registries) {
                let is_known = |(place, known): (&String, &RepositoryName)| {
                    registry_of_place(place) == registry && known == name
                };
                if places.iter().any(is_known) {
                    continue;
                }
                let place = if places.contains_key(registry) {
                    format!("{registry}/{name}")
                } else {
                    registry.clone()
                };
                places.insert(place, name.clone());
            }
        }
        if let Some(first) = names.first() {
            self.repository = first.clone();
        }
        self.registries = places.keys().cloned().collect();
        self.repositories = places;
    }
}

impl Config {
    /// The registry at the place `place` of a resource.
    pub fn registry(&self, place: &str) -> Option<&DeclaredRegistry> {
        self.registries.get(registry_of_place(place))
    }

    /// The resources whose repositories are templates.
    pub fn templated_repositories(&self) -> Vec<ResourceId> {
        let of = |(id, resource): (&ResourceId, &Resource)| {
            resource.has_repository_templates().then(|| id.clone())
        };
        self.resources.iter().filter_map(of).collect()
    }
}
