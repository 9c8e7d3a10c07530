//! Access of sources to registries, through the connections of the run and on threads that may block.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;

use super::connect::Connections;
use crate::apply::Connect;
use oci_content::{Reach, RemoteRepository, SourceError};
use oci_registry;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;
use oci_registry::{ByteStream, RegistryError, Repository};
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, TagOrDigest};

/// The number of blobs that are asked about at once.
const AT_ONCE: usize = 32;

/// The registries of a run, for sources.
pub(super) struct RegistryReach {
    registries: BTreeMap<String, RegistryEndpoint>,
    connections: Arc<Connections>,
    runtime: Handle,
}

impl RegistryReach {
    /// Reaches `registries` as they are declared, and others with the credentials that the credential chain has for them. Must be
    /// called within a runtime.
    pub fn new(registries: BTreeMap<String, RegistryEndpoint>, connections: Arc<Connections>) -> Self {
        Self { registries, connections, runtime: Handle::current() }
    }
}

impl Reach for RegistryReach {
    fn repository(&self, image: &RemoteReference) -> Result<Arc<dyn RemoteRepository>, SourceError> {
        let name = format!("docker://{}/{}", image.host, image.repository);
        let endpoint = image
            .declared(&self.registries)
            .map_or_else(|| RegistryEndpoint::of(image.location()), |(_, endpoint)| endpoint.clone());
        let repository = self
            .connections
            .repository(&endpoint, &image.repository)
            .map_err(|error| refused(&name, &error))?;
        Ok(Arc::new(Reached { name, repository, runtime: self.runtime.clone() }))
    }
}

/// Returns the error of a registry as an error of the source `name`.
fn refused(name: &str, error: &RegistryError) -> SourceError {
    SourceError::Registry { image: name.to_owned(), cause: Box::new(error.clone()) }
}

struct Reached {
    /// The name of the repository in sources.
    name: String,
    repository: Arc<dyn Repository>,
    runtime: Handle,
}

impl RemoteRepository for Reached {
    fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError> {
        self.runtime.block_on(self.repository.get_manifest(at)).map_err(|error| refused(&self.name, &error))
    }

    fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError> {
        let asked = stream::iter(blobs.iter().map(|blob| async move {
            let there = self.repository.has_blob(blob).await?;
            Ok::<_, RegistryError>((!there).then(|| blob.digest.clone()))
        }));
        let missing = asked.buffered(AT_ONCE).try_filter_map(|missing| async move { Ok(missing) });
        self.runtime.block_on(missing.try_collect()).map_err(|error| refused(&self.name, &error))
    }

    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let opened = self.runtime.block_on(self.repository.open_blob(blob));
        let stream = opened.map_err(|error| refused(&self.name, &error))?;
        let (name, runtime) = (self.name.clone(), self.runtime.clone());
        Ok(Box::new(Reader { name, stream, runtime, piece: Bytes::new() }))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        let found = oci_registry::find_referrers(self.repository.as_ref(), subject);
        self.runtime.block_on(found).map_err(|error| refused(&self.name, &error))
    }
}

/// A blocking reader of a stream.
struct Reader {
    name: String,
    stream: ByteStream,
    runtime: Handle,
    piece: Bytes,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(self.told(error)),
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

impl Reader {
    /// Returns `error`, with an error of the registry turned into one of the source.
    fn told(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        match error.get_ref().and_then(|inner| inner.downcast_ref::<RegistryError>()) {
            Some(inner) => io::Error::new(kind, refused(&self.name, inner)),
            None => error,
        }
    }
}
