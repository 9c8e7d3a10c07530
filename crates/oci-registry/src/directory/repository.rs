//! A repository in a directory: the registry traits. Blocking work runs on threads that may block.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::blobs::BlobWriter;
use super::layout::{RepositoryLayout, read};
use super::wrong;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{DirectoryProblem, RegistryError};
use crate::manifest::RawManifest;
use crate::reference::{RepositoryName, TagOrDigest};
use crate::repository::{
    BlobBody, BlobOutcome, ByteStream, Deleter, Deletion, HeldManifest, ManifestLister, Presence, PutOutcome,
    Repository,
};
use crate::tag::Tag;
use crate::tag_listing::TagListing;

/// How long the source of a blob may yield nothing.
const SOURCE_PATIENCE: Duration = Duration::from_secs(600);

/// A repository in a directory.
pub(super) struct DirectoryRepository {
    layout: RepositoryLayout,
    writers: Arc<Semaphore>,
}

impl DirectoryRepository {
    /// Returns the repository `name` of the registry at `root`.
    pub(super) fn new(root: PathBuf, name: RepositoryName, writers: Arc<Semaphore>) -> Self {
        Self { layout: RepositoryLayout::new(root, name), writers }
    }

    /// Runs `work` on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(RepositoryLayout) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let layout = self.layout.clone();
        joined(&self.layout, tokio::task::spawn_blocking(move || work(layout))).await
    }
}

/// Returns the outcome of work on another thread.
async fn joined<T>(
    layout: &RepositoryLayout,
    work: JoinHandle<Result<T, RegistryError>>,
) -> Result<T, RegistryError> {
    let stopped = |cause: tokio::task::JoinError| {
        Err(wrong(&layout.folder(), DirectoryProblem::Failed, cause.to_string()))
    };
    work.await.unwrap_or_else(stopped)
}

#[async_trait::async_trait]
impl Repository for DirectoryRepository {
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError> {
        let at = at.clone();
        self.run(move |layout| Ok(layout.manifest(&at)?.map(|manifest| manifest.descriptor()))).await
    }

    async fn put_manifest(
        &self,
        at: &TagOrDigest,
        manifest: &RawManifest,
    ) -> Result<PutOutcome, RegistryError> {
        let (at, manifest) = (at.clone(), manifest.clone());
        self.run(move |layout| layout.put_manifest(&at, &manifest)).await
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let blob = blob.clone();
        self.run(move |layout| Ok(layout.exists()? && layout.has_blob(&blob)?)).await
    }

    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError> {
        // The semaphore is never closed; if it were, nobody would have to wait.
        let _permit = self.writers.acquire().await.ok();
        if let Some(source) = mount_from {
            let (source, blob) = (self.layout.sibling(source.clone()), blob.clone());
            if self.run(move |layout| layout.mount(&blob, &source)).await? {
                return Ok(BlobOutcome::Mounted);
            }
        }
        let started = blob.clone();
        let mut writer = self.run(move |layout| BlobWriter::new(layout, started)).await?;
        let content = |cause: String| RegistryError::Content { digest: blob.digest.clone(), cause };
        let mut pieces = body.open();
        let mut piece = next(&mut pieces).await.map_err(content)?;
        while let Some(bytes) = piece {
            // One piece is written while the next is read.
            let writing = tokio::task::spawn_blocking(move || writer.write(&bytes));
            let read = next(&mut pieces).await;
            writer = joined(&self.layout, writing).await?;
            piece = read.map_err(content)?;
        }
        self.run(move |_| writer.finish()).await?;
        Ok(BlobOutcome::Pushed)
    }

    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        let at = at.clone();
        self.run(move |layout| layout.manifest(&at)).await
    }

    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let blob = blob.clone();
        self.run(move |layout| {
            let path = layout.blob(&blob.digest);
            let bytes = read(&path, limit)?
                .ok_or_else(|| wrong(&path, DirectoryProblem::Damaged, "it is not there"))?;
            let mut digester = blob.digest.digester();
            digester.update(&bytes);
            let found = digester.finish();
            if found != blob.digest {
                let (request, expected) = (format!("read {}", path.display()), blob.digest);
                return Err(RegistryError::ContentMismatch { request, expected, found });
            }
            Ok(bytes)
        })
        .await
    }

    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        let blob = blob.clone();
        self.run(move |layout| layout.open_blob(&blob)).await
    }

    async fn list_tags(&self) -> Result<TagListing, RegistryError> {
        let list = |layout: RepositoryLayout| {
            if layout.exists()? { Ok(layout.index()?.tags()) } else { Ok(Vec::new()) }
        };
        self.run(list).await.map(TagListing::complete)
    }

    async fn list_referrers(&self, _subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        // A layout has only the index at the fallback tag, which is updated when manifests are put.
        Ok(None)
    }

    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError> {
        Ok(None)
    }

    async fn probe_read(&self) -> Result<Presence, RegistryError> {
        self.run(|layout| layout.probe_read()).await
    }

    async fn probe_push(&self) -> Result<(), RegistryError> {
        self.run(|layout| layout.probe_write()).await
    }

    fn deleter(&self) -> Option<&dyn Deleter> {
        Some(self)
    }

    fn lister(&self) -> Option<&dyn ManifestLister> {
        Some(self)
    }
}

#[async_trait::async_trait]
impl Deleter for DirectoryRepository {
    async fn deletion(&self) -> Result<Deletion, RegistryError> {
        Ok(Deletion::Tags)
    }

    async fn probe_deletion(&self) -> Result<Option<Deletion>, RegistryError> {
        self.run(|layout| layout.probe_write()).await?;
        self.deletion().await.map(Some)
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        let tag = tag.clone();
        self.run(move |layout| layout.delete_tag(&tag)).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        let digest = digest.clone();
        self.run(move |layout| layout.delete_manifest(&digest)).await
    }
}

#[async_trait::async_trait]
impl ManifestLister for DirectoryRepository {
    async fn list_manifests(&self) -> Result<Vec<HeldManifest>, RegistryError> {
        self.run(|layout| layout.list_manifests()).await
    }
}

async fn next(pieces: &mut ByteStream) -> Result<Option<bytes::Bytes>, String> {
    match tokio::time::timeout(SOURCE_PATIENCE, pieces.next()).await {
        Ok(piece) => piece.transpose().map_err(|error| error.to_string()),
        Err(_) => Err(format!("its source gave nothing for {SOURCE_PATIENCE:?}")),
    }
}
