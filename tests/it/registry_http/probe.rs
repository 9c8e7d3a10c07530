//! A probe asks the registry for permissions and changes nothing.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

fn sessions(scene: &ClientFixture) -> usize {
    scene.server.content().sessions.len()
}

#[tokio::test]
async fn to_push_is_asked_by_a_session_that_is_cancelled() {
    let scene = ClientFixture::new().await;
    scene.repository().probe_push().await.expect("may push");
    assert_eq!((scene.server.count("POST", UPLOADS), scene.server.count("DELETE", UPLOADS)), (1, 1));
    assert_eq!(sessions(&scene), 0);
    assert_eq!(scene.server.count("PUT", "") + scene.server.count("PATCH", ""), 0);
}

#[tokio::test]
async fn the_token_is_the_one_that_pushes_afterwards() {
    let scene = ClientFixture::with(tokens()).await;
    let repository = scene.repository();
    assert_eq!(repository.probe_read().await.expect("readable"), Presence::NotYet);
    repository.probe_push().await.expect("may push");
    // This registry wants more for a DELETE than a token to push has: no other is asked for.
    assert_eq!((scene.server.count("DELETE", UPLOADS), sessions(&scene)), (1, 1));
    SmallImage::new("x").push(repository.as_ref(), "v1").await.expect("pushed");
    assert_eq!(repository.probe_read().await.expect("readable"), Presence::There);
    // One to read, and one to push.
    assert_eq!(scene.server.count("GET", "/token"), 2);
    assert!(scene.retries().is_empty());
}

#[tokio::test]
async fn that_a_session_cannot_be_cancelled_is_no_refusal() {
    for fault in [
        answer(405, &[], ""),
        answer(401, &[("www-authenticate", "Basic realm=\"x\"")], ""),
        answer(503, &[], ""),
        answer(307, &[("location", "/elsewhere")], ""),
        Fault::Reset { after: 0 },
    ] {
        let scene = ClientFixture::new().await;
        scene.server.on("DELETE", UPLOADS, 9, fault.clone());
        scene.repository().probe_push().await.expect("may push");
        assert_eq!(scene.server.count("DELETE", UPLOADS), 1, "{fault:?}");
        assert!(scene.retries().is_empty());
    }
}

#[tokio::test]
async fn a_session_elsewhere_is_left_alone() {
    let (scene, other) =
        (ClientFixture::with(tokens()).await, TestRegistry::start(TestRegistryOptions::default()).await);
    let location = format!("http://{}/upload?x=1", other.host());
    scene.server.on("POST", UPLOADS, 1, headers(&[("location", &location)]));
    scene.repository().probe_push().await.expect("may push");
    assert!(other.log().is_empty(), "{:?}", other.log());
}

#[tokio::test]
async fn a_refusal_says_what_it_is_about() {
    let denied = |message: &str| {
        let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
        answer(403, &[("content-type", "application/json")], &body)
    };
    // At the upload, and at the token.
    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("POST", UPLOADS, 1, denied("permission_denied: write_package"));
    let error = scene.repository().probe_push().await.expect_err("denied");
    assert_eq!(error.to_diagnostic().code, Code::RegistryDenied);
    assert!(error.to_string().contains("/v2/o/n/blobs/uploads/: DENIED"), "{error}");
    assert_eq!(error.refusal().and_then(|it| it.repository.as_deref()), Some("o/n"));
    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("GET", "/token", 9, denied("denied"));
    let error = scene.repository().probe_push().await.expect_err("denied");
    assert!(error.to_string().contains("/token: DENIED: denied"), "{error}");
    assert_eq!(error.refusal().and_then(|it| it.repository.as_deref()), Some("o/n"));
    assert_eq!(scene.server.count("POST", ""), 0);
}

/// Docker Hub does this: it gives a token to every known user, and the token does not permit enough.
#[tokio::test]
async fn credentials_that_do_not_reach_far_enough_are_not_called_wrong() {
    let scene = ClientFixture::with(tokens()).await;
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"test\",scope=\"repository:o/n:pull,push\",error=\"insufficient_scope\"",
        scene.server.host()
    );
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"o/n","Action":"push"}]}]}"#;
    scene.server.on("POST", UPLOADS, 9, answer(401, &[("www-authenticate", &challenge)], body));
    let error = scene.repository().probe_push().await.expect_err("refused");
    assert_eq!(error.to_diagnostic().code, Code::RegistryUnauthorized);
    let help = error.to_diagnostic().help.unwrap_or_default();
    assert!(help.contains("accepted, but do not allow this") && help.contains("push to"), "{help}");
}

#[tokio::test]
async fn where_credentials_come_from_is_known_before_anything_is_asked() {
    let scene = ClientFixture::with(tokens()).await;
    let origin = scene.repository().credentials_origin().await.expect("known");
    assert_eq!(origin.as_deref(), Some("`U` and `P`"));
    assert!(scene.server.log().is_empty());
}
