//! A repository over HTTP: the registry traits, each method in one line.

use std::sync::Arc;

use super::address;
use super::host::Host;
use super::token::Access;
use crate::{
    BlobBody, BlobOutcome, ByteStream, DeleteRepository, Deletion, HeldManifest, Put, ReadRepository,
    RegistryError, Repository,
};
use crate::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest};

/// A repository over HTTP.
pub(super) struct HttpRepository {
    pub(super) host: Arc<Host>,
    /// Its path in the API.
    pub(super) path: String,
    /// The access that reading needs.
    pub(super) reading: Access,
    /// The access that writing needs.
    pub(super) writing: Access,
    /// The access that deleting needs.
    pub(super) deleting: Access,
}

impl HttpRepository {
    /// Returns the repository `name` of a registry.
    pub(super) fn new(host: Arc<Host>, name: &RepositoryName) -> Self {
        let path = address::repository_path(&host.name, name);
        let reading = Access { repository: path.clone(), ..Access::default() };
        let writing = Access { push: true, ..reading.clone() };
        let deleting = Access { delete: true, ..writing.clone() };
        Self { host, path, reading, writing, deleting }
    }
}

#[async_trait::async_trait]
impl Repository for HttpRepository {
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError> {
        self.head_manifest_at(at).await
    }

    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError> {
        self.put_manifest_at(at, manifest).await
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        self.head_blob(&blob.digest).await
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
}

#[async_trait::async_trait]
impl ReadRepository for HttpRepository {
    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        self.get_manifest_at(at).await
    }

    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        self.get_small_blob(blob, limit).await
    }

    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        self.pull(blob).await
    }

    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        self.all_tags().await
    }

    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        self.all_referrers(subject).await
    }
}

#[async_trait::async_trait]
impl DeleteRepository for HttpRepository {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        self.what_can_be_deleted().await
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        self.delete_tag_alone(tag).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.delete_whole(digest).await
    }

    async fn list_manifests(&self) -> Result<Option<Vec<HeldManifest>>, RegistryError> {
        Ok(None)
    }
}
