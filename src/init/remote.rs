//! Finds the registry that belongs to a git remote.

use super::names::slug;
use oci_registry::RepositoryName;
use oci_registry::reference::RegistryLocation;

/// The registry that a project publishes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// The name of the registry in `publish.toml`.
    pub name: &'static str,
    /// Its `url`.
    pub url: String,
    /// Whether several projects share its names: GitHub's packages belong to an owner, GitLab's to a project.
    pub shared: bool,
    /// The address of the source, if it is one that others can open.
    pub source: Option<String>,
    /// Whether the registry follows from the remote.
    pub known: bool,
    /// `visibility`, if it is declared.
    pub visibility: Option<String>,
}

/// The registry for a project with this remote, or a directory if no registry is known to belong to it.
pub(super) fn place(remote: Option<&str>) -> Destination {
    let source = remote.filter(|it| is_plain_address(it)).map(str::to_owned);
    let directory = |source| Destination {
        name: "bundle",
        url: "oci:dist/registry".to_owned(),
        shared: false,
        source,
        known: false,
        visibility: None,
    };
    let Some((host, path)) =
        source.as_deref().and_then(|it| it.split_once("://")).and_then(|(_, it)| it.split_once('/'))
    else {
        return directory(source);
    };
    // docs.github.com, "Working with the Container registry", and docs.gitlab.com, "GitLab container registry": lower case.
    let path = path.to_ascii_lowercase();
    let (name, url, shared) = match host.to_ascii_lowercase().as_str() {
        "github.com" => ("ghcr", format!("ghcr.io/{}", path.split('/').next().unwrap_or_default()), true),
        "gitlab.com" => ("gitlab", format!("registry.gitlab.com/{path}"), false),
        _ => return directory(source),
    };
    let below = url.split_once('/').map_or("", |(_, below)| below);
    let is_registry = matches!(url.parse(), Ok(RegistryLocation::Http { .. }));
    if !is_registry || below.parse::<RepositoryName>().is_err() {
        return directory(source);
    }
    Destination { name, url, shared, source, known: true, visibility: None }
}

/// Whether `address` is a web address without characters that a file or a person could misread.
fn is_plain_address(address: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.starts_with('/') && rest.contains('/') && rest.chars().all(plain))
        && address.len() <= 500
}

/// The name of a project, from the address of its remote.
pub(super) fn project(remote: Option<&str>) -> Option<String> {
    remote?.trim_end_matches('/').rsplit(['/', ':']).next().and_then(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_belong_to_remotes() {
        for (remote, expected, source) in [
            (Some("https://github.com/Colliery-IO/Brokkr"), "ghcr.io/colliery-io", true),
            (Some("https://gitlab.com/Group/sub/Project"), "registry.gitlab.com/group/sub/project", true),
            (Some("https://GitHub.com/o/p"), "ghcr.io/o", true),
            (Some("https://git.example.com/team/app"), "oci:dist/registry", true),
            (Some("https://github.com/"), "oci:dist/registry", true),
            (Some("https://github.com/-x-/y"), "oci:dist/registry", true),
            (Some("https://github.com/a\u{1b}b/\"c"), "oci:dist/registry", false),
            (Some("https://github.com/a\nb/c"), "oci:dist/registry", false),
            (Some("/srv/git/app"), "oci:dist/registry", false),
            (Some(""), "oci:dist/registry", false),
            (None, "oci:dist/registry", false),
        ] {
            let place = place(remote);
            assert_eq!((place.url.as_str(), place.source.is_some()), (expected, source), "{remote:?}");
        }
    }
}
