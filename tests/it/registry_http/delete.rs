//! Deleting: what a registry deletes, one tag of several, and what goes wrong on the way.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

const MANIFESTS: &str = "/manifests/";

fn deletes(deletes: Deletes) -> TestRegistryOptions {
    TestRegistryOptions { deletes, ..TestRegistryOptions::default() }
}

/// A registry whose manifest has the tags `v1` and `latest`.
async fn with_two_tags(options: TestRegistryOptions) -> (ClientFixture, RawManifest) {
    let scene = ClientFixture::with(options).await;
    let manifest = tagged(&scene.server, "a");
    scene.server.content().tag("o/n", "latest", manifest.media_type(), manifest.bytes());
    (scene, manifest)
}

async fn remove(
    scene: &ClientFixture,
    tag: &str,
    expected: &Digest,
) -> Result<RemovalOutcome, RegistryError> {
    let repository = scene.repository();
    let deletion = repository.deletion().await.expect("an answer");
    remove_tag(repository.as_ref(), &tag.parse().expect("a tag"), expected, &deletion).await
}

/// The tags of the registry, each with the digest that it names.
fn standing(scene: &ClientFixture) -> Vec<(String, Digest)> {
    let content = scene.server.content();
    content.tags.iter().map(|((_, tag), digest)| (tag.clone(), digest.parse().expect("a digest"))).collect()
}

#[tokio::test]
async fn a_registry_is_asked_what_it_deletes() {
    for (kind, expected, requests) in [
        (Deletes::Tags, Some(Deletion::Tags), 1),
        (Deletes::ManifestsByTag, Some(Deletion::Tags), 1),
        (Deletes::Manifests, Some(Deletion::Manifests), 2),
        (Deletes::Nothing, None, 2),
        (Deletes::Unknown, None, 2),
    ] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        let found = scene.repository().deletion().await.expect("an answer");
        match expected {
            Some(expected) => assert_eq!(found, expected),
            None => {
                assert!(
                    matches!(&found, Deletion::Nothing(why) if why.to_string().contains("127.0.0.1")),
                    "{found:?}"
                );
            }
        }
        assert_eq!(scene.server.count("DELETE", MANIFESTS), requests, "{kind:?}");
        assert_eq!(standing(&scene).len(), 2);
        assert!(
            scene.repository().get_manifest(&manifest.digest().clone().into()).await.expect("one").is_some()
        );
        assert_eq!(scene.repository().list_manifests().await.expect("an answer"), None);
    }
    let scene = ClientFixture::with(deletes(Deletes::Tags)).await;
    let probed = |scene: &ClientFixture| scene.server.requests("DELETE", MANIFESTS)[0].path.clone();
    scene.repository().deletion().await.expect("an answer");
    let first = probed(&scene);
    scene.server.forget_log();
    scene.repository().deletion().await.expect("an answer");
    assert_ne!(first, probed(&scene), "a tag that was probed may exist by now");
}

#[tokio::test]
async fn other_answers_to_the_question() {
    for (status, body, expected) in [
        (202, "", true),
        (404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, true),
        (404, r#"{"errors":[{"code":"NOT_FOUND","message":"artifact not found"}]}"#, true),
        (404, r#"{"errors":[{"code":"UNSUPPORTED"}]}"#, false),
        (404, "404 page not found", false),
        (400, r#"{"errors":[{"code":"UNSUPPORTED"}]}"#, false),
        (405, "", false),
        (501, "", false),
    ] {
        let scene = ClientFixture::with(deletes(Deletes::Nothing)).await;
        scene.server.on("DELETE", "absent", 1, answer(status, &[], body));
        let found = scene.repository().deletion().await.expect("an answer");
        assert_eq!(found == Deletion::Tags, expected, "{status} {body}: {found:?}");
    }
    for (status, code) in [(401, Code::RegistryUnauthorized), (403, Code::RegistryDenied)] {
        let scene = ClientFixture::with(deletes(Deletes::Tags)).await;
        scene.server.on("DELETE", "absent", 1, answer(status, &[], ""));
        assert_eq!(scene.repository().deletion().await.expect_err("no").to_diagnostic().code, code);
    }
}

#[tokio::test]
async fn one_tag_goes_and_the_other_stays() {
    for kind in [Deletes::Tags, Deletes::Manifests, Deletes::ManifestsByHalves, Deletes::ManifestsByTag] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        assert_eq!(remove(&scene, "v1", manifest.digest()).await.expect("removed"), RemovalOutcome::Removed);
        assert_eq!(standing(&scene), [("latest".to_owned(), manifest.digest().clone())], "{kind:?}");
        let content = scene.repository().get_manifest(&at("latest")).await.expect("an answer");
        assert_eq!(content, Some(manifest.clone()));
        assert_eq!(scene.server.content().manifests.len(), 1, "{kind:?}: the placeholder is gone");
        assert_eq!(remove(&scene, "v1", manifest.digest()).await.expect("nothing"), RemovalOutcome::Absent);
        // The placeholder has the types of the original, so that registries which accept only Docker's types accept it.
        assert_eq!(
            scene.server.requests("PUT", MANIFESTS)[0].header("content-type"),
            media_type::OCI_MANIFEST
        );
    }
}

#[tokio::test]
async fn a_registry_that_was_seen_to_untag_gets_no_more_placeholders() {
    for (kind, placeholders) in [(Deletes::Tags, 1), (Deletes::ManifestsByTag, 3)] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        scene.server.content().tag("o/n", "v2", manifest.media_type(), manifest.bytes());
        scene.server.content().tag("o/n", "kept", manifest.media_type(), manifest.bytes());
        for tag in ["v1", "latest", "v2"] {
            assert_eq!(remove(&scene, tag, manifest.digest()).await.expect(tag), RemovalOutcome::Removed);
        }
        assert_eq!(standing(&scene), [("kept".to_owned(), manifest.digest().clone())], "{kind:?}");
        assert_eq!(scene.server.count("PUT", MANIFESTS), placeholders, "{kind:?}");
    }
}

#[tokio::test]
async fn a_tag_that_moved_is_left_alone() {
    for kind in [Deletes::Tags, Deletes::Manifests] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        let other = Digest::of(b"other");
        let moved = RemovalOutcome::Moved(manifest.digest().clone());
        assert_eq!(remove(&scene, "v1", &other).await.expect("an answer"), moved);
        assert_eq!(standing(&scene).len(), 2);
        assert_eq!(scene.server.count("PUT", ""), 0);
    }
    let (scene, manifest) = with_two_tags(deletes(Deletes::Nothing)).await;
    let error =
        remove(&scene, "v1", manifest.digest()).await.expect_err("nothing is deleted").to_diagnostic();
    assert_eq!(error.code, Code::RegistryRejected);
    assert!(error.message.contains("storage.delete.enabled"), "{}", error.message);
    assert_eq!(standing(&scene).len(), 2);
}

#[tokio::test]
async fn a_registry_that_misses_the_placeholder_s_blobs_for_a_moment() {
    let body = r#"{"errors":[{"code":"DIGEST_INVALID"},{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#;
    for (times, expected) in [(3, Ok(RemovalOutcome::Removed)), (99, Err(Code::RegistryRejected))] {
        let (scene, manifest) = with_two_tags(deletes(Deletes::Manifests)).await;
        let repository = scene.repository();
        let deletion = repository.deletion().await.expect("an answer");
        scene.server.on("PUT", "/manifests/v1", times, answer(400, &[], body));
        let tag = "v1".parse().expect("a tag");
        let removal = remove_tag(repository.as_ref(), &tag, manifest.digest(), &deletion).await;
        assert_eq!(removal.map_err(|error| error.to_diagnostic().code), expected);
        let stands = scene.server.content().tags.contains_key(&("o/n".to_owned(), "v1".to_owned()));
        assert_eq!(stands, expected.is_err());
    }
}

#[tokio::test]
async fn the_tag_is_put_back_where_the_placeholder_stays() {
    for (kind, fault, code) in [
        (Deletes::Manifests, answer(403, &[], ""), Code::RegistryDenied),
        (Deletes::Manifests, answer(405, &[], ""), Code::RegistryRejected),
        (Deletes::Manifests, answer(404, &[], ""), Code::RegistryNotFound),
        (Deletes::Manifests, answer(503, &[], ""), Code::RegistryUnreachable),
        (Deletes::Manifests, Fault::Reset { after: 0 }, Code::RegistryUnreachable),
        (Deletes::Tags, answer(403, &[], ""), Code::RegistryDenied),
    ] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        let repository = scene.repository();
        let deletion = repository.deletion().await.expect("an answer");
        scene.server.on("DELETE", MANIFESTS, 6, fault);
        let tag = "v1".parse().expect("a tag");
        let error = remove_tag(repository.as_ref(), &tag, manifest.digest(), &deletion).await;
        assert_eq!(error.expect_err("a refusal").to_diagnostic().code, code);
        let (digest, tags) = (manifest.digest(), standing(&scene));
        assert_eq!(tags, [("latest".to_owned(), digest.clone()), ("v1".to_owned(), digest.clone())]);
    }
}

#[tokio::test]
async fn what_cannot_be_put_back_is_told() {
    let (scene, manifest) = with_two_tags(deletes(Deletes::Manifests)).await;
    let repository = scene.repository();
    scene.server.on("PUT", MANIFESTS, 1, headers(&[]));
    scene.server.on("PUT", MANIFESTS, 1, answer(403, &[], ""));
    scene.server.on("DELETE", MANIFESTS, 1, answer(400, &[], r#"{"message":"the last one"}"#));
    let tag = "v1".parse().expect("a tag");
    let error = remove_tag(repository.as_ref(), &tag, manifest.digest(), &Deletion::Manifests).await;
    let error = error.expect_err("a refusal");
    assert!(matches!(error, RegistryError::NotPutBack { .. }), "{error:?}");
    let diagnostic = error.to_diagnostic();
    assert_eq!(diagnostic.code, Code::RegistryRejected);
    assert!(diagnostic.message.contains("the last one") && diagnostic.message.contains("403"), "{error}");
    assert!(diagnostic.help.expect("a help").contains(manifest.digest().as_str()));
    // If the placeholder was never put, nothing is put back.
    let (scene, manifest) = with_two_tags(deletes(Deletes::Manifests)).await;
    scene.server.on("PUT", MANIFESTS, 9, answer(403, &[], ""));
    let error = remove(&scene, "v1", manifest.digest()).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Denied(_)), "{error:?}");
    assert_eq!(scene.server.count("PUT", MANIFESTS), 1);
}

#[tokio::test]
async fn failures_that_pass_are_sent_again() {
    for kind in [Deletes::Tags, Deletes::Manifests] {
        let (scene, manifest) = with_two_tags(deletes(kind)).await;
        let repository = scene.repository();
        let deletion = repository.deletion().await.expect("an answer");
        scene.server.on("DELETE", MANIFESTS, 2, answer(503, &[], ""));
        // The manifest is deleted, but the answer is lost: the next attempt rightly finds it absent.
        scene.server.on("DELETE", MANIFESTS, 1, Fault::Lost);
        let tag = "v1".parse().expect("a tag");
        let removal = remove_tag(repository.as_ref(), &tag, manifest.digest(), &deletion).await;
        assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
        assert_eq!(scene.retries().len(), 3, "{:?}", scene.retries());
        assert_eq!(standing(&scene), [("latest".to_owned(), manifest.digest().clone())]);
    }
}

#[tokio::test]
async fn readings_that_lag_are_waited_for() {
    let (scene, manifest) = with_two_tags(deletes(Deletes::Manifests)).await;
    let repository = scene.repository();
    let stale = [
        ("docker-content-digest", manifest.digest().as_str()),
        ("content-type", media_type::OCI_INDEX),
        ("content-length", "90"),
    ];
    scene.server.on("HEAD", "/manifests/v1", 3, answer(200, &stale, &" ".repeat(90)));
    let tag = "v1".parse().expect("a tag");
    let removal = remove_tag(repository.as_ref(), &tag, manifest.digest(), &Deletion::Manifests).await;
    assert_eq!(removal.expect("removed"), RemovalOutcome::Removed);
    assert_eq!(scene.server.count("HEAD", "/manifests/v1"), 4);
}

#[tokio::test]
async fn manifests_are_deleted_with_their_tags() {
    let (scene, manifest) = with_two_tags(deletes(Deletes::Manifests)).await;
    let repository = scene.repository();
    repository.delete_manifest(manifest.digest()).await.expect("deleted");
    assert_eq!(standing(&scene), []);
    repository.delete_manifest(manifest.digest()).await.expect("gone already");
    // A registry that says 404 to any DELETE has deleted nothing.
    let (scene, manifest) = with_two_tags(deletes(Deletes::Unknown)).await;
    let error = scene.repository().delete_manifest(manifest.digest()).await.expect_err("nothing was deleted");
    assert!(matches!(error, RegistryError::NotFound(_)), "{error:?}");
}

#[tokio::test]
async fn no_tag_is_left_that_names_nothing() {
    let (scene, manifest) = with_two_tags(deletes(Deletes::ManifestsByHalves)).await;
    let repository = scene.repository();
    repository.delete_manifest(manifest.digest()).await.expect("deleted");
    assert!(repository.list_tags().await.expect("tags").is_empty());
    assert_eq!((scene.server.count("DELETE", MANIFESTS), scene.server.count("PUT", MANIFESTS)), (2, 1));
    assert!(scene.server.content().manifests.is_empty());
}

#[tokio::test]
async fn only_deleting_asks_for_the_right_to() {
    let (scene, manifest) =
        with_two_tags(TestRegistryOptions { deletes: Deletes::Manifests, ..tokens() }).await;
    let repository = scene.repository();
    repository.head_manifest(&at("v1")).await.expect("an answer");
    repository.delete_manifest(manifest.digest()).await.expect("deleted");
    repository.delete_manifest(manifest.digest()).await.expect("gone already");
    let scopes: Vec<_> = scene.server.requests("GET", "/token").into_iter().map(|it| it.query).collect();
    let scope = |actions: &str| format!("service=test&scope=repository%3Ao%2Fn%3A{actions}");
    assert_eq!(scopes, [scope("pull"), scope("pull%2Cpush%2Cdelete")]);
}

#[tokio::test]
async fn the_registry_says_what_deleting_is_called() {
    // The registry wants `*`, and says so.
    let options = TestRegistryOptions { deletes: Deletes::Manifests, delete_action: "*", ..tokens() };
    let (scene, manifest) = with_two_tags(options).await;
    scene.repository().delete_manifest(manifest.digest()).await.expect("deleted");
    let asked: Vec<_> = scene.server.requests("GET", "/token").into_iter().map(|it| it.query).collect();
    let named = "service=test&scope=repository%3Ao%2Fn%3A*".to_owned();
    // To read, to delete, and what the registry named then.
    assert_eq!((asked.len(), asked.last()), (3, Some(&named)));
    scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(scene.server.count("HEAD", "/manifests/v1"), 1, "that token is not for reading");

    // The token server does not know `delete`, and pushing is enough.
    for status in [400, 401, 403] {
        let options = TestRegistryOptions { deletes: Deletes::Manifests, delete_action: "push", ..tokens() };
        let (scene, manifest) = with_two_tags(options).await;
        scene.server.on("GET", "delete", 9, answer(status, &[], ""));
        scene.repository().delete_manifest(manifest.digest()).await.expect("deleted");
        scene.repository().delete_manifest(manifest.digest()).await.expect("gone already");
        assert_eq!(scene.server.count("GET", "/token"), 3, "{status}");
    }

    // A user without the permission to delete gets an error that says so.
    let options = TestRegistryOptions { deletes: Deletes::Manifests, delete_action: "never", ..tokens() };
    let (scene, manifest) = with_two_tags(options).await;
    scene.server.on("GET", "never", 9, answer(403, &[], ""));
    let error = scene.repository().delete_manifest(manifest.digest()).await.expect_err("a refusal");
    assert_eq!(error.to_diagnostic().code, Code::RegistryDenied);
    assert_eq!(standing(&scene).len(), 2);
}
