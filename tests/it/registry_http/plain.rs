//! Nothing goes wrong.

use super::*;

#[tokio::test]
async fn an_image_is_pushed_and_read_back() {
    for absolute in [false, true] {
        let scene =
            ClientFixture::with(TestRegistryOptions { absolute, ..TestRegistryOptions::default() }).await;
        let image = SmallImage::new("plain");
        let repository = scene.repository();
        image.push(repository.as_ref(), "v1").await.expect("pushed");
        let found = repository.get_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(&image.index));
        let standing = repository.head_manifest(&image.manifests[0].digest().clone().into()).await;
        assert_eq!(standing.expect("an answer"), Some(image.manifests[0].descriptor()));
        let blob = &image.blobs[1];
        assert_eq!(repository.get_blob(&blob.descriptor, 1 << 20).await.expect("a blob"), blob.bytes);
        assert!(repository.get_blob(&blob.descriptor, 10).await.is_err());
        assert!(scene.retries().is_empty());
        // One PUT for each blob, and one question what the registry wants to see.
        assert_eq!(scene.server.count("PUT", UPLOADS), image.blobs.len());
        assert_eq!(scene.server.count("GET", "/v2/"), 1 + 1 + 1);
        for request in scene.server.requests("HEAD", "/manifests/") {
            assert!(request.header("accept").starts_with(&media_type::MANIFESTS.join(", ")));
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_none() {
    let scene = ClientFixture::new().await;
    let repository = scene.repository();
    assert_eq!(repository.head_manifest(&at("v1")).await.expect("an answer"), None);
    assert_eq!(repository.get_manifest(&at("v1")).await.expect("an answer"), None);
    assert!(repository.list_tags().await.expect("tags").is_empty());
    let blob = Blob::noise(10, 1);
    assert!(!repository.has_blob(&blob.descriptor).await.expect("an answer"));
    let error = repository.get_blob(&blob.descriptor, 100).await.expect_err("nothing");
    assert!(matches!(error, RegistryError::NotFound(_)), "{error:?}");
}

#[tokio::test]
async fn blobs_of_every_size() {
    let scene = ClientFixture::new().await;
    for size in [0, 1, 65_535, 65_536, 65_537, 3_000_000] {
        let outcome = scene.push(&Blob::noise(size, 7)).await;
        assert_eq!(outcome.expect("pushed"), BlobOutcome::Pushed, "{size}");
    }
    assert_eq!(scene.server.count("PATCH", ""), 0);
}

#[tokio::test]
async fn a_blob_is_mounted_or_sent() {
    let scene = ClientFixture::new().await;
    let blob = Blob::noise(1000, 1);
    scene.server.content().blob("o/base", &blob.bytes);
    let repository = scene.repository();
    let mount = |blob: Blob| {
        let repository = Arc::clone(&repository);
        async move { repository.push_blob(&blob.descriptor, &blob.body(), Some(&name("o/base"))).await }
    };
    assert_eq!(mount(blob.clone()).await.expect("mounted"), BlobOutcome::Mounted);
    assert_eq!(scene.server.count("PUT", UPLOADS), 0);
    // 202: the session that came instead is gone on with.
    let other = Blob::noise(1000, 2);
    assert_eq!(mount(other).await.expect("pushed"), BlobOutcome::Pushed);
    assert_eq!(scene.server.count("POST", UPLOADS), 2);
    for (seed, status) in [(3, 401), (4, 403), (5, 404), (6, 405)] {
        scene.server.on("POST", "mount=", 1, answer(status, &[], ""));
        assert_eq!(mount(Blob::noise(1000, seed)).await.expect("pushed"), BlobOutcome::Pushed, "{status}");
    }
    assert_eq!(scene.server.count("POST", UPLOADS), 2 + 4 * 2);
    // Only the claim of a mount is checked.
    assert_eq!(scene.server.count("HEAD", "/blobs/"), 1);
}

#[tokio::test]
async fn manifests_are_sent_as_they_are() {
    let scene = ClientFixture::new().await;
    let odd = b"{ \"schemaVersion\" : 2,\n\t\"manifests\": [] }".to_vec();
    let manifest = RawManifest::new(media_type::DOCKER_MANIFEST_LIST, odd.clone());
    let repository = scene.repository();
    repository.put_manifest(&at("v1"), &manifest).await.expect("put");
    let read = repository.get_manifest(&at("v1")).await.expect("an answer").expect("a manifest");
    assert_eq!((read.bytes(), read.media_type()), (&odd[..], media_type::DOCKER_MANIFEST_LIST));
    let wrong = Digest::of(b"other").into();
    let error = repository.put_manifest(&wrong, &manifest).await.expect_err("another digest");
    assert!(matches!(error, RegistryError::ContentMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn heads_that_say_too_little_are_asked_with_get() {
    let scene = ClientFixture::new().await;
    let manifest = tagged(&scene.server, "a");
    for missing in ["docker-content-digest", "content-type"] {
        scene.server.on("HEAD", "/manifests/", 1, headers(&[(missing, "")]));
        let found = scene.repository().head_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(found, Some(manifest.descriptor()), "{missing}");
    }
    scene.server.on("HEAD", "/manifests/", 1, headers(&[("docker-content-digest", "sha256:x")]));
    scene.server.on("GET", "/manifests/", 1, headers(&[("content-type", "text/plain")]));
    let found = scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(found, Some(manifest.descriptor()));
    assert_eq!(scene.server.count("GET", "/manifests/"), 3);
}

#[tokio::test]
async fn warnings_are_told_once() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    scene.server.on("HEAD", "/manifests/", 3, headers(&[("warning", "299 - \"quota \\\"exceeded\\\"\"")]));
    for _ in 0..3 {
        scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    }
    let notices = scene.notices.lock().expect("a lock").clone();
    let [Notice::Warning { host, text }] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((host.as_str(), text.as_str()), (scene.server.host().as_str(), r#"quota "exceeded""#));
}
