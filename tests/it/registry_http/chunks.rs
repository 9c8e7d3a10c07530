//! Uploads in chunks, and when they are chosen.

use super::*;

#[tokio::test]
async fn a_refused_put_is_followed_by_chunks() {
    for status in [400, 404, 405, 413, 416, 501] {
        let scene = ClientFixture::new().await;
        scene.server.on("PUT", UPLOADS, 1, answer(status, &[], ""));
        scene.push(&Blob::noise(9 << 20, 3)).await.expect("pushed");
        let ranges: Vec<_> = scene
            .server
            .requests("PATCH", "")
            .iter()
            .map(|request| request.header("content-range").to_owned())
            .collect();
        assert_eq!(ranges, ["0-4194303", "4194304-8388607", "8388608-9437183"], "{status}");
        assert!(scene.retries().is_empty());
    }
}

#[tokio::test]
async fn an_answer_before_the_end_is_heard_or_survived() {
    let scene = ClientFixture::new().await;
    scene.server.on("PUT", UPLOADS, 1, Fault::Early(413));
    scene.push(&Blob::noise(30 << 20, 3)).await.expect("pushed");
    assert_eq!(scene.server.count("PATCH", "") == 8, scene.retries().is_empty());
}

#[tokio::test]
async fn two_broken_puts_are_followed_by_chunks() {
    let scene = ClientFixture::new().await;
    scene.server.on("PUT", UPLOADS, 2, Fault::Reset { after: 100_000 });
    scene.push(&Blob::noise(1 << 20, 3)).await.expect("pushed");
    assert_eq!((scene.server.count("PATCH", ""), scene.retries().len()), (1, 2));
}

#[tokio::test]
async fn chunks_that_are_refused_are_followed_by_one_put() {
    let scene = ClientFixture::new().await;
    scene.server.on("PUT", UPLOADS, 2, Fault::Reset { after: 10 });
    scene.server.on("PATCH", "", 9, answer(405, &[], ""));
    scene.push(&Blob::noise(100_000, 3)).await.expect("pushed");
    let scene =
        ClientFixture::with(TestRegistryOptions { whole: false, ..TestRegistryOptions::default() }).await;
    scene.server.on("PATCH", "", 9, answer(405, &[], ""));
    let error = scene.push(&Blob::noise(100_000, 3)).await.expect_err("no way is left");
    assert!(error.to_string().contains("PUT"), "{error}");
}

#[tokio::test]
async fn a_broken_chunk_goes_on_from_where_the_registry_stands() {
    let scene =
        ClientFixture::with(TestRegistryOptions { whole: false, ..TestRegistryOptions::default() }).await;
    scene.server.on("PATCH", "at=4194304", 1, Fault::Reset { after: 1_000_000 });
    scene.push(&Blob::noise(9 << 20, 3)).await.expect("pushed");
    let ranges: Vec<_> = scene
        .server
        .requests("PATCH", "")
        .iter()
        .map(|request| request.header("content-range").to_owned())
        .collect();
    let resumed = 4_194_304 + 1_000_000;
    assert_eq!(ranges[2], format!("{resumed}-8388607"));
    assert_eq!(ranges.len(), 4);
    assert_eq!(scene.server.count("POST", UPLOADS), 2);
}

#[tokio::test]
async fn a_chunk_that_is_out_of_step_is_resynchronized() {
    let scene =
        ClientFixture::with(TestRegistryOptions { whole: false, ..TestRegistryOptions::default() }).await;
    // The chunk arrives, but its answer does not: the next is out of step, or nothing is left to send.
    scene.server.on("PATCH", "at=4194304", 1, Fault::Lost);
    scene.server.on("PATCH", "at=0", 1, answer(416, &[], ""));
    scene.push(&Blob::noise(9 << 20, 3)).await.expect("pushed");
    assert_eq!(scene.server.count("GET", UPLOADS), 2);
    assert_eq!(scene.server.count("PATCH", ""), 4);
}

#[tokio::test]
async fn a_lost_session_starts_anew() {
    let scene =
        ClientFixture::with(TestRegistryOptions { whole: false, ..TestRegistryOptions::default() }).await;
    scene.server.on("PATCH", "at=4194304", 1, answer(404, &[], ""));
    scene.push(&Blob::noise(6 << 20, 3)).await.expect("pushed");
    assert_eq!(scene.server.count("POST", UPLOADS), 3);
    scene.server.on("PUT", "at=6291456", 1, answer(404, &[], ""));
    scene.push(&Blob::noise(6 << 20, 4)).await.expect("pushed");
    scene.server.on("PUT", "at=6291456", 1, Fault::Lost);
    scene.push(&Blob::noise(6 << 20, 5)).await.expect("pushed");
}

#[tokio::test]
async fn limits_of_registries_are_kept() {
    let like_ghcr =
        TestRegistryOptions { whole: false, largest_chunk: 4 << 20, ..TestRegistryOptions::default() };
    let scene = ClientFixture::with(like_ghcr).await;
    scene.push(&Blob::noise(10 << 20, 3)).await.expect("pushed");
    let large =
        TestRegistryOptions { whole: false, smallest_chunk: 6 << 20, ..TestRegistryOptions::default() };
    let scene = ClientFixture::with(large).await;
    scene.push(&Blob::noise(10 << 20, 3)).await.expect("pushed");
    assert_eq!(scene.server.requests("PATCH", "")[0].header("content-range"), "0-6291455");
    // A registry that never agrees is given up on.
    let scene = ClientFixture::with(TestRegistryOptions {
        whole: false,
        largest_chunk: 1000,
        ..TestRegistryOptions::default()
    })
    .await;
    assert!(scene.push(&Blob::noise(10_000, 3)).await.is_err());
    assert!(scene.server.log().len() < 200);
}
