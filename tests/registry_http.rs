//! The push transport against a registry that fails as the test says.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "support/small_image.rs"]
mod small_image;
#[path = "support/test_registry/mod.rs"]
mod test_registry;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use brokkr_publish::diagnostic::Code;
use brokkr_publish::model::reference::{CredentialVariables, RegistryEndpoint};
use brokkr_publish::model::{Digest, RawManifest, media_type};
use brokkr_publish::registry::{
    BlobOutcome, ConnectOptions, Notice, ReadWriteRepository, Registry, RegistryError, RetryPolicy, Timeouts,
    connect,
};
use small_image::{Blob, Body, SmallImage, at, name};
use test_registry::{Auth, Fault, Options, TestRegistry};

const UPLOADS: &str = "/blobs/uploads/";

/// A registry, a client of it that waits little, and what the client noticed.
struct Scene {
    server: TestRegistry,
    registry: Arc<dyn Registry>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Scene {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let server = TestRegistry::start(options).await;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let registry =
            client(&server, &notices, Timeouts { answer: Duration::from_secs(5), ..Timeouts::default() });
        Self { server, registry, notices }
    }

    fn repository(&self) -> Arc<dyn ReadWriteRepository> {
        self.registry.repository(&name("o/n"))
    }

    /// Why requests were sent again, in order.
    fn retries(&self) -> Vec<String> {
        let notices = self.notices.lock().expect("a lock");
        let causes = notices.iter().filter_map(|notice| match notice {
            Notice::Retry { cause, .. } => Some(cause.clone()),
            Notice::Warning { .. } => None,
        });
        causes.collect()
    }

    async fn push(&self, blob: &Blob) -> Result<BlobOutcome, RegistryError> {
        let outcome = self.repository().push_blob(&blob.descriptor, &blob.body(), None).await;
        if outcome.is_ok() {
            let key = ("o/n".to_owned(), blob.descriptor.digest.clone());
            assert_eq!(self.server.content().blobs.get(&key), Some(&blob.bytes));
        }
        outcome
    }
}

fn client(server: &TestRegistry, notices: &Arc<Mutex<Vec<Notice>>>, timeouts: Timeouts) -> Arc<dyn Registry> {
    let sink = Arc::clone(notices);
    let options = ConnectOptions {
        environment: Arc::new(|name| match name {
            "U" => Some("alice".to_owned()),
            "P" => Some("secret".to_owned()),
            _ => None,
        }),
        notify: Arc::new(move |notice| sink.lock().expect("a lock").push(notice)),
        retry: RetryPolicy {
            first_wait: Duration::from_millis(2),
            total: Duration::from_secs(20),
            ..RetryPolicy::default()
        },
        timeouts,
        ..ConnectOptions::default()
    };
    let endpoint = RegistryEndpoint {
        url: server.host().parse().expect("a location"),
        insecure: false,
        ca_file: None,
        auth: Some(CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() }),
    };
    connect(&endpoint, &options).expect("a registry")
}

fn tokens() -> Options {
    Options { auth: Auth::Token, user: Some(("alice", "secret")), ..Options::default() }
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Fault {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Fault::Answer(status, headers, body.as_bytes().to_vec())
}

fn headers(headers: &[(&'static str, &str)]) -> Fault {
    Fault::Headers(headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
}

fn tagged(server: &TestRegistry, text: &str) -> RawManifest {
    let json = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"x":"{text}"}}}}"#);
    let manifest = RawManifest::new(media_type::OCI_INDEX, json.into_bytes());
    server.content().tag("o/n", "v1", &manifest);
    manifest
}

mod plain {
    use super::*;

    #[tokio::test]
    async fn an_image_is_pushed_and_read_back() {
        for absolute in [false, true] {
            let scene = Scene::with(Options { absolute, ..Options::default() }).await;
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
                assert_eq!(request.header("accept"), media_type::MANIFESTS.join(", "));
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_none() {
        let scene = Scene::new().await;
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
        let scene = Scene::new().await;
        for size in [0, 1, 65_535, 65_536, 65_537, 3_000_000] {
            let outcome = scene.push(&Blob::noise(size, 7)).await;
            assert_eq!(outcome.expect("pushed"), BlobOutcome::Pushed, "{size}");
        }
        assert_eq!(scene.server.count("PATCH", ""), 0);
    }

    #[tokio::test]
    async fn a_blob_is_mounted_or_sent() {
        let scene = Scene::new().await;
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
            assert_eq!(
                mount(Blob::noise(1000, seed)).await.expect("pushed"),
                BlobOutcome::Pushed,
                "{status}"
            );
        }
        assert_eq!(scene.server.count("POST", UPLOADS), 2 + 4 * 2);
    }

    #[tokio::test]
    async fn manifests_are_sent_as_they_are() {
        let scene = Scene::new().await;
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
        let scene = Scene::new().await;
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
        let scene = Scene::new().await;
        tagged(&scene.server, "a");
        scene.server.on(
            "HEAD",
            "/manifests/",
            3,
            headers(&[("warning", "299 - \"quota \\\"exceeded\\\"\"")]),
        );
        for _ in 0..3 {
            scene.repository().head_manifest(&at("v1")).await.expect("an answer");
        }
        let notices = scene.notices.lock().expect("a lock").clone();
        let [Notice::Warning { host, text }] = &notices[..] else { panic!("{notices:?}") };
        assert_eq!((host.as_str(), text.as_str()), (scene.server.host().as_str(), r#"quota "exceeded""#));
    }
}

mod tokens {
    use super::*;

    #[tokio::test]
    async fn a_repository_costs_one_token() {
        let scene = Scene::with(tokens()).await;
        tagged(&scene.server, "a");
        let repository = scene.repository();
        let reads = (0..40).map(|_| async { repository.head_manifest(&at("v1")).await.expect("an answer") });
        assert_eq!(futures_util::future::join_all(reads).await.len(), 40);
        repository.list_tags().await.expect("tags");
        SmallImage::new("x").push(repository.as_ref(), "v2").await.expect("pushed");
        assert_eq!(scene.server.count("GET", "/token"), 1);
        // No request was sent in vain but the first.
        let refused =
            scene.server.log().into_iter().filter(|request| {
                request.path.starts_with("/v2/") && request.header("authorization").is_empty()
            });
        assert_eq!(refused.map(|request| request.path).collect::<Vec<_>>(), ["/v2/"]);
    }

    #[tokio::test]
    async fn a_mount_asks_for_both_scopes() {
        let scene = Scene::with(tokens()).await;
        let blob = Blob::noise(100, 1);
        scene.server.content().blob("o/base", &blob.bytes);
        let outcome =
            scene.repository().push_blob(&blob.descriptor, &blob.body(), Some(&name("o/base"))).await;
        assert_eq!(outcome.expect("mounted"), BlobOutcome::Mounted);
        let asked = scene.server.requests("GET", "/token");
        assert_eq!(asked.len(), 1);
        let expected =
            "service=test&scope=repository%3Ao%2Fbase%3Apull&scope=repository%3Ao%2Fn%3Apull%2Cpush";
        assert_eq!(asked[0].query, expected);
    }

    #[tokio::test]
    async fn a_token_that_dies_is_renewed() {
        let scene = Scene::with(tokens()).await;
        let repository = scene.repository();
        let image = SmallImage::new("renewed");
        image.push(repository.as_ref(), "v1").await.expect("pushed");
        scene.server.revoke_tokens();
        let blob = Blob::noise(500_000, 2);
        // The session is open when the token dies: the PUT goes again to the same place.
        scene.server.on("PUT", UPLOADS, 1, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
        scene.push(&blob).await.expect("pushed");
        repository.put_manifest(&at("v2"), &image.index).await.expect("put");
        assert_eq!(scene.server.count("GET", "/token"), 3);
        assert!(scene.retries().is_empty());
    }

    fn bearer(scene: &Scene) -> String {
        format!("Bearer realm=\"http://{}/token\",service=\"test\"", scene.server.host())
    }

    #[tokio::test]
    async fn a_token_is_used_no_longer_than_it_lives() {
        let short = Options { token_lifetime: Duration::from_secs(1), ..tokens() };
        let scene = Scene::with(short).await;
        tagged(&scene.server, "a");
        let repository = scene.repository();
        repository.head_manifest(&at("v1")).await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(900)).await;
        repository.head_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(scene.server.count("GET", "/token"), 2);
        assert_eq!(scene.server.count("HEAD", "/manifests/"), 2);
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let scene = Scene::with(Options { user: Some(("alice", "another")), ..tokens() }).await;
        let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
        let diagnostic = error.to_diagnostic();
        assert_eq!(diagnostic.code, Code::RegistryUnauthorized);
        let expected =
            format!("GET http://{}/token: UNAUTHORIZED: wrong user name or password", scene.server.host());
        assert_eq!(diagnostic.message, expected);
        assert!(diagnostic.help.expect("a help").contains("`U` and `P`"));
        assert!(scene.retries().is_empty());

        let scene = Scene::with(tokens()).await;
        scene.server.on("HEAD", "/manifests/", 9, answer(401, &[("www-authenticate", &bearer(&scene))], ""));
        let error = scene.repository().head_manifest(&at("v1")).await.expect_err("a refusal");
        assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
        assert_eq!(scene.server.count("HEAD", "/manifests/"), 2);
    }

    #[tokio::test]
    async fn reading_does_with_less_where_pushing_is_refused() {
        let scene = Scene::with(tokens()).await;
        tagged(&scene.server, "a");
        let body = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
        scene.server.on("GET", "push", 9, answer(403, &[], body));
        assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
        let error = scene.push(&Blob::noise(10, 1)).await.expect_err("a refusal");
        assert!(matches!(error, RegistryError::Denied(_)), "{error:?}");
    }

    #[tokio::test]
    async fn basic_credentials_go_with_each_request() {
        let scene =
            Scene::with(Options { auth: Auth::Basic, user: Some(("alice", "secret")), ..Options::default() })
                .await;
        SmallImage::new("basic").push(scene.repository().as_ref(), "v1").await.expect("pushed");
        assert_eq!(scene.server.requests("PUT", "")[0].header("authorization"), "Basic YWxpY2U6c2VjcmV0");
    }

    #[tokio::test]
    async fn bad_token_servers_are_said() {
        for (body, status) in [("", 200), ("{}", 200), (r#"{"token":"a\nb"}"#, 200), ("x", 302)] {
            let scene = Scene::with(tokens()).await;
            scene.server.on("GET", "/token", 1, answer(status, &[("location", "http://127.0.0.1:1/")], body));
            let error = scene.repository().head_manifest(&at("v1")).await.expect_err(body);
            assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
        }
        let scene = Scene::with(tokens()).await;
        scene.server.on("GET", "/token", 1, Fault::Endless);
        assert!(scene.repository().head_manifest(&at("v1")).await.is_err());
        let scene = Scene::with(tokens()).await;
        scene.server.on("GET", "/token", 2, answer(503, &[], ""));
        scene.repository().head_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(scene.retries().len(), 2);
    }
}

mod faults {
    use super::*;

    #[tokio::test]
    async fn rate_limits_are_waited_for() {
        let scene = Scene::new().await;
        tagged(&scene.server, "a");
        scene.server.on("HEAD", "/manifests/", 1, answer(429, &[("retry-after", "1")], ""));
        let started = Instant::now();
        assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
        assert!(started.elapsed() >= Duration::from_secs(1));
        assert_eq!(scene.retries(), ["429 Too Many Requests"]);

        let said = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 300.5ms, allowed: 2000/minute"}]}"#;
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
        let scene = Scene::new().await;
        tagged(&scene.server, "a");
        for status in [408, 500, 502, 503, 504] {
            scene.server.on("HEAD", "/manifests/", 1, answer(status, &[], ""));
        }
        assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
        assert_eq!(scene.retries().len(), 5);
        assert_eq!(scene.retries()[1], "500 Internal Server Error");

        scene.server.on("HEAD", "/manifests/", 99, answer(503, &[], ""));
        let error = scene.repository().head_manifest(&at("v1")).await.expect_err("no end");
        assert_eq!(error.code(), Code::RegistryUnreachable);
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
        let scene = Scene::new().await;
        tagged(&scene.server, "a");
        scene.server.on("HEAD", "/manifests/", 2, Fault::Reset { after: 0 });
        assert!(scene.repository().head_manifest(&at("v1")).await.expect("an answer").is_some());
        let blob = Blob::noise(3_000_000, 1);
        scene.server.on("PUT", UPLOADS, 1, Fault::Reset { after: 1_000_000 });
        scene.push(&blob).await.expect("pushed");
        // In a new session, after a look whether it arrived.
        assert_eq!((scene.server.count("POST", UPLOADS), scene.server.count("HEAD", "/blobs/")), (2, 1));
        assert_eq!(scene.server.count("PATCH", ""), 0);
    }

    #[tokio::test]
    async fn nobody_listens() {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let endpoint = RegistryEndpoint {
            url: port.to_string().parse().expect("a location"),
            insecure: false,
            ca_file: None,
            auth: None,
        };
        let retry = RetryPolicy { first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
        let options = ConnectOptions { retry, environment: Arc::new(|_| None), ..ConnectOptions::default() };
        let repository = connect(&endpoint, &options).expect("a registry").repository(&name("a"));
        let error = repository.list_tags().await.expect_err("nobody");
        let expected = format!(
            "GET http://{port}/v2/: cannot connect: Connection refused (os error 111) (after 6 attempts)"
        );
        assert_eq!(error.to_string(), expected);
        let started = Instant::now();
        assert!(repository.list_tags().await.is_err());
        assert!(started.elapsed() < Duration::from_millis(50), "the failure is remembered");
    }

    #[tokio::test]
    async fn what_arrived_unnoticed_is_not_sent_again() {
        let scene = Scene::new().await;
        let blob = Blob::noise(200_000, 1);
        scene.server.on("PUT", UPLOADS, 1, Fault::Lost);
        scene.push(&blob).await.expect("pushed");
        assert_eq!(scene.server.count("PUT", UPLOADS), 1);
        let manifest =
            RawManifest::new(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
        scene.server.on("PUT", "/manifests/", 1, Fault::Lost);
        scene.repository().put_manifest(&at("v1"), &manifest).await.expect("put");
        assert_eq!(scene.server.count("PUT", "/manifests/"), 1);
        scene.server.on("PUT", "/manifests/", 1, answer(502, &[], ""));
        scene.repository().put_manifest(&at("v2"), &manifest).await.expect("put");
        assert_eq!(scene.server.count("PUT", "/manifests/"), 3);
    }

    #[tokio::test]
    async fn a_stall_is_ended() {
        let server = TestRegistry::start(Options::default()).await;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let timeouts =
            Timeouts { answer: Duration::from_secs(1), stall: Duration::from_secs(1), ..Timeouts::default() };
        let registry = client(&server, &notices, timeouts);
        let scene = Scene { server, registry, notices };
        // Far more than the buffers of both sides take.
        let blob = Blob::noise(40 << 20, 1);
        scene.server.on("PUT", UPLOADS, 1, Fault::Stall { after: 100_000 });
        scene.server.on("HEAD", "/manifests/", 1, Fault::Stall { after: 0 });
        scene.push(&blob).await.expect("pushed");
        assert_eq!(scene.retries(), ["nothing was taken for 1s"]);
        scene.repository().head_manifest(&at("v1")).await.expect("an answer");
        assert_eq!(scene.retries()[1], "no answer within 1s");
    }

    #[tokio::test]
    async fn a_broken_source_is_not_sent_again() {
        for whole in [true, false] {
            let scene = Scene::with(Options { whole, ..Options::default() }).await;
            let blob = Blob::noise(200_000, 1);
            let body = Body::broken(blob.bytes.clone());
            let error =
                scene.repository().push_blob(&blob.descriptor, &body, None).await.expect_err("broken");
            let RegistryError::Content { digest, cause } = &error else { panic!("{error:?}") };
            assert_eq!((digest, cause.as_str()), (&blob.descriptor.digest, "the bytes have another digest"));
            assert!(scene.server.content().blobs.is_empty());
            assert!(scene.retries().is_empty());
            let short = Body::new(blob.bytes.slice(..100), 10);
            let error =
                scene.repository().push_blob(&blob.descriptor, &short, None).await.expect_err("short");
            assert!(
                matches!(&error, RegistryError::Content { cause, .. } if cause.contains("too early")),
                "{error:?}"
            );
        }
    }

    #[tokio::test]
    async fn small_requests_do_not_wait_behind_uploads() {
        let scene = Scene::new().await;
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
}

mod chunks {
    use super::*;

    #[tokio::test]
    async fn a_refused_put_is_followed_by_chunks() {
        for status in [400, 404, 405, 413, 416, 501] {
            let scene = Scene::new().await;
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
        let scene = Scene::new().await;
        scene.server.on("PUT", UPLOADS, 1, Fault::Early(413));
        scene.push(&Blob::noise(30 << 20, 3)).await.expect("pushed");
        assert_eq!(scene.server.count("PATCH", "") == 8, scene.retries().is_empty());
    }

    #[tokio::test]
    async fn two_broken_puts_are_followed_by_chunks() {
        let scene = Scene::new().await;
        scene.server.on("PUT", UPLOADS, 2, Fault::Reset { after: 100_000 });
        scene.push(&Blob::noise(1 << 20, 3)).await.expect("pushed");
        assert_eq!((scene.server.count("PATCH", ""), scene.retries().len()), (1, 2));
    }

    #[tokio::test]
    async fn chunks_that_are_refused_are_followed_by_one_put() {
        let scene = Scene::new().await;
        scene.server.on("PUT", UPLOADS, 2, Fault::Reset { after: 10 });
        scene.server.on("PATCH", "", 9, answer(405, &[], ""));
        scene.push(&Blob::noise(100_000, 3)).await.expect("pushed");
        let scene = Scene::with(Options { whole: false, ..Options::default() }).await;
        scene.server.on("PATCH", "", 9, answer(405, &[], ""));
        let error = scene.push(&Blob::noise(100_000, 3)).await.expect_err("no way is left");
        assert!(error.to_string().contains("PUT"), "{error}");
    }

    #[tokio::test]
    async fn a_broken_chunk_goes_on_from_where_the_registry_stands() {
        let scene = Scene::with(Options { whole: false, ..Options::default() }).await;
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
        let scene = Scene::with(Options { whole: false, ..Options::default() }).await;
        // The chunk arrives, but its answer does not: the next is out of step, or nothing is left to send.
        scene.server.on("PATCH", "at=4194304", 1, Fault::Lost);
        scene.server.on("PATCH", "at=0", 1, answer(416, &[], ""));
        scene.push(&Blob::noise(9 << 20, 3)).await.expect("pushed");
        assert_eq!(scene.server.count("GET", UPLOADS), 2);
        assert_eq!(scene.server.count("PATCH", ""), 4);
    }

    #[tokio::test]
    async fn a_lost_session_starts_anew() {
        let scene = Scene::with(Options { whole: false, ..Options::default() }).await;
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
        let like_ghcr = Options { whole: false, largest_chunk: 4 << 20, ..Options::default() };
        let scene = Scene::with(like_ghcr).await;
        scene.push(&Blob::noise(10 << 20, 3)).await.expect("pushed");
        let large = Options { whole: false, smallest_chunk: 6 << 20, ..Options::default() };
        let scene = Scene::with(large).await;
        scene.push(&Blob::noise(10 << 20, 3)).await.expect("pushed");
        assert_eq!(scene.server.requests("PATCH", "")[0].header("content-range"), "0-6291455");
        // A registry that never agrees is given up on.
        let scene = Scene::with(Options { whole: false, largest_chunk: 1000, ..Options::default() }).await;
        assert!(scene.push(&Blob::noise(10_000, 3)).await.is_err());
        assert!(scene.server.log().len() < 200);
    }
}

mod elsewhere {
    use super::*;

    #[tokio::test]
    async fn credentials_stay_with_the_registry() {
        let (scene, other) = (Scene::with(tokens()).await, TestRegistry::start(Options::default()).await);
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
        let scene = Scene::new().await;
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
        let scene = Scene::new().await;
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
            let scene = Scene::new().await;
            scene.server.on("POST", UPLOADS, 1, headers(&[("location", location)]));
            let error = scene.push(&Blob::noise(10, 1)).await.expect_err(location);
            assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
            assert!(error.to_string().contains("Location"), "{error}");
        }
    }
}

mod listing {
    use super::*;

    async fn with_tags(count: usize, options: Options) -> Scene {
        let scene = Scene::with(options).await;
        let manifest = tagged(&scene.server, "a");
        {
            let mut content = scene.server.content();
            content.tags.clear();
            for number in 0..count {
                content.tag("o/n", &format!("t{number:05}"), &manifest);
            }
        }
        scene
    }

    #[tokio::test]
    async fn every_page_is_read() {
        for (count, page, links, requests) in [
            (5, 2, true, 3),
            (2500, 9999, true, 3),
            (2500, 9999, false, 3),
            (1000, 9999, false, 2),
            (7, 9999, true, 1),
        ] {
            let scene = with_tags(count, Options { page, links, ..Options::default() }).await;
            let tags = scene.repository().list_tags().await.expect("tags");
            assert_eq!((tags.len(), scene.server.count("GET", "/tags/list")), (count, requests));
            assert_eq!(scene.server.requests("GET", "/tags/list")[0].query, "n=1000");
        }
    }

    #[tokio::test]
    async fn listings_that_do_not_end_are_ended() {
        let scene = with_tags(5, Options { page: 2, ..Options::default() }).await;
        let same = headers(&[("link", "</v2/o/n/tags/list?n=1000>; rel=\"next\"")]);
        scene.server.on("GET", "/tags/list", 99, same);
        let error = scene.repository().list_tags().await.expect_err("a circle");
        assert!(error.to_string().contains("without an end"), "{error}");

        let scene = Scene::new().await;
        for number in 0..100 {
            let next = format!("</v2/o/n/tags/list?page={number}>; rel=next");
            scene.server.on("GET", "/tags/list", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
        }
        assert!(scene.repository().list_tags().await.is_err());
        assert!(scene.server.count("GET", "/tags/list") < 20);

        let (scene, other) = (Scene::new().await, TestRegistry::start(Options::default()).await);
        let next = format!("<http://{}/v2/o/n/tags/list>; rel=next", other.host());
        scene.server.on("GET", "n=1000", 1, answer(200, &[("link", &next)], r#"{"tags":["a"]}"#));
        let error = scene.repository().list_tags().await.expect_err("another host");
        assert!(error.to_string().contains("another host"), "{error}");
        assert!(other.log().is_empty());
    }

    #[tokio::test]
    async fn strange_lists_are_read_or_said() {
        for (body, expected) in [
            (r#"{"tags":null}"#, Some(0)),
            ("{}", Some(0)),
            (r#"{"tags":["ok","not a tag",null,"ok","../x"]}"#, Some(1)),
            ("[]", None),
            ("<html>", None),
            (r#"{"tags":7}"#, None),
        ] {
            let scene = Scene::new().await;
            scene.server.on("GET", "/tags/list", 1, answer(200, &[], body));
            let found = scene.repository().list_tags().await.ok().map(|tags| tags.len());
            assert_eq!(found, expected, "{body}");
        }
        let scene = Scene::new().await;
        scene.server.on("GET", "/tags/list", 1, Fault::Endless);
        assert!(matches!(scene.repository().list_tags().await, Err(RegistryError::Protocol { .. })));
    }
}

mod malice {
    use super::*;

    #[tokio::test]
    async fn bodies_have_a_bound() {
        let scene = Scene::new().await;
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
    async fn digests_are_computed() {
        let scene = Scene::new().await;
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
        let scene = Scene::new().await;
        let body = r#"{"errors":[{"code":"DENIED\u001b[2J","message":"\u001b]0;x\u0007no\r\nway"}]}"#;
        scene.server.on("GET", "/manifests/", 1, answer(403, &[], body));
        let error = scene.repository().get_manifest(&at("v1")).await.expect_err("a refusal");
        let diagnostic = error.to_diagnostic();
        assert!(!diagnostic.message.chars().any(char::is_control), "{:?}", diagnostic.message);
        assert!(diagnostic.message.ends_with("DENIED: ]0;xno way"), "{}", diagnostic.message);
    }

    #[tokio::test]
    async fn an_upload_that_is_accepted_but_not_kept_is_seen() {
        let scene = Scene::new().await;
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
            };
            let retry =
                RetryPolicy { attempts: 2, first_wait: Duration::from_millis(1), ..RetryPolicy::default() };
            let options =
                ConnectOptions { retry, environment: Arc::new(|_| None), ..ConnectOptions::default() };
            let repository = connect(&endpoint, &options).expect("a registry").repository(&name("a"));
            let error = repository.list_tags().await.expect_err("no registry");
            assert_eq!(error.code(), Code::RegistryUnreachable, "{error:?}");
            server.abort();
        }
    }

    #[tokio::test]
    async fn secrets_in_addresses_are_not_shown() {
        let scene = Scene::new().await;
        let location = "/v2/o/n/blobs/uploads/9?_state=topsecret";
        scene.server.on("POST", UPLOADS, 1, headers(&[("location", location)]));
        scene.server.on("PUT", UPLOADS, 1, answer(403, &[], ""));
        let error = scene.push(&Blob::noise(10, 1)).await.expect_err("a refusal");
        assert!(!format!("{error} {error:?}").contains("topsecret"), "{error:?}");
    }
}
