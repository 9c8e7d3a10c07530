//! Registries for sources, which block: [`SourceRegistries`].

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, TryStreamExt, stream};
use oci_registry::remote::RemoteReference;
use oci_registry::{
    ByteStream, Descriptor, Digest, RawManifest, Referrer, RegistryError, Repository, TagOrDigest,
};
use tokio::runtime::Handle;

use super::SourceError;
use super::source::BlobReader;

/// The number of blobs that are asked about at once.
const AT_ONCE: usize = 32;

/// Finds the repository of an image.
type FindRepository = dyn Fn(&RemoteReference) -> Result<SourceRepository, RegistryError> + Send + Sync;

/// A repository that images are read from.
#[derive(Clone)]
pub struct SourceRepository {
    /// The repository.
    pub repository: Arc<dyn Repository>,
    /// Whether its blobs may have to be sent to another registry, which cannot mount them. Only then are larger blobs worth a
    /// spool ([`OpenedContent::spooling`](crate::OpenedContent::spooling)).
    pub travels: bool,
}

/// The registries that sources read from. Sources wait for requests, which run on a tokio runtime, so use sources only on
/// threads that may block (`spawn_blocking`, `block_in_place`).
#[derive(Clone)]
pub struct SourceRegistries {
    runtime: Handle,
    find: Arc<FindRepository>,
}

impl SourceRegistries {
    /// Returns registries whose requests run on `runtime`. `find` returns the repository of an image, usually from a
    /// connection that is open already.
    pub fn new(
        runtime: Handle,
        find: impl Fn(&RemoteReference) -> Result<SourceRepository, RegistryError> + Send + Sync + 'static,
    ) -> Self {
        Self { runtime, find: Arc::new(find) }
    }

    /// The repository of `image`.
    pub(super) fn repository(&self, image: &RemoteReference) -> Result<BlockingRepository, SourceError> {
        let name = format!("docker://{}/{}", image.host, image.repository);
        let SourceRepository { repository, travels } =
            (self.find)(image).map_err(|error| refused(&name, error))?;
        Ok(BlockingRepository { name, repository, travels, runtime: self.runtime.clone() })
    }
}

/// Returns the error of a registry as an error of the repository `name`.
fn refused(name: &str, error: RegistryError) -> SourceError {
    SourceError::Registry { image: name.to_owned(), cause: Box::new(error) }
}

/// A repository of a registry, read by threads that may block.
pub(super) struct BlockingRepository {
    /// The name of the repository in sources.
    name: String,
    repository: Arc<dyn Repository>,
    /// Whether its blobs may have to be sent to another registry.
    pub(super) travels: bool,
    runtime: Handle,
}

impl BlockingRepository {
    fn wait<T>(&self, request: impl Future<Output = Result<T, RegistryError>>) -> Result<T, SourceError> {
        self.runtime.block_on(request).map_err(|error| refused(&self.name, error))
    }

    /// The manifest at a tag or digest, its digest verified; `None` if there is none.
    pub(super) fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError> {
        self.wait(self.repository.get_manifest(at))
    }

    /// The digests of those of `blobs` that are missing.
    pub(super) fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError> {
        let asked = stream::iter(blobs.iter().map(|blob| async move {
            let there = self.repository.has_blob(blob).await?;
            Ok::<_, RegistryError>((!there).then(|| blob.digest.clone()))
        }));
        let missing = asked.buffered(AT_ONCE).try_filter_map(|missing| async move { Ok(missing) });
        self.wait(missing.try_collect())
    }

    /// The bytes of a blob, not verified.
    pub(super) fn blob(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        let stream = self.wait(self.repository.open_blob(blob))?;
        let (name, runtime) = (self.name.clone(), self.runtime.clone());
        Ok(Box::new(StreamReader { name, stream, runtime, piece: Bytes::new() }))
    }

    /// The referrers of `subject`: manifests that name it, or that cosign's tags link to it.
    pub(super) fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        self.wait(oci_registry::find_referrers(self.repository.as_ref(), subject))
    }
}

/// A blocking reader of a stream.
struct StreamReader {
    name: String,
    stream: ByteStream,
    runtime: Handle,
    piece: Bytes,
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(self.named(error)),
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        if let Some(buffer) = buffer.get_mut(..count) {
            self.piece.copy_to_slice(buffer);
        }
        Ok(count)
    }
}

impl StreamReader {
    /// Returns `error`, with an error of the registry turned into one of the source.
    fn named(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        match error.get_ref().and_then(|inner| inner.downcast_ref::<RegistryError>()) {
            Some(inner) => io::Error::new(kind, refused(&self.name, inner.clone())),
            None => error,
        }
    }
}
