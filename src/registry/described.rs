//! Which commit an image says it was built from.

use super::{ReadRepository, RegistryError};
use crate::model::{Digest, Manifest, Platform, TagOrDigest, annotation};

/// The largest configuration that is read for its labels, in bytes.
const MAX_CONFIG_SIZE: u64 = 4 * 1024 * 1024;

/// The commit that an image says it was built from: the annotation of its root, or of the first image of an index,
/// or else the label in the configuration.
pub async fn revision(
    repository: &dyn ReadRepository,
    digest: &Digest,
) -> Result<Option<String>, RegistryError> {
    let mut next = digest.clone();
    for _depth in 0..4 {
        let Some(raw) = repository.get_manifest(&TagOrDigest::Digest(next.clone())).await? else {
            return Ok(None);
        };
        let Ok(manifest) = raw.parse() else { return Ok(None) };
        if let Some(revision) = manifest.annotations().get(annotation::REVISION) {
            return Ok(Some(revision.clone()));
        }
        match manifest {
            Manifest::Index { manifests, .. } => {
                let image =
                    manifests.into_iter().find(|it| !it.platform.as_ref().is_some_and(Platform::is_unknown));
                let Some(image) = image else { return Ok(None) };
                next = image.digest;
            }
            Manifest::Image { config, .. } => {
                if config.size > MAX_CONFIG_SIZE {
                    return Ok(None);
                }
                let bytes = repository.get_blob(&config, MAX_CONFIG_SIZE).await?;
                let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let label =
                    json.pointer("/config/Labels").and_then(|labels| labels.get(annotation::REVISION));
                return Ok(label.and_then(serde_json::Value::as_str).map(str::to_owned));
            }
        }
    }
    Ok(None)
}
