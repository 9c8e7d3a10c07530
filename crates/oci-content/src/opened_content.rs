//! Content that sources have opened, kept so that no source reads it again: [`OpenedContent`].
//!
//! A program opens the same sources several times: when it makes a plan, when it searches content, when it carries the plan
//! out, and once for each repository. Everything here is named by digest, so it never goes stale.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use oci_registry::{Descriptor, Digest, RawManifest};

use super::positioned::{Extent, PositionedFile};
use super::source::{BlobReader, Source};
use super::temporary::TemporaryFolder;

/// The number of bytes of manifests that are kept.
const MANIFESTS: u64 = 16 * 1024 * 1024;
/// The number of bytes of small blobs that are kept.
const SMALL_BLOBS: u64 = 48 * 1024 * 1024;
/// The largest blob that is small: configurations, and the layers of artifacts.
const SMALL: u64 = 4 * 1024 * 1024;
/// The number of bytes of exported images that are kept in temporary files.
const EXPORTED: u64 = 64 << 30;
/// The number of bytes of compressed layers that are kept in temporary files.
const COMPRESSED: u64 = 64 << 30;
/// The number of blobs of registries that are known to exist.
const PRESENT: usize = 100_000;

/// Content that sources opened, shared by all [`Surroundings`](crate::Surroundings) that hold it.
///
/// It keeps, each within a limit of bytes, the oldest left out first:
///
/// - the manifests and small blobs (4 MiB at most) of registries, in memory, so that each is downloaded once;
/// - the images that a Docker Engine exported, and the layers that were compressed, in temporary files;
/// - an archive from the standard input, in a temporary file;
/// - with [`OpenedContent::spooling`], also the larger blobs of registries, in one temporary file.
///
/// The value to use for one run of a program: make one, and clone its `Arc` into the surroundings of each source that the
/// run opens. If the run reads layers more than once, for example to search them and then to push them, or to push them to
/// two registries, make it with [`OpenedContent::spooling`]: the first reader of a layer writes the spool while it reads, and
/// the later ones read the spool. If each layer is read once, a spool is only a cost, so the default has none.
///
/// ```
/// use oci_content::{OpenedContent, Surroundings};
/// use std::sync::Arc;
///
/// let search = true;
/// let content = Arc::new(if search { OpenedContent::spooling(8 << 30) } else { OpenedContent::default() });
/// let surroundings = Surroundings { content, ..Surroundings::local(".".as_ref()) };
/// # let _ = surroundings;
/// ```
pub struct OpenedContent {
    manifests: Mutex<BoundedCache<BlobPlace, RawManifest>>,
    small: Mutex<BoundedCache<BlobPlace, Bytes>>,
    exported: Mutex<BoundedCache<(String, Digest), Arc<dyn Source>>>,
    compressed: Mutex<BoundedCache<Digest, StoredBlob>>,
    present: Mutex<HashSet<BlobPlace>>,
    spool: Mutex<Spool>,
    standard_input: Mutex<Option<Arc<PositionedFile>>>,
}

/// A blob or manifest of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BlobPlace {
    /// The repository, as `HOST/REPOSITORY`.
    pub(super) repository: String,
    /// The digest.
    pub(super) digest: Digest,
}

/// A blob in a file.
#[derive(Clone)]
pub(super) struct StoredBlob {
    /// Its descriptor in a manifest.
    pub(super) descriptor: Descriptor,
    /// The extent of its bytes.
    pub(super) extent: Extent,
}

impl Default for OpenedContent {
    fn default() -> Self {
        Self::spooling(0)
    }
}

impl OpenedContent {
    /// Returns a value that also keeps the larger blobs of registries, in a temporary file of at most `limit` bytes. Blobs
    /// that do not fit are read from the registry each time.
    pub fn spooling(limit: u64) -> Self {
        Self {
            manifests: Mutex::new(BoundedCache::new(MANIFESTS)),
            small: Mutex::new(BoundedCache::new(SMALL_BLOBS)),
            exported: Mutex::new(BoundedCache::new(EXPORTED)),
            compressed: Mutex::new(BoundedCache::new(COMPRESSED)),
            present: Mutex::default(),
            spool: Mutex::new(Spool { limit, ..Spool::default() }),
            standard_input: Mutex::default(),
        }
    }

    /// Sets how many bytes of larger blobs are kept of those that are opened from now on. A program that first searches layers
    /// and then pushes them sets 0 after the search, because it reads no layer again after the push.
    pub fn spool_up_to(&self, limit: u64) {
        locked(&self.spool).limit = limit;
    }

    /// The bytes of the standard input. The first call reads them with `read`; they are kept, because they come only once.
    pub(super) fn standard_input<E>(
        &self,
        read: impl FnOnce() -> Result<PositionedFile, E>,
    ) -> Result<Arc<PositionedFile>, E> {
        let mut kept = locked(&self.standard_input);
        if let Some(file) = &*kept {
            return Ok(Arc::clone(file));
        }
        Ok(Arc::clone(kept.insert(Arc::new(read()?))))
    }

    /// The manifest at `place`, if it was read before.
    pub(super) fn manifest(&self, place: &BlobPlace) -> Option<RawManifest> {
        locked(&self.manifests).get(place)
    }

    /// Keeps a manifest that was read from `place`.
    pub(super) fn keep_manifest(&self, place: BlobPlace, manifest: RawManifest) {
        let size = manifest.bytes().len() as u64;
        locked(&self.manifests).insert(place, manifest, size);
    }

    /// A reader of the blob at `place`, if it was read before. The caller verifies the bytes.
    pub(super) fn blob(&self, place: &BlobPlace) -> Option<BlobReader> {
        if let Some(bytes) = locked(&self.small).get(place) {
            return Some(Box::new(io::Cursor::new(bytes)));
        }
        let extent = locked(&self.spool).kept.get(place).cloned()?;
        Some(Box::new(extent.reader()))
    }

    /// Returns `reader`, which verifies the bytes of `blob`, so that it keeps the blob at `place` when it has been read to its
    /// end. A larger blob is kept in a spool in `folder`; without a folder, it is not kept.
    pub(super) fn keep_blob(
        self: &Arc<Self>,
        place: BlobPlace,
        blob: &Descriptor,
        reader: BlobReader,
        folder: Option<&TemporaryFolder>,
    ) -> BlobReader {
        let size = blob.size;
        let keeping = match size {
            0 => return reader,
            1..=SMALL => Keeping::Small(Vec::new()),
            _ => match folder.and_then(|folder| locked(&self.spool).reserve(&place, size, folder)) {
                Some(extent) => Keeping::Spooled(extent),
                None => return reader,
            },
        };
        Box::new(KeepingReader { reader, content: Arc::clone(self), place, size, seen: 0, keeping })
    }

    /// The image `id` of `engine`, if it was exported before.
    pub(super) fn exported(&self, engine: &str, id: &Digest) -> Option<Arc<dyn Source>> {
        locked(&self.exported).get(&(engine.to_owned(), id.clone()))
    }

    /// Keeps the image `id` of `engine`, which was exported into a file of `size` bytes.
    pub(super) fn keep_exported(&self, engine: &str, id: &Digest, image: Arc<dyn Source>, size: u64) {
        locked(&self.exported).insert((engine.to_owned(), id.clone()), image, size);
    }

    /// The compressed layer of the tar `diff_id`, if it was compressed before.
    pub(super) fn compressed(&self, diff_id: &Digest) -> Option<StoredBlob> {
        locked(&self.compressed).get(diff_id)
    }

    /// Keeps the compressed layer of the tar `diff_id`. It is right for every image with that digest, because the digest was
    /// computed.
    pub(super) fn keep_compressed(&self, diff_id: Digest, layer: StoredBlob) {
        let size = layer.extent.length;
        locked(&self.compressed).insert(diff_id, layer, size);
    }

    /// Whether the registry said before that it has the blob at `place`.
    pub(super) fn is_present(&self, place: &BlobPlace) -> bool {
        locked(&self.present).contains(place)
    }

    /// Notes that the registry has these blobs.
    pub(super) fn keep_present(&self, places: impl Iterator<Item = BlobPlace>) {
        let mut present = locked(&self.present);
        let room = PRESENT.saturating_sub(present.len());
        present.extend(places.take(room));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Values by key, the oldest left out first when all of them together exceed a limit in bytes.
struct BoundedCache<K, V> {
    values: HashMap<K, (V, u64)>,
    oldest_first: VecDeque<K>,
    bytes: u64,
    limit: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> BoundedCache<K, V> {
    fn new(limit: u64) -> Self {
        Self { values: HashMap::new(), oldest_first: VecDeque::new(), bytes: 0, limit }
    }

    fn get(&self, key: &K) -> Option<V> {
        self.values.get(key).map(|(value, _)| value.clone())
    }

    fn insert(&mut self, key: K, value: V, size: u64) {
        if size > self.limit || self.values.contains_key(&key) {
            return;
        }
        self.bytes = self.bytes.saturating_add(size);
        self.values.insert(key.clone(), (value, size));
        self.oldest_first.push_back(key);
        while self.bytes > self.limit {
            let Some(oldest) = self.oldest_first.pop_front() else { break };
            let size = self.values.remove(&oldest).map_or(0, |(_, size)| size);
            self.bytes = self.bytes.saturating_sub(size);
        }
    }
}

/// Larger blobs in one temporary file, which is created with the first.
#[derive(Default)]
struct Spool {
    file: Option<Arc<PositionedFile>>,
    /// The number of bytes that the file may have.
    limit: u64,
    /// The number of bytes that are reserved.
    end: u64,
    kept: HashMap<BlobPlace, Extent>,
    /// The blobs that are being read.
    reserved: HashSet<BlobPlace>,
}

impl Spool {
    /// Reserves the part of the file for the blob at `place`; `None` if there is no room, or if another reader spools it.
    fn reserve(&mut self, place: &BlobPlace, size: u64, folder: &TemporaryFolder) -> Option<Extent> {
        let end = self.end.checked_add(size).filter(|end| *end <= self.limit)?;
        if self.reserved.contains(place) {
            return None;
        }
        let file = if let Some(file) = &self.file {
            Arc::clone(file)
        } else {
            // Without a temporary file, the blob is read again, which costs time and no more.
            let file = PositionedFile::of(folder.file().ok()?, "a temporary file".into()).ok()?;
            Arc::clone(self.file.insert(Arc::new(file)))
        };
        let extent = Extent { file, offset: self.end, length: size };
        self.end = end;
        self.reserved.insert(place.clone());
        Some(extent)
    }
}

/// A reader that keeps the blob that it reads.
struct KeepingReader {
    reader: BlobReader,
    content: Arc<OpenedContent>,
    place: BlobPlace,
    size: u64,
    seen: u64,
    keeping: Keeping,
}

/// The bytes that a [`KeepingReader`] has read.
enum Keeping {
    Small(Vec<u8>),
    Spooled(Extent),
    /// They could not be written, or the blob is kept.
    Nothing,
}

impl KeepingReader {
    fn keep(&mut self, bytes: &[u8]) {
        match &mut self.keeping {
            Keeping::Small(kept) => kept.extend_from_slice(bytes),
            Keeping::Spooled(extent) => {
                let at = extent.offset.saturating_add(self.seen);
                let fits = self.seen.saturating_add(bytes.len() as u64) <= extent.length;
                if !fits || extent.file.write_all_at(bytes, at).is_err() {
                    self.keeping = Keeping::Nothing;
                }
            }
            Keeping::Nothing => {}
        }
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if self.seen != self.size {
            return;
        }
        // The reader below compared the digest before it returned the last bytes.
        match std::mem::replace(&mut self.keeping, Keeping::Nothing) {
            Keeping::Small(bytes) => {
                locked(&self.content.small).insert(self.place.clone(), bytes.into(), self.size);
            }
            Keeping::Spooled(extent) => {
                locked(&self.content.spool).kept.insert(self.place.clone(), extent);
            }
            Keeping::Nothing => {}
        }
    }
}

impl Read for KeepingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.keep(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Drop for KeepingReader {
    /// Permits another attempt if the blob was not read to its end.
    fn drop(&mut self) {
        locked(&self.content.spool).reserved.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Surroundings;

    fn read(reader: Option<BlobReader>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        reader?.read_to_end(&mut bytes).expect("read");
        Some(bytes)
    }

    #[test]
    fn the_oldest_values_are_left_out_first() {
        let mut kept = BoundedCache::new(10);
        for (key, size) in [("a", 4), ("b", 4), ("c", 4), ("too large", 11)] {
            kept.insert(key, key, size);
        }
        assert_eq!((kept.get(&"a"), kept.get(&"b"), kept.get(&"c")), (None, Some("b"), Some("c")));
        assert_eq!((kept.get(&"too large"), kept.bytes), (None, 8));
    }

    #[test]
    fn a_blob_is_kept_if_it_was_read_to_its_end_and_fits() {
        let folder = Surroundings::local(".".as_ref()).temporary_folder();
        let large = usize::try_from(SMALL + 1).expect("a size");
        for (size, limit, kept) in
            [(5, 0, true), (large, 0, false), (large, SMALL + 1, true), (large, SMALL, false)]
        {
            let content = Arc::new(OpenedContent::spooling(limit));
            let bytes = vec![7; size];
            let blob = Descriptor::new("x", Digest::of(&bytes), size as u64);
            let place = BlobPlace { repository: "r/a".to_owned(), digest: blob.digest.clone() };
            let reading = || {
                let inner = Box::new(io::Cursor::new(bytes.clone()));
                content.keep_blob(place.clone(), &blob, inner, Some(&folder))
            };
            assert_eq!(reading().read(&mut [0; 3]).expect("read"), 3);
            assert!(content.blob(&place).is_none(), "half a blob of {size}");
            // The spool has room for one attempt, and an attempt that was given up used it.
            let content = Arc::new(OpenedContent::spooling(limit));
            let inner = Box::new(io::Cursor::new(bytes.clone()));
            let whole = content.keep_blob(place.clone(), &blob, inner, Some(&folder));
            assert_eq!(read(Some(whole)).as_ref(), Some(&bytes));
            assert_eq!(read(content.blob(&place)), kept.then_some(bytes), "{size} {limit}");
            let elsewhere = BlobPlace { repository: "r/b".to_owned(), ..place.clone() };
            assert!(content.blob(&elsewhere).is_none());
        }
    }
}
