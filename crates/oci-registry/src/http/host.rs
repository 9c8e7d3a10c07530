//! The parts that all repositories of one registry share: the client, credentials and tokens, and the limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;
use url::Url;

use super::client::Clients;
use super::host_memory::HostFacts;
use super::tokens::Tokens;
use super::upload_rate::UploadRate;
use super::upload_session::UploadSession;
use super::warning::Warnings;
use super::{RetryPolicy, Timeouts, address};
use crate::credentials::Keychain;
use crate::endpoint::RegistryEndpoint;
use crate::error::RegistryError;
use crate::notice::Notify;
use crate::options::ConnectOptions;

/// How many small requests may run beside each upload: a thousand tags at 50 ms of latency must take no more than 3 s.
const SMALL_PER_UPLOAD: usize = 8;

/// One registry.
pub(super) struct Host {
    /// The host as written, with the port if one was given.
    pub(super) name: String,
    /// The name of the program, for token servers and for content that nobody can have put.
    pub(super) client: String,
    /// The schemes to try, in order.
    pub(super) schemes: &'static [&'static str],
    /// Whether it may speak plain http although it is not this machine.
    pub(super) insecure: bool,
    /// Sends requests.
    pub(super) clients: Clients,
    /// Finds credentials by repository.
    pub(super) keychain: Keychain,
    /// Tokens by repository.
    pub(super) tokens: Tokens,
    /// The warnings that were already reported.
    pub(super) warnings: Warnings,
    /// How often to try a request.
    pub(super) policy: RetryPolicy,
    /// How long to wait.
    pub(super) timeouts: Timeouts,
    /// Limits the bytes of blobs that are sent.
    pub(super) upload_rate: Option<UploadRate>,
    /// Receives retries.
    pub(super) notify: Notify,
    /// Limits small requests.
    pub(super) small: Semaphore,
    /// Limits uploads. It is separate from `small`, so that no HEAD waits behind gigabytes.
    pub(super) uploads: Semaphore,
    /// The facts that all connections to the host share.
    pub(super) facts: Arc<HostFacts>,
    /// The upload sessions that were opened to find out whether a repository may be pushed to, by its path, each with the time.
    pub(super) kept_sessions: Mutex<HashMap<String, (UploadSession, Instant)>>,
    /// Held while a manifest of a repository is deleted.
    deleting: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Host {
    /// Creates the registry at `host`.
    pub(super) fn new(
        endpoint: &RegistryEndpoint,
        host: &str,
        keychain: Keychain,
        options: &ConnectOptions,
    ) -> Result<Self, RegistryError> {
        let uploads = options.parallelism.clamp(1, 1024);
        let own = address::base("https", host);
        let facts = options.hosts.facts(host, endpoint);
        // A registry may repeat what it was sent in an earlier run, before it is sent anything in this one.
        for credentials in keychain.held() {
            facts.sent_credentials.expect(credentials.username(), credentials.password());
        }
        Ok(Self {
            name: host.to_owned(),
            client: options.user_agent.split('/').next().unwrap_or_default().to_owned(),
            schemes: address::schemes(endpoint),
            insecure: endpoint.insecure,
            clients: Clients::build(endpoint, own.as_ref(), &facts.reached, options)?,
            keychain,
            tokens: Tokens::default(),
            warnings: Warnings::new(host, options.notify.clone()),
            policy: options.retry.clone(),
            timeouts: options.timeouts.clone(),
            upload_rate: options.upload_rate.clone(),
            notify: options.notify.clone(),
            small: Semaphore::new(uploads * SMALL_PER_UPLOAD),
            uploads: Semaphore::new(uploads),
            facts,
            kept_sessions: Mutex::default(),
            deleting: Mutex::default(),
        })
    }

    /// Returns the lock to hold while a manifest of `repository` is deleted.
    pub(super) fn deleting(&self, repository: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut deleting = self.deleting.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(deleting.entry(repository.to_owned()).or_default())
    }

    /// Returns the address of `path` in the API.
    pub(super) async fn endpoint(&self, path: &str) -> Result<Url, RegistryError> {
        let base = self.base().await?;
        base.join(path).map_err(|error| RegistryError::Protocol {
            request: base.to_string(),
            reason: format!("`{path}` is not a valid path in it: {error}"),
        })
    }
}
