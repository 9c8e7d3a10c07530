//! The environment variables whose values go to a registry and to the API of its provider, by name alone.

use super::{EnvironmentLookup, ci};
use crate::endpoint::RegistryEndpoint;
use crate::provider::Provider;
use crate::reference::RegistryLocation;

/// An environment variable, and the host that its value may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentVariable {
    /// The name of the variable.
    pub variable: String,
    /// The host.
    pub host: String,
}

/// Returns the variables whose values may be sent because of `endpoint`, to the registry first: those that it names, or else those that
/// a CI gives its jobs and `DOCKER_AUTH_CONFIG`.
pub fn sent_variables(endpoint: &RegistryEndpoint, environment: &EnvironmentLookup) -> Vec<SentVariable> {
    let RegistryLocation::Http { host, .. } = &endpoint.url else { return Vec::new() };
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let logins: Vec<String> = match &endpoint.auth {
        Some(auth) => vec![auth.username_env.clone(), auth.password_env.clone()],
        None => {
            let whole = variable("DOCKER_AUTH_CONFIG").filter(|text| text.contains(host.as_str()));
            let of_job = ci::variables_of_job(host, &variable);
            whole.map(|_| "DOCKER_AUTH_CONFIG".to_owned()).into_iter().chain(of_job).collect()
        }
    };
    let api = match endpoint.provider() {
        None => None,
        Some(_) if endpoint.api_refusal().is_some() => None,
        Some(Provider::Github) if endpoint.api_url.is_none() => Some("api.github.com".to_owned()),
        Some(_) => endpoint.api().map(|api| api.host()),
    };
    let to = |host: &str, names: &[String]| -> Vec<SentVariable> {
        let sent = |variable: &String| SentVariable { variable: variable.clone(), host: host.to_owned() };
        names.iter().map(sent).collect()
    };
    let mut sent = to(host, &logins);
    if let Some(api) = api {
        let names = endpoint.api_token_env.as_ref().map_or_else(|| logins.clone(), |name| vec![name.clone()]);
        let others = to(&api, &names);
        sent.extend(others.into_iter().filter(|it| it.host != *host || !logins.contains(&it.variable)));
    }
    sent
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::endpoint::CredentialVariables;

    fn sent(endpoint: &RegistryEndpoint, variables: &'static [(&'static str, &'static str)]) -> Vec<String> {
        let value = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let environment: EnvironmentLookup = Arc::new(value);
        sent_variables(endpoint, &environment)
            .iter()
            .map(|it| format!("{} {}", it.variable, it.host))
            .collect()
    }

    #[test]
    fn each_variable_is_listed_with_its_hosts() {
        const JOB: &[(&str, &str)] =
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "a")];
        let of = |url: &str| RegistryEndpoint::of(url.parse().expect("a location"));
        let auth = |username: &str, password: &str| CredentialVariables {
            username_env: username.to_owned(),
            password_env: password.to_owned(),
        };
        let named = RegistryEndpoint { auth: Some(auth("U", "P")), ..of("registry.example/acme") };
        let quay = RegistryEndpoint {
            auth: Some(auth("U", "P")),
            api_token_env: Some("T".to_owned()),
            ..of("quay.io/acme")
        };
        let evil = RegistryEndpoint {
            api_url: Some("https://evil.test".parse().expect("an address")),
            ..quay.clone()
        };
        for (endpoint, variables, expected) in [
            (&named, &[][..], vec!["U registry.example", "P registry.example"]),
            (&quay, &[], vec!["U quay.io", "P quay.io", "T quay.io"]),
            (&evil, &[], vec!["U quay.io", "P quay.io"]),
            (&of("ghcr.io/acme"), JOB, vec!["GITHUB_TOKEN ghcr.io", "GITHUB_TOKEN api.github.com"]),
            (&of("ghcr.io/acme"), &[], vec![]),
            (&of("oci:dist"), JOB, vec![]),
            (&of("registry.example"), JOB, vec![]),
            (
                &of("registry.example"),
                &[("DOCKER_AUTH_CONFIG", "{\"auths\":{\"registry.example\":{}}}")],
                vec!["DOCKER_AUTH_CONFIG registry.example"],
            ),
        ] {
            assert_eq!(sent(endpoint, variables), expected, "{endpoint:?}");
        }
    }
}
