//! Whom credentials are for. They never leave the registry's own scheme, host and port.

use url::Url;

/// Whether two URLs have scheme, host and port in common (RFC 6454, section 4).
pub(super) fn same(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Where a redirect, a `Location` or a `Link` from `from` leads: `text` is absolute or relative.
///
/// A registry behind a proxy that ends TLS often names itself with `http://`; on the host it came from, that
/// is https all the same. Anything else that leads from https to http is refused, as is any other scheme.
pub(super) fn follow(from: &Url, text: &str) -> Result<Url, String> {
    const LONGEST: usize = 16 * 1024;
    if text.len() > LONGEST {
        return Err(format!("an address of {} bytes", text.len()));
    }
    let mut to = from.join(text.trim()).map_err(|error| format!("an address that is none: {error}"))?;
    to.set_fragment(None);
    // What else a registry may put there would be sent as Basic credentials.
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

/// Whether credentials for a registry at `base` may be sent to the token server at `realm`, which is often
/// another host: over https always, over http only where the registry itself speaks http.
pub(super) fn may_ask_token(base: &Url, realm: &Url) -> bool {
    realm.scheme() == "https" || (realm.scheme() == "http" && base.scheme() == "http")
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
        for (base, realm, expected) in [
            ("https://r", "https://auth.r", true),
            ("https://r", "http://r/token", false),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001", true),
            ("http://127.0.0.1:5000", "https://auth", true),
            ("https://r", "file:///x", false),
        ] {
            assert_eq!(may_ask_token(&url(base), &url(realm)), expected, "{base} {realm}");
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
