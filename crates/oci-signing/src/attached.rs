//! Bundles in repositories: each is the layer of a manifest that refers to its subject, as cosign 3 writes it (sigstore/cosign,
//! `pkg/oci/remote/write.go`).

use bytes::Bytes;
use futures_util::future::try_join_all;
use oci_registry::{
    BlobBody, ByteStream, Descriptor, Digest, RawManifest, RegistryError, Repository, TagOrDigest,
    list_at_fallback_tag, listed_referrers, media_type,
};
use serde_json::json;

use crate::bundle::{BUNDLE, Bundle};

/// The annotation that says which kind of content a bundle has.
const CONTENT: &str = "dev.sigstore.bundle.content";

/// The annotation that says which type the predicate of a bundle has.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// The annotation with the time at which a manifest was made.
const CREATED: &str = "org.opencontainers.image.created";

/// The size of the largest bundle that is read. An SBOM may have megabytes.
const MAX_BUNDLE: u64 = 32 * 1024 * 1024;

/// The number of bundles of one subject that are read.
const MAX_BUNDLES: usize = 200;

/// A manifest that carries a bundle.
#[derive(Debug, Clone)]
pub struct BundleManifest {
    /// The manifest.
    pub manifest: RawManifest,
    /// Its subject.
    pub subject: Digest,
    blobs: [InMemory; 2],
}

impl BundleManifest {
    /// Returns the manifest that attaches `bundle` to `subject`. `created` is a time, in seconds since 1970.
    pub fn new(bundle: &Bundle, predicate_type: &str, subject: &Descriptor, created: i64) -> Self {
        let layer = InMemory::new(BUNDLE, bundle.to_json());
        let config = InMemory::new(media_type::OCI_EMPTY, b"{}".to_vec());
        let created = jiff::Timestamp::from_second(created).unwrap_or_default();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "artifactType": BUNDLE,
            "config": config.descriptor,
            "layers": [layer.descriptor],
            "subject": Descriptor::new(&subject.media_type, subject.digest.clone(), subject.size),
            "annotations": { CREATED: created.to_string(), CONTENT: "dsse-envelope", PREDICATE_TYPE: predicate_type },
        });
        let manifest = RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        Self { manifest, subject: subject.digest.clone(), blobs: [config, layer] }
    }

    /// Puts the manifest into `repository`, and makes it findable: registries without a list of their own get an index at the fallback
    /// tag of the subject.
    ///
    /// # Errors
    ///
    /// The refusal of the registry.
    pub async fn put(&self, repository: &dyn Repository) -> Result<(), RegistryError> {
        for blob in &self.blobs {
            if !repository.has_blob(&blob.descriptor).await? {
                repository.push_blob(&blob.descriptor, blob, None).await?;
            }
        }
        let at = TagOrDigest::Digest(self.manifest.digest().clone());
        if repository.put_manifest(&at, &self.manifest).await?.subject.is_none() {
            let described = oci_registry::referrer::describe(&self.manifest);
            list_at_fallback_tag(repository, &self.subject, &[described]).await?;
        }
        Ok(())
    }
}

/// A bundle in a repository.
#[derive(Debug, Clone)]
pub struct AttachedBundle {
    /// The manifest that carries it.
    pub manifest: Digest,
    /// The predicate type, as its annotation says; nothing has verified it.
    pub predicate_type: Option<String>,
    /// The bytes of the bundle.
    pub json: Vec<u8>,
}

/// Returns the bundles that `repository` lists for `subject` and whose annotations do not name another predicate type than one of
/// `predicate_types`; all of them if that is empty. Nothing of them is verified.
///
/// # Errors
///
/// The refusal of the registry. A manifest or a bundle that it lists but does not have is left out.
pub async fn attached_bundles(
    repository: &dyn Repository,
    subject: &Digest,
    predicate_types: &[&str],
) -> Result<Vec<AttachedBundle>, RegistryError> {
    let listed = listed_referrers(repository, subject).await?;
    let wanted = listed.into_iter().filter(|it| {
        let named = it.annotations.get(PREDICATE_TYPE).map(String::as_str);
        let is_wanted = predicate_types.is_empty() || named.is_none_or(|it| predicate_types.contains(&it));
        it.artifact_type.as_deref() == Some(BUNDLE) && is_wanted
    });
    let read = wanted.take(MAX_BUNDLES).map(|it| async move { read(repository, &it, subject).await });
    Ok(try_join_all(read).await?.into_iter().flatten().collect())
}

async fn read(
    repository: &dyn Repository,
    listed: &Descriptor,
    subject: &Digest,
) -> Result<Option<AttachedBundle>, RegistryError> {
    let Some(manifest) = repository.get_described(listed).await? else { return Ok(None) };
    if oci_registry::referrer::subject_of(&manifest).as_ref() != Some(subject) {
        return Ok(None);
    }
    let Ok(oci_registry::Manifest::Image { layers, annotations, .. }) = manifest.parse() else {
        return Ok(None);
    };
    let Some(layer) = layers.first().filter(|it| it.media_type == BUNDLE && it.size <= MAX_BUNDLE) else {
        return Ok(None);
    };
    if !repository.has_blob(layer).await? {
        return Ok(None);
    }
    let json = match repository.get_blob(layer, MAX_BUNDLE).await {
        Ok(json) => json,
        // It proves nothing, and is no obstacle to another one.
        Err(RegistryError::ContentMismatch { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let predicate_type = annotations.get(PREDICATE_TYPE).cloned();
    Ok(Some(AttachedBundle { manifest: manifest.digest().clone(), predicate_type, json }))
}

/// A small blob.
#[derive(Debug, Clone)]
struct InMemory {
    descriptor: Descriptor,
    bytes: Bytes,
}

impl InMemory {
    fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        let descriptor = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
        Self { descriptor, bytes: bytes.into() }
    }
}

impl BlobBody for InMemory {
    fn open(&self) -> ByteStream {
        let bytes = self.bytes.clone();
        Box::pin(futures_util::stream::once(async move { Ok(bytes) }))
    }
}
