//! Redirects and addresses that lead elsewhere.

use super::*;

#[tokio::test]
async fn credentials_stay_with_the_registry() {
    let (scene, other) =
        (ClientFixture::with(tokens()).await, TestRegistry::start(TestRegistryOptions::default()).await);
    let blob = Blob::noise(1000, 1);
    other.content().blob("store", &blob.bytes);
    let there = format!("http://{}/v2/store/blobs/{}?sig=1", other.host(), blob.descriptor.digest);
    scene.server.on("GET", "/blobs/", 1, answer(307, &[("location", &there)], ""));
    let read = scene.repository().get_blob(&blob.descriptor, 1000).await.expect("a blob");
    assert_eq!(read, blob.bytes);
    let seen = &other.log()[0];
    assert_eq!((seen.header("authorization"), seen.query.as_str()), ("", "sig=1"));
    assert!(!scene.server.requests("GET", "/blobs/")[0].header("authorization").is_empty());

    // An upload that leads elsewhere: the bytes go there, the credentials do not.
    let location = format!("http://{}/upload?x=1", other.host());
    scene.server.on("POST", UPLOADS, 1, headers(&[("location", &location)]));
    other.on("PUT", "/upload", 1, answer(201, &[], ""));
    let pushed = scene.repository().push_blob(&blob.descriptor, &blob.body(), None).await;
    assert_eq!(pushed.expect("pushed"), BlobOutcome::Pushed);
    let seen = &other.requests("PUT", "/upload")[0];
    assert_eq!(seen.header("authorization"), "");
    assert_eq!(seen.query, format!("x=1&digest={}", blob.descriptor.digest));

    // A host that asks for credentials gets none.
    other.on("GET", "/blobs/", 1, answer(401, &[("www-authenticate", "Basic realm=\"x\"")], ""));
    scene.server.on("GET", "/blobs/", 1, answer(307, &[("location", &there)], ""));
    assert!(scene.repository().get_blob(&blob.descriptor, 1000).await.is_err());
    assert!(other.log().iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn redirects_end() {
    let scene = ClientFixture::new().await;
    scene.server.on("HEAD", "/manifests/", 99, answer(302, &[("location", "/v2/o/n/manifests/v1")], ""));
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a circle");
    assert!(error.to_string().contains("redirects"), "{error}");
    assert_eq!(scene.server.count("HEAD", "/manifests/"), 6);
    scene.server.on("PUT", "/manifests/", 1, answer(302, &[("location", "/elsewhere")], ""));
    let manifest = RawManifest::new(media_type::OCI_INDEX, b"{}".to_vec());
    assert!(scene.repository().put_manifest(&at("v1"), &manifest).await.is_err());
    for location in ["file:///etc/passwd", "http://[", ""] {
        scene.server.on("GET", "/manifests/", 1, answer(307, &[("location", location)], ""));
        let outcome = scene.repository().get_manifest(&at("v1")).await;
        assert!(outcome.is_err() || location.is_empty(), "{location}");
    }
}

#[tokio::test]
async fn a_temporary_redirect_keeps_the_content() {
    let scene = ClientFixture::new().await;
    let blob = Blob::noise(100_000, 1);
    let session = "/v2/o/n/blobs/uploads/1?_state=a%2Fb%3D%3D";
    let location = format!("{session}&digest={}", blob.descriptor.digest);
    scene.server.on("PUT", UPLOADS, 1, answer(307, &[("location", &location)], ""));
    scene.push(&blob).await.expect("pushed");
    assert_eq!(scene.server.count("PUT", UPLOADS), 2);
}

#[tokio::test]
async fn bad_locations_are_said() {
    for location in ["", "http://[", "ftp://x/", "\u{80}"] {
        let scene = ClientFixture::new().await;
        scene.server.on("POST", UPLOADS, 1, headers(&[("location", location)]));
        let error = scene.push(&Blob::noise(10, 1)).await.expect_err(location);
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
        assert!(error.to_string().contains("Location"), "{error}");
    }
}
