//! A repository over HTTP: the registry traits, most methods in one line.

use std::sync::Arc;

use super::address;
use super::github::{GithubPackage, PackagesApi};
use super::host::Host;
use super::token::Access;
use crate::{
    BlobBody, BlobOutcome, ByteStream, Deleter, Deletion, ManifestLister, Presence, Put, RegistryError,
    Repository,
};
use crate::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest};

/// A repository over HTTP.
#[derive(Clone)]
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
    /// The same repository in GitHub's packages API, which lists and deletes its manifests.
    package: Option<Arc<GithubPackage>>,
}

impl HttpRepository {
    /// Returns the repository `name` of a registry.
    pub(super) fn new(host: Arc<Host>, name: &RepositoryName) -> Self {
        let path = address::repository_path(&host.name, name);
        let reading = Access { repository: path.clone(), ..Access::default() };
        let writing = Access { push: true, ..reading.clone() };
        let deleting = Access { delete: true, ..writing.clone() };
        Self { host, path, reading, writing, deleting, package: None }
    }

    /// Lists and deletes manifests over GitHub's packages API.
    pub(super) fn with_packages(self, packages: Arc<PackagesApi>) -> Self {
        let package = GithubPackage::new(self.clone(), packages);
        Self { package: Some(Arc::new(package)), ..self }
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

    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError> {
        self.put_manifest_at(at, manifest).await
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

    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        self.all_tags().await
    }

    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        self.all_referrers(subject).await
    }

    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError> {
        Ok(self.host.keychain.origin(&self.path).await)
    }

    async fn probe_read(&self) -> Result<Presence, RegistryError> {
        self.find_presence().await.map_err(|error| error.about(&self.path))
    }

    async fn probe_push(&self) -> Result<(), RegistryError> {
        self.try_session().await.map_err(|error| error.about(&self.path))
    }

    fn deleter(&self) -> Option<&dyn Deleter> {
        match &self.package {
            Some(package) => Some(package.as_ref()),
            None => Some(self),
        }
    }

    fn lister(&self) -> Option<&dyn ManifestLister> {
        self.package.as_deref().map(|package| package as &dyn ManifestLister)
    }
}

#[async_trait::async_trait]
impl Deleter for HttpRepository {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        self.what_can_be_deleted().await
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
