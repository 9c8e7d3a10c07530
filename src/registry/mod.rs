//! Where content goes: registries over HTTP, and registries that are a directory.
//!
//! [`connect`] opens a registry, which hands out a [`Repository`] by name. What only some callers need is a
//! trait of its own ([`ReadRepository`], [`DeleteRepository`], [`ProbeRepository`]).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;

use crate::model::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest};

/// The bytes of a blob, in order, in pieces of a convenient size.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// A blob's bytes, which can be had more than once: a retry starts again.
pub trait BlobBody: Send + Sync {
    /// The bytes from the start. The stream ends in an error where digest or size are not as described.
    fn open(&self) -> ByteStream;
}

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOutcome {
    /// Its bytes were sent.
    Pushed,
    /// The registry took it from another repository of its own.
    Mounted,
}

/// What a registry made of a manifest that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// The manifest's digest.
    pub digest: Digest,
    /// The subject that the registry lists the manifest under from now on (`OCI-Subject`; distribution-spec 1.1, "Pushing
    /// Manifests with Subject"). `None` of a manifest without one, and where the registry keeps no list.
    pub subject: Option<Digest>,
}

/// A repository to publish to.
#[async_trait::async_trait]
pub trait Repository: Send + Sync {
    /// What stands at a tag or digest, or `None`. Media type, size and digest are set.
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError>;
    /// Puts a manifest at a tag or digest, the bytes as they are.
    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError>;
    /// Whether a blob is there.
    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError>;
    /// Pushes a blob, or mounts it from another repository of the registry where that works.
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
    /// The manifest at a tag or digest, verified against the digest where one was asked for, or `None`. One of Docker's first
    /// schema, whose digest covers only a part of it, comes as it is: [`RawManifest::parse`] refuses it.
    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError>;
    /// A small blob, verified, in memory: an error where it is larger than `limit` bytes.
    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError>;
    /// The bytes of a blob of any size, as they come: who reads them compares digest and size. Where the connection breaks,
    /// they go on from there. That the blob is not there is known at once; in the stream, an error carries a
    /// [`RegistryError`].
    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError>;
    /// Every tag; empty where the repository does not exist. Texts that are no [`Tag`] are left out.
    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError>;
    /// The manifests that name `subject` as theirs, by the registry's own list; `None` where it keeps none. What stands at
    /// fallback tags is not in it: [`listed_referrers`] looks there too.
    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError>;
}

/// What can be deleted from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// A tag alone: its manifest and the manifest's other tags stay.
    Tags,
    /// Only whole manifests, each with every tag of its own.
    Manifests,
    /// Nothing; why, and what to do instead, in words for people.
    Nothing(String),
}

/// A manifest that a repository holds, with tags or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldManifest {
    /// Its digest.
    pub digest: Digest,
    /// Every tag that names it.
    pub tags: Vec<Tag>,
    /// When it was put, in seconds since 1970, where the registry says so.
    pub created: Option<i64>,
}

/// A repository that can be deleted from, as far as [`DeleteRepository::deletion`] says.
#[async_trait::async_trait]
pub trait DeleteRepository: Send + Sync {
    /// What can be deleted here. Asks the registry where it must, and changes nothing.
    async fn deletion(&self) -> Result<Deletion, RegistryError>;
    /// Removes a tag alone; `Ok` where it is not there (any more). To be called where the registry said
    /// [`Deletion::Tags`] and nowhere else: some registries take the manifest and its other tags with it.
    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError>;
    /// Deletes a manifest with all its tags; `Ok` where it is not there (any more).
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError>;
    /// Every manifest, those without a tag too; `None` where the registry cannot tell.
    async fn list_manifests(&self) -> Result<Option<Vec<HeldManifest>>, RegistryError>;
}

/// Whether a repository is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    There,
    /// It is not, as far as these credentials see. Most registries make it at the first push.
    NotYet,
}

/// A repository that can be asked what may be done in it. Asking changes nothing, and sends no content.
#[async_trait::async_trait]
pub trait ProbeRepository: Send + Sync {
    /// Where the credentials come from that it is asked with, in words for people, or which credential program failed to give any;
    /// `None`: it is asked without any.
    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError>;
    /// Whether it is there, where it may be read.
    async fn probe_read(&self) -> Result<Presence, RegistryError>;
    /// `Ok` where content may be pushed to it, and it may be made where it does not exist: by opening an upload session, which
    /// is cancelled.
    async fn probe_push(&self) -> Result<(), RegistryError>;
    /// What may be deleted from it; `None` where that shows only by deleting.
    async fn probe_delete(&self) -> Result<Option<Deletion>, RegistryError>;
}

/// A repository that can be published to, read, deleted from and asked what may be done.
pub trait ReadWriteRepository: Repository + ReadRepository + DeleteRepository + ProbeRepository {}
impl<T: Repository + ReadRepository + DeleteRepository + ProbeRepository> ReadWriteRepository for T {}

/// A registry: one host, or one directory.
pub trait Registry: Send + Sync {
    /// The repository of that name, the registry's namespace included
    /// ([`crate::model::RegistryLocation::repository`]); whether it exists is not asked.
    fn repository(&self, name: &RepositoryName) -> Arc<dyn ReadWriteRepository>;
}

/// How long is waited between readings of what was just written: reads can lag on GHCR, by seconds.
pub const READ_PAUSES: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Something that a person should hear of while a request goes on.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A request failed in a way that passes, and is sent again after `wait`.
    Retry {
        /// `METHOD url`, redacted.
        request: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// How long it waits.
        wait: Duration,
        /// Why.
        cause: String,
    },
    /// The registry sent a `Warning` header (distribution-spec 1.1, "Warnings"); each text once.
    Warning {
        /// The registry's host.
        host: String,
        /// What it said.
        text: String,
    },
}

/// Receives notices.
pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

mod connect;
mod credentials;
mod described;
mod directory;
mod error;
mod http;
mod inventory;
mod referrers;
mod removal;

pub use connect::{ConnectOptions, Environment, connect, find_credentials};
pub use credentials::{CredentialKind, CredentialMemory, Credentials};
pub use described::{created, revision};
pub use error::{DirectoryProblem, ErrorEnvelope, ErrorItem, NetworkFailure, Refusal, RegistryError};
pub use http::{ApiAnswer, ApiCredential, ApiMethod, JsonApi, RetryPolicy, Timeouts};
pub use inventory::Inventories;
pub use referrers::{check_listable, find_referrers, list_at_fallback_tag, listed_referrers};
pub use removal::{Removal, remove_tag};
