//! Tests of the requests to token servers, and of reading their answers.

use proptest::prelude::*;

use reqwest::header::HeaderValue;

use super::*;

fn access(push: bool, mount_from: Option<&str>) -> RequiredAccess {
    let mount_from = mount_from.map(str::to_owned);
    RequiredAccess { repository: "o/n".to_owned(), push, delete: false, mount_from }
}

#[test]
fn scopes_name_both_repositories() {
    assert_eq!(scopes(&access(false, None)), ["repository:o/n:pull"]);
    assert_eq!(scopes(&access(true, Some("o/base"))), ["repository:o/base:pull", "repository:o/n:pull,push"]);
    let deleting = RequiredAccess { delete: true, ..access(true, None) };
    assert_eq!(scopes(&deleting), ["repository:o/n:pull,push,delete"]);
}

#[test]
fn a_registry_names_scopes_of_the_repository_alone() {
    for (scope, expected) in [
        ("repository:o/n:*", true),
        ("repository:o/n:delete", true),
        ("repository:o/other:delete", false),
        ("repository:o/n:delete repository:o/other:delete", false),
        ("", false),
    ] {
        let header = format!("Bearer realm=\"https://h/t\",scope=\"{scope}\"");
        let value = HeaderValue::try_from(header).expect("a header");
        let headers = HeaderMap::from_iter([(reqwest::header::WWW_AUTHENTICATE, value)]);
        let named = named_scope(&access(true, None), &headers);
        assert_eq!(named.as_deref(), expected.then_some(scope), "{scope}");
    }
}

#[test]
fn a_token_serves_for_less_than_it_was_asked_for() {
    let grant = |push, sources: &[&str]| Grant {
        push,
        delete: false,
        named: false,
        sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        authorization: Authorization {
            name: None,
            header: HeaderValue::from_static("x"),
            origin: None,
            kind: AuthorizationKind::Granted(0),
        },
        until: Instant::now(),
    };
    for (grant, needed, expected) in [
        (grant(true, &[]), access(false, None), true),
        (grant(false, &[]), access(true, None), false),
        (grant(true, &["a"]), access(true, Some("a")), true),
        (grant(true, &["b"]), access(true, Some("a")), false),
        (grant(true, &["a"]), access(false, None), true),
        (grant(true, &[]), RequiredAccess { delete: true, ..access(true, None) }, false),
        (
            Grant { delete: true, ..grant(true, &[]) },
            RequiredAccess { delete: true, ..access(true, None) },
            true,
        ),
        (Grant { delete: true, ..grant(true, &[]) }, access(true, None), true),
        (Grant { delete: true, named: true, ..grant(true, &[]) }, access(false, None), false),
    ] {
        assert_eq!(grant.allows(&needed), expected, "{grant:?} {needed:?}");
    }
}

#[test]
fn token_answers() {
    let seconds =
        |body: &str| read_token(body.as_bytes()).map(|(token, lifetime)| (token, lifetime.as_secs_f64()));
    let token = |lifetime| Some(("t".to_owned(), lifetime));
    assert_eq!(seconds(r#"{"token":"t"}"#), token(50.0));
    assert_eq!(seconds(r#"{"access_token":"t","expires_in":300}"#), token(290.0));
    assert_eq!(seconds(r#"{"token":"","access_token":"t","expires_in":4}"#), token(3.0));
    assert_eq!(seconds(r#"{"token":"t","expires_in":-1}"#), token(50.0));
    assert_eq!(seconds(r#"{"token":"t","expires_in":1e300}"#), token(31_535_990.0));
    assert_eq!(seconds(r#"{"token":7}"#), None);
    assert_eq!(seconds("<html>"), None);
}

#[test]
fn headers_are_not_shown() {
    let credentials = Credentials::new("user", "pass:word", "a test");
    let authorization = basic(&credentials).expect("a header");
    assert_eq!(authorization.header().to_str().expect("text"), "Basic dXNlcjpwYXNzOndvcmQ=");
    assert!(!format!("{authorization:?}").contains("dXNl"));
}

proptest! {
    #[test]
    fn any_answer_is_read(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = read_token(&body);
    }
}
