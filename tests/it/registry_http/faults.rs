//! Temporary and lasting faults: statuses, connections, stalls, sources.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

#[tokio::test]
async fn rate_limits_are_waited_for() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    scene.server.on("HEAD", "/manifests/", 1, answer(429, &[("retry-after", "1")], ""));
    let started = Instant::now();
    assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(scene.retries(), ["429 Too Many Requests"]);

    let said =
        r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 300.5ms, allowed: 2000/minute"}]}"#;
    scene.server.on("GET", "/manifests/", 1, answer(429, &[], said));
    let started = Instant::now();
    assert!(scene.repository().get_manifest(&at("v1")).await.expect("an answer").is_some());
    assert!(started.elapsed() >= Duration::from_millis(300));

    scene.server.on("GET", "/manifests/", 1, answer(429, &[("retry-after", "3600")], said));
    let error = scene.repository().get_manifest(&at("v1")).await.expect_err("too long a wait");
    assert!(error.to_diagnostic().help.expect("a help").contains("60 minutes"), "{error}");
}

#[tokio::test]
async fn what_passes_is_sent_again_and_said() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    for status in [408, 500, 502, 503, 504] {
        scene.server.on("HEAD", "/manifests/", 1, answer(status, &[], ""));
    }
    assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
    assert_eq!(scene.retries().len(), 5);
    assert_eq!(scene.retries()[1], "500 Internal Server Error");

    scene.server.on("HEAD", "/manifests/", 99, answer(503, &[], ""));
    let error = scene.repository().head_manifest(&at("v1")).await.expect_err("no end");
    assert_eq!(error.to_diagnostic().code, Code::RegistryUnreachable);
    assert!(error.to_string().ends_with("503 Service Unavailable (after 6 attempts)"), "{error}");
    assert_eq!(scene.server.count("HEAD", "/manifests/"), 6 + 6);

    for status in [400, 403, 410, 501] {
        scene.server.forget_log();
        scene.server.on("GET", "/manifests/", 1, answer(status, &[], ""));
        assert!(scene.repository().get_manifest(&at("v1")).await.is_err(), "{status}");
        assert_eq!(scene.server.count("GET", "/manifests/"), 1, "{status}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    scene.server.on("HEAD", "/manifests/", 2, Fault::Reset { after: 0 });
    assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
    let blob = Blob::noise(3_000_000, 1);
    scene.server.on("PUT", UPLOADS, 1, Fault::Reset { after: 1_000_000 });
    scene.push(&blob).await.expect("pushed");
    // The retry uses a new session, after a check whether the blob arrived.
    assert_eq!((scene.server.count("POST", UPLOADS), scene.server.count("HEAD", "/blobs/")), (2, 1));
    assert_eq!(scene.server.count("PATCH", ""), 0);
}

#[tokio::test]
async fn the_attempts_of_a_blob_are_counted_together() {
    for (size, fault) in [
        (1000, answer(500, &[], "")),
        (9_000_000, Fault::Reset { after: 0 }),
        (9_000_000, answer(503, &[], "")),
    ] {
        let scene = ClientFixture::new().await;
        for method in ["PUT", "PATCH"] {
            scene.server.on(method, UPLOADS, 99, fault.clone());
        }
        let error = scene.push(&Blob::noise(size, 1)).await.expect_err("no end");
        let sent = scene.server.count("PUT", UPLOADS) + scene.server.count("PATCH", UPLOADS);
        assert!(error.to_string().ends_with(&format!("(after {sent} attempts)")), "{sent}: {error}");
    }
    // Chunks that come through are progress: as many attempts follow, and all are counted.
    let scene =
        ClientFixture::with(TestRegistryOptions { whole: false, ..TestRegistryOptions::default() }).await;
    scene.server.on("PATCH", "at=0", 3, answer(500, &[], ""));
    scene.server.on("PATCH", "at=4194304", 99, answer(500, &[], ""));
    let error = scene.push(&Blob::noise(9_000_000, 1)).await.expect_err("no end");
    assert_eq!(scene.server.count("PATCH", "at=0"), 4);
    assert!(error.to_string().ends_with("(after 9 attempts)"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_is_refused_for_its_content_is_not_sent_again() {
    // distribution/distribution#2795: 500 with UNKNOWN and MANIFEST_BLOB_UNKNOWN.
    let body = r#"{"errors":[{"code":"UNKNOWN","message":"unknown error"},{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}"#;
    let scene = ClientFixture::new().await;
    scene.server.on("PUT", "/manifests/", 99, answer(500, &[], body));
    let manifest = RawManifest::new(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    let error = scene.repository().put_manifest(&at("v1"), &manifest).await.expect_err("refused");
    assert!(error.misses_content(), "{error:?}");
    assert_eq!(scene.server.count("PUT", "/manifests/"), 1);
    assert_eq!(error.to_diagnostic().code, Code::RegistryRejected);
}

#[tokio::test]
async fn nobody_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let endpoint = RegistryEndpoint {
        url: port.to_string().parse().expect("a location"),
        insecure: false,
        ca_file: None,
        auth: None,
        provider: None,
        client_certificate: None,
        client_key: None,
        api_url: None,
        api_token_env: None,
    };
    let retry = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
    let options = ConnectOptions { retry, environment: Arc::new(|_| None), ..ConnectOptions::default() };
    let repository = connect(&endpoint, &options).expect("a registry").repository(&name("a"));
    let error = repository.list_tags().await.expect_err("nobody");
    let expected = format!(
        "GET http://{port}/v2/: cannot connect: Connection refused (os error 111) (after 6 attempts)"
    );
    assert_eq!(error.to_string(), expected);
    assert!(repository.list_tags().await.is_err());
}

#[tokio::test]
async fn what_arrived_unnoticed_is_not_sent_again() {
    let scene = ClientFixture::new().await;
    let blob = Blob::noise(200_000, 1);
    scene.server.on("PUT", UPLOADS, 1, Fault::Lost);
    scene.push(&blob).await.expect("pushed");
    assert_eq!(scene.server.count("PUT", UPLOADS), 1);
    let manifest = RawManifest::new(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    scene.server.on("PUT", "/manifests/", 1, Fault::Lost);
    scene.repository().put_manifest(&at("v1"), &manifest).await.expect("put");
    assert_eq!(scene.server.count("PUT", "/manifests/"), 1);
    scene.server.on("PUT", "/manifests/", 1, answer(502, &[], ""));
    scene.repository().put_manifest(&at("v2"), &manifest).await.expect("put");
    assert_eq!(scene.server.count("PUT", "/manifests/"), 3);
}

#[tokio::test]
async fn a_stall_is_ended() {
    let server = TestRegistry::start(TestRegistryOptions::default()).await;
    let notices = Arc::new(Mutex::new(Vec::new()));
    let timeouts =
        Timeouts { answer: Duration::from_secs(1), stall: Duration::from_secs(1), ..Timeouts::default() };
    let registry = client(&server, &notices, timeouts);
    let scene = ClientFixture { server, registry, notices };
    // Far more than the buffers of both sides hold.
    let blob = Blob::noise(40 << 20, 1);
    scene.server.on("PUT", UPLOADS, 1, Fault::Stall { after: 100_000 });
    scene.server.on("HEAD", "/manifests/", 1, Fault::Stall { after: 0 });
    scene.push(&blob).await.expect("pushed");
    assert_eq!(scene.retries(), ["nothing could be sent for 1s"]);
    scene.repository().head_manifest(&at("v1")).await.expect("an answer");
    assert_eq!(scene.retries()[1], "no answer within 1s");
}

#[tokio::test]
async fn a_broken_source_is_not_sent_again() {
    for whole in [true, false] {
        let scene =
            ClientFixture::with(TestRegistryOptions { whole, ..TestRegistryOptions::default() }).await;
        let blob = Blob::noise(200_000, 1);
        let body = Body::broken(blob.bytes.clone());
        let error = scene.repository().push_blob(&blob.descriptor, &body, None).await.expect_err("broken");
        let RegistryError::Content { digest, cause } = &error else { panic!("{error:?}") };
        assert_eq!((digest, cause.as_str()), (&blob.descriptor.digest, "the bytes have another digest"));
        assert!(scene.server.content().blobs.is_empty());
        assert!(scene.retries().is_empty());
        let short = Body::new(blob.bytes.slice(..100), 10);
        let error = scene.repository().push_blob(&blob.descriptor, &short, None).await.expect_err("short");
        assert!(
            matches!(&error, RegistryError::Content { cause, .. } if cause.contains("too early")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn small_requests_do_not_wait_behind_uploads() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    scene.server.on("PUT", UPLOADS, 99, Fault::Stall { after: 0 });
    let repository = scene.repository();
    let blob = Blob::noise(1000, 1);
    let uploads: Vec<_> = (0..30)
        .map(|_| {
            let (repository, blob) = (Arc::clone(&repository), blob.clone());
            tokio::spawn(async move { repository.push_blob(&blob.descriptor, &blob.body(), None).await })
        })
        .collect();
    let started = Instant::now();
    while scene.server.count("PUT", UPLOADS) < 8 && started.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let head = tokio::time::timeout(Duration::from_secs(2), repository.head_manifest(&at("v1"))).await;
    assert!(head.expect("in time").expect("an answer").is_some());
    assert_eq!(scene.server.count("PUT", UPLOADS), 8, "no more uploads at a time than told");
    uploads.iter().for_each(tokio::task::JoinHandle::abort);
}
