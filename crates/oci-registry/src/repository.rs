//! The interfaces of registries: [`Registry`] and [`Repository`], with the optional powers [`Deleter`] and
//! [`ManifestLister`]. Registries over HTTP and registries in directories implement them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{DeletionObstacle, RegistryError};
use crate::manifest::RawManifest;
use crate::reference::{RepositoryName, TagOrDigest};
use crate::tag::Tag;
use crate::tag_listing::TagListing;

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
pub struct PutOutcome {
    /// The manifest's digest.
    pub digest: Digest,
    /// The subject that the registry lists the manifest under from now on (`OCI-Subject`; distribution-spec 1.1,
    /// "Pushing Manifests with Subject"). `None` if the manifest has no subject or the registry keeps no list.
    pub subject: Option<Digest>,
}

/// A repository: manifests with their tags, and blobs.
///
/// Few repositories can do everything: [`Repository::deleter`] and [`Repository::lister`] return the powers that only
/// some have.
#[async_trait::async_trait]
pub trait Repository: Send + Sync {
    /// Returns the descriptor of the manifest at a tag or digest, or `None`. Media type, size and digest are set.
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError>;
    /// Returns the manifest at a tag or digest, or `None`. If a digest was asked for, the content is verified against
    /// it. A manifest of Docker's first schema is returned unverified, because its digest covers only a part of it:
    /// [`RawManifest::parse`] refuses it.
    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError>;
    /// Returns the manifest that `described` describes, or `None`. Some registries return a manifest only to clients that accept its
    /// media type, and the type of a referrer may be any.
    async fn get_described(&self, described: &Descriptor) -> Result<Option<RawManifest>, RegistryError> {
        self.get_manifest(&TagOrDigest::Digest(described.digest.clone())).await
    }
    /// Puts a manifest at a tag or digest. The bytes are sent unchanged.
    async fn put_manifest(
        &self,
        at: &TagOrDigest,
        manifest: &RawManifest,
    ) -> Result<PutOutcome, RegistryError>;
    /// Puts a manifest by digest, with all of `tags` in the same request, and returns those that the registry says that it took
    /// (`OCI-Tag`; distribution-spec, end-7b). The others may have been taken or not: put them one by one. Empty if the registry
    /// takes no tags in this way.
    async fn put_tags(&self, manifest: &RawManifest, tags: &[Tag]) -> Result<Vec<Tag>, RegistryError> {
        let _ = (manifest, tags);
        Ok(Vec::new())
    }
    /// Whether [`Repository::put_tags`] is worth a try: nothing shows that the registry takes no tags in this way.
    fn may_put_tags(&self) -> bool {
        false
    }
    /// Returns whether the repository has a blob.
    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError>;
    /// Returns a small blob, verified, in memory. It is an error if the blob is larger than `limit` bytes.
    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError>;
    /// Returns the bytes of a blob of any size as they come; the reader must compare digest and size. If the connection
    /// breaks, the stream continues from there. A missing blob is reported at once; an error in the stream carries a
    /// [`RegistryError`].
    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError>;
    /// Pushes a blob, or mounts it from another repository of the registry if that works.
    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError>;
    /// Returns the list of tags, and whether it is whole. Names that are not a valid [`Tag`] are left out. A registry
    /// that refuses to list tags is no error, because its tags can be asked about one by one.
    async fn list_tags(&self) -> Result<TagListing, RegistryError>;
    /// Returns the manifests that name `subject` as their subject, from the registry's own list; `None` if it keeps
    /// none. The list does not include the index at the fallback tag: [`crate::referrers::listed_referrers`] looks there too.
    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError>;

    /// Returns the origin of the credentials that the repository is asked with, in words for people, or the credential
    /// program that failed to give any; `None` if it is asked without credentials.
    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError>;
    /// Whether the registry has answered, and has asked for no credentials: strangers get the same answers.
    fn answers_strangers(&self) -> bool {
        false
    }
    /// Returns whether the repository exists, or an error if it may not be read. Changes nothing.
    async fn probe_read(&self) -> Result<Presence, RegistryError>;
    /// Returns `Ok` if content may be pushed to the repository, and if it may be created when it does not exist. Opens
    /// an upload session, which is cancelled, and sends no content.
    async fn probe_push(&self) -> Result<(), RegistryError>;
    /// Like [`Repository::probe_push`], for a push that follows: the first blob that is pushed uses the session. Call
    /// [`Repository::end_push`] afterwards.
    async fn begin_push(&self) -> Result<(), RegistryError> {
        self.probe_push().await
    }
    /// Cancels the session of [`Repository::begin_push`], unless a blob used it.
    async fn end_push(&self) {}

    /// Returns the power to delete content; `None` if nothing can be deleted.
    fn deleter(&self) -> Option<&dyn Deleter> {
        None
    }
    /// Returns the power to list every manifest; `None` if only tags can be listed.
    fn lister(&self) -> Option<&dyn ManifestLister> {
        None
    }
}

/// The power to delete content of a repository, within the limits that [`Deleter::deletion`] reports.
#[async_trait::async_trait]
pub trait Deleter: Send + Sync {
    /// Returns what can be deleted here. Asks the registry if necessary, and changes nothing.
    async fn deletion(&self) -> Result<Deletion, RegistryError>;
    /// Returns what can be deleted here, if somebody who only reads can find that out; `None` if that takes the right
    /// to delete. Changes nothing.
    async fn foresee_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        self.deletion().await.map(Some)
    }
    /// Returns what these credentials may delete; `None` if only a deletion would show that. Changes nothing.
    async fn probe_deletion(&self) -> Result<Option<Deletion>, RegistryError>;
    /// Removes a tag alone; `Ok` if it does not exist (any more). Call this only if the registry reported
    /// [`Deletion::Tags`]: some registries delete the manifest and its other tags as well.
    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError>;
    /// Deletes a manifest with all its tags; `Ok` if it does not exist (any more).
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError>;
}

/// The power to list every manifest of a repository, including those without a tag.
#[async_trait::async_trait]
pub trait ManifestLister: Send + Sync {
    /// Returns every manifest, including those without a tag.
    async fn list_manifests(&self) -> Result<Vec<HeldManifest>, RegistryError>;
}

impl dyn Repository + '_ {
    /// Returns what can be deleted here. Asks the registry if necessary, and changes nothing.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if it refuses to answer.
    pub async fn deletion(&self) -> Result<Deletion, RegistryError> {
        match self.deleter() {
            Some(deleter) => deleter.deletion().await,
            None => Ok(Deletion::Nothing(DeletionObstacle::NoDeleter)),
        }
    }

    /// Returns what can be deleted here, if somebody who only reads can find that out; `None` if that takes the right
    /// to delete. Changes nothing.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if it refuses to answer.
    pub async fn foresee_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        match self.deleter() {
            Some(deleter) => deleter.foresee_deletion().await,
            None => Ok(Some(Deletion::Nothing(DeletionObstacle::NoDeleter))),
        }
    }

    /// Returns what these credentials may delete; `None` if only a deletion would show that. Changes nothing.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if the credentials may not delete.
    pub async fn probe_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        match self.deleter() {
            Some(deleter) => deleter.probe_deletion().await,
            None => Ok(Some(Deletion::Nothing(DeletionObstacle::NoDeleter))),
        }
    }

    /// Deletes a manifest with all its tags; `Ok` if it does not exist (any more).
    ///
    /// # Errors
    ///
    /// [`RegistryError::DeletesNothing`] if the repository has no [`Deleter`]; the refusal of the registry, if it refuses.
    pub async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.required_deleter()?.delete_manifest(digest).await
    }

    /// Returns every manifest, including those without a tag; `None` if the repository has no [`ManifestLister`].
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if it refuses.
    pub async fn list_manifests(&self) -> Result<Option<Vec<HeldManifest>>, RegistryError> {
        match self.lister() {
            Some(lister) => lister.list_manifests().await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns the power to delete.
    pub(crate) fn required_deleter(&self) -> Result<&dyn Deleter, RegistryError> {
        self.deleter().ok_or_else(|| DeletionObstacle::NoDeleter.into())
    }
}

/// The kinds of content that can be deleted from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// A tag alone: its manifest and the manifest's other tags stay.
    Tags,
    /// Only whole manifests, each with every tag of its own.
    Manifests,
    /// Nothing.
    Nothing(DeletionObstacle),
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

/// Whether a repository exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    There,
    /// It does not exist, or these credentials cannot see it. Most registries create it at the first push.
    NotYet,
}

/// A registry: one host, or one directory.
pub trait Registry: Send + Sync {
    /// Returns the repository of that name, which includes the registry's namespace
    /// ([`crate::reference::RegistryLocation::repository`]). Whether it exists is not checked.
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository>;
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
