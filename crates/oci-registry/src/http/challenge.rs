//! `WWW-Authenticate`: the credentials that a registry requires (RFC 7235, section 4.1).

use http_auth::parser::ChallengeParser;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

/// The credentials that a registry requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token from the server at `realm`.
    Bearer {
        /// The token server.
        realm: Url,
        /// The token server's name for the registry.
        service: Option<String>,
    },
    /// A user name and a password with each request.
    Basic,
}

/// Returns the challenge to answer among those in the headers: Bearer before Basic, because it sends the password least
/// often. Other schemes and unreadable challenges are skipped.
pub(super) fn of(headers: &HeaderMap) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE);
    let mut challenges: Vec<_> =
        values.iter().filter_map(|value| value.to_str().ok()).flat_map(parse).collect();
    let bearer = challenges.iter().position(|it| matches!(it, Challenge::Bearer { .. })).unwrap_or(0);
    if challenges.is_empty() { None } else { Some(challenges.swap_remove(bearer)) }
}

/// Returns the scopes that the first Bearer challenge in the headers names, unchanged.
pub(super) fn scope(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let mut bearer = values
        .flat_map(|header| ChallengeParser::new(header).map_while(Result::ok))
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
    let parameters = bearer.next()?.params;
    let scope = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case("scope"));
    scope.map(|(_, value)| value.to_unescaped())
}

/// Whether a Bearer challenge in the headers says that the token was accepted but lacks a scope.
pub(super) fn is_insufficient(headers: &HeaderMap) -> bool {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|header| ChallengeParser::new(header).map_while(Result::ok)).any(|challenge| {
        let is_said = |(key, value): &(&str, http_auth::ParamValue<'_>)| {
            key.eq_ignore_ascii_case("error") && value.to_unescaped() == "insufficient_scope"
        };
        challenge.scheme.eq_ignore_ascii_case("bearer") && challenge.params.iter().any(is_said)
    })
}

/// Returns the challenges of one header that can be answered, in order, up to the first unreadable one.
fn parse(header: &str) -> Vec<Challenge> {
    let challenges = ChallengeParser::new(header).map_while(Result::ok);
    let known = challenges.filter_map(|challenge| {
        let parameter = |name: &str| {
            let mut parameters = challenge.params.iter();
            parameters.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_unescaped())
        };
        if challenge.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !challenge.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut realm = Url::parse(&parameter("realm")?).ok()?;
        // User information and a fragment in the realm are removed, because the former would be sent as Basic
        // credentials.
        let _ = realm.set_username("");
        let _ = realm.set_password(None);
        realm.set_fragment(None);
        Some(Challenge::Bearer { realm, service: parameter("service") })
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.parse().expect("a url"), service: service.map(str::to_owned) }
    }

    #[test]
    fn challenges_of_real_registries() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull""#,
                vec![bearer("https://ghcr.io/token", Some("ghcr.io"))],
            ),
            (
                r#"Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="a",error="invalid_token""#,
                vec![bearer("https://gitlab.com/jwt/auth", Some("container_registry"))],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            (r#"basic realm="a, b""#, vec![Challenge::Basic]),
            (
                r#"Basic realm="r", Bearer realm="https://h/t""#,
                vec![Challenge::Basic, bearer("https://h/t", None)],
            ),
            (r#"Negotiate, Bearer realm="https://h/t""#, vec![bearer("https://h/t", None)]),
            (r#"BEARER REALM="https://h/t", Service="s""#, vec![bearer("https://h/t", Some("s"))]),
            (r#"Bearer realm="https://u:p@h/t#x""#, vec![bearer("https://h/t", None)]),
            (r#"Bearer realm="not a url""#, vec![]),
            (r#"Bearer service="s""#, vec![]),
            (r#"Digest realm="x""#, vec![]),
            ("", vec![]),
            ("\"", vec![]),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn scopes_are_named() {
        for (header, expected) in [
            (r#"Bearer realm="https://h/t",scope="repository:a:pull,*""#, Some("repository:a:pull,*")),
            (r#"Basic realm="r", Bearer realm="https://h/t",Scope="a b""#, Some("a b")),
            (r#"Bearer realm="https://h/t""#, None),
            (r#"Basic realm="r",scope="a""#, None),
        ] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(header))]);
            assert_eq!(scope(&headers).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn a_token_without_the_scope_differs_from_a_wrong_one() {
        for (header, expected) in [
            (r#"Bearer realm="https://h/t",scope="repository:a:push",error="insufficient_scope""#, true),
            (r#"Bearer realm="https://h/t",error="invalid_token""#, false),
            (r#"Bearer realm="https://h/t""#, false),
            (r#"Basic realm="r", error="insufficient_scope""#, false),
        ] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(header))]);
            assert_eq!(is_insufficient(&headers), expected, "{header}");
        }
        assert!(!is_insufficient(&HeaderMap::new()));
    }

    #[test]
    fn bearer_goes_before_basic() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), None);
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"r\""));
        assert_eq!(of(&headers), Some(Challenge::Basic));
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"https://h/t\""));
        assert_eq!(of(&headers), Some(bearer("https://h/t", None)));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[ -~]{0,120}") {
            let _ = parse(&header);
        }

        #[test]
        fn services_come_back(service in "[ -~]{0,40}") {
            let quoted = service.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer realm=\"https://h/t\",service=\"{quoted}\"");
            prop_assert_eq!(parse(&header), vec![bearer("https://h/t", Some(&service))]);
        }
    }
}
