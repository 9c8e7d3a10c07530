//! The declaration of a registry: [`RegistryEndpoint`].

use serde::{Deserialize, Serialize};

use crate::api_url::ApiUrl;
use crate::provider::Provider;
use crate::reference::RegistryLocation;

/// The way to reach a registry: everything that a saved plan must know about it. It names the environment
/// variables of credentials and the files of keys, and never contains either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RegistryEndpoint {
    /// The location of the registry.
    pub url: RegistryLocation,
    /// Whether plain HTTP, and certificates that cannot be verified, are allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// A file of PEM certificates to trust in addition to the system's, relative to the
    /// folder of the declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// A file of PEM certificates to present to the registry, the client's own first, relative to the folder of the declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
    /// The file of the PEM private key of `client_certificate`, relative to the folder of the declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// The environment variables that hold the credentials; without them, the Docker and podman
    /// credential files are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<CredentialVariables>,
    /// The provider that runs the registry, if declared; see [`RegistryEndpoint::provider`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The address of the provider's API, if declared; see [`RegistryEndpoint::api`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<ApiUrl>,
    /// The environment variable that holds the token for the provider's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token_env: Option<String>,
}

impl RegistryEndpoint {
    /// Returns the registry at `url`, with nothing else declared.
    pub fn of(url: RegistryLocation) -> Self {
        Self {
            url,
            insecure: false,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            auth: None,
            provider: None,
            api_url: None,
            api_token_env: None,
        }
    }

    /// Returns the provider that runs the registry: the declared one, or else the one of a well-known host. A directory has no
    /// provider.
    pub fn provider(&self) -> Option<Provider> {
        match &self.url {
            RegistryLocation::Http { host, .. } => self.provider.or_else(|| Provider::of_host(host)),
            RegistryLocation::Directory { .. } => None,
        }
    }

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

    /// Returns why no credentials may be sent to the declared API, if that is so.
    pub fn api_refusal(&self) -> Option<ApiRefusal> {
        let declared = self.api_url.as_ref()?;
        let RegistryLocation::Http { host, .. } = &self.url else { return None };
        let known = match Provider::of_host(host) {
            Some(Provider::Github) => Some("api.github.com".to_owned()),
            _ => Self { api_url: None, ..self.clone() }.api().map(|api| api.host()),
        };
        let is_known = known.as_deref() == Some(declared.host().as_str());
        if Provider::of_host(host).is_some() {
            return (!is_known).then(|| ApiRefusal::KnownHost { known: known.unwrap_or_default() });
        }
        let (api, registry) = (bare_host(&declared.host()), bare_host(host));
        let leads_elsewhere = !is_known
            && api != registry
            && !registry.ends_with(&format!(".{api}"))
            && self.api_token_env.is_none();
        leads_elsewhere.then_some(ApiRefusal::OtherHost)
    }
}

/// The reason why no credentials may be sent to a declared API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiRefusal {
    /// The registry is a well-known one, whose API has the host `known`.
    KnownHost {
        /// The host of its API.
        known: String,
    },
    /// The API is on another host than the registry, and no token is named for it. A registry may be a subdomain of the host of its
    /// API.
    OtherHost,
}

/// Returns a host without its port, in lower case. All names of this machine are one.
fn bare_host(host: &str) -> String {
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|it| it.is_ascii_digit()) { name } else { host });
    let is_loopback = matches!(name, "127.0.0.1" | "[::1]");
    if is_loopback { "localhost".to_owned() } else { name.to_ascii_lowercase() }
}

/// The names of the environment variables that hold a user name and a password or token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct CredentialVariables {
    /// The variable that holds the user name.
    pub username_env: String,
    /// The variable that holds the password or token.
    pub password_env: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, provider: Option<Provider>) -> RegistryEndpoint {
        RegistryEndpoint { provider, ..RegistryEndpoint::of(url.parse().expect("a location")) }
    }

    #[test]
    fn credentials_go_to_no_api_of_another_host() {
        let known = |host: &str| Some(ApiRefusal::KnownHost { known: host.to_owned() });
        let other = Some(ApiRefusal::OtherHost);
        for (registry, api, token, expected) in [
            ("harbor.acme.test/team", Some("https://harbor.acme.test"), None, None),
            ("harbor.acme.test:8443/team", Some("https://harbor.acme.test"), None, None),
            ("containers.acme.test/team", Some("https://acme.test"), None, None),
            ("harbor.acme.test/team", Some("https://evil.test"), None, other.clone()),
            ("harbor.acme.test/team", Some("https://evil.test/harbor.acme.test"), None, other.clone()),
            ("harbor.acme.test/team", Some("https://evilharbor.acme.test"), None, other.clone()),
            ("harbor.acme.test/team", Some("https://evil.test"), Some("TOKEN"), None),
            ("docker.io/acme", Some("https://hub.docker.com"), None, None),
            ("docker.io/acme", Some("https://evil.test"), None, known("hub.docker.com")),
            ("docker.io/acme", Some("https://evil.test"), Some("TOKEN"), known("hub.docker.com")),
            ("quay.io/acme", Some("https://quay.io"), Some("TOKEN"), None),
            ("quay.io/acme", Some("https://quay.io.evil.test"), Some("TOKEN"), known("quay.io")),
            ("registry.gitlab.com/acme", Some("https://gitlab.com"), Some("TOKEN"), None),
            ("registry.gitlab.com/acme", Some("https://evil.test"), Some("TOKEN"), known("gitlab.com")),
            ("ghcr.io/acme", Some("https://evil.test"), None, known("api.github.com")),
            ("ghcr.io/acme", Some("https://evil.test"), Some("TOKEN"), known("api.github.com")),
            ("ghcr.io/acme", Some("https://api.github.com"), None, None),
            ("127.0.0.1:5000/acme", Some("http://127.0.0.1:6000"), None, None),
            ("ghcr.io/acme", None, None, None),
        ] {
            let mut endpoint = endpoint(registry, None);
            endpoint.api_url = api.map(|it| it.parse().expect("an address"));
            endpoint.api_token_env = token.map(str::to_owned);
            assert_eq!(endpoint.api_refusal(), expected, "{registry} {api:?}");
        }
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
            auth: Some(CredentialVariables {
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
