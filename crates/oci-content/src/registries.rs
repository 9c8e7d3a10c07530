//! Registries for sources, which block: [`SourceRegistries`].

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

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
/// The longest time that a source waits altogether for content that was just pushed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

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
    /// The pauses between readings of content that was just pushed, if the registry does not show it yet; none if its readings
    /// do not lag.
    pub pauses: Vec<Duration>,
}

/// A wait for content that was just pushed and is not visible yet.
#[derive(Debug, Clone, Copy)]
pub struct SourceWait<'a> {
    /// The content that was looked for, for people.
    pub content: &'a str,
    /// The number of the look that did not find it, from 1.
    pub attempt: u32,
    /// The wait before the next look.
    pub pause: Duration,
}

/// Receives waits.
type NotifyWait = dyn Fn(&SourceWait<'_>) + Send + Sync;

/// The registries that sources read from. Sources wait for requests, which run on a tokio runtime, so use sources only on
/// threads that may block (`spawn_blocking`, `block_in_place`).
#[derive(Clone)]
pub struct SourceRegistries {
    runtime: Handle,
    find: Arc<FindRepository>,
    notify: Option<Arc<NotifyWait>>,
    /// The time that was waited, if the content was just pushed, so that it is waited for.
    waited: Option<Arc<Mutex<Duration>>>,
}

impl SourceRegistries {
    /// Returns registries whose requests run on `runtime`. `find` returns the repository of an image, usually from a
    /// connection that is open already.
    pub fn new(
        runtime: Handle,
        find: impl Fn(&RemoteReference) -> Result<SourceRepository, RegistryError> + Send + Sync + 'static,
    ) -> Self {
        Self { runtime, find: Arc::new(find), notify: None, waited: None }
    }

    /// Returns the same registries, which report to `notify` if a source waits for content.
    #[must_use]
    pub fn notifying(self, notify: impl Fn(&SourceWait<'_>) + Send + Sync + 'static) -> Self {
        Self { notify: Some(Arc::new(notify)), ..self }
    }

    /// Returns the same registries for content that was just pushed: if it is not visible yet, it is waited for.
    pub(super) fn of_fresh_content(&self) -> Self {
        Self { waited: Some(Arc::default()), ..self.clone() }
    }

    /// The repository of `image`.
    pub(super) fn repository(&self, image: &RemoteReference) -> Result<BlockingRepository, SourceError> {
        let name = format!("docker://{}/{}", image.host, image.repository);
        let SourceRepository { repository, travels, pauses } =
            (self.find)(image).map_err(|error| refused(&name, error))?;
        let (runtime, notify) = (self.runtime.clone(), self.notify.clone());
        Ok(BlockingRepository {
            name,
            repository,
            travels,
            pauses,
            runtime,
            notify,
            waited: self.waited.clone(),
        })
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
    pauses: Vec<Duration>,
    runtime: Handle,
    notify: Option<Arc<NotifyWait>>,
    waited: Option<Arc<Mutex<Duration>>>,
}

impl BlockingRepository {
    /// Returns how long all sources of the same image have waited for content; `None` if they did not.
    pub(super) fn waited(&self) -> Option<Duration> {
        let waited = *self.waited.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(waited).filter(|waited| !waited.is_zero())
    }

    /// Asks for `content` until the answer `is_there`, with pauses, if it was just pushed. Readings on GHCR lag by seconds
    /// (thumbor/thumbor#1846).
    fn patiently<T>(
        &self,
        content: impl Fn() -> String,
        mut ask: impl FnMut() -> Result<T, SourceError>,
        is_there: impl Fn(&Result<T, SourceError>) -> bool,
    ) -> Result<T, SourceError> {
        let Some(waited) = &self.waited else { return ask() };
        for (attempt, pause) in (1..).zip(self.pauses.iter().copied()) {
            let answer = ask();
            if is_there(&answer) {
                return answer;
            }
            let mut total = waited.lock().unwrap_or_else(PoisonError::into_inner);
            if *total >= LONGEST_WAIT {
                return answer;
            }
            *total += pause;
            drop(total);
            if let Some(notify) = &self.notify {
                notify(&SourceWait { content: &content(), attempt, pause });
            }
            thread::sleep(pause);
        }
        ask()
    }

    fn wait<T>(&self, request: impl Future<Output = Result<T, RegistryError>>) -> Result<T, SourceError> {
        self.runtime.block_on(request).map_err(|error| refused(&self.name, error))
    }

    /// The manifest at a tag or digest, its digest verified; `None` if there is none.
    pub(super) fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, SourceError> {
        let content = || format!("GET manifest `{at}` of {}", self.name);
        let is_there = |answer: &Result<Option<_>, _>| !matches!(answer, Ok(None));
        self.patiently(content, || self.wait(self.repository.get_manifest(at)), is_there)
    }

    /// The manifest that `described` describes, of any media type, its digest verified; `None` if there is none.
    pub(super) fn described(&self, described: &Descriptor) -> Result<Option<RawManifest>, SourceError> {
        let content = || format!("GET manifest `{}` of {}", described.digest, self.name);
        let is_there = |answer: &Result<Option<_>, _>| !matches!(answer, Ok(None));
        self.patiently(content, || self.wait(self.repository.get_described(described)), is_there)
    }

    /// The digests of those of `blobs` that are missing.
    pub(super) fn missing(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError> {
        let mut open: Vec<&Descriptor> = blobs.to_vec();
        let ask = || {
            let missing = self.missing_now(&open)?;
            open.retain(|blob| missing.contains(&blob.digest));
            Ok(missing)
        };
        let content = || format!("HEAD blobs of {}", self.name);
        self.patiently(content, ask, |answer| !matches!(answer, Ok(missing) if !missing.is_empty()))
    }

    fn missing_now(&self, blobs: &[&Descriptor]) -> Result<Vec<Digest>, SourceError> {
        let asked = stream::iter(blobs.iter().map(|blob| async move {
            let there = self.repository.has_blob(blob).await?;
            Ok::<_, RegistryError>((!there).then(|| blob.digest.clone()))
        }));
        let missing = asked.buffered(AT_ONCE).try_filter_map(|missing| async move { Ok(missing) });
        self.wait(missing.try_collect())
    }

    /// The bytes of a blob, not verified.
    pub(super) fn blob(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        let content = || format!("GET blob `{}` of {}", blob.digest, self.name);
        let open = || self.wait(self.repository.open_blob(blob));
        let stream =
            self.patiently(content, open, |answer| !matches!(answer, Err(error) if error.is_not_found()))?;
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
