//! HEAD of a blob that is refused, by the registry or by the storage that it redirects to, while GET works.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

const ACCESS_DENIED: &str =
    "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

#[tokio::test]
async fn a_registry_that_refuses_head_is_asked_for_the_first_byte() {
    for status in [400, 403, 405, 406, 501] {
        for (size, is_there) in [(1000, true), (0, true), (1000, false)] {
            let scene = ClientFixture::new().await;
            let blob = Blob::noise(size, 1);
            if is_there {
                scene.server.content().blob("o/n", &blob.bytes);
            }
            scene.server.on("HEAD", "/blobs/", 9, answer(status, &[], ""));
            let found = scene.repository().has_blob(&blob.descriptor).await.expect("an answer");
            assert_eq!(found, is_there, "{status} {size}");
            let asked = scene.server.requests("GET", "/blobs/");
            assert_eq!((asked.len(), asked[0].header("range")), (1, "bytes=0-0"));
        }
    }
    let scene = ClientFixture::new().await;
    scene.server.on("HEAD", "/blobs/", 9, answer(403, &[], ""));
    scene.server.on("GET", "/blobs/", 9, answer(403, &[], ""));
    let error = scene.repository().has_blob(&Blob::noise(10, 1).descriptor).await.expect_err("refused");
    assert!(matches!(error, RegistryError::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn a_storage_that_refuses_is_named() {
    let blob = Blob::noise(1000, 1);
    for status in [400, 401, 403] {
        let (scene, storage) =
            (ClientFixture::with(tokens()).await, TestRegistry::start(TestRegistryOptions::default()).await);
        scene.server.content().blob("o/n", &blob.bytes);
        storage.content().blob("store", &blob.bytes);
        let there = format!("http://{}/v2/store/blobs/{}?sig=1", storage.host(), blob.descriptor.digest);
        for method in ["HEAD", "GET"] {
            scene.server.on(method, "/blobs/", 9, answer(307, &[("location", &there)], ""));
        }
        // The signature is for GET alone.
        storage.on("HEAD", "/blobs/", 9, answer(status, &[], ""));
        assert!(scene.repository().has_blob(&blob.descriptor).await.expect("an answer"), "{status}");

        storage.on("GET", "/blobs/", 9, answer(status, &[], ACCESS_DENIED));
        let host = format!("http://{}", storage.host());
        let asked = scene.repository().has_blob(&blob.descriptor).await.expect_err("refused");
        let read = scene.repository().get_blob(&blob.descriptor, 1000).await.expect_err("refused");
        for error in [asked, read] {
            assert!(error.to_string().ends_with("AccessDenied: Access Denied"), "{error}");
            let help = error.to_diagnostic().help.expect("a help");
            assert!(help.contains(&format!("redirects to `{host}`")), "{help}");
            assert!(!help.contains("no credentials") && !help.contains("log in"), "{help}");
        }
        assert!(storage.log().iter().all(|request| request.header("authorization").is_empty()));
    }
}

#[tokio::test]
async fn a_storage_that_is_silent_is_named() {
    let scene = ClientFixture::new().await;
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let there = format!("http://{closed}/blob");
    scene.server.on("GET", "/blobs/", 9, answer(307, &[("location", &there)], ""));
    let error = scene.repository().get_blob(&Blob::noise(10, 1).descriptor, 10).await.expect_err("nobody");
    let help = error.to_diagnostic().help.expect("a help");
    assert!(help.contains(&format!("redirects to `http://{closed}`")), "{help}");
}
