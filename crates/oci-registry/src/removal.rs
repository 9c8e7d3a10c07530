//! Removing one tag and nothing else, whatever the registry can delete: [`remove_tag`].

use bytes::Bytes;
use serde_json::{Value, json};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::manifest::RawManifest;
use crate::media_type;
use crate::reference::TagOrDigest;
use crate::repository::{BlobBody, ByteStream, Deletion, READ_PAUSES, Repository};
use crate::tag::Tag;

/// A tar archive without entries: two blocks of zeros (POSIX.1-2017, pax, "ustar Interchange Format").
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];
/// The same, compressed by gzip.
const EMPTY_ARCHIVE_GZIP: [u8; 29] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 99, 96, 24, 5, 163, 96, 20, 140, 84, 0, 0, 46, 175, 181, 239, 0, 4, 0,
    0,
];

/// How often a placeholder is put again if the registry does not find its blobs.
const MISSES: usize = 4;

/// The outcome of removing a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// The tag is gone; the manifest's other tags are unchanged.
    Removed,
    /// The tag did not exist.
    Absent,
    /// The tag names this manifest now instead of the expected one, and was left alone.
    Moved(Digest),
}

/// Removes `tag` if it names `expected`, and nothing else: the manifest's other tags stay. `deletion` is the answer of
/// [`crate::repository::Deleter::deletion`].
///
/// If only manifests can be deleted, the tag is first made to name a placeholder, a manifest that no other tag names,
/// and the placeholder is deleted (regclient's way, `scheme/reg/tag.go`). Until then the tag names the placeholder, so
/// this future should run to its end. If the deletion fails, the tag is put back.
///
/// # Errors
///
/// The refusal of the registry, if it refuses; [`RegistryError::DeletesNothing`] if it is known in advance that the registry deletes
/// nothing. [`RegistryError::NotPutBack`] if the tag was left naming the placeholder. [`RegistryError::StillThere`] if
/// the tag can still be read afterwards.
pub async fn remove_tag(
    repository: &dyn Repository,
    tag: &Tag,
    expected: &Digest,
    deletion: &Deletion,
) -> Result<RemovalOutcome, RegistryError> {
    let at = TagOrDigest::Tag(tag.clone());
    match repository.head_manifest(&at).await? {
        None => return Ok(RemovalOutcome::Absent),
        Some(found) if found.digest != *expected => return Ok(RemovalOutcome::Moved(found.digest)),
        Some(_) => {}
    }
    let mut ours = vec![expected.clone()];
    match deletion {
        Deletion::Tags => repository.required_deleter()?.delete_tag(tag).await?,
        Deletion::Nothing(obstacle) => return Err(obstacle.clone().into()),
        Deletion::Manifests => {
            let original = match repository.get_manifest(&at).await? {
                None => return Ok(RemovalOutcome::Absent),
                Some(found) if found.digest() != expected => {
                    return Ok(RemovalOutcome::Moved(found.digest().clone()));
                }
                Some(original) => original,
            };
            let placeholder_tag = PlaceholderTag::put(repository, tag, original).await?;
            ours.push(placeholder_tag.digest().clone());
            if let Err(error) = repository.delete_manifest(placeholder_tag.digest()).await {
                return Err(placeholder_tag.put_back(repository, error).await);
            }
        }
    }
    read_back(repository, tag, &ours).await
}

/// Waits until `tag` is gone or names none of `ours`, in which case somebody put it again.
async fn read_back(
    repository: &dyn Repository,
    tag: &Tag,
    ours: &[Digest],
) -> Result<RemovalOutcome, RegistryError> {
    let at = TagOrDigest::Tag(tag.clone());
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        let found = repository.head_manifest(&at).await?;
        let Some(found) = found.filter(|found| ours.contains(&found.digest)) else {
            return Ok(RemovalOutcome::Removed);
        };
        let Some(pause) = pauses.next() else {
            return Err(RegistryError::StillThere { tag: tag.clone(), found: found.digest });
        };
        tokio::time::sleep(pause).await;
    }
}

/// A placeholder that a tag names in place of its original manifest.
pub(super) struct PlaceholderTag {
    tag: Tag,
    original: RawManifest,
    placeholder: RawManifest,
    /// Whether the registry confirmed that it accepted the placeholder.
    taken: bool,
}

impl PlaceholderTag {
    /// Makes `tag`, which names `original`, name a placeholder.
    pub(super) async fn put(
        repository: &dyn Repository,
        tag: &Tag,
        original: RawManifest,
    ) -> Result<Self, RegistryError> {
        let Placeholder { manifest, config, layer } = Placeholder::new(tag, &original);
        let placeholder_tag = Self { tag: tag.clone(), original, placeholder: manifest, taken: false };
        // The registry's reads may lag behind its writes. Docker's registry also rewrites its record of a blob, not
        // atomically, whenever somebody else pushes that blob, and does not find the blob for a moment.
        let mut pauses = READ_PAUSES.into_iter().take(MISSES);
        loop {
            for blob in [&layer, &config] {
                if !repository.has_blob(&blob.descriptor).await? {
                    repository.push_blob(&blob.descriptor, blob, None).await?;
                }
            }
            let put = repository.put_manifest(&tag.clone().into(), &placeholder_tag.placeholder).await;
            let Err(error) = put else { return Ok(Self { taken: true, ..placeholder_tag }) };
            match pauses.next().filter(|_| error.misses_content()) {
                Some(pause) => tokio::time::sleep(pause).await,
                // The placeholder may have been put despite the error.
                None => return Err(placeholder_tag.put_back(repository, error).await),
            }
        }
    }

    /// Returns the digest of the placeholder.
    pub(super) fn digest(&self) -> &Digest {
        self.placeholder.digest()
    }

    /// Puts back the original manifest after `error`, unless the tag names something else. Returns the error to report.
    pub(super) async fn put_back(self, repository: &dyn Repository, error: RegistryError) -> RegistryError {
        let at = TagOrDigest::Tag(self.tag.clone());
        let stands = match repository.head_manifest(&at).await {
            // Reads may lag behind writes.
            Ok(Some(found)) => {
                found.digest == *self.digest() || (self.taken && found.digest == *self.original.digest())
            }
            Ok(None) => false,
            // Putting it back unseen is better than leaving the placeholder there.
            Err(_) => self.taken,
        };
        if !stands {
            return error;
        }
        match repository.put_manifest(&at, &self.original).await {
            Ok(_) => error,
            Err(again) => RegistryError::NotPutBack {
                tag: self.tag,
                original: self.original.digest().clone(),
                cause: Box::new(error),
                again: Box::new(again),
            },
        }
    }
}

/// An empty image whose digest no other image has.
struct Placeholder {
    manifest: RawManifest,
    config: InMemory,
    layer: InMemory,
}

impl Placeholder {
    /// Returns a new placeholder for `original` at `tag`. It is of the same kind, because a registry may accept only
    /// Docker's types.
    fn new(tag: &Tag, original: &RawManifest) -> Self {
        let is_docker = original.media_type().starts_with("application/vnd.docker.");
        let (manifest_type, config_type) = if is_docker {
            (media_type::DOCKER_MANIFEST, media_type::DOCKER_CONFIG)
        } else {
            (media_type::OCI_MANIFEST, media_type::OCI_CONFIG)
        };
        let layer = if is_docker {
            InMemory::new(media_type::DOCKER_LAYER_GZIP, Bytes::from_static(&EMPTY_ARCHIVE_GZIP))
        } else {
            InMemory::new(media_type::OCI_LAYER, Bytes::from_static(&EMPTY_ARCHIVE))
        };
        let labels = json!({
            "io.brokkr-publish.placeholder": "this tag is being removed",
            "io.brokkr-publish.placeholder.tag": tag,
            "io.brokkr-publish.placeholder.original": original.digest(),
            "io.brokkr-publish.placeholder.unique": format!("{:032x}", rand::random::<u128>()),
        });
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": { "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&EMPTY_ARCHIVE)] },
        });
        let config = InMemory::new(config_type, config.to_string().into());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": config.descriptor,
            "layers": [layer.descriptor],
        });
        if !is_docker {
            manifest["annotations"] = labels;
        }
        let manifest = RawManifest::new(manifest_type, Value::to_string(&manifest).into_bytes());
        Self { manifest, config, layer }
    }
}

/// A small blob.
struct InMemory {
    descriptor: Descriptor,
    bytes: Bytes,
}

impl InMemory {
    fn new(media_type: &str, bytes: Bytes) -> Self {
        Self { descriptor: Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64), bytes }
    }
}

impl BlobBody for InMemory {
    fn open(&self) -> ByteStream {
        let bytes = self.bytes.clone();
        Box::pin(futures_util::stream::once(async move { Ok(bytes) }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn both_archives_have_the_same_content() {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&EMPTY_ARCHIVE_GZIP[..]).read_to_end(&mut bytes).expect("an archive");
        assert_eq!(bytes, EMPTY_ARCHIVE);
        assert_eq!(tar::Archive::new(&EMPTY_ARCHIVE[..]).entries().expect("entries").count(), 0);
    }

    #[test]
    fn no_two_placeholders_are_the_same() {
        let tag: Tag = "v1".parse().expect("a tag");
        for (of, like, layer_type) in [
            (media_type::OCI_INDEX, media_type::OCI_MANIFEST, media_type::OCI_LAYER),
            (media_type::OCI_MANIFEST, media_type::OCI_MANIFEST, media_type::OCI_LAYER),
            (media_type::DOCKER_MANIFEST_LIST, media_type::DOCKER_MANIFEST, media_type::DOCKER_LAYER_GZIP),
            (media_type::DOCKER_MANIFEST, media_type::DOCKER_MANIFEST, media_type::DOCKER_LAYER_GZIP),
        ] {
            let original = RawManifest::new(of, b"{}".to_vec());
            let placeholder = Placeholder::new(&tag, &original);
            assert_eq!(placeholder.manifest.media_type(), like);
            let Manifest::Image { config, layers, .. } = placeholder.manifest.parse().expect("a manifest")
            else {
                panic!("an image");
            };
            assert_eq!(placeholder.layer.descriptor.media_type, layer_type);
            assert_eq!(
                (*config, layers),
                (placeholder.config.descriptor, vec![placeholder.layer.descriptor])
            );
            let config: Value = serde_json::from_slice(&placeholder.config.bytes).expect("JSON");
            assert_eq!(config["config"]["Labels"]["io.brokkr-publish.placeholder.tag"], "v1");
            assert_ne!(Placeholder::new(&tag, &original).manifest.digest(), placeholder.manifest.digest());
        }
    }
}
