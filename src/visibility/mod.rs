//! Who may pull: what an anonymous pull shows ([`probe`]), and where a person can change it ([`settings_url`]).
//!
//! No registry is asked to change anything here.

mod probe;

pub use probe::probe;

use crate::model::RepositoryName;
use crate::model::reference::RegistryLocation;

/// The page where a person changes who may pull from `repository`, where its registry has one.
///
/// GHCR has no API that sets visibility (cli/cli#6820), only this page. Whether the owner is an organization or a
/// user cannot be told from the name; GitHub redirects from the one to the other.
pub fn settings_url(location: &RegistryLocation, repository: &RepositoryName) -> Option<String> {
    let RegistryLocation::Http { host, .. } = location else { return None };
    if host != "ghcr.io" {
        return None;
    }
    let (owner, package) = repository.as_str().split_once('/')?;
    let package = package.replace('/', "%2F");
    Some(format!("https://github.com/orgs/{owner}/packages/container/{package}/settings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ghcr_has_a_page_for_every_package() {
        let url = |location: &str, repository: &str| {
            settings_url(&location.parse().expect("a location"), &repository.parse().expect("a name"))
        };
        assert_eq!(
            url("ghcr.io/colliery-io", "colliery-io/charts/brokkr-broker").as_deref(),
            Some("https://github.com/orgs/colliery-io/packages/container/charts%2Fbrokkr-broker/settings")
        );
        assert_eq!(url("localhost:5000", "a/b"), None);
        assert_eq!(url("oci:dist", "a/b"), None);
    }
}
