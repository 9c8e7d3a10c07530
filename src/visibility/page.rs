//! Facts about visibility that follow from the provider, without a request: the pages where a person changes it, changes that
//! cannot be undone, what else changes with it, and the way out if it is not as declared.

use super::VisibilityReading;
use crate::model::Visibility;
use crate::model::visibility::ObservedVisibility;
use oci_registry::reference::{RegistryEndpoint, RegistryLocation};
use oci_registry::{Provider, RepositoryName};

/// Returns the page where a person changes who may pull from `repository`, if its registry has one. It is the page of `project`
/// if the registry has only the visibility of projects.
///
/// GHCR has no API that sets visibility (cli/cli#6820), only this page. The name of the owner does not show whether it is
/// an organization or a user; GitHub redirects from the one to the other.
pub fn settings_url(
    endpoint: &RegistryEndpoint,
    repository: &RepositoryName,
    project: Option<&str>,
) -> Option<String> {
    let RegistryLocation::Http { host, .. } = &endpoint.url else { return None };
    let name = repository.as_str();
    let site = || endpoint.api().map(|api| api.url().to_string());
    match endpoint.provider()? {
        Provider::Github if host == "ghcr.io" => {
            let (owner, package) = name.split_once('/')?;
            let package = package.replace('/', "%2F");
            Some(format!("https://github.com/orgs/{owner}/packages/container/{package}/settings"))
        }
        Provider::Github => None,
        Provider::Dockerhub => {
            let (namespace, name) = name.split_once('/').unwrap_or(("library", name));
            Some(format!("https://hub.docker.com/repository/docker/{namespace}/{name}/settings"))
        }
        Provider::Quay => Some(format!("{}repository/{name}?tab=settings", site()?)),
        Provider::Harbor => Some(format!("{}harbor/projects", site()?)),
        Provider::Gitlab => match project {
            Some(project) => Some(format!("{}{project}/edit", site()?)),
            // It is not known which part of the name is the project. The first part is always a group or a user.
            None => Some(format!("{}{}", site()?, name.split('/').next().unwrap_or_default())),
        },
    }
}

/// Whether the change from the observed to the declared visibility is impossible or cannot be undone: GitHub does not make a
/// public package private again ("Once you make a package public, you cannot make it private again", GitHub Docs, "Configuring
/// a package's access control and visibility").
pub fn irreversible(
    provider: Option<Provider>,
    declared: Visibility,
    setting: Option<Visibility>,
    observed: ObservedVisibility,
) -> bool {
    let is_public = setting == Some(Visibility::Public) || observed == ObservedVisibility::Public;
    provider == Some(Provider::Github) && is_public != (declared == Visibility::Public)
}

/// Whether visibility is a setting of a whole project at this provider.
pub fn is_of_project(provider: Option<Provider>) -> bool {
    matches!(provider, Some(Provider::Harbor | Provider::Gitlab))
}

/// Describes what else changes with the visibility of a repository of `project`, in words.
pub fn wide(provider: Option<Provider>, project: Option<&str>, declared: Visibility) -> Option<String> {
    let project = project?;
    Some(match (provider?, declared) {
        (Provider::Gitlab, Visibility::Private) => format!("all images of the project `{project}`"),
        (Provider::Gitlab, Visibility::Public | Visibility::Internal) => {
            format!("the whole project `{project}`, its code included")
        }
        _ => format!("the whole project `{project}`"),
    })
}

/// Returns the way out if the observed visibility is not the declared one.
pub fn way_out(
    endpoint: &RegistryEndpoint,
    repository: &RepositoryName,
    declared: Visibility,
    reading: &VisibilityReading,
    observed: ObservedVisibility,
) -> String {
    let setting = reading.visibility();
    let project = reading.setting.as_ref().and_then(|setting| setting.project.as_deref());
    let page = settings_url(endpoint, repository, project);
    if irreversible(endpoint.provider(), declared, setting, observed) && declared != Visibility::Public {
        let page = page.map(|page| format!(" on {page}")).unwrap_or_default();
        return format!(
            "GitHub does not make a public package private again: delete the package{page} and publish anew, or declare it public"
        );
    }
    if reading.settable && setting.is_some_and(|setting| setting != declared) {
        return "the registry's API can set it: run the same `apply` again".to_owned();
    }
    if setting == Some(declared) {
        return format!(
            "the registry's API says {}, but an anonymous pull shows otherwise: the change may take a while, or the whole registry requires a login from everybody, or from nobody",
            declared.as_str()
        );
    }
    let why = reading.why.as_deref().map(|why| format!("{why}: ")).unwrap_or_default();
    match page {
        Some(page) => {
            format!("{why}open {page}, change the visibility by hand, and run the same command again")
        }
        None => format!("{why}change it where the registry lets you, and run the same command again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, provider: Option<Provider>) -> RegistryEndpoint {
        RegistryEndpoint { provider, ..RegistryEndpoint::of(url.parse().expect("a location")) }
    }

    #[test]
    fn registries_have_pages_where_a_person_changes_visibility() {
        for (url, provider, repository, project, expected) in [
            (
                "ghcr.io/colliery-io",
                None,
                "colliery-io/charts/brokkr-broker",
                None,
                Some(
                    "https://github.com/orgs/colliery-io/packages/container/charts%2Fbrokkr-broker/settings",
                ),
            ),
            ("docker.io", None, "a/b", None, Some("https://hub.docker.com/repository/docker/a/b/settings")),
            ("quay.io", None, "a/b", None, Some("https://quay.io/repository/a/b?tab=settings")),
            (
                "h.example",
                Some(Provider::Harbor),
                "a/b",
                Some("a"),
                Some("https://h.example/harbor/projects"),
            ),
            ("registry.gitlab.com", None, "a/b/c", Some("a/b"), Some("https://gitlab.com/a/b/edit")),
            ("registry.gitlab.com", None, "a/b/c", None, Some("https://gitlab.com/a")),
            ("containers.ghe.example", Some(Provider::Github), "a/b", None, None),
            ("localhost:5000", None, "a/b", None, None),
            ("oci:dist", None, "a/b", None, None),
        ] {
            let repository = repository.parse().expect("a name");
            let found = settings_url(&endpoint(url, provider), &repository, project);
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn github_never_makes_a_public_package_private_again() {
        use ObservedVisibility::{NotPublic, Public};
        let github = Some(Provider::Github);
        for (provider, declared, setting, observed, expected) in [
            (github, Visibility::Public, None, NotPublic, true),
            (github, Visibility::Private, None, Public, true),
            (github, Visibility::Private, Some(Visibility::Public), NotPublic, true),
            (github, Visibility::Private, Some(Visibility::Internal), NotPublic, false),
            (Some(Provider::Quay), Visibility::Public, None, NotPublic, false),
            (None, Visibility::Private, None, Public, false),
        ] {
            assert_eq!(irreversible(provider, declared, setting, observed), expected);
        }
    }
}
