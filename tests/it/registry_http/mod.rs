//! The push transport against a registry that fails as the test says.

mod chunks;
mod delete;
mod elsewhere;
mod faults;
mod heads;
mod listing;
mod malice;
mod mounts;
mod plain;
mod probe;
mod pull;
mod referrers;
mod tokens;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::small_image::{Blob, Body, SmallImage, at, name};
use brokkr_publish::diagnostic::Code;
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{
    BlobOutcome, ConnectOptions, Deletion, Notice, Presence, Registry, RegistryError, RemovalOutcome,
    Repository, RetryPolicy, Timeouts, connect, remove_tag,
};
use oci_registry::{Digest, RawManifest, Tag, media_type};
use testkit::test_registry::{Deletes, Fault, RequiredCredentials, TestRegistry, TestRegistryOptions};

const UPLOADS: &str = "/blobs/uploads/";

/// A registry, a client of it that waits little, and what the client noticed.
struct ClientFixture {
    server: TestRegistry,
    registry: Arc<dyn Registry>,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl ClientFixture {
    async fn new() -> Self {
        Self::with(TestRegistryOptions::default()).await
    }

    async fn with(options: TestRegistryOptions) -> Self {
        Self::within(options, Timeouts { answer: Duration::from_secs(5), ..Timeouts::default() }).await
    }

    async fn within(options: TestRegistryOptions, timeouts: Timeouts) -> Self {
        let server = TestRegistry::start(options).await;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let registry = client(&server, &notices, timeouts);
        Self { server, registry, notices }
    }

    fn repository(&self) -> Arc<dyn Repository> {
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
            let key = ("o/n".to_owned(), blob.descriptor.digest.to_string());
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
        provider: None,
        client_certificate: None,
        client_key: None,
        api_url: None,
        api_token_env: None,
    };
    connect(&endpoint, &options).expect("a registry")
}

fn tokens() -> TestRegistryOptions {
    TestRegistryOptions {
        auth: RequiredCredentials::Token,
        user: Some(("alice", "secret")),
        ..TestRegistryOptions::default()
    }
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
    server.content().tag("o/n", "v1", manifest.media_type(), manifest.bytes());
    manifest
}
