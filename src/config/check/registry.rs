//! `[registries.*]`: addresses.

use indexmap::IndexMap;

use super::Desk;
use crate::config::{Registry, raw};
use crate::diagnostic::Code;
use crate::model::RegistryLocation;
use crate::model::reference::{CredentialVariables, RegistryEndpoint};

/// The keys of a client's certificate, which go together.
const PAIR: (&str, &str) = ("client_certificate", "client_key");

pub(super) fn check(raw: IndexMap<String, raw::Registry>, desk: &mut Desk<'_>) -> IndexMap<String, Registry> {
    let entry = |(name, raw): (String, raw::Registry)| {
        let url = location(&raw.url?, &name, desk)?;
        if let (Some(_), RegistryLocation::Directory { .. }) = (raw.provider, &url) {
            desk.wrong(
                Code::ConfigValue,
                format!("registry `{name}` is a directory, which has no `provider`"),
                &["registries", &name, "provider"],
                "nobody runs a directory",
                "remove `provider`",
            );
        }
        let given = (raw.client_certificate.is_some(), raw.client_key.is_some());
        if let (true, false) | (false, true) = given {
            let (there, missing) = if given.0 { PAIR } else { (PAIR.1, PAIR.0) };
            // One that is there and was taken out as wrong is told of already.
            if desk.places.key(&["registries", &name, missing]).is_none() {
                desk.wrong(
                    Code::ConfigMissingKey,
                    format!("registry `{name}` has a `{there}`, and no `{missing}`"),
                    &["registries", &name, there],
                    &format!("needs `{missing}`"),
                    format!("add the key, the name of a PEM file, or remove `{there}`"),
                );
            }
        }
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
        };
        Some((name, Registry { endpoint, visibility: raw.visibility }))
    };
    raw.into_iter().filter_map(entry).collect()
}

fn location(url: &str, name: &str, desk: &mut Desk<'_>) -> Option<RegistryLocation> {
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
    desk.wrong(Code::ConfigUrl, error.to_string(), &["registries", name, "url"], &label, help);
    None
}
