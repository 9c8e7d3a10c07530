//! GitHub's container registry: everything except deleting goes over the registry's own API, and deleting over GitHub's
//! packages API. The registry itself answers 405 to any DELETE (docs/reference/registries.md).
//!
//! `api` finds that API; `versions` lists and deletes manifests, which that API calls versions of a package.

mod api;
mod versions;

use std::sync::Arc;

pub(super) use api::Packages;

use super::repository::HttpRepository;
use crate::{
    BlobBody, BlobOutcome, ByteStream, DeleteRepository, Deletion, HeldManifest, Presence, ProbeRepository,
    Put, ReadRepository, RegistryError, Repository,
};
use crate::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest};

/// A repository of GitHub's container registry.
pub(super) struct GithubRepository {
    registry: HttpRepository,
    packages: Arc<Packages>,
}

impl GithubRepository {
    /// Creates the repository, with the API that deletes from it.
    pub(super) fn new(registry: HttpRepository, packages: Arc<Packages>) -> Self {
        Self { registry, packages }
    }
}

#[async_trait::async_trait]
impl Repository for GithubRepository {
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError> {
        self.registry.head_manifest(at).await
    }

    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError> {
        self.registry.put_manifest(at, manifest).await
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        self.registry.has_blob(blob).await
    }

    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError> {
        self.registry.push_blob(blob, body, mount_from).await
    }
}

#[async_trait::async_trait]
impl ReadRepository for GithubRepository {
    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        self.registry.get_manifest(at).await
    }

    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        self.registry.get_blob(blob, limit).await
    }

    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        self.registry.open_blob(blob).await
    }

    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        self.registry.list_tags().await
    }

    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        self.registry.list_referrers(subject).await
    }
}

#[async_trait::async_trait]
impl DeleteRepository for GithubRepository {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        // `DELETE …/versions/ID` deletes the manifest with all its tags (docs/reference/registries.md, "The packages API").
        Ok(Deletion::Manifests)
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        let reason =
            format!("GitHub's packages API deletes manifests with all their tags, not the tag `{tag}` alone");
        Err(RegistryError::DeletesNothing { reason })
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.delete_version(digest).await
    }

    async fn list_manifests(&self) -> Result<Option<Vec<HeldManifest>>, RegistryError> {
        self.versions().await.map(Some)
    }
}

#[async_trait::async_trait]
impl ProbeRepository for GithubRepository {
    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError> {
        self.registry.credentials_origin().await
    }

    async fn probe_read(&self) -> Result<Presence, RegistryError> {
        self.registry.probe_read().await
    }

    async fn probe_push(&self) -> Result<(), RegistryError> {
        self.registry.probe_push().await
    }

    /// Checks that the packages API shows the package. Only a deletion would show whether this token may delete:
    /// `X-OAuth-Scopes` is absent for a job's token (cli/cli#1359).
    async fn probe_delete(&self) -> Result<Option<Deletion>, RegistryError> {
        self.see_package().await.map(|()| None)
    }
}
