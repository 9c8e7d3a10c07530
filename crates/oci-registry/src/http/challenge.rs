//! `WWW-Authenticate`: the credentials that a registry requires (RFC 7235, section 4.1).

use http_auth::parser::ChallengeParser;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

use crate::error::text;

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

/// One challenge as it is written: its scheme, and its parameters in order.
#[derive(Debug, PartialEq, Eq)]
struct WrittenChallenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl WrittenChallenge {
    fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Whether an answer asks for credentials: 401, or 403 to a request without credentials that names the kind to send.
pub(super) fn asks(status: StatusCode, headers: &HeaderMap, sent: bool) -> bool {
    let knows = || written(headers).iter().any(|it| it.is("bearer") || it.is("basic"));
    status == StatusCode::UNAUTHORIZED || (status == StatusCode::FORBIDDEN && !sent && knows())
}

/// Returns the challenge to answer among those in the headers of an answer from `url`: Bearer before Basic, because it
/// sends the password least often. Other schemes and unreadable challenges are skipped.
pub(super) fn of(headers: &HeaderMap, url: &Url) -> Option<Challenge> {
    let mut challenges: Vec<_> = written(headers).iter().filter_map(|it| known(it, url)).collect();
    let bearer = challenges.iter().position(|it| matches!(it, Challenge::Bearer { .. })).unwrap_or(0);
    if challenges.is_empty() { None } else { Some(challenges.swap_remove(bearer)) }
}

/// Returns the scopes that the first Bearer challenge in the headers names, unchanged.
pub(super) fn scope(headers: &HeaderMap) -> Option<String> {
    let written = written(headers);
    written.iter().find(|it| it.is("bearer"))?.parameter("scope").map(str::to_owned)
}

/// Whether a Bearer challenge in the headers says that the token was accepted but lacks a scope.
pub(super) fn is_insufficient(headers: &HeaderMap) -> bool {
    let is_said =
        |it: &WrittenChallenge| it.is("bearer") && it.parameter("error") == Some("insufficient_scope");
    written(headers).iter().any(is_said)
}

/// Returns the challenges in the headers as text for people, if there are any.
pub(super) fn shown(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let shown = values.map(|value| text::printable(value, 200)).collect::<Vec<_>>().join(", ");
    Some(shown).filter(|shown| !shown.is_empty())
}

/// Returns the challenge, if it is of a known kind. A token server is also accepted by its path on the host of `url`.
fn known(written: &WrittenChallenge, url: &Url) -> Option<Challenge> {
    if written.is("basic") {
        return Some(Challenge::Basic);
    }
    if !written.is("bearer") {
        return None;
    }
    let realm = written.parameter("realm")?;
    let parsed = if realm.starts_with('/') { url.join(realm) } else { Url::parse(realm) };
    let mut realm = parsed.ok()?;
    // User information and a fragment in the realm are removed, because the former would be sent as Basic credentials.
    let _ = realm.set_username("");
    let _ = realm.set_password(None);
    realm.set_fragment(None);
    Some(Challenge::Bearer { realm, service: written.parameter("service").map(str::to_owned) })
}

fn written(headers: &HeaderMap) -> Vec<WrittenChallenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(parse).collect()
}

/// Returns the challenges of one header, in order. If it does not have the specified form, reads as much as possible.
fn parse(header: &str) -> Vec<WrittenChallenge> {
    let strict: Result<Vec<_>, _> = ChallengeParser::new(header).collect();
    let Ok(challenges) = strict else { return parse_anyhow(header) };
    let owned = challenges.into_iter().map(|challenge| {
        let parameters =
            challenge.params.iter().map(|(key, value)| ((*key).to_owned(), value.to_unescaped()));
        WrittenChallenge { scheme: challenge.scheme.to_owned(), parameters: parameters.collect() }
    });
    owned.collect()
}

/// Returns the challenges of a header whose values need not be quoted: some registries write
/// `Bearer realm=https://host/token,service=host`.
fn parse_anyhow(header: &str) -> Vec<WrittenChallenge> {
    let mut quoted = false;
    let parts = header.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let mut challenges: Vec<WrittenChallenge> = Vec::new();
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let (scheme, parameter) = match part.split_once(' ') {
            Some((scheme, rest)) if !scheme.contains('=') => (Some(scheme), rest.trim()),
            None if !part.contains('=') => (Some(part), ""),
            _ => (None, part),
        };
        if let Some(scheme) = scheme {
            challenges.push(WrittenChallenge { scheme: scheme.to_owned(), parameters: Vec::new() });
        }
        if let (Some(challenge), Some((key, value))) = (challenges.last_mut(), parameter.split_once('=')) {
            let value = value.trim().trim_matches('"');
            challenge.parameters.push((key.trim().to_owned(), value.to_owned()));
        }
    }
    challenges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.parse().expect("a url"), service: service.map(str::to_owned) }
    }

    fn url() -> Url {
        "https://registry.example/v2/a".parse().expect("a url")
    }

    fn read(header: &str) -> Vec<Challenge> {
        parse(header).iter().filter_map(|it| known(it, &url())).collect()
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
            // These are written by hand or by proxies, not as specified.
            ("Bearer realm=https://h/t,service=s", vec![bearer("https://h/t", Some("s"))]),
            ("Bearer realm=https://h/t, service=\"s, t\"", vec![bearer("https://h/t", Some("s, t"))]),
            ("Negotiate, Basic realm=a/b", vec![Challenge::Basic]),
            (
                r#"Bearer realm="/token",service="s""#,
                vec![bearer("https://registry.example/token", Some("s"))],
            ),
            ("Bearer realm=//h/t", vec![bearer("https://h/t", None)]),
            (r#"Bearer realm="not a url""#, vec![]),
            (r#"Bearer service="s""#, vec![]),
            (r#"Digest realm="x""#, vec![]),
            ("", vec![]),
            ("\"", vec![]),
        ] {
            assert_eq!(read(header), expected, "{header}");
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
    fn credentials_are_asked_for_by_401_or_by_403_with_a_known_challenge() {
        for (status, header, sent, expected) in [
            (401, "", false, true),
            (401, "Basic realm=\"r\"", true, true),
            (403, "Basic realm=\"r\"", false, true),
            (403, "Bearer realm=\"https://h/t\"", true, false),
            (403, "Negotiate", false, false),
            (404, "Basic realm=\"r\"", false, false),
        ] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(header))]);
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(asks(status, &headers, sent), expected, "{status} {header} {sent}");
        }
    }

    #[test]
    fn bearer_goes_before_basic() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers, &url()), None);
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"r\""));
        assert_eq!(of(&headers, &url()), Some(Challenge::Basic));
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"https://h/t\""));
        assert_eq!(of(&headers, &url()), Some(bearer("https://h/t", None)));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[ -~]{0,120}") {
            let _ = read(&header);
            let _ = parse_anyhow(&header);
        }

        #[test]
        fn services_come_back(service in "[ -~]{0,40}") {
            let quoted = service.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer realm=\"https://h/t\",service=\"{quoted}\"");
            prop_assert_eq!(read(&header), vec![bearer("https://h/t", Some(&service))]);
        }
    }
}
