//! Deleting over HTTP (distribution-spec 1.1, "Deleting tags", "Deleting Manifests"), and finding out which deletions a
//! registry supports.
//!
//! Known answers to `DELETE /v2/NAME/manifests/TAG`:
//!
//! | registry | its answer |
//! | --- | --- |
//! | distribution 2 (seen with 2.8.2) | 400 `DIGEST_INVALID`, whether the tag exists or not; with deleting disabled 405 `UNSUPPORTED`, for a digest too |
//! | distribution 3, GitLab, Quay (quay/quay#3128) | removes the tag alone |
//! | Harbor 2 | refuses, `UNSUPPORTED` (goharbor/harbor#11971) |
//! | zot | removes the tag; before 2.1.2 the manifest too once its last tag is gone (project-zot/zot#2626); in 2020 the manifest with what its other tags name (project-zot/zot#67) |
//! | ECR | 404 for any DELETE (docs/reference/registries.md) |
//! | GHCR, Docker Hub | 405 for any DELETE (docs/reference/registries.md) |
//!
//! The specification does not say which of the two is right (opencontainers/distribution-spec#551), and an absent tag
//! is 404 either way. A probe therefore cannot distinguish a registry that removes tags from one that deletes manifests
//! by tag. So the first tag that is deleted in a run is made to name a placeholder before: only that can be lost. If
//! the placeholder still exists afterwards, the registry removes tags alone, and further tags are deleted directly.

use std::sync::atomic::Ordering;

use reqwest::{Method, StatusCode};

use super::challenge::Challenge;
use super::exchange::Request;
use super::repository::HttpRepository;
use super::response::Response;
use super::retry::Retries;
use crate::digest::Digest;
use crate::error::DeletionObstacle;
use crate::error::RegistryError;
use crate::reference::TagOrDigest;
use crate::reference::is_docker_hub;
use crate::removal::PlaceholderTag;
use crate::repository::Deletion;
use crate::tag::Tag;

/// The codes that show that a registry searched and found nothing: the specified ones, GitLab's and Harbor's. A 404
/// without one of them may come from a path that the registry does not know.
const ABSENT: [&str; 4] = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "TAG_UNKNOWN", "NOT_FOUND"];

impl HttpRepository {
    /// Returns what can be deleted. Tries to delete a tag and a digest that nobody can have put.
    pub(super) async fn what_can_be_deleted(&self) -> Result<Deletion, RegistryError> {
        if is_docker_hub(&self.host.name) {
            // Its registry answers 405 to any DELETE (docs/reference/registries.md).
            return Ok(Deletion::Nothing(DeletionObstacle::DockerHub));
        }
        let tag = format!("{}-absent-{:032x}", self.host.client, rand::random::<u128>());
        if self.deletes(&tag).await? {
            return Ok(Deletion::Tags);
        }
        let digest = Digest::of(&rand::random::<[u8; 32]>());
        if self.deletes(digest.as_str()).await? {
            return Ok(Deletion::Manifests);
        }
        Ok(Deletion::Nothing(DeletionObstacle::Unsupported { host: self.host.name.clone() }))
    }

    /// Returns what can be deleted, without asking for the right to delete. A registry with a token server shows it only
    /// to those who have a token for that, and some servers create the repository that such a token is for.
    pub(super) async fn what_readers_see_deleted(&self) -> Result<Option<Deletion>, RegistryError> {
        self.host.base().await?;
        match self.host.facts.challenge() {
            Some(Challenge::Bearer { .. }) if !is_docker_hub(&self.host.name) => Ok(None),
            _ => self.what_can_be_deleted().await.map(Some),
        }
    }

    /// Whether the registry would delete the content at `absent`, which does not exist.
    async fn deletes(&self, absent: &str) -> Result<bool, RegistryError> {
        let url = self.host.endpoint(&format!("v2/{}/manifests/{absent}", self.path)).await?;
        let answer = self.host.send(&Request::new(Method::DELETE, url, &self.deleting)).await?;
        if answer.status().is_success() {
            answer.discard().await;
            return Ok(true);
        }
        match answer.into_error().await {
            RegistryError::NotFound(refusal) => Ok(ABSENT.iter().any(|code| refusal.errors.has_code(code))),
            // 400 and 405 are the specified answers if deletion is not supported; 501 means the same.
            RegistryError::Rejected(_) => Ok(false),
            RegistryError::Unavailable(refusal) if refusal.status == 501 => Ok(false),
            error => Err(error),
        }
    }

    /// Removes a tag alone, whatever the registry deletes on a DELETE by tag.
    pub(super) async fn delete_tag_alone(&self, tag: &Tag) -> Result<(), RegistryError> {
        let at = TagOrDigest::Tag(tag.clone());
        if self.host.facts.removes_tags_alone.load(Ordering::Relaxed) {
            return self.delete_at(&at).await;
        }
        let Some(original) = self.get_manifest_at(&at).await? else { return Ok(()) };
        let placeholder_tag = PlaceholderTag::put(self, tag, original).await?;
        if let Err(error) = self.delete_at(&at).await {
            return Err(placeholder_tag.put_back(self, error).await);
        }
        let placeholder = TagOrDigest::Digest(placeholder_tag.digest().clone());
        if self.head_manifest_at(&placeholder).await?.is_some() {
            self.host.facts.removes_tags_alone.store(true, Ordering::Relaxed);
            // The placeholder is garbage without a tag. The registry may collect it later if it does not delete
            // manifests.
            let _ = self.delete_at(&placeholder).await;
        }
        Ok(())
    }

    /// Deletes a manifest with all its tags.
    ///
    /// An error can mean that a manifest is gone while its tags are still listed and name nothing: distribution 2.8.2
    /// deletes the manifest, then looks at every tag, and answers 500 if one of them is removed meanwhile. In that case
    /// the manifest is put and deleted again until the answer is a success. The manifests of one repository are deleted
    /// one after the other.
    pub(super) async fn delete_whole(&self, digest: &Digest) -> Result<(), RegistryError> {
        let turn = self.host.deleting(&self.path);
        let _turn = turn.lock().await;
        let at = TagOrDigest::Digest(digest.clone());
        let Some(manifest) = self.get_manifest_at(&at).await? else { return Ok(()) };
        let call = Request::new(Method::DELETE, self.manifest_url(&at).await?, &self.deleting);
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            match self.host.attempt(&call).await {
                Ok(answer) => return self.deleted(&at, answer).await,
                Err(failure) => retries.again(failure).await?,
            }
            if self.head_manifest_at(&at).await?.is_none() {
                self.put_manifest_at(&at, &manifest).await?;
            }
        }
    }

    /// Deletes the content at `at`, in whatever way the registry implements that.
    pub(super) async fn delete_at(&self, at: &TagOrDigest) -> Result<(), RegistryError> {
        let url = self.manifest_url(at).await?;
        let answer = self.host.send(&Request::new(Method::DELETE, url, &self.deleting)).await?;
        self.deleted(at, answer).await
    }

    /// Reads the answer to a DELETE of the content at `at`.
    async fn deleted(&self, at: &TagOrDigest, answer: Response) -> Result<(), RegistryError> {
        match answer.status() {
            status if status.is_success() => {
                answer.discard().await;
                Ok(())
            }
            // The content may never have existed, or an attempt whose answer was lost may have deleted it. Some
            // registries answer 404 to any DELETE, so its absence is checked.
            StatusCode::NOT_FOUND => {
                let error = answer.into_error().await;
                if self.head_manifest_at(at).await?.is_some() { Err(error) } else { Ok(()) }
            }
            _ => Err(answer.into_error().await),
        }
    }
}
