//! Registries that content is published to: over HTTP, and in a directory.
//!
//! [`connect`] opens a registry, which hands out a [`Repository`] by name. Operations that only some callers need have
//! traits of their own ([`ReadRepository`], [`DeleteRepository`], [`ProbeRepository`]).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;

/// The bytes of a blob, in order, in pieces of a convenient size.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// The bytes of a blob, which can be read more than once because a retry starts again.
pub trait BlobBody: Send + Sync {
    /// Returns the bytes from the start. The stream ends in an error if digest or size are not as described.
    fn open(&self) -> ByteStream;
}

/// How a blob got into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOutcome {
    /// Its bytes were sent.
    Pushed,
    /// The registry took it from another repository of its own.
    Mounted,
}

/// The registry's answer to a manifest that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The manifest's digest.
    pub digest: Digest,
    /// The subject that the registry lists the manifest under from now on (`OCI-Subject`; distribution-spec 1.1,
    /// "Pushing Manifests with Subject"). `None` if the manifest has no subject or the registry keeps no list.
    pub subject: Option<Digest>,
}

/// A repository to publish to.
#[async_trait::async_trait]
pub trait Repository: Send + Sync {
    /// Returns the descriptor of the manifest at a tag or digest, or `None`. Media type, size and digest are set.
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError>;
    /// Puts a manifest at a tag or digest. The bytes are sent unchanged.
    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError>;
    /// Returns whether the repository has a blob.
    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError>;
    /// Pushes a blob, or mounts it from another repository of the registry if that works.
    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError>;
}

/// A repository that can be read.
#[async_trait::async_trait]
pub trait ReadRepository: Send + Sync {
    /// Returns the manifest at a tag or digest, or `None`. If a digest was asked for, the content is verified against
    /// it. A manifest of Docker's first schema is returned unverified, because its digest covers only a part of it:
    /// [`RawManifest::parse`] refuses it.
    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError>;
    /// Returns a small blob, verified, in memory. It is an error if the blob is larger than `limit` bytes.
    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError>;
    /// Returns the bytes of a blob of any size as they come; the reader must compare digest and size. If the connection
    /// breaks, the stream continues from there. A missing blob is reported at once; an error in the stream carries a
    /// [`RegistryError`].
    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError>;
    /// Returns every tag, or none if the repository does not exist. Names that are not a valid [`Tag`] are left out.
    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError>;
    /// Returns the manifests that name `subject` as their subject, from the registry's own list; `None` if it keeps
    /// none. The list does not include the index at the fallback tag: [`listed_referrers`] looks there too.
    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError>;
}

/// The kinds of content that can be deleted from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// A tag alone: its manifest and the manifest's other tags stay.
    Tags,
    /// Only whole manifests, each with every tag of its own.
    Manifests,
    /// Nothing. The text says why, and what to do instead.
    Nothing(String),
}

/// A manifest that a repository holds, with tags or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldManifest {
    /// Its digest.
    pub digest: Digest,
    /// Every tag that names it.
    pub tags: Vec<Tag>,
    /// When it was put, in seconds since 1970, if the registry says so.
    pub created: Option<i64>,
}

/// A repository that content can be deleted from, within the limits that [`DeleteRepository::deletion`] reports.
#[async_trait::async_trait]
pub trait DeleteRepository: Send + Sync {
    /// Returns what can be deleted here. Asks the registry if necessary, and changes nothing.
    async fn deletion(&self) -> Result<Deletion, RegistryError>;
    /// Removes a tag alone; `Ok` if it does not exist (any more). Call this only if the registry reported
    /// [`Deletion::Tags`]: some registries delete the manifest and its other tags as well.
    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError>;
    /// Deletes a manifest with all its tags; `Ok` if it does not exist (any more).
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError>;
    /// Returns every manifest, including those without a tag; `None` if the registry cannot list them.
    async fn list_manifests(&self) -> Result<Option<Vec<HeldManifest>>, RegistryError>;
}

/// Whether a repository exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    There,
    /// It does not exist, or these credentials cannot see it. Most registries create it at the first push.
    NotYet,
}

/// A repository that can be asked which operations are allowed in it. Asking changes nothing and sends no content.
#[async_trait::async_trait]
pub trait ProbeRepository: Send + Sync {
    /// Returns the origin of the credentials that the repository is asked with, in words for people, or the credential
    /// program that failed to give any; `None` if it is asked without credentials.
    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError>;
    /// Returns whether the repository exists, or an error if it may not be read.
    async fn probe_read(&self) -> Result<Presence, RegistryError>;
    /// Returns `Ok` if content may be pushed to the repository, and if it may be created when it does not exist. Opens
    /// an upload session, which is cancelled.
    async fn probe_push(&self) -> Result<(), RegistryError>;
    /// Returns what may be deleted from the repository; `None` if only a deletion would show that.
    async fn probe_delete(&self) -> Result<Option<Deletion>, RegistryError>;
}

/// A repository that can be published to, read, deleted from and asked which operations are allowed.
pub trait ReadWriteRepository: Repository + ReadRepository + DeleteRepository + ProbeRepository {}
impl<T: Repository + ReadRepository + DeleteRepository + ProbeRepository> ReadWriteRepository for T {}

/// A registry: one host, or one directory.
pub trait Registry: Send + Sync {
    /// Returns the repository of that name, which includes the registry's namespace
    /// ([`crate::RegistryLocation::repository`]). Whether it exists is not checked.
    fn repository(&self, name: &RepositoryName) -> Arc<dyn ReadWriteRepository>;
}

/// The pauses between readings of something that was just written: reads can lag by seconds on GHCR.
pub const READ_PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// An event that a person should know about while a request is in progress.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A request failed temporarily, and is sent again after `wait`.
    Retry {
        /// `METHOD url`, redacted.
        request: String,
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// How long the program waits before the next attempt.
        wait: Duration,
        /// Why the attempt failed.
        cause: String,
    },
    /// The registry sent a `Warning` header (distribution-spec 1.1, "Warnings"). Each text is reported once.
    Warning {
        /// The registry's host.
        host: String,
        /// The text of the warning.
        text: String,
    },
}

/// Receives notices.
pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

pub mod annotation;
mod api_url;
mod connect;
mod credentials;
mod described;
mod descriptor;
mod digest;
mod directory;
mod endpoint;
mod error;
mod http;
mod inventories;
pub mod inventory;
pub mod manifest;
pub mod mask;
pub mod media_type;
mod platform;
mod provider;
pub mod reference;
pub mod referrer;
mod referrers;
pub mod remote;
mod removal;
mod tag;

pub use api_url::{ApiUrl, ApiUrlError};
pub use connect::{ConnectOptions, Environment, connect, find_credentials};
pub use credentials::{CredentialKind, CredentialMemory, Credentials};
pub use described::{created, revision};
pub use descriptor::Descriptor;
pub use digest::{Digest, DigestError, Digester};
pub use error::{DirectoryProblem, ErrorEnvelope, ErrorItem, NetworkFailure, Refusal, RegistryError};
pub use http::{ApiAnswer, ApiCredential, ApiMethod, JsonApi, RetryPolicy, Timeouts};
pub use inventories::Inventories;
pub use manifest::{Manifest, ManifestError, RawManifest};
pub use platform::{Platform, PlatformError};
pub use provider::Provider;
pub use reference::{RegistryLocation, RepositoryName, TagOrDigest};
pub use referrer::Referrer;
pub use referrers::{check_listable, find_referrers, list_at_fallback_tag, listed_referrers};
pub use removal::{Removal, remove_tag};
pub use tag::{Tag, TagError};
