//! GitHub's container registry lists and deletes manifests only over GitHub's packages API. The registry itself answers
//! 405 to any DELETE (docs/reference/registries.md).
//!
//! `api` finds that API; `versions` lists and deletes manifests, which that API calls versions of a package.

mod api;
mod versions;

use std::sync::Arc;

pub(super) use api::PackagesApi;

use super::repository::HttpRepository;
use crate::digest::Digest;
use crate::error::DeletionObstacle;
use crate::error::RegistryError;
use crate::repository::{Deleter, Deletion, HeldManifest, ManifestLister};
use crate::tag::Tag;

/// A repository of GitHub's container registry, as its packages API knows it.
pub(super) struct GithubPackage {
    repository: HttpRepository,
    packages: Arc<PackagesApi>,
}

impl GithubPackage {
    /// Returns the package that belongs to `repository`.
    pub(super) fn new(repository: HttpRepository, packages: Arc<PackagesApi>) -> Self {
        Self { repository, packages }
    }
}

#[async_trait::async_trait]
impl Deleter for GithubPackage {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        // `DELETE …/versions/ID` deletes the manifest with all its tags (docs/reference/registries.md, "The packages API").
        Ok(Deletion::Manifests)
    }

    /// Checks that the packages API shows the package. Only a deletion would show whether this token may delete:
    /// `X-OAuth-Scopes` is absent for a job's token (cli/cli#1359).
    async fn probe_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        self.see_package().await.map(|()| None)
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        Err(DeletionObstacle::TagAlone(tag.clone()).into())
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.delete_version(digest).await
    }
}

#[async_trait::async_trait]
impl ManifestLister for GithubPackage {
    async fn list_manifests(&self) -> Result<Vec<HeldManifest>, RegistryError> {
        self.versions().await
    }
}
