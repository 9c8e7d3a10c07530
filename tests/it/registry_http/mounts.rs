//! Mounts that a registry refuses, claims or answers with a session that leads nowhere: the bytes are sent instead.

use super::*;

/// Pushes `blob` with a mount from `o/base`.
async fn mount(scene: &ClientFixture, blob: &Blob) -> BlobOutcome {
    let pushed = scene.repository().push_blob(&blob.descriptor, &blob.body(), Some(&name("o/base"))).await;
    let outcome = pushed.expect("pushed");
    let key = ("o/n".to_owned(), blob.descriptor.digest.to_string());
    assert_eq!(scene.server.content().blobs.get(&key), Some(&blob.bytes));
    outcome
}

#[tokio::test]
async fn a_mount_that_is_claimed_and_not_made_is_replaced_by_the_bytes() {
    let blob = Blob::noise(1000, 1);
    let other = Digest::of(b"another").to_string();
    let own = blob.descriptor.digest.to_string();
    for (headers, why) in [
        // estesp/manifest-tool#98 (Artifactory), goharbor/harbor#18541
        (vec![], "201, and the blob is not there"),
        (vec![("docker-content-digest", own.as_str())], "201 with the digest, and the blob is not there"),
        (vec![("docker-content-digest", other.as_str())], "201 with another digest"),
    ] {
        let scene = ClientFixture::new().await;
        scene.server.content().blob("o/base", &blob.bytes);
        scene.server.on("POST", "mount=", 1, answer(201, &headers, ""));
        assert_eq!(mount(&scene, &blob).await, BlobOutcome::Pushed, "{why}");
        assert!(scene.retries().is_empty(), "{why}");
    }
}

#[tokio::test]
async fn a_session_instead_of_a_mount_may_lead_nowhere() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let closed = format!("http://{closed}/upload");
    for location in ["/v2/o/n/blobs/uploads/none?_state=a", "", "ftp://x/", "http://[", closed.as_str()] {
        let scene = ClientFixture::new().await;
        scene.server.on("POST", "mount=", 1, answer(202, &[("location", location)], ""));
        assert_eq!(mount(&scene, &Blob::noise(1000, 1)).await, BlobOutcome::Pushed, "{location}");
        assert_eq!(scene.server.count("POST", UPLOADS), 2, "{location}");
    }
}

#[tokio::test]
async fn every_refusal_of_a_mount_means_that_the_bytes_are_sent() {
    for status in [200, 204, 400, 401, 403, 404, 405, 409, 412, 422, 429, 500, 501, 502, 503, 504] {
        let scene = ClientFixture::new().await;
        scene.server.content().blob("o/base", &Blob::noise(1000, 1).bytes);
        scene.server.on("POST", "mount=", 2, answer(status, &[], ""));
        assert_eq!(mount(&scene, &Blob::noise(1000, 1)).await, BlobOutcome::Pushed, "{status}");
        assert_eq!(scene.server.count("PUT", UPLOADS), 1, "{status}");
    }
    // A source that may not be read: the token server refuses both scopes together.
    let scene = ClientFixture::with(tokens()).await;
    scene.server.on("GET", "o%2Fbase", 9, answer(403, &[], ""));
    assert_eq!(mount(&scene, &Blob::noise(1000, 1)).await, BlobOutcome::Pushed);
    assert_eq!(scene.server.count("POST", "mount="), 0);
}

#[tokio::test]
async fn a_registry_that_does_not_show_the_mounted_blob_is_believed() {
    for status in [401, 403, 405, 500] {
        let scene = ClientFixture::new().await;
        let blob = Blob::noise(1000, 1);
        scene.server.content().blob("o/base", &blob.bytes);
        scene.server.on("HEAD", "/blobs/", 99, answer(status, &[], ""));
        scene.server.on("GET", "/blobs/", 99, answer(status, &[], ""));
        assert_eq!(mount(&scene, &blob).await, BlobOutcome::Mounted, "{status}");
    }
}
