//! Deleting manifests without a tag that were reachable only from what was removed. They are deleted after the tags, parents
//! before children, and each is checked again just before.
//!
//! Somebody who publishes at the same moment may have found such a manifest in place, and put an index that lists it only
//! after that check. The deleted manifests are therefore looked for once more at the end, and put back if something lists
//! them.

use std::collections::{BTreeMap, BTreeSet};

use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::progress::Progress;
use super::removal::Removals;
use crate::diagnostic::Diagnostic;
use oci_registry::RegistryError;
use oci_registry::inventory::{Inventory, ManifestParts};
use oci_registry::{Digest, RawManifest, TagOrDigest};

/// The deleted manifests, in the order of their deletion.
type Deleted = Vec<(Digest, RawManifest)>;

/// Deletes those orphans of the plan that still are orphans. Returns false if the person stopped it before all were tried.
pub(super) async fn delete(
    removals: &mut Removals<'_>,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<bool, Diagnostic> {
    let it = removals.prepared();
    let (mut deleted, mut all) = (Deleted::new(), true);
    let mut result = Ok(());
    for digest in &it.planned.orphans {
        if *options.cancel.borrow() {
            all = false;
            break;
        }
        result = delete_one(removals, digest, &mut deleted, progress).await;
        if result.is_err() {
            break;
        }
    }
    let put_back = put_back(removals, deleted, progress).await;
    result.and(put_back).map_err(|error| it.failed(&error))?;
    Ok(all)
}

/// Deletes `digest`, unless it is gone or something needs it now. Neither is an error, because nobody named it explicitly.
async fn delete_one(
    removals: &mut Removals<'_>,
    digest: &Digest,
    deleted: &mut Deleted,
    progress: &Progress,
) -> Result<(), RegistryError> {
    let it = removals.prepared();
    let Some(inventory) = removals.inventory().await? else { return Ok(()) };
    if !still_orphans(it, &inventory).contains(digest) {
        return Ok(());
    }
    let at = TagOrDigest::Digest(digest.clone());
    let Some(manifest) = it.repository.get_manifest(&at).await? else { return Ok(()) };
    it.repository.delete_manifest(digest).await?;
    removals.forget(digest);
    deleted.push((digest.clone(), manifest));
    progress.deleted(it.position, digest);
    Ok(())
}

/// Returns the orphans of the plan that are there and that are still reachable only from each other.
fn still_orphans(it: &Prepared<'_>, inventory: &Inventory) -> BTreeSet<Digest> {
    let is_bare =
        |digest: &&Digest| inventory.manifests().get(*digest).is_some_and(|holding| holding.tags.is_empty());
    // A signature may have been put since the plan was made.
    let is_alone = |digest: &&Digest| is_bare(digest) && !inventory.has_referrer_tag(digest);
    let orphans = it.planned.orphans.iter().filter(is_alone).cloned().collect();
    inventory.still_removable(orphans, &BTreeSet::new(), jiff::Timestamp::now().as_second())
}

/// Puts back the deleted manifests that something lists after all, children before parents.
async fn put_back(
    removals: &mut Removals<'_>,
    deleted: Deleted,
    progress: &Progress,
) -> Result<(), RegistryError> {
    if deleted.is_empty() {
        return Ok(());
    }
    let it = removals.prepared();
    let Some(inventory) = removals.inventory().await? else { return Ok(()) };
    let listed = listed(&inventory, &deleted, removals.deleted());
    for (digest, manifest) in deleted.into_iter().rev().filter(|(digest, _)| listed.contains(digest)) {
        it.repository.put_manifest(&TagOrDigest::Digest(digest.clone()), &manifest).await?;
        removals.remember(&digest);
        progress.put_back(it.position, &digest);
    }
    Ok(())
}

/// Returns the manifests in `deleted` that a manifest of the repository lists, directly or through another of them.
fn listed(inventory: &Inventory, deleted: &Deleted, gone: &BTreeSet<Digest>) -> BTreeSet<Digest> {
    let parts: BTreeMap<&Digest, ManifestParts> = deleted
        .iter()
        .filter_map(|(digest, manifest)| Some((digest, ManifestParts::of(&manifest.parse().ok()?))))
        .collect();
    let mut open: Vec<Digest> = gone.iter().filter(|digest| inventory.is_listed(digest)).cloned().collect();
    let mut listed = BTreeSet::new();
    while let Some(digest) = open.pop() {
        if listed.insert(digest.clone()) {
            let children = parts.get(&digest).into_iter().flat_map(|parts| &parts.children);
            open.extend(children.filter(|child| gone.contains(*child)).cloned());
        }
    }
    listed
}
