//! A small image made by hand, with its blobs in memory, and functions to push it. Tests of registries send it.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use oci_registry::{BlobBody, BlobOutcome, ByteStream, RegistryError, Repository};
use oci_registry::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest, media_type};

/// Bytes in memory, in pieces, that count how often they were opened and may break at the end.
pub struct Body {
    bytes: Bytes,
    piece: usize,
    broken: bool,
    opened: AtomicUsize,
}

impl Body {
    /// `bytes` in pieces of `piece`.
    pub fn new(bytes: impl Into<Bytes>, piece: usize) -> Self {
        Self { bytes: bytes.into(), piece, broken: false, opened: AtomicUsize::new(0) }
    }

    /// All bytes, and then an error, as a source gives that finds a wrong digest.
    pub fn broken(bytes: impl Into<Bytes>) -> Self {
        Self { broken: true, ..Self::new(bytes, 1000) }
    }

    /// How often it was opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

impl BlobBody for Body {
    fn open(&self) -> ByteStream {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let (mut rest, piece) = (self.bytes.clone(), self.piece);
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            pieces.push(Ok(rest.split_to(piece.min(rest.len()))));
        }
        if self.broken {
            pieces.push(Err(std::io::Error::other("the bytes have another digest")));
        }
        Box::pin(futures_util::stream::iter(pieces))
    }
}

/// A blob in memory.
#[derive(Clone)]
pub struct Blob {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Blob {
    /// `bytes` as a blob of `media_type`.
    pub fn new(media_type: &str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let descriptor = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
        Self { descriptor, bytes }
    }

    /// `size` bytes that do not repeat soon, the same for the same `seed`.
    pub fn noise(size: usize, seed: u64) -> Self {
        let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut bytes = Vec::with_capacity(size + 8);
        while bytes.len() < size {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.truncate(size);
        Self::new("application/octet-stream", bytes)
    }

    /// A body of its bytes in pieces of 64 KiB.
    pub fn body(&self) -> Body {
        Body::new(self.bytes.clone(), 65_536)
    }
}

/// A multi-platform image: an index of two manifests, each with a configuration and a layer.
pub struct SmallImage {
    /// The configurations and layers.
    pub blobs: Vec<Blob>,
    /// The manifests that the index lists.
    pub manifests: Vec<RawManifest>,
    /// The index.
    pub index: RawManifest,
}

impl SmallImage {
    /// One whose layers hold a file with `text`.
    pub fn new(text: &str) -> Self {
        let (mut blobs, mut manifests, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for architecture in ["amd64", "arm64"] {
            let layer = tar_of(&format!("{text} for {architecture}"));
            let layer = Blob::new("application/vnd.oci.image.layer.v1.tar", layer);
            let config = serde_json::json!({
                "architecture": architecture,
                "os": "linux",
                "config": {},
                "rootfs": { "type": "layers", "diff_ids": [layer.descriptor.digest] },
            });
            let config = Blob::new(media_type::OCI_CONFIG, config.to_string());
            let manifest = serde_json::json!({
                "schemaVersion": 2,
                "mediaType": media_type::OCI_MANIFEST,
                "config": config.descriptor,
                "layers": [layer.descriptor],
            });
            let manifest = RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
            let mut entry = serde_json::to_value(manifest.descriptor()).expect("a descriptor");
            entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
            entries.push(entry);
            manifests.push(manifest);
            blobs.extend([config, layer]);
        }
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": entries,
        });
        let index = RawManifest::new(media_type::OCI_INDEX, index.to_string().into_bytes());
        Self { blobs, manifests, index }
    }

    /// Sends all of it to `repository`, and lets `tag` name it.
    pub async fn push(&self, repository: &dyn Repository, tag: &str) -> Result<(), RegistryError> {
        for blob in &self.blobs {
            if !repository.has_blob(&blob.descriptor).await? {
                let outcome = repository.push_blob(&blob.descriptor, &blob.body(), None).await?;
                assert_eq!(outcome, BlobOutcome::Pushed);
            }
            assert!(repository.has_blob(&blob.descriptor).await?);
        }
        for manifest in &self.manifests {
            let put = repository.put_manifest(&manifest.digest().clone().into(), manifest).await?;
            assert_eq!(put.digest, *manifest.digest());
        }
        repository.put_manifest(&at(tag), &self.index).await?;
        Ok(())
    }
}

/// A tag as an address.
pub fn at(text: &str) -> TagOrDigest {
    text.parse::<Tag>().expect("a tag").into()
}

/// A repository's name.
pub fn name(text: &str) -> RepositoryName {
    text.parse().expect("a name")
}

/// A tar file with one file in it.
fn tar_of(text: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, "hello.txt", text.as_bytes()).expect("an entry");
    builder.into_inner().expect("an archive")
}
