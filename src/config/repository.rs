//! The repositories of a resource: as declared, and by the registries that they are in.

use indexmap::IndexMap;

use super::{Config, DeclaredRegistry, Resource};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;
use oci_registry::RepositoryName;
use oci_registry::reference::ReferenceError;

/// A repository as declared: `tools/broker`, `{{ ci.repository }}`, `ghcr:other/app`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryTemplate {
    /// The name of its registry. `None`: each of those that the resource is published to.
    pub registry: Option<String>,
    /// The path below the namespace of the registry, which may be a template.
    pub text: String,
    /// The keys below the resource that lead to it, or none if the name of the resource is the default.
    pub keys: Vec<String>,
}

impl RepositoryTemplate {
    /// Whether it is known only once it is rendered.
    pub fn is_template(&self) -> bool {
        ["{{", "{%", "{#"].iter().any(|mark| self.text.contains(mark))
    }
}

/// A name in upper case that was lowered, because registries accept lower case only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// The name before.
    pub from: String,
    /// The name after.
    pub to: String,
}

/// Parses the name of a repository. Upper case is lowered, and reported.
///
/// # Errors
///
/// If the name is not valid in lower case either.
pub fn lowered(text: &str) -> Result<(RepositoryName, Option<Lowered>), ReferenceError> {
    match text.parse::<RepositoryName>() {
        Ok(name) => Ok((name, None)),
        Err(error) => {
            let lower = error.suggestion.as_deref().and_then(|lower| lower.parse::<RepositoryName>().ok());
            let name = lower.ok_or(error)?;
            let note = Lowered { from: text.to_owned(), to: name.to_string() };
            Ok((name, Some(note)))
        }
    }
}

/// The note about a name that was lowered.
pub fn lowered_diagnostic(note: &Lowered) -> Diagnostic {
    let message = format!("the repository `{}` is published as `{}`", note.from, note.to);
    Diagnostic::warning(Code::ConfigRepository, message)
        .help("registries accept lower case only; write `| lower` or the name in lower case to say so")
}

/// The name of the registry in the name of a place: `ghcr` in `ghcr/other/app`.
pub fn registry_of_place(place: &str) -> &str {
    place.split('/').next().unwrap_or(place)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_is_lowered() {
        let of = |text| lowered(text).map(|(name, note)| (name.to_string(), note.is_some())).ok();
        assert_eq!(of("acme/app"), Some(("acme/app".to_owned(), false)));
        assert_eq!(of("Acme/App"), Some(("acme/app".to_owned(), true)));
        assert_eq!(of("Acme//App"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn the_name_of_a_place_begins_with_its_registry() {
        assert_eq!(registry_of_place("ghcr"), "ghcr");
        assert_eq!(registry_of_place("ghcr/other/app"), "ghcr");
    }
}
