//! Reading everything that a repository holds, if the registry can list it: [`Inventories`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::inventory::{Holding, Inventory, ManifestParts};
use crate::reference::TagOrDigest;
use crate::repository::{HeldManifest, Repository};
use crate::tag::Tag;

/// How many manifests are read at the same time.
const READ_AT_ONCE: usize = 16;

/// The waits before a manifest that is listed but cannot be read is read again: GHCR's lists can lag.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3)];

/// Reads the same repository repeatedly, but each manifest only once, because the content of a digest never changes.
#[derive(Debug, Default)]
pub struct Inventories {
    known: HashMap<Digest, ManifestParts>,
    /// The manifests that are gone, even if the registry still lists them.
    gone: BTreeSet<Digest>,
    /// The tags that were removed.
    removed: BTreeSet<Tag>,
}

impl Inventories {
    /// Records that a manifest is gone.
    pub fn forget(&mut self, digest: &Digest) {
        self.gone.insert(digest.clone());
    }

    /// Records that a tag was removed.
    pub fn forget_tag(&mut self, tag: &Tag) {
        self.removed.insert(tag.clone());
    }

    /// Records that a manifest exists again.
    pub fn remember(&mut self, digest: &Digest) {
        self.gone.remove(digest);
    }

    /// Returns what `repository` holds now; `None` if the registry cannot list it.
    pub async fn read(&mut self, repository: &dyn Repository) -> Result<Option<Inventory>, RegistryError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let Some(mut held) = repository.list_manifests().await? else { return Ok(None) };
            held.retain(|manifest| !self.is_past(manifest));
            let mut absent = self.learn(repository, &held).await?;
            // The registry may also still list a placeholder that this run used to remove a tag.
            held.retain(|manifest| {
                let is_placeholder = !manifest.tags.is_empty() && self.had_its_tags_removed(manifest);
                !is_placeholder || !absent.remove(&manifest.digest)
            });
            match pauses.next() {
                Some(pause) if !absent.is_empty() => tokio::time::sleep(pause).await,
                _ => return Ok(Some(self.inventory(held))),
            }
        }
    }

    /// Whether a manifest was deleted and is only still listed, because GHCR's lists can lag. If it has another tag, it
    /// was put again.
    fn is_past(&self, manifest: &HeldManifest) -> bool {
        self.gone.contains(&manifest.digest) && self.had_its_tags_removed(manifest)
    }

    fn had_its_tags_removed(&self, manifest: &HeldManifest) -> bool {
        manifest.tags.iter().all(|tag| self.removed.contains(tag))
    }

    /// Reads the manifests of `held` that have not been read yet. Returns those that do not exist.
    async fn learn(
        &mut self,
        repository: &dyn Repository,
        held: &[HeldManifest],
    ) -> Result<BTreeSet<Digest>, RegistryError> {
        let unknown = held.iter().map(|it| &it.digest).filter(|digest| !self.known.contains_key(*digest));
        let unknown: Vec<Digest> = unknown.cloned().collect();
        let asked = stream::iter(unknown.into_iter().map(|digest| async move {
            let manifest = repository.get_manifest(&TagOrDigest::Digest(digest.clone())).await?;
            Ok::<_, RegistryError>((digest, manifest))
        }));
        let read: Vec<_> = asked.buffer_unordered(READ_AT_ONCE).try_collect().await?;
        let mut absent = BTreeSet::new();
        for (digest, manifest) in read {
            match manifest.map(|manifest| manifest.parse()) {
                Some(Ok(manifest)) => {
                    self.known.insert(digest, ManifestParts::of(&manifest));
                }
                // Its content stays unknown; reading it again would not help.
                Some(Err(_)) => {}
                None => {
                    absent.insert(digest);
                }
            }
        }
        Ok(absent)
    }

    fn inventory(&self, held: Vec<HeldManifest>) -> Inventory {
        let mut manifests: BTreeMap<Digest, Holding> = BTreeMap::new();
        for HeldManifest { digest, tags, created } in held {
            let parts = self.known.get(&digest).cloned();
            manifests.insert(digest, Holding { tags: tags.into_iter().collect(), created, parts });
        }
        Inventory::new(manifests)
    }
}
