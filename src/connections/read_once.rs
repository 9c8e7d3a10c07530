//! A repository as a source of content. Content is named by its digest, so what was read once in a run need not be read
//! again: manifests and small blobs are kept in memory, and large blobs in temporary files if they will be read again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use oci_registry::{BlobBody, BlobOutcome, ByteStream, Deleter, ManifestLister, Presence, Put};
use oci_registry::{Descriptor, Digest, RawManifest, RepositoryName, Tag, TagOrDigest};
use oci_registry::{RegistryError, Repository};

/// The size in bytes of the largest blob that is kept in memory.
const SMALL: u64 = 256 * 1024;
/// The number of bytes of manifests and small blobs that are kept.
const MEMORY: u64 = 16 * 1024 * 1024;
/// The number of bytes of large blobs that are kept.
const DISK: u64 = 4 * 1024 * 1024 * 1024;
/// The size of one read of a kept blob in bytes.
const PIECE: usize = 256 * 1024;

/// The name of a repository, and a digest. What one repository has, another may lack.
type Key = (Arc<str>, Digest);

/// The content that was read.
#[derive(Default)]
pub(super) struct Kept {
    manifests: Mutex<HashMap<Key, RawManifest>>,
    blobs: Mutex<HashMap<Key, KeptBlob>>,
    in_memory: AtomicU64,
    on_disk: AtomicU64,
    large: AtomicBool,
}

/// The bytes of a blob.
#[derive(Clone)]
enum KeptBlob {
    InMemory(Bytes),
    /// The file has no name, so that nothing of it stays when the process ends, however that happens.
    InFile(Arc<Mutex<File>>),
}

impl Kept {
    pub(super) fn keep_large(&self, keep: bool) {
        self.large.store(keep, Ordering::SeqCst);
    }

    fn manifest(&self, key: &Key) -> Option<RawManifest> {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep_manifest(&self, key: Key, manifest: &RawManifest) {
        if reserve(&self.in_memory, manifest.bytes().len() as u64, MEMORY) {
            let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
            manifests.insert(key, manifest.clone());
        }
    }

    fn blob(&self, key: &Key) -> Option<KeptBlob> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep_blob(&self, key: Key, blob: KeptBlob) {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, blob);
    }

    /// Returns where to keep `blob` while it is read, if it should be kept.
    fn draft(&self, blob: &Descriptor, travels: bool) -> Option<Draft> {
        if blob.size <= SMALL {
            return reserve(&self.in_memory, blob.size, MEMORY).then(|| Draft::InMemory(Vec::new()));
        }
        let wanted = travels && self.large.load(Ordering::SeqCst);
        if !wanted || !reserve(&self.on_disk, blob.size, DISK) {
            return None;
        }
        // Without a folder for temporary files, the blob is read again.
        tempfile::tempfile().ok().map(Draft::InFile)
    }
}

/// Takes `size` from a limited supply. Returns whether there was enough.
fn reserve(taken: &AtomicU64, size: u64, limit: u64) -> bool {
    let more = |taken: u64| taken.checked_add(size).filter(|sum| *sum <= limit);
    taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
}

/// A blob that is being read.
enum Draft {
    InMemory(Vec<u8>),
    InFile(File),
}

impl Draft {
    fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::InMemory(bytes) => {
                bytes.extend_from_slice(piece);
                Ok(())
            }
            Self::InFile(file) => file.write_all(piece),
        }
    }

    fn finish(self) -> KeptBlob {
        match self {
            Self::InMemory(bytes) => KeptBlob::InMemory(bytes.into()),
            Self::InFile(file) => KeptBlob::InFile(Arc::new(Mutex::new(file))),
        }
    }
}

impl KeptBlob {
    /// Returns the bytes from the start.
    fn stream(self) -> ByteStream {
        match self {
            Self::InMemory(bytes) => Box::pin(stream::iter([Ok(bytes)])),
            Self::InFile(file) => Box::pin(stream::unfold(Some((file, 0)), |reading| async move {
                let (file, offset) = reading?;
                match read_at(&file, offset) {
                    Ok(piece) if piece.is_empty() => None,
                    Ok(piece) => {
                        let next = offset + piece.len() as u64;
                        Some((Ok(piece), Some((file, next))))
                    }
                    Err(error) => Some((Err(error), None)),
                }
            })),
        }
    }
}

fn read_at(file: &Mutex<File>, offset: u64) -> io::Result<Bytes> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = Vec::with_capacity(PIECE);
    Read::by_ref(&mut *file).take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}

/// A repository from which manifests by digest and blobs are read once.
pub(super) struct ReadOnce {
    name: Arc<str>,
    repository: Arc<dyn Repository>,
    kept: Arc<Kept>,
    travels: bool,
}

impl ReadOnce {
    /// Returns `repository`, which `name` identifies, with the content that was read from it before. `travels` says whether its
    /// blobs may have to be sent to another registry.
    pub(super) fn new(name: &str, repository: Arc<dyn Repository>, kept: Arc<Kept>, travels: bool) -> Self {
        Self { name: name.into(), repository, kept, travels }
    }

    fn key(&self, digest: &Digest) -> Key {
        (self.name.clone(), digest.clone())
    }
}

/// A blob on its way to the reader, and what is kept of it so far.
struct Reading {
    bytes: ByteStream,
    key: Key,
    size: u64,
    draft: Option<Draft>,
    length: u64,
    kept: Arc<Kept>,
}

impl Reading {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let piece = self.bytes.next().await?;
        let added = match (&piece, &mut self.draft) {
            (Ok(bytes), Some(draft)) => {
                self.length += bytes.len() as u64;
                // A full disk is no reason to fail: the blob is read again.
                self.length <= self.size && draft.add(bytes).is_ok()
            }
            _ => false,
        };
        if let Some(draft) = self.draft.take_if(|_| !added || self.length == self.size).filter(|_| added) {
            // The reader compares the digest, at each reading.
            self.kept.keep_blob(self.key.clone(), draft.finish());
        }
        Some((piece, self))
    }
}

#[async_trait::async_trait]
impl Repository for ReadOnce {
    async fn head_manifest(&self, at: &TagOrDigest) -> Result<Option<Descriptor>, RegistryError> {
        self.repository.head_manifest(at).await
    }

    async fn get_manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        if let TagOrDigest::Digest(digest) = at
            && let Some(manifest) = self.kept.manifest(&self.key(digest))
        {
            return Ok(Some(manifest));
        }
        let manifest = self.repository.get_manifest(at).await?;
        if let Some(manifest) = &manifest {
            self.kept.keep_manifest(self.key(manifest.digest()), manifest);
        }
        Ok(manifest)
    }

    async fn put_manifest(&self, at: &TagOrDigest, manifest: &RawManifest) -> Result<Put, RegistryError> {
        self.repository.put_manifest(at, manifest).await
    }

    async fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        self.repository.has_blob(blob).await
    }

    async fn get_blob(&self, blob: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        self.repository.get_blob(blob, limit).await
    }

    async fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        if let Some(kept) = self.kept.blob(&self.key(&blob.digest)) {
            return Ok(kept.stream());
        }
        let bytes = self.repository.open_blob(blob).await?;
        let Some(draft) = self.kept.draft(blob, self.travels) else { return Ok(bytes) };
        let (key, size, kept) = (self.key(&blob.digest), blob.size, self.kept.clone());
        let reading = Reading { bytes, key, size, draft: Some(draft), length: 0, kept };
        Ok(Box::pin(stream::unfold(reading, Reading::next).fuse()))
    }

    async fn push_blob(
        &self,
        blob: &Descriptor,
        body: &dyn BlobBody,
        mount_from: Option<&RepositoryName>,
    ) -> Result<BlobOutcome, RegistryError> {
        self.repository.push_blob(blob, body, mount_from).await
    }

    async fn list_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        self.repository.list_tags().await
    }

    async fn list_referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        self.repository.list_referrers(subject).await
    }

    async fn credentials_origin(&self) -> Result<Option<String>, RegistryError> {
        self.repository.credentials_origin().await
    }

    async fn probe_read(&self) -> Result<Presence, RegistryError> {
        self.repository.probe_read().await
    }

    async fn probe_push(&self) -> Result<(), RegistryError> {
        self.repository.probe_push().await
    }

    fn deleter(&self) -> Option<&dyn Deleter> {
        self.repository.deleter()
    }

    fn lister(&self) -> Option<&dyn ManifestLister> {
        self.repository.lister()
    }
}
