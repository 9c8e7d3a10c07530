//! Referrers of a manifest: the registry's own list, the index at the fallback tag, cosign's tags.

use oci_registry::referrer::{cosign_tags, fallback_tag, listed};
use oci_registry::{Descriptor, Referrer, TagOrDigest};
use oci_registry::{find_referrers, list_at_fallback_tag, listed_referrers};

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

/// An artifact that refers to `subject`; another `text`, another digest.
fn artifact(subject: &Digest, text: &str) -> RawManifest {
    let empty = Blob::new("application/vnd.oci.empty.v1+json", "{}").descriptor;
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": "application/spdx+json",
        "config": empty,
        "layers": [],
        "subject": { "mediaType": media_type::OCI_INDEX, "digest": subject, "size": 1 },
        "annotations": { "text": text },
    });
    RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes())
}

fn describe(manifest: &RawManifest) -> Descriptor {
    oci_registry::referrer::describe(manifest)
}

fn digests(found: &[Descriptor]) -> Vec<Digest> {
    let mut digests: Vec<Digest> = found.iter().map(|it| it.digest.clone()).collect();
    digests.sort();
    digests
}

fn sorted(manifests: &[RawManifest]) -> Vec<Digest> {
    let all: Vec<Descriptor> = manifests.iter().map(RawManifest::descriptor).collect();
    digests(&all)
}

fn tag_at(tag: Tag) -> TagOrDigest {
    TagOrDigest::Tag(tag)
}

#[tokio::test]
async fn a_registry_that_lists_says_so() {
    for page in [usize::MAX, 2] {
        let scene = ClientFixture::with(TestRegistryOptions {
            referrers: true,
            page,
            ..TestRegistryOptions::default()
        })
        .await;
        let repository = scene.repository();
        let root = tagged(&scene.server, "image");
        assert_eq!(repository.list_referrers(root.digest()).await.expect("a list"), Some(Vec::new()));
        let artifacts: Vec<RawManifest> =
            (0..5).map(|number| artifact(root.digest(), &number.to_string())).collect();
        for artifact in &artifacts {
            let put =
                repository.put_manifest(&artifact.digest().clone().into(), artifact).await.expect("put");
            assert_eq!(put.subject.as_ref(), Some(root.digest()));
        }
        assert_eq!(repository.put_manifest(&at("v1"), &root).await.expect("put").subject, None);
        let found = listed_referrers(repository.as_ref(), root.digest()).await.expect("a list");
        assert_eq!(digests(&found), sorted(&artifacts));
        assert_eq!(found[0].artifact_type.as_deref(), Some("application/spdx+json"));
        assert_eq!(scene.server.count("GET", "manifests/sha256-"), 0, "the fallback tag is not asked for");
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let scene =
        ClientFixture::with(TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() }).await;
    let root = tagged(&scene.server, "image");
    let artifact = artifact(root.digest(), "a");
    scene.server.on("PUT", "/manifests/sha256:", 1, Fault::Lost);
    let put =
        scene.repository().put_manifest(&artifact.digest().clone().into(), &artifact).await.expect("put");
    assert_eq!(put.subject.as_ref(), Some(root.digest()));
    // The client ignores an `oci-subject` header that names another manifest.
    let lie = headers(&[("oci-subject", Digest::of(b"x").as_str())]);
    scene.server.on("PUT", "/manifests/sha256:", 1, lie);
    let put =
        scene.repository().put_manifest(&artifact.digest().clone().into(), &artifact).await.expect("put");
    assert_eq!(put.subject, None);
}

#[tokio::test]
async fn a_registry_without_a_list_is_asked_for_the_fallback_tag() {
    let html = [("content-type", "text/html")];
    for no_list in [
        None,
        Some(answer(400, &[], "")),
        Some(answer(405, &[], "")),
        Some(answer(406, &[], "")),
        Some(answer(501, &[], "")),
        Some(answer(200, &html, "<html>")),
    ] {
        let scene = ClientFixture::new().await;
        let root = tagged(&scene.server, "image");
        let known = artifact(root.digest(), "known");
        scene.server.content().put("o/n", known.media_type(), known.bytes());
        if let Some(no_list) = no_list {
            scene.server.on("GET", "/referrers/", 99, no_list);
        }
        let repository = scene.repository();
        assert_eq!(repository.list_referrers(root.digest()).await.expect("an answer"), None);
        assert_eq!(listed_referrers(repository.as_ref(), root.digest()).await.expect("none"), []);
        let entries = [describe(&known)];
        list_at_fallback_tag(repository.as_ref(), root.digest(), &entries).await.expect("listed");
        let puts = scene.server.count("PUT", "/manifests/");
        list_at_fallback_tag(repository.as_ref(), root.digest(), &entries).await.expect("listed");
        assert_eq!(scene.server.count("PUT", "/manifests/"), puts, "it was there");
        assert_eq!(listed_referrers(repository.as_ref(), root.digest()).await.expect("a list"), entries);
    }
    let scene = ClientFixture::new().await;
    scene.server.on("GET", "/referrers/", 99, answer(403, &[], ""));
    let refused =
        listed_referrers(scene.repository().as_ref(), &Digest::of(b"x")).await.expect_err("refused");
    assert!(matches!(refused, RegistryError::Denied(_)), "{refused}");
}

#[tokio::test]
async fn writers_of_one_index_lose_nothing() {
    let scene = ClientFixture::new().await;
    let root = tagged(&scene.server, "image");
    let artifacts: Vec<RawManifest> = (0..4).map(|it| artifact(root.digest(), &it.to_string())).collect();
    let foreign = artifact(root.digest(), "foreign");
    let tag = fallback_tag(root.digest()).expect("a tag");
    list_at_fallback_tag(scene.repository().as_ref(), root.digest(), &[describe(&foreign)])
        .await
        .expect("listed");
    // Every put waits a moment, so that another writer can come between reading and writing.
    scene.server.hold(Arc::new(|request| {
        let wait = if request.method == "PUT" { 20 } else { 0 };
        Box::pin(tokio::time::sleep(Duration::from_millis(wait)))
    }));
    let writers = artifacts.iter().map(|artifact| {
        let (repository, root) = (scene.repository(), root.digest().clone());
        async move { list_at_fallback_tag(repository.as_ref(), &root, &[describe(artifact)]).await }
    });
    for written in futures_util::future::join_all(writers).await {
        written.expect("listed");
    }
    let index = scene.repository().get_manifest(&tag_at(tag)).await.expect("read").expect("there");
    let found = listed(&index, root.digest()).expect("a list");
    let found = digests(&found);
    assert!(found.contains(foreign.digest()));
    // Each writer that reported success had seen its own entry. The last writer had seen all that it had read.
    assert!(found.len() >= 3, "{found:?}");
}

#[tokio::test]
async fn what_is_no_index_of_referrers_is_left() {
    // GitLab takes the fallback tag for the digest: what comes is the image.
    let scene = ClientFixture::with(TestRegistryOptions {
        takes_tags_for_digests: true,
        ..TestRegistryOptions::default()
    })
    .await;
    let root = tagged(&scene.server, "image");
    let repository = scene.repository();
    assert_eq!(listed_referrers(repository.as_ref(), root.digest()).await.expect("none"), []);
    let entry = describe(&artifact(root.digest(), "a"));
    list_at_fallback_tag(repository.as_ref(), root.digest(), std::slice::from_ref(&entry))
        .await
        .expect("listed");
    assert_eq!(listed_referrers(repository.as_ref(), root.digest()).await.expect("a list").len(), 1);

    let scene = ClientFixture::new().await;
    let root = tagged(&scene.server, "image");
    let tag = fallback_tag(root.digest()).expect("a tag");
    let foreign = artifact(root.digest(), "in the way");
    scene.server.content().tag("o/n", tag.as_str(), foreign.media_type(), foreign.bytes());
    let error = list_at_fallback_tag(scene.repository().as_ref(), root.digest(), &[entry])
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("it is not an index of referrers"), "{error}");
    assert_eq!(error.to_diagnostic().code, Code::RegistryProtocol);
    assert!(error.to_diagnostic().help.is_some_and(|help| help.contains(tag.as_str())));
    assert_eq!(scene.server.count("PUT", tag.as_str()), 0);
}

#[tokio::test]
async fn everything_that_refers_is_found() {
    for referrers in [true, false] {
        let scene =
            ClientFixture::with(TestRegistryOptions { referrers, ..TestRegistryOptions::default() }).await;
        let root = tagged(&scene.server, "image");
        let (one, other) = (artifact(root.digest(), "a"), artifact(&Digest::of(b"another"), "b"));
        let gone = describe(&artifact(root.digest(), "gone"));
        let repository = scene.repository();
        for manifest in [&one, &other] {
            repository.put_manifest(&manifest.digest().clone().into(), manifest).await.expect("put");
        }
        if !referrers {
            // A listed manifest is no referrer if it has another subject. One that is gone is returned as it is listed.
            let entries = [gone.clone(), describe(&other), describe(&one)];
            list_at_fallback_tag(repository.as_ref(), root.digest(), &entries).await.expect("listed");
        }
        let tag = cosign_tags(root.digest())[0].clone();
        repository.put_manifest(&tag_at(tag.clone()), &other).await.expect("put");
        let found = find_referrers(repository.as_ref(), root.digest()).await.expect("found");
        let subject = root.digest().clone();
        let lost = Referrer { descriptor: gone, subject: subject.clone(), tag: None };
        let expected: Vec<Referrer> = Some(lost)
            .filter(|_| !referrers)
            .into_iter()
            .chain([
                Referrer { descriptor: describe(&one), subject: subject.clone(), tag: None },
                Referrer { descriptor: describe(&other), subject, tag: Some(tag) },
            ])
            .collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn lists_that_do_not_end_are_ended() {
    let scene =
        ClientFixture::with(TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() }).await;
    let subject = Digest::of(b"x");
    let index = [("content-type", media_type::OCI_INDEX)];
    let body = r#"{"schemaVersion":2,"manifests":[]}"#;
    for number in 0..100 {
        let next = format!("</v2/o/n/referrers/{subject}?page={number}>; rel=next");
        scene.server.on("GET", "/referrers/", 1, answer(200, &[index[0], ("link", &next)], body));
    }
    let error = scene.repository().list_referrers(&subject).await.expect_err("no end");
    assert!(error.to_string().contains("without an end"), "{error}");
    assert!(scene.server.count("GET", "/referrers/") < 20);
    for (body, words) in [("[]", "an invalid list"), (r#"{"manifests":[{}]}"#, "an invalid list")] {
        let scene = ClientFixture::new().await;
        scene.server.on("GET", "/referrers/", 1, answer(200, &index, body));
        let error = scene.repository().list_referrers(&subject).await.expect_err(body);
        assert!(error.to_string().contains(words), "{error}");
    }
    let scene = ClientFixture::new().await;
    let elsewhere = format!("<http://127.0.0.1:1/v2/o/n/referrers/{subject}>; rel=next");
    scene.server.on("GET", "/referrers/", 1, answer(200, &[index[0], ("link", &elsewhere)], body));
    let error = scene.repository().list_referrers(&subject).await.expect_err("another host");
    assert!(error.to_string().contains("another host"), "{error}");
    let scene = ClientFixture::new().await;
    scene.server.on("GET", "/referrers/", 1, Fault::Endless);
    assert!(scene.repository().list_referrers(&subject).await.is_ok_and(|it| it.is_none()), "no index");
}
