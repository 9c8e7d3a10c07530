//! A repository over HTTP: the registry traits, most methods in one line.

use std::sync::Arc;

use super::address;
use super::host::Host;
use super::tokens::RequiredAccess;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::manifest::RawManifest;
use crate::reference::{RepositoryName, TagOrDigest};
use crate::repository::{
    BlobBody, BlobOutcome, ByteStream, Deleter, Deletion, ManifestLister, Presence, PutOutcome, Repository,
};
use crate::tag::Tag;
use crate::tag_listing::TagListing;

/// A repository over HTTP.
#[derive(Clone)]
pub(super) struct HttpRepository {
    pub(super) host: Arc<Host>,
    /// Its path in the API.
    pub(super) path: String,
    /// The access that reading needs.
    pub(super) reading: RequiredAccess,
    /// The access that writing needs.
    pub(super) writing: RequiredAccess,
    /// The access that deleting needs.
    pub(super) deleting: RequiredAccess,
    /// Deletes instead of the repository, if the registry itself does not.
    deleter: Option<Arc<dyn Deleter>>,
    /// Lists manifests, which the registry itself cannot.
    lister: Option<Arc<dyn ManifestLister>>,
}

impl HttpRepository {
    /// Returns the repository `name` of a registry.
    pub(super) fn new(host: Arc<Host>, name: &RepositoryName) -> Self {
        let path = address::repository_path(&host.name, name);
        let reading = RequiredAccess { repository: path.clone(), ..RequiredAccess::default() };
        let writing = RequiredAccess { push: true, ..reading.clone() };
        let deleting = RequiredAccess { delete: true, ..writing.clone() };
        Self { host, path, reading, writing, deleting, deleter: None, lister: None }
    }

    /// Returns the same repository, whose content `deleter` deletes and `lister` lists.
    pub(super) fn with_powers(self, deleter: Arc<dyn Deleter>, lister: Arc<dyn ManifestLister>) -> Self {
        Self { deleter: Some(deleter), lister: Some(lister), ..self }
    }
}

#[async_trait::async_trait]
impl Repository for HttpRepository {
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError> {
        self.head_manifest_at(at).await
    }

    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        self.get_manifest_at(at).await
    }

    async fn get_described(&self, described: &Descriptor) -> Result<Option<RawManifest>, RegistryError> {
        let at = TagOrDigest::Digest(described.digest.clone());
        self.get_manifest_as(&at, Some(&described.media_type)).await
    }

    async fn put_manifest(
        &self,
        at: &TagOrDigest,
        manifest: &RawManifest,
    ) -> Result<PutOutcome, RegistryError> {
        self.put_manifest_at(at, manifest).await
    }

    async fn put_tags(&self, manifest: &RawManifest, tags: &[Tag]) -> Result<Vec<Tag>, RegistryError> {
        self.put_tags_together(manifest, tags).await
    }

    fn may_put_tags(&self) -> bool {
        self.may_put_tags_together()
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        self.head_blob(&blob.digest).await
    }

    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        self.get_small_blob(blob, limit).await
    }

    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        self.pull(blob).await
    }

    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError> {
        let mount_from = mount_from.map(|name| address::repository_path(&self.host.name, name));
        self.upload(blob, body, mount_from.as_deref()).await
    }

    async fn list_tags(&self) -> Result<TagListing, RegistryError> {
        self.all_tags().await
    }

    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        self.all_referrers(subject).await
    }

    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError> {
        Ok(self.host.keychain.origin(&self.path).await)
    }

    fn answers_strangers(&self) -> bool {
        matches!(self.host.facts.base.get(), Some(Ok(_))) && self.host.facts.challenge().is_none()
    }

    async fn probe_read(&self) -> Result<Presence, RegistryError> {
        self.find_presence().await.map_err(|error| error.about(&self.path))
    }

    async fn probe_push(&self) -> Result<(), RegistryError> {
        self.try_session().await.map_err(|error| error.about(&self.path))
    }

    async fn begin_push(&self) -> Result<(), RegistryError> {
        self.keep_session().await.map_err(|error| error.about(&self.path))
    }

    async fn end_push(&self) {
        self.cancel_kept_session().await;
    }

    fn deleter(&self) -> Option<&dyn Deleter> {
        Some(self.deleter.as_deref().unwrap_or(self))
    }

    fn lister(&self) -> Option<&dyn ManifestLister> {
        self.lister.as_deref()
    }
}

#[async_trait::async_trait]
impl Deleter for HttpRepository {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        self.what_can_be_deleted().await
    }

    async fn foresee_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        self.what_readers_see_deleted().await
    }

    async fn probe_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        self.what_can_be_deleted().await.map(Some).map_err(|error| error.about(&self.path))
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        self.delete_tag_alone(tag).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.delete_whole(digest).await
    }
}
