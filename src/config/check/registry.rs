//! `[registries.*]`: addresses, providers and visibility.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::{DeclaredRegistry, Resource, raw, registry_of_place};
use crate::diagnostic::Code;
use crate::model::{ResourceId, Visibility};
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{ApiRefusal, ApiUrl, Provider, RegistryLocation};

/// The two keys of a client certificate, which must be given together.
const PAIR: (&str, &str) = ("client_certificate", "client_key");

pub(super) fn check_registries(
    raw: IndexMap<String, raw::RawRegistry>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, DeclaredRegistry> {
    let entry = |(name, raw): (String, raw::RawRegistry)| {
        let url = location(&raw.url?, &name, problems)?;
        if let (Some(_), RegistryLocation::Directory { .. }) = (raw.provider, &url) {
            problems.wrong(
                Code::ConfigValue,
                format!("registry `{name}` is a directory, which has no `provider`"),
                &["registries", &name, "provider"],
                "a directory has no provider",
                "remove `provider`",
            );
        }
        let given = (raw.client_certificate.is_some(), raw.client_key.is_some());
        if let (true, false) | (false, true) = given {
            let (there, missing) = if given.0 { PAIR } else { (PAIR.1, PAIR.0) };
            // A missing key that was written has been removed as wrong, and has already been reported.
            if problems.places.key(&["registries", &name, missing]).is_none() {
                problems.wrong(
                    Code::ConfigMissingKey,
                    format!("registry `{name}` has a `{there}` but no `{missing}`"),
                    &["registries", &name, there],
                    &format!("needs `{missing}`"),
                    format!("add it with the name of a PEM file, or remove `{there}`"),
                );
            }
        }
        let names_api = raw.api_url.is_some();
        let api_url =
            raw.api_url.and_then(|text| api_url(&text, &name, raw.insecure == Some(true), problems));
        let endpoint = RegistryEndpoint {
            url,
            insecure: raw.insecure.unwrap_or_default(),
            ca_file: raw.ca_file,
            client_certificate: raw.client_certificate,
            client_key: raw.client_key,
            auth: raw.auth.and_then(|auth| {
                Some(CredentialVariables {
                    username_env: auth.username_env?,
                    password_env: auth.password_env?,
                })
            }),
            provider: raw.provider,
            api_url,
            api_token_env: raw.api_token_env,
        };
        api(&endpoint, names_api, &name, problems);
        let required = raw.required.unwrap_or(true);
        Some((name, DeclaredRegistry { endpoint, visibility: raw.visibility, required }))
    };
    raw.into_iter().filter_map(entry).collect()
}

/// Parses the address of an API, or reports what is wrong with it. The message does not show the text, which may contain a
/// secret.
fn api_url(text: &str, name: &str, insecure: bool, problems: &mut Problems<'_>) -> Option<ApiUrl> {
    let problem = match text.parse::<ApiUrl>() {
        Ok(url) if url.is_confidential() || insecure => return Some(url),
        Ok(_) => "does not use https".to_owned(),
        Err(error) => error.to_string(),
    };
    problems.wrong(
        Code::ConfigValue,
        format!("`api_url` of registry `{name}` {problem}"),
        &["registries", name, "api_url"],
        "not the address of an API",
        "write `https://HOST[:PORT][/PATH]`; a loopback host, or a registry with `insecure = true`, may use http",
    );
    None
}

/// Reports keys of an API that no provider has, and the missing address of an API that a provider needs.
fn api(endpoint: &RegistryEndpoint, names_api: bool, name: &str, problems: &mut Problems<'_>) {
    let provider = endpoint.provider();
    let named =
        [("api_url", endpoint.api_url.is_some()), ("api_token_env", endpoint.api_token_env.is_some())];
    for (key, _) in named.into_iter().filter(|(_, named)| *named && provider.is_none()) {
        problems.wrong(
            Code::ConfigValue,
            format!("registry `{name}` has `{key}`, but its provider is not known"),
            &["registries", name, key],
            "which provider's API?",
            "name the `provider`: `\"github\"`, `\"dockerhub\"`, `\"quay\"`, `\"harbor\"` or `\"gitlab\"`",
        );
    }
    if let Some(ApiRefusal::KnownHost { known }) = endpoint.api_refusal() {
        problems.wrong(
            Code::ConfigValue,
            format!("`api_url` of registry `{name}` is not the API of its host, which is at `{known}`"),
            &["registries", name, "api_url"],
            "another host",
            "remove `api_url`: the address is known, and credentials are sent to no other",
        );
    }
    if provider == Some(Provider::Gitlab) && !names_api && endpoint.api().is_none() {
        problems.wrong(
            Code::ConfigValue,
            format!("registry `{name}` is a self-managed GitLab and has no `api_url`"),
            &["registries", name, "provider"],
            "its API has another host than its registry",
            "name the address of GitLab itself: `api_url = \"https://gitlab.example.com\"`",
        );
    }
}

/// Reports registries that do not support a visibility that is declared for them, by their own table or by a resource's.
pub(super) fn check_visibilities(
    registries: &IndexMap<String, DeclaredRegistry>,
    resources: &IndexMap<ResourceId, Resource>,
    problems: &mut Problems<'_>,
) {
    for (name, registry) in registries {
        if let Some(visibility) = registry.visibility {
            unknown(name, registry, visibility, &["registries", name, "visibility"], problems);
        }
    }
    for (id, resource) in resources {
        let Some(visibility) = resource.visibility else { continue };
        let of = resource.registries.iter().map(|place| registry_of_place(place));
        let of = of.filter_map(|name| Some((name, registries.get(name)?)));
        let mut found = of.filter(|(_, registry)| !knows(registry, visibility));
        if let Some((name, registry)) = found.next() {
            unknown(name, registry, visibility, &id.key("visibility"), problems);
        }
    }
}

/// Whether a registry supports `visibility`. A directory supports every visibility, because it is never asked.
fn knows(registry: &DeclaredRegistry, visibility: Visibility) -> bool {
    matches!(registry.endpoint.url, RegistryLocation::Directory { .. })
        || known(registry).contains(&visibility)
}

/// The visibilities that a registry supports.
fn known(registry: &DeclaredRegistry) -> &'static [Visibility] {
    registry.endpoint.provider().map_or(&[Visibility::Public, Visibility::Private], Visibility::of_provider)
}

fn unknown(
    name: &str,
    registry: &DeclaredRegistry,
    visibility: Visibility,
    path: &[&str],
    problems: &mut Problems<'_>,
) {
    if knows(registry, visibility) {
        return;
    }
    let known: Vec<String> = known(registry).iter().map(|it| format!("`{}`", it.as_str())).collect();
    let runner = registry.endpoint.provider().map(|it| format!(" of {}", it.name())).unwrap_or_default();
    problems.wrong(
        Code::ConfigValue,
        format!("registry `{name}`{runner} has no visibility `{}`", visibility.as_str()),
        path,
        "not supported by this registry",
        format!("it supports {}; GitHub and GitLab also support `internal`", known.join(" and ")),
    );
}

fn location(url: &str, name: &str, problems: &mut Problems<'_>) -> Option<RegistryLocation> {
    let error = match url.parse::<RegistryLocation>() {
        Ok(location) => return Some(location),
        Err(error) => error,
    };
    let (label, help) = match &error.suggestion {
        Some(suggestion) => {
            (format!("did you mean `{suggestion}`?"), format!("write `url = \"{suggestion}\"`"))
        }
        None => (
            "not the address of a registry".to_owned(),
            "write `host[:port][/namespace]`, such as `ghcr.io/colliery-io`, or `oci:DIR` for a directory"
                .to_owned(),
        ),
    };
    let message = if url.contains("://") {
        format!("{error}; `insecure = true` allows plain http")
    } else {
        error.to_string()
    };
    problems.wrong(Code::ConfigUrl, message, &["registries", name, "url"], &label, help);
    None
}
