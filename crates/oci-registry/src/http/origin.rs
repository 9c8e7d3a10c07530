//! Decides where credentials may be sent: to the scheme, host and port of the registry, and to its token server. They are sent
//! to no other place, wherever a redirect leads.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether two URLs have the same scheme, host and port (RFC 6454, section 4).
pub(super) fn same(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Resolves a redirect, a `Location` or a `Link` from `from`: `text` is absolute or relative.
///
/// A registry behind a proxy that ends TLS often names itself with `http://`; on the same host, that is treated as
/// https. Any other address that leads from https to http is refused, as is any other scheme.
pub(super) fn follow(from: &Url, text: &str) -> Result<Url, String> {
    const LONGEST: usize = 16 * 1024;
    if text.len() > LONGEST {
        return Err(format!("an address of {} bytes", text.len()));
    }
    let mut to = from.join(text.trim()).map_err(|error| format!("an invalid address: {error}"))?;
    to.set_fragment(None);
    // User information that a registry puts into the address would be sent as Basic credentials.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    if !matches!(to.scheme(), "http" | "https") || to.host().is_none() {
        return Err(format!("an address with the scheme `{}`", to.scheme()));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        let same_port = matches!(to.port(), None | Some(80)) || to.port() == from.port();
        if to.host() != from.host() || !same_port {
            return Err("an address that leads from https to http".to_owned());
        }
        let changed = to.set_scheme("https").and_then(|()| to.set_port(from.port()));
        if changed.is_err() {
            return Err("an address that leads from https to http".to_owned());
        }
    }
    Ok(to)
}

/// Checks whether the token server at `realm`, which is often another host, may be asked for a registry at `base`,
/// including with credentials. Returns the reason if it may not.
///
/// Over https it may be asked on any host, except for two places that a registry elsewhere never has a token server in:
/// this machine, and link-local addresses (where clouds keep the credentials of their machines). Over http it may be
/// asked if the registry itself speaks http and the token server is on the same host or this machine, or if the
/// registry was declared `insecure`.
pub(super) fn may_ask_token(base: &Url, realm: &Url, insecure: bool) -> Result<(), &'static str> {
    if !matches!(realm.scheme(), "http" | "https") || realm.host().is_none() {
        return Err("the registry names a token server whose address is invalid");
    }
    if base.host() == realm.host() && (realm.scheme() == "https" || base.scheme() == "http") {
        return Ok(());
    }
    if is_nearby(realm) && !is_this_machine(base) {
        return Err(
            "the registry names a token server on this machine or its own network segment, where the registry is not",
        );
    }
    match (realm.scheme(), base.scheme()) {
        ("https", _) => Ok(()),
        (_, "http") if insecure || is_this_machine(realm) => Ok(()),
        _ => Err("the registry names a token server that does not speak https"),
    }
}

/// Returns the address of a host that is given as an IP address. An IPv4 address inside an IPv6 address is extracted.
fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
        Host::Domain(_) => None,
    }
}

/// Whether a host is this machine, by its name (RFC 6761, section 6.3) or address.
fn is_this_machine(url: &Url) -> bool {
    let name = url.domain().map(|name| name.trim_end_matches('.'));
    name.is_some_and(|name| name == "localhost" || name.ends_with(".localhost"))
        || address(url).is_some_and(|address| address.is_loopback() || address.is_unspecified())
}

/// Whether a host is this machine or link-local (RFC 3927; RFC 4291, section 2.5.6).
fn is_nearby(url: &Url) -> bool {
    let link_local = |address| match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    is_this_machine(url) || address(url).is_some_and(link_local)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect(text)
    }

    #[test]
    fn origins() {
        for (one, other, expected) in [
            ("https://a/x", "https://a:443/y?z", true),
            ("http://a", "http://a:80", true),
            ("https://a", "http://a", false),
            ("https://a", "https://a:444", false),
            ("https://a", "https://a.b", false),
            ("https://a", "https://b", false),
        ] {
            assert_eq!(same(&url(one), &url(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn addresses_are_joined() {
        for (from, text, expected) in [
            (
                "https://r/v2/a/blobs/uploads/",
                "/v2/a/blobs/uploads/1?_state=x%3D",
                Some("https://r/v2/a/blobs/uploads/1?_state=x%3D"),
            ),
            ("https://r/v2/a/blobs/uploads/", "1", Some("https://r/v2/a/blobs/uploads/1")),
            ("https://r/v2/a", "?n=2&last=b", Some("https://r/v2/a?n=2&last=b")),
            ("https://r/v2/a", "https://cdn.example/x?sig=1", Some("https://cdn.example/x?sig=1")),
            ("https://r/v2/a", "//cdn.example/x", Some("https://cdn.example/x")),
            ("https://r/v2/a", "http://r/x", Some("https://r/x")),
            ("https://r:5000/v2/a", "http://r:5000/x", Some("https://r:5000/x")),
            ("https://r:5000/v2/a", "http://r/x", Some("https://r:5000/x")),
            ("https://r/v2/a", "http://other/x", None),
            ("https://r/v2/a", "http://r:8080/x", None),
            ("http://r/v2/a", "https://r/x", Some("https://r/x")),
            ("http://r/v2/a", "http://u:p@r/x#f", Some("http://r/x")),
            ("https://r/v2/a", "file:///etc/passwd", None),
            ("https://r/v2/a", "data:text/plain,x", None),
            ("https://r/v2/a", "http://[", None),
        ] {
            let found = follow(&url(from), text);
            assert_eq!(found.as_ref().ok().map(Url::as_str), expected, "{text}: {found:?}");
        }
        assert!(follow(&url("https://r/"), &"x".repeat(20_000)).is_err());
    }

    #[test]
    fn token_servers_are_asked_safely() {
        for (base, realm, insecure, expected) in [
            ("https://r", "https://auth.r", false, true),
            ("https://r", "https://10.0.0.7/token", false, true),
            ("https://r", "http://r/token", false, false),
            ("https://r", "http://r/token", true, false),
            ("https://r", "http://auth.r/token", true, false),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001", false, true),
            ("http://127.0.0.1:5000", "http://localhost:5001", false, true),
            ("http://127.0.0.1:5000", "https://auth", false, true),
            ("http://127.0.0.1:5000", "http://auth", false, false),
            ("http://r", "http://auth.r", true, true),
            ("http://r", "http://r:81/token", false, true),
            ("https://r", "file:///x", false, false),
            ("https://r", "https://localhost/token", false, false),
            ("https://r", "https://x.localhost./token", false, false),
            ("https://r", "https://127.9.0.1/token", false, false),
            ("https://r", "https://2130706433/token", false, false),
            ("https://r", "https://[::1]/token", false, false),
            ("https://r", "https://[::ffff:127.0.0.1]/token", false, false),
            ("https://r", "https://0.0.0.0/token", false, false),
            ("https://r", "https://169.254.169.254/token", false, false),
            ("https://r", "https://[fe80::1]/token", false, false),
            ("http://r", "http://169.254.169.254/token", true, false),
            ("https://169.254.1.1", "https://169.254.1.1:81/token", false, true),
            ("https://localhost:5000", "https://127.0.0.1:5001/token", false, true),
        ] {
            let found = may_ask_token(&url(base), &url(realm), insecure);
            assert_eq!(found.is_ok(), expected, "{base} {realm} {insecure}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leads_from_https_to_http(text in ".{0,80}") {
            if let Ok(to) = follow(&url("https://registry.example/v2/a/"), &text) {
                prop_assert_eq!(to.scheme(), "https");
                prop_assert_eq!(to.username(), "");
            }
        }
    }
}
