//! Facts that an image states about itself: the commit it was built from, and the time.

use crate::annotation;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::manifest::Manifest;
use crate::platform::Platform;
use crate::reference::TagOrDigest;
use crate::repository::Repository;

/// The largest configuration that is read, in bytes.
const MAX_CONFIG_SIZE: u64 = 4 * 1024 * 1024;

/// Returns the commit that an image says it was built from: the annotation of its root or of the first image of an
/// index, or else the label in the configuration.
pub async fn revision(repository: &dyn Repository, digest: &Digest) -> Result<Option<String>, RegistryError> {
    let label = |config: &serde_json::Value| label(config, annotation::REVISION);
    described(repository, digest, annotation::REVISION, label).await
}

/// A version that an image states about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedVersion {
    /// The version, as the image gives it.
    pub version: String,
    /// Whether an annotation of the manifest gives it, or else a label in the configuration, which an image also
    /// inherits from the image that it is built on.
    pub is_annotation: bool,
}

/// Returns the version that an image says it has: the annotation of its root or of the first image of an index, or else
/// the label in the configuration.
pub async fn version(
    repository: &dyn Repository,
    digest: &Digest,
) -> Result<Option<DescribedVersion>, RegistryError> {
    let from_label = std::sync::atomic::AtomicBool::new(false);
    let found = described(repository, digest, annotation::VERSION, |config| {
        from_label.store(true, std::sync::atomic::Ordering::Relaxed);
        label(config, annotation::VERSION)
    });
    let found = found.await?;
    let is_annotation = !from_label.into_inner();
    Ok(found.map(|version| DescribedVersion { version, is_annotation }))
}

/// Returns the label `key` of a configuration.
fn label(config: &serde_json::Value, key: &str) -> Option<String> {
    let label = config.pointer("/config/Labels").and_then(|labels| labels.get(key));
    label.and_then(serde_json::Value::as_str).map(str::to_owned)
}

/// Returns when an image says it was built, in seconds since 1970: the annotation of its root or of the first image of
/// an index, or else `created` in the configuration (image-spec, config.md). `None` also if the value is not a time.
pub async fn created(repository: &dyn Repository, digest: &Digest) -> Result<Option<i64>, RegistryError> {
    let member = |config: &serde_json::Value| config.get("created")?.as_str().map(str::to_owned);
    let text = described(repository, digest, annotation::CREATED, member).await?;
    let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Ok(time.map(jiff::Timestamp::as_second))
}

/// Returns the latest time that an image states, in seconds since 1970: of the annotations of its root and of the first image of an
/// index, and of `created` in the configuration. An annotation may have the time of the commit, and the image is younger.
pub async fn latest_time(repository: &dyn Repository, digest: &Digest) -> Result<Option<i64>, RegistryError> {
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let (mut next, mut latest) = (digest.clone(), None);
    for _depth in 0..4 {
        let Some(raw) = repository.get_manifest(&TagOrDigest::Digest(next.clone())).await? else { break };
        let Ok(manifest) = raw.parse() else { break };
        latest = latest.max(manifest.annotations().get(annotation::CREATED).and_then(|text| time(text)));
        match manifest {
            Manifest::Index { manifests, .. } => {
                let image =
                    manifests.into_iter().find(|it| !it.platform.as_ref().is_some_and(Platform::is_unknown));
                let Some(image) = image else { break };
                next = image.digest;
            }
            Manifest::Image { config, .. } => {
                if config.size <= MAX_CONFIG_SIZE {
                    let bytes = repository.get_blob(&config, MAX_CONFIG_SIZE).await?;
                    let config: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
                    let created = config.get("created").and_then(serde_json::Value::as_str);
                    latest = latest.max(created.and_then(time));
                }
                break;
            }
        }
    }
    Ok(latest)
}

/// Returns the annotation `key` of the root or of the first image of an index, or else the value that `in_config` finds
/// in the configuration of that image.
async fn described(
    repository: &dyn Repository,
    digest: &Digest,
    key: &str,
    in_config: impl Fn(&serde_json::Value) -> Option<String> + Send,
) -> Result<Option<String>, RegistryError> {
    let mut next = digest.clone();
    for _depth in 0..4 {
        let Some(raw) = repository.get_manifest(&TagOrDigest::Digest(next.clone())).await? else {
            return Ok(None);
        };
        let Ok(manifest) = raw.parse() else { return Ok(None) };
        if let Some(value) = manifest.annotations().get(key) {
            return Ok(Some(value.clone()));
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
                return Ok(in_config(&serde_json::from_slice(&bytes).unwrap_or_default()));
            }
        }
    }
    Ok(None)
}
