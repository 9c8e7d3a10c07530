//! Whether the immutable tags of a repository name the same images as the content to publish.
//!
//! `BuildKit` stamps an invocation id into the provenance of each build, so that the index of a second build has another digest even
//! if every image is the same (docs/attestations/slsa-definitions.md, `invocationID`).

use std::collections::BTreeSet;

use super::repository::ObservedRepository;
use crate::desired::DesiredTag;
use crate::model::{Mutability, OnConflict, OnSameImages};
use oci_registry::{Digest, RegistryError, Repository};

/// Reads the manifest of each immutable tag that names another digest, and compares its images with those to publish.
///
/// # Errors
///
/// Every refusal of the registry.
pub(super) async fn find_same_images(
    repository: &dyn Repository,
    observed: &mut ObservedRepository,
) -> Result<(), RegistryError> {
    if observed.desired.on_same_images == OnSameImages::Fail {
        return Ok(());
    }
    let root = observed.root().clone();
    let is_asked =
        |tag: &&DesiredTag| tag.mutability == Mutability::Immutable && tag.on_conflict == OnConflict::Fail;
    let immutable = observed.desired.tags.iter().filter(is_asked);
    let named: BTreeSet<Digest> =
        immutable.filter_map(|tag| observed.tags.get(&tag.tag)).map(|tag| tag.digest.clone()).collect();
    for digest in named.into_iter().filter(|digest| *digest != root) {
        let manifests = &observed.desired.published.content.manifests;
        let Some(own) = manifests.iter().find(|manifest| *manifest.digest() == root) else { continue };
        // Without an index on either side, another digest is another image.
        let Some(standing) = repository.get_manifest(&digest.clone().into()).await? else { continue };
        if oci_content::are_same_images(own, &standing) {
            observed.same_images.insert(digest);
        }
    }
    Ok(())
}
