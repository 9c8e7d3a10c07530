//! Registries that mean harm, or are none.

use super::*;
use brokkr_publish::diagnostic::ToDiagnostic;

#[tokio::test]
async fn bodies_have_a_bound() {
    let scene = ClientFixture::new().await;
    tagged(&scene.server, "a");
    scene.server.on("GET", "/manifests/", 1, Fault::Endless);
    let error = scene.repository().get_manifest(&at("v1")).await.expect_err("no end");
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    let blob = Blob::noise(100, 1);
    scene.server.on("GET", "/blobs/", 1, Fault::Endless);
    assert!(scene.repository().get_blob(&blob.descriptor, 1000).await.is_err());
    let huge = "x".repeat(10 << 20);
    scene.server.on("HEAD", "/blobs/", 1, answer(400, &[], &huge));
    scene.server.on("GET", "/blobs/", 1, answer(400, &[], &huge));
    let error = scene.repository().get_blob(&blob.descriptor, 1000).await.expect_err("a refusal");
    assert!(error.to_string().len() < 2000);
}

#[tokio::test]
async fn bodies_that_trickle_are_ended() {
    let timeouts = Timeouts { answer: Duration::from_millis(500), ..Timeouts::default() };
    let scene = ClientFixture::within(TestRegistryOptions::default(), timeouts).await;
    let manifest = tagged(&scene.server, "a");
    let trickle = Fault::Trickle { every: Duration::from_millis(50) };
    scene.server.on("GET", "/manifests/", 1, trickle.clone());
    scene.server.on("GET", "/tags/list", 1, trickle);
    let read = scene.repository().get_manifest(&at("v1")).await.expect("an answer, once it is one");
    assert_eq!(read.map(|read| read.digest().clone()), Some(manifest.digest().clone()));
    assert_eq!(scene.repository().list_tags().await.expect("tags").tags().len(), 1);
    let retries = scene.retries();
    assert!(retries.iter().all(|cause| cause.contains("comes too slowly")), "{retries:?}");
    assert_eq!(retries.len(), 2);
    assert!(retries[0].ends_with("bytes within 1s"), "{retries:?}");
}

#[tokio::test]
async fn digests_are_computed() {
    let scene = ClientFixture::new().await;
    let manifest = tagged(&scene.server, "a");
    let lie = Digest::of(b"lie").to_string();
    let lies = headers(&[("docker-content-digest", &lie)]);
    let mismatch = |error: RegistryError| {
        assert!(matches!(error, RegistryError::ContentMismatch { .. }), "{error:?}");
    };
    scene.server.on("GET", "/manifests/", 1, lies.clone());
    mismatch(scene.repository().get_manifest(&at("v1")).await.expect_err("a lie"));
    scene.server.on("HEAD", "/manifests/", 1, lies.clone());
    let by_digest = manifest.digest().clone().into();
    mismatch(scene.repository().head_manifest(&by_digest).await.expect_err("a lie"));
    scene.server.on("GET", "/manifests/", 1, answer(200, &[], r#"{"manifests":[]}"#));
    mismatch(scene.repository().get_manifest(&by_digest).await.expect_err("a lie"));
    scene.server.on("PUT", "/manifests/", 1, lies.clone());
    mismatch(scene.repository().put_manifest(&at("v2"), &manifest).await.expect_err("a lie"));
    scene.server.on("PUT", UPLOADS, 1, lies);
    mismatch(scene.push(&Blob::noise(10, 1)).await.expect_err("a lie"));
    let blob = Blob::noise(10, 2);
    scene.server.on("GET", "/blobs/", 1, answer(200, &[], "0123456789"));
    mismatch(scene.repository().get_blob(&blob.descriptor, 100).await.expect_err("a lie"));
}

#[tokio::test]
async fn terminals_are_told_nothing() {
    let scene = ClientFixture::new().await;
    let body = r#"{"errors":[{"code":"DENIED\u001b[2J","message":"\u001b]0;x\u0007no\r\nway"}]}"#;
    scene.server.on("GET", "/manifests/", 1, answer(403, &[], body));
    let error = scene.repository().get_manifest(&at("v1")).await.expect_err("a refusal");
    let diagnostic = error.to_diagnostic();
    assert!(!diagnostic.message.chars().any(char::is_control), "{:?}", diagnostic.message);
    assert!(diagnostic.message.ends_with("DENIED: ]0;xno way"), "{}", diagnostic.message);
}

#[tokio::test]
async fn an_upload_that_is_accepted_but_not_kept_is_seen() {
    let scene = ClientFixture::new().await;
    for status in [200, 202, 204] {
        scene.server.on("PUT", UPLOADS, 1, answer(status, &[], ""));
        let error = scene.push(&Blob::noise(10, 1)).await.expect_err("nothing is there");
        assert!(error.to_string().contains("the blob is not there"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_said() {
    use tokio::io::AsyncWriteExt;
    for text in [
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "HTTP/1.1 200\r\nContent-Length: -5\r\n\r\n".to_owned(),
        "HTTP/1.1 42 x\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(5000)),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 << 20)),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx".to_owned(),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = text.clone();
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let endpoint = RegistryEndpoint {
            url: address.to_string().parse().expect("a location"),
            insecure: false,
            ca_file: None,
            auth: None,
            provider: None,
            client_certificate: None,
            client_key: None,
            api_url: None,
            api_token_env: None,
        };
        let retry =
            RetryPolicy { attempts: 2, first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
        let options = ConnectOptions { retry, environment: Arc::new(|_| None), ..ConnectOptions::default() };
        let repository = connect(&endpoint, &options).expect("a registry").repository(&name("a"));
        let error = repository.list_tags().await.expect_err("no registry");
        assert_eq!(error.to_diagnostic().code, Code::RegistryUnreachable, "{error:?}");
        server.abort();
    }
}

#[tokio::test]
async fn secrets_in_addresses_are_not_shown() {
    let scene = ClientFixture::new().await;
    let location = "/v2/o/n/blobs/uploads/9?_state=topsecret";
    scene.server.on("POST", UPLOADS, 1, headers(&[("location", location)]));
    scene.server.on("PUT", UPLOADS, 1, answer(403, &[], ""));
    let error = scene.push(&Blob::noise(10, 1)).await.expect_err("a refusal");
    assert!(!format!("{error} {error:?}").contains("topsecret"), "{error:?}");
}
