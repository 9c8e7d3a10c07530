//! Help for failures that are not the registry's own: another host answered or was silent, or credentials were kept back.

use oci_registry::{HostRoute, OtherHost, Refusal, RegistryError, UnsentCredentials, UnsentReason};

/// How to correct the address that a registry gives itself.
const OWN_ADDRESS: &str = "correct the address that the registry gives itself (distribution: `http.host` or `http.relativeurls`; Harbor: `external_url`), or the headers `X-Forwarded-Host` and `X-Forwarded-Proto` of the proxy in front of it";

/// How to do without the storage.
const NO_REDIRECT: &str =
    "let the registry send its content itself (distribution: `storage.redirect.disable: true`)";

/// Returns the help for `error`, if another host or the way in which credentials are asked for is the cause.
pub(super) fn help(error: &RegistryError) -> Option<String> {
    if let RegistryError::Unreachable { elsewhere: Some(other), .. } = error {
        return Some(silent(other));
    }
    let refusal = error.refusal()?;
    match (&refusal.elsewhere, &refusal.unsent) {
        (Some(other), unsent) => Some(refused(refusal, other, unsent.as_ref())),
        (None, Some(unsent)) => Some(not_sent(unsent)),
        (None, None) => None,
    }
}

fn silent(other: &OtherHost) -> String {
    let OtherHost { origin, registry, route } = other;
    match route {
        HostRoute::Redirect => format!(
            "the registry at `{registry}` redirects to `{origin}`, which is usually its storage: let this machine reach it, or {NO_REDIRECT}"
        ),
        HostRoute::Location => format!(
            "the registry at `{registry}` says that uploads go to `{origin}`: if that is not where it can be reached, {OWN_ADDRESS}"
        ),
        HostRoute::TokenServer => format!(
            "`{origin}` is the token server that the registry at `{registry}` names: check that it is running and that this machine can reach it; its address is in the configuration of the registry, not in the `url`"
        ),
    }
}

fn refused(refusal: &Refusal, other: &OtherHost, unsent: Option<&UnsentCredentials>) -> String {
    let OtherHost { origin, registry, route } = other;
    match (route, unsent) {
        (HostRoute::Location, Some(unsent)) => format!(
            "the registry at `{registry}` says that uploads go to `{origin}`, and the credentials from {} are sent to no other address than that of the registry: {OWN_ADDRESS}; or name `{}` in the `url`",
            unsent.origin,
            host(origin)
        ),
        (HostRoute::Location, None) => format!(
            "the registry at `{registry}` says that uploads go to `{origin}`, which refuses them: if that is not where it can be reached, {OWN_ADDRESS}"
        ),
        (HostRoute::Redirect, Some(unsent)) if refusal.status == 401 => format!(
            "the registry at `{registry}` redirects to `{origin}`, which requires credentials, and those from {} are sent to no other address than that of the registry: if `{origin}` is the registry, name `{}` in the `url`",
            unsent.origin,
            host(origin)
        ),
        (HostRoute::Redirect, _) => format!(
            "the registry at `{registry}` redirects to `{origin}`, usually its storage, which refuses the request; the credentials of this run play no part in that: check the registry's access to its storage, its clock, and proxies in between; or {NO_REDIRECT}"
        ),
        (HostRoute::TokenServer, _) => {
            format!(
                "`{origin}` is the token server that the registry at `{registry}` names, and refuses this"
            )
        }
    }
}

fn not_sent(unsent: &UnsentCredentials) -> String {
    let UnsentCredentials { origin, reason } = unsent;
    match reason {
        UnsentReason::Challenge(text) => format!(
            "the registry asks for credentials by `WWW-Authenticate: {text}`, which is neither `Basic` nor `Bearer` with the address of a token server, so those from {origin} were not sent: correct the configuration of the registry, or of the proxy in front of it"
        ),
        UnsentReason::NotAsked | UnsentReason::OtherHost => format!(
            "the registry refuses this without asking for credentials (no `WWW-Authenticate`), so those from {origin} were not sent: check that the `url` is that of a registry, and the proxy in front of it"
        ),
    }
}

/// Returns the host and port of an address.
fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::NetworkFailure;

    fn other(route: HostRoute) -> OtherHost {
        let (origin, registry) = ("http://other:9000".to_owned(), "https://registry".to_owned());
        OtherHost { origin, registry, route }
    }

    fn unsent(reason: UnsentReason) -> UnsentCredentials {
        UnsentCredentials { origin: "`U` and `P`".to_owned(), reason }
    }

    #[test]
    fn the_host_that_is_to_blame_is_named() {
        for (route, status, kept_back, words) in [
            (
                HostRoute::Location,
                401,
                true,
                &["`U` and `P`", "`http://other:9000`", "name `other:9000`"][..],
            ),
            (HostRoute::Location, 403, false, &["uploads go to `http://other:9000`"]),
            (HostRoute::Redirect, 401, true, &["`U` and `P`", "redirects to `http://other:9000`"]),
            (HostRoute::Redirect, 403, true, &["usually its storage", "play no part", "its clock"]),
            (HostRoute::Redirect, 400, false, &["usually its storage", "storage.redirect.disable"]),
        ] {
            let refusal = Refusal {
                request: "GET http://other:9000/x".to_owned(),
                status,
                elsewhere: Some(other(route)),
                unsent: kept_back.then(|| unsent(UnsentReason::OtherHost)),
                ..Refusal::default()
            };
            let help = help(&RegistryError::from_refusal(refusal)).expect("a help");
            assert!(words.iter().all(|words| help.contains(words)), "{route:?} {status}: {help}");
            assert!(!help.contains("no credentials") && !help.contains("none were found"), "{help}");
        }
    }

    #[test]
    fn a_silent_host_is_named_with_the_way_to_it() {
        for (route, words) in [
            (HostRoute::Location, "uploads go to"),
            (HostRoute::Redirect, "redirects to"),
            (HostRoute::TokenServer, "token server"),
        ] {
            let error = RegistryError::Unreachable {
                request: "PUT http://other:9000/x".to_owned(),
                cause: "no".to_owned(),
                attempts: 1,
                failure: NetworkFailure::Name,
                elsewhere: Some(Box::new(other(route))),
            };
            let help = help(&error).expect("a help");
            assert!(help.contains(words) && help.contains("`http://other:9000`"), "{help}");
        }
    }

    #[test]
    fn credentials_that_were_not_asked_for_are_not_called_missing() {
        for (reason, words) in [
            (UnsentReason::Challenge("Negotiate".to_owned()), "`WWW-Authenticate: Negotiate`"),
            (UnsentReason::NotAsked, "without asking for credentials"),
        ] {
            let refusal = Refusal { status: 401, unsent: Some(unsent(reason)), ..Refusal::default() };
            let help = help(&RegistryError::from_refusal(refusal)).expect("a help");
            assert!(help.contains(words) && help.contains("`U` and `P`"), "{help}");
        }
        let refusal = Refusal { status: 401, ..Refusal::default() };
        assert_eq!(super::help(&RegistryError::from_refusal(refusal)), None);
    }
}
