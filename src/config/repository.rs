//! The repositories of a resource as declared, and their names.

use crate::diagnostic::{Code, Diagnostic};
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
