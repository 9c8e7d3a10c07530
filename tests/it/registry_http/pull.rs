//! Reading blobs of any size: breaks, ranges, stalls, stores of other hosts.

use futures_util::StreamExt;

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

impl ClientFixture {
    /// Reads a blob to its end, or to the first error.
    async fn pull(&self, blob: &Blob) -> Result<Vec<u8>, String> {
        let mut stream =
            self.repository().open_blob(&blob.descriptor).await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => {
                    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RegistryError>());
                    assert!(inner.is_some(), "{error:?}");
                    assert!(stream.next().await.is_none(), "after an error there is nothing");
                    return Err(error.to_string());
                }
            }
        }
        assert!(stream.next().await.is_none(), "after the end there is nothing");
        Ok(bytes)
    }

    fn holding(&self, blob: &Blob) {
        self.server.content().blob("o/n", &blob.bytes);
    }

    /// The ranges that were asked for, in order.
    fn ranges(&self) -> Vec<String> {
        let requests = self.server.requests("GET", "/blobs/");
        requests.iter().map(|request| request.header("range").to_owned()).collect()
    }
}

#[tokio::test]
async fn blobs_of_every_size_are_read() {
    let scene = ClientFixture::new().await;
    for size in [0, 1, 65_536, 5_000_000] {
        let blob = Blob::noise(size, 3);
        scene.holding(&blob);
        assert!(scene.pull(&blob).await.expect("a blob") == blob.bytes, "{size}");
    }
    assert_eq!(scene.ranges(), [""; 4]);
    let error = scene.pull(&Blob::noise(10, 9)).await.expect_err("not there");
    assert!(error.contains("BLOB_UNKNOWN"), "{error}");
}

#[tokio::test]
async fn a_blob_goes_on_from_where_it_broke() {
    for ranges in [true, false] {
        let scene = ClientFixture::with(TestRegistryOptions { ranges, ..tokens() }).await;
        let blob = Blob::noise(3_000_000, 1);
        scene.holding(&blob);
        scene.server.on("GET", "/blobs/", 1, Fault::Cut { after: 1_000_000 });
        scene.server.on("GET", "/blobs/", 1, Fault::Cut { after: 500_000 });
        assert!(scene.pull(&blob).await.expect("a blob") == blob.bytes, "ranges: {ranges}");
        let asked = scene.ranges();
        assert_eq!(asked.len(), 3, "{asked:?}");
        let from: Vec<u64> = asked[1..]
            .iter()
            .map(|range| range.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-')).expect("a range"))
            .map(|from| from.parse().expect("a number"))
            .collect();
        assert!(from[0] > 0 && from[0] <= 1_000_000 && from[0] <= from[1], "{from:?}");
        assert_eq!(scene.retries().len(), 2);
    }
}

#[tokio::test]
async fn a_blob_that_always_breaks_is_given_up() {
    let scene = ClientFixture::new().await;
    let blob = Blob::noise(1_000_000, 1);
    scene.holding(&blob);
    scene.server.on("GET", "/blobs/", 99, Fault::Cut { after: 1000 });
    let error = scene.pull(&blob).await.expect_err("never whole");
    assert!(error.contains("(after 6 attempts)"), "{error}");
    assert_eq!(scene.server.count("GET", "/blobs/"), 6);
}

#[tokio::test]
async fn a_stall_is_ended() {
    let timeouts = Timeouts { answer: Duration::from_millis(300), ..Timeouts::default() };
    let scene = ClientFixture::within(TestRegistryOptions::default(), timeouts).await;
    let blob = Blob::noise(200_000, 1);
    scene.holding(&blob);
    scene.server.on("GET", "/blobs/", 1, Fault::Silence { after: 100_000 });
    assert!(scene.pull(&blob).await.expect("a blob") == blob.bytes);
    let retries = scene.retries();
    assert!(retries.len() == 1 && retries[0].contains("stopped for 300ms"), "{retries:?}");
    scene.server.on("GET", "/blobs/", 99, Fault::Trickle { every: Duration::from_millis(50) });
    assert!(scene.pull(&Blob::noise(200_000, 2)).await.is_err());
}

#[tokio::test]
async fn a_reader_that_takes_its_time_is_no_stall() {
    let timeouts = Timeouts { answer: Duration::from_millis(300), ..Timeouts::default() };
    let scene = ClientFixture::within(TestRegistryOptions::default(), timeouts).await;
    let blob = Blob::noise(300_000, 1);
    scene.holding(&blob);
    let mut stream = scene.repository().open_blob(&blob.descriptor).await.expect("a blob");
    let first = stream.next().await.expect("a piece").expect("readable");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut bytes = first.to_vec();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.expect("readable"));
    }
    assert!(bytes == blob.bytes);
    assert_eq!(scene.retries(), Vec::<String>::new());
}

#[tokio::test]
async fn a_store_of_another_host_sees_no_credentials() {
    let (scene, store) =
        (ClientFixture::with(tokens()).await, TestRegistry::start(TestRegistryOptions::default()).await);
    let blob = Blob::noise(2_000_000, 1);
    scene.holding(&blob);
    store.content().blob("store", &blob.bytes);
    for signature in 1..=2 {
        let there =
            format!("http://{}/v2/store/blobs/{}?sig={signature}", store.host(), blob.descriptor.digest);
        scene.server.on("GET", "/blobs/", 1, answer(307, &[("location", &there)], ""));
    }
    store.on("GET", "/blobs/", 1, Fault::Cut { after: 700_000 });
    assert!(scene.pull(&blob).await.expect("a blob") == blob.bytes);
    let seen = store.log();
    assert!(seen.iter().all(|request| request.header("authorization").is_empty()));
    // The registry is asked again, as addresses of stores hold for a short time.
    let queries: Vec<&str> = seen.iter().map(|request| request.query.as_str()).collect();
    assert_eq!(queries, ["sig=1", "sig=2"]);
    assert!(seen[1].header("range").starts_with("bytes="));
    assert!(!scene.server.requests("GET", "/blobs/")[0].header("authorization").is_empty());
}

#[tokio::test]
async fn a_blob_of_another_size_is_refused() {
    let scene = ClientFixture::new().await;
    let blob = Blob::noise(1000, 1);
    scene.server.on("GET", "/blobs/", 1, answer(200, &[], "short"));
    let error = scene.pull(&blob).await.expect_err("too short");
    assert!(error.contains("a blob of 5 bytes, although its descriptor says that it has 1000"), "{error}");
    scene.server.on("GET", "/blobs/", 1, Fault::Endless);
    let error = scene.pull(&blob).await.expect_err("no end");
    assert!(error.contains("more than the 1000 bytes"), "{error}");
    // A part, and another than was asked for.
    scene.server.on("GET", "/blobs/", 1, answer(206, &[("content-range", "bytes 0-999/1000")], ""));
    assert!(scene.pull(&blob).await.expect_err("no range").contains("the unexpected status"));
    scene.holding(&blob);
    for range in ["bytes 7-999/1000", "bytes */1000", "x"] {
        scene.server.on("GET", "/blobs/", 1, Fault::Cut { after: 500 });
        scene.server.on("GET", "/blobs/", 1, answer(206, &[("content-range", range)], "x"));
        let error = scene.pull(&blob).await.expect_err(range);
        assert!(error.contains("was not requested"), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_says_which_credentials_were_used() {
    let scene = ClientFixture::with(tokens()).await;
    let blob = Blob::noise(10, 1);
    scene.holding(&blob);
    scene.server.on(
        "GET",
        "/blobs/",
        2,
        answer(403, &[], r#"{"errors":[{"code":"DENIED","message":"no"}]}"#),
    );
    let error = scene.repository().open_blob(&blob.descriptor).await.err().expect("a refusal");
    assert_eq!(error.to_diagnostic().code, Code::RegistryDenied);
}

#[tokio::test]
async fn the_first_schema_comes_as_it_is() {
    let scene = ClientFixture::new().await;
    let body = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    let told = Digest::of(b"without its signatures").to_string();
    let signed = media_type::DOCKER_SCHEMA_1_SIGNED;
    let head = [("content-type", signed), ("docker-content-digest", told.as_str())];
    scene.server.on("GET", "/manifests/", 1, answer(200, &head, body));
    let manifest = scene.repository().get_manifest(&at("v1")).await.expect("an answer").expect("a manifest");
    assert!(manifest.parse().is_err_and(|error| error.to_string().contains("schema 1")));
}
