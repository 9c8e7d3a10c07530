//! An OCI registry in the process, for tests: it keeps blobs, manifests and tags in memory, logs every
//! request, asks for tokens if configured, and fails as the test's script says.
//!
//! ```ignore
//! let registry = TestRegistry::start(Options::default()).await;
//! registry.on("PUT", "/blobs/uploads/", 1, Fault::Reset { after: 1000 });   // the first such request
//! connect(&endpoint(&registry.host()), &options);
//! assert_eq!(registry.count("PUT", "/blobs/uploads/"), 2);
//! ```
//!
//! This file is the interface for tests: [`TestRegistry`], [`TestRegistryOptions`], [`Fault`], [`Logged`]. `content` keeps the
//! content and answers as the specification says, `quirks` are deviations from it, `referrers` lists the referrers of a manifest, `tokens` is the token server, and
//! `wire` accepts connections that can be cut.

mod content;
mod quirks;
mod referrers;
mod tokens;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
pub use content::{RegistryContent, StoredManifest};
use futures_util::future::BoxFuture;
pub use quirks::{LinkForm, Quirks, TagsTogether};
use tokens::IssuedTokens;

/// How the registry behaves if nothing is scripted.
#[derive(Debug, Clone)]
pub struct TestRegistryOptions {
    /// The user and password that the token server, or the registry itself, accepts; `None`: everybody.
    pub user: Option<(&'static str, &'static str)>,
    /// The credentials that it requires.
    pub auth: RequiredCredentials,
    /// The lifetime of a token.
    pub token_lifetime: Duration,
    /// Whether the token server states that lifetime.
    pub tells_lifetime: bool,
    /// Whether it mounts blobs.
    pub mounts: bool,
    /// Whether it says that it mounted a blob without doing so, as Artifactory did (estesp/manifest-tool#98).
    pub claims_mounts: bool,
    /// How it refuses a manifest whose blobs it lacks; `None`: it does not look.
    pub misses_blobs: Option<MissesBlobs>,
    /// The time after which it finds a manifest that an index lists.
    pub child_lag: Duration,
    /// Whether it respects the `Range` of a request for a blob.
    pub ranges: bool,
    /// Whether it accepts a blob in one PUT.
    pub whole: bool,
    /// The largest chunk that it accepts, in bytes: it answers 416 to a larger one, as GHCR does.
    pub largest_chunk: u64,
    /// The smallest chunk that it accepts, except for the last one; it announces this size.
    pub smallest_chunk: u64,
    /// The largest number of tags on a page.
    pub page: usize,
    /// Whether it lists the referrers of a manifest, and says so in the answer to a put.
    pub referrers: bool,
    /// Whether it accepts the fallback tag of a digest instead of the digest, as GitLab does.
    pub takes_tags_for_digests: bool,
    /// Its deviations from the specification.
    pub quirks: Quirks,
    /// Whether its `Location`s are absolute.
    pub absolute: bool,
    /// The things that it deletes.
    pub deletes: Deletes,
    /// The name of the action for deletion at its token server.
    pub delete_action: &'static str,
    /// Whether it cancels uploads: GHCR answers 405.
    pub cancels: bool,
}

/// How a registry refuses a manifest whose blobs it lacks: with `MANIFEST_BLOB_UNKNOWN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissesBlobs {
    /// The status.
    pub status: u16,
    /// The number of blobs that it names.
    pub names: usize,
}

/// The things that a registry deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletes {
    /// Nothing: 405.
    Nothing,
    /// Manifests by digest, with all their tags; a tag is 400, as in the distribution registry 2.
    Manifests,
    /// Like `Manifests`, but the first one is deleted without its tags, and the answer is 500, as in the distribution
    /// registry 2.8 if tags are removed at the same time.
    ManifestsByHalves,
    /// Manifests by digest, and tags alone.
    Tags,
    /// Manifests, with all their tags, by digest or by tag, as in an old version of zot.
    ManifestsByTag,
    /// 404 to any DELETE, with no code, as with ECR.
    Unknown,
}

/// The credentials that a registry requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredCredentials {
    /// Nothing.
    None,
    /// User name and password.
    Basic,
    /// A token of its token server, at `/token`.
    Token,
}

impl Default for TestRegistryOptions {
    fn default() -> Self {
        Self {
            user: None,
            auth: RequiredCredentials::None,
            token_lifetime: Duration::from_secs(300),
            tells_lifetime: true,
            mounts: true,
            claims_mounts: false,
            misses_blobs: None,
            child_lag: Duration::ZERO,
            ranges: true,
            whole: true,
            largest_chunk: u64::MAX,
            smallest_chunk: 0,
            page: usize::MAX,
            referrers: false,
            takes_tags_for_digests: false,
            quirks: Quirks::default(),
            absolute: false,
            deletes: Deletes::Nothing,
            delete_action: "delete",
            cancels: true,
        }
    }
}

/// A failure of a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request's body is read and discarded, and this is the answer.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// This is the answer, sent immediately; the body is not read.
    Early(u16),
    /// The connection is cut after this number of bytes of the request's body.
    Reset {
        /// The number of bytes that are read, and stored if they belong to a chunk.
        after: u64,
    },
    /// Nothing more happens after this number of bytes of the request's body.
    Stall {
        /// The number of bytes that are read.
        after: u64,
    },
    /// The request is carried out, and then the connection is cut instead of an answer.
    Lost,
    /// The request is carried out, and the answer has these headers set, or removed if the value is
    /// empty.
    Headers(Vec<(&'static str, String)>),
    /// The request is carried out, and the connection is cut after this number of bytes of the answer's body.
    Cut {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// The request is carried out, and nothing more is sent after this number of bytes of the answer's body.
    Silence {
        /// The number of bytes that are sent.
        after: usize,
    },
    /// An answer 200 with an endless body.
    Endless,
    /// An answer 200 with an endless body that arrives byte by byte.
    Trickle {
        /// The wait before each byte.
        every: Duration,
    },
}

/// Whether everybody may pull from a repository.
pub type Public = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Holds a request back until the returned future completes.
pub type Gate = Arc<dyn Fn(&Logged) -> BoxFuture<'static, ()> + Send + Sync>;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The address that it was sent to: the registry's own, or that of one of its additional addresses.
    pub door: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, as it arrived; empty if there was none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl Logged {
    /// A header, as text; empty if the request does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// `METHOD path?query`.
    pub fn line(&self) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("{} {}{query}", self.method, self.path)
    }
}

struct FaultScript {
    /// The address that the request is sent to, if only that one fails.
    door: Option<String>,
    method: &'static str,
    part: String,
    left: u32,
    fault: Fault,
}

/// The state that handlers share.
struct SharedTestRegistry {
    options: TestRegistryOptions,
    address: String,
    content: Mutex<RegistryContent>,
    tokens: Mutex<IssuedTokens>,
    rules: Mutex<Vec<FaultScript>>,
    log: Mutex<Vec<Logged>>,
    gate: Mutex<Option<Gate>>,
    public: Mutex<Option<Public>>,
    countdown: Mutex<Option<(usize, Fault)>>,
    rate: Mutex<quirks::RequestRate>,
}

impl SharedTestRegistry {
    /// The fault that the script has for a request.
    fn fault(&self, request: &Logged) -> Option<Fault> {
        let mut countdown = self.countdown.lock().expect("a lock");
        match &mut *countdown {
            Some((0, _)) => return countdown.take().map(|(_, fault)| fault),
            Some((left, _)) => *left -= 1,
            None => {}
        }
        drop(countdown);
        let mut rules = self.rules.lock().expect("a lock");
        let line = request.line();
        let rule = rules.iter_mut().find(|rule| {
            let through = rule.door.as_ref().is_none_or(|door| *door == request.door);
            through && rule.left > 0 && rule.method == request.method && line.contains(rule.part.as_str())
        })?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}

/// A running registry; it stops when the test's runtime ends.
#[derive(Clone)]
pub struct TestRegistry {
    shared: Arc<SharedTestRegistry>,
}

impl TestRegistry {
    /// Starts one on a free port of `127.0.0.1`.
    pub async fn start(options: TestRegistryOptions) -> Self {
        let listener = wire::Cuttable::bind().await;
        let shared = Arc::new(SharedTestRegistry {
            options,
            address: listener.address(),
            content: Mutex::default(),
            tokens: Mutex::default(),
            rules: Mutex::default(),
            log: Mutex::default(),
            gate: Mutex::default(),
            public: Mutex::default(),
            countdown: Mutex::default(),
            rate: Mutex::default(),
        });
        wire::serve(listener, Arc::clone(&shared));
        Self { shared }
    }

    /// The number of requests that were refused because there were too many in a second.
    pub fn refused(&self) -> usize {
        self.shared.rate.lock().expect("a lock").refused
    }

    /// Opens another address of the same registry, so that a test can distinguish its clients.
    pub async fn door(&self) -> String {
        let listener = wire::Cuttable::bind().await;
        let address = listener.address();
        wire::serve(listener, Arc::clone(&self.shared));
        address
    }

    /// Lets the request after the next `skipped` ones fail, whichever it is.
    pub fn nth(&self, skipped: usize, fault: Fault) {
        *self.shared.countdown.lock().expect("a lock") = Some((skipped, fault));
    }

    /// Whether a fault of [`Self::nth`] still waits for its request; the fault is removed.
    pub fn takes_back(&self) -> bool {
        self.shared.countdown.lock().expect("a lock").take().is_some()
    }

    /// Clients without credentials may pull from these repositories, with a token of the token server.
    pub fn public_where(&self, public: impl Fn(&str) -> bool + Send + Sync + 'static) {
        *self.shared.public.lock().expect("a lock") = Some(Arc::new(public));
    }

    /// Asks `gate` about every request from now on, before it is answered.
    pub fn hold(&self, gate: Gate) {
        *self.shared.gate.lock().expect("a lock") = Some(gate);
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.shared.address.clone()
    }

    /// The next `times` requests with this method whose path and query contain `part` fail. Rules are checked
    /// in the order of their creation; a rule that is used up no longer applies.
    pub fn on(&self, method: &'static str, part: &str, times: u32, fault: Fault) {
        self.add(FaultScript { door: None, method, part: part.to_owned(), left: times, fault });
    }

    /// The same for requests that are sent to one address of the registry.
    pub fn on_door(&self, door: &str, method: &'static str, part: &str, times: u32, fault: Fault) {
        self.add(FaultScript {
            door: Some(door.to_owned()),
            method,
            part: part.to_owned(),
            left: times,
            fault,
        });
    }

    fn add(&self, rule: FaultScript) {
        self.shared.rules.lock().expect("a lock").push(rule);
    }

    /// All requests so far.
    pub fn log(&self) -> Vec<Logged> {
        self.shared.log.lock().expect("a lock").clone()
    }

    /// The requests so far with this method whose path and query contain `part`.
    pub fn requests(&self, method: &str, part: &str) -> Vec<Logged> {
        let matching = |request: &Logged| request.method == method && request.line().contains(part);
        self.log().into_iter().filter(matching).collect()
    }

    /// The number of those requests.
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.requests(method, part).len()
    }

    /// Removes all faults.
    pub fn forget_script(&self) {
        self.shared.rules.lock().expect("a lock").clear();
    }

    /// Clears the log.
    pub fn forget_log(&self) {
        self.shared.log.lock().expect("a lock").clear();
    }

    /// The content, to inspect and to change.
    pub fn content(&self) -> std::sync::MutexGuard<'_, RegistryContent> {
        self.shared.content.lock().expect("a lock")
    }

    /// Invalidates all tokens that were given out.
    pub fn revoke_tokens(&self) {
        self.shared.tokens.lock().expect("a lock").revoke();
    }
}
