//! Facts that follow from the declaration of a registry: its anonymous form, and the address of its provider's API. The type
//! itself is in [`super::reference`].

use crate::reference::{RegistryEndpoint, RegistryLocation};
use crate::{ApiUrl, Provider};

impl RegistryEndpoint {
    /// Returns the same registry without anything that identifies the user: only how to reach it.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            insecure: self.insecure,
            ca_file: self.ca_file.clone(),
            provider: self.provider,
            ..Self::of(self.url.clone())
        }
    }

    /// Returns the address of the provider's API: the declared one, or else the well-known one. There is none for GitHub, because
    /// the environment names it.
    pub fn api(&self) -> Option<ApiUrl> {
        if let Some(declared) = &self.api_url {
            return Some(declared.clone());
        }
        let RegistryLocation::Http { host, .. } = &self.url else { return None };
        let scheme = if self.url.is_loopback() && self.ca_file.is_none() { "http" } else { "https" };
        let known = match self.provider()? {
            Provider::Dockerhub => "https://hub.docker.com".to_owned(),
            Provider::Quay | Provider::Harbor => format!("{scheme}://{host}"),
            Provider::Gitlab if host == "registry.gitlab.com" => "https://gitlab.com".to_owned(),
            Provider::Github | Provider::Gitlab => return None,
        };
        known.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, provider: Option<Provider>) -> RegistryEndpoint {
        RegistryEndpoint { provider, ..RegistryEndpoint::of(url.parse().expect("a location")) }
    }

    #[test]
    fn apis_have_well_known_addresses() {
        for (url, provider, expected) in [
            ("docker.io/acme", None, Some("https://hub.docker.com/")),
            ("quay.io/acme", None, Some("https://quay.io/")),
            ("registry.gitlab.com/acme/app", None, Some("https://gitlab.com/")),
            ("harbor.example:8443/team", Some(Provider::Harbor), Some("https://harbor.example:8443/")),
            ("localhost:5000/team", Some(Provider::Harbor), Some("http://localhost:5000/")),
            ("quay.example/acme", Some(Provider::Quay), Some("https://quay.example/")),
            ("registry.example/acme/app", Some(Provider::Gitlab), None),
            ("ghcr.io/acme", None, None),
            ("registry.example", None, None),
            ("oci:dist", Some(Provider::Harbor), None),
        ] {
            let api = endpoint(url, provider).api();
            assert_eq!(api.as_ref().map(|api| api.url().as_str()), expected, "{url}");
        }
        let declared = RegistryEndpoint {
            api_url: Some("https://git.example".parse().expect("an address")),
            ..endpoint("registry.example/acme/app", Some(Provider::Gitlab))
        };
        assert_eq!(declared.api().expect("an API").url().as_str(), "https://git.example/");
    }

    #[test]
    fn an_anonymous_endpoint_identifies_nobody() {
        let named = RegistryEndpoint {
            insecure: true,
            ca_file: Some("ca.pem".to_owned()),
            auth: Some(super::super::reference::CredentialVariables {
                username_env: "USER_NAME".to_owned(),
                password_env: "USER_WORD".to_owned(),
            }),
            api_token_env: Some("API_WORD".to_owned()),
            api_url: Some("https://api.example".parse().expect("an address")),
            ..endpoint("registry.example/acme", Some(Provider::Harbor))
        };
        let expected = RegistryEndpoint {
            insecure: true,
            ca_file: Some("ca.pem".to_owned()),
            ..endpoint("registry.example/acme", Some(Provider::Harbor))
        };
        assert_eq!(named.anonymous(), expected);
    }
}
