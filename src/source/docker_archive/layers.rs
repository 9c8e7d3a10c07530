//! Layers as they are published: compressed the same way on every run, or as they are where they are compressed.
//!
//! Layers are worked on by several threads, and none is held in memory. Each thread keeps what it compresses in one temporary
//! file, so that an image of many layers needs few of them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use super::super::SourceError;
use super::super::compression::{Compression, Expansion};
use super::super::positioned::{Extent, PositionedFile};
use super::super::temporary::TemporaryFolder;
use crate::model::{Descriptor, Digest, Digester};

/// The level that layers are compressed at: 1.00 × the size of level 6 at 1.2 × its speed, measured on programs and Python
/// files. Another level, or another version of the compressor, gives other digests: a test holds them.
const LEVEL: u32 = 5;
/// How much is read at once, in bytes. The compressor is always given as much, so that its output depends on nothing but
/// its input.
const PIECE: usize = 128 * 1024;
/// How many threads work on layers at most.
const MAX_THREADS: usize = 8;
/// How many compressed layers are remembered.
const MAX_REMEMBERED: usize = 1000;
/// How far a compressed layer may expand. A gigabyte of zeros is some image's honest swap file; what expands to more than 200
/// times its size beyond that is a bomb.
const EXPANSION: Expansion = Expansion { floor: 1 << 30, ratio: 200, ceiling: u64::MAX };

/// zstd-compressed layers (image-spec, layer.md, "+zstd Media Types"), which the library of media types has no name for.
const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// gzip-compressed layers (image-spec, layer.md, "+gzip Media Types").
const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer that an image names.
pub(super) struct Wanted {
    /// Its file, for people.
    pub(super) place: String,
    /// Where its bytes are.
    pub(super) extent: Extent,
    /// The digest that its tar must have.
    pub(super) diff_id: Digest,
}

/// A layer as it is published.
#[derive(Clone)]
pub(super) struct Layer {
    /// What the manifest says of it.
    pub(super) descriptor: Descriptor,
    /// Where its bytes are.
    pub(super) extent: Extent,
    /// Whether these are the bytes of the archive.
    pub(super) kept: bool,
}

/// Layers that this process compressed, by the digest of their tar: the same image is opened when a plan is made and when it
/// is applied, and images share layers. What is remembered is true wherever it came from, for its digest was computed.
static COMPRESSED: LazyLock<Mutex<HashMap<Digest, Layer>>> = LazyLock::new(Mutex::default);

/// Makes each of `wanted` ready, in their order. One that is wanted twice is worked on once.
pub(super) fn prepare(wanted: &[Wanted], folder: &TemporaryFolder) -> Result<Vec<Layer>, SourceError> {
    let mut jobs: Vec<&Wanted> = Vec::new();
    let mut job_of: HashMap<(u64, u64, &Digest), usize> = HashMap::new();
    let positions: Vec<usize> = wanted
        .iter()
        .map(|layer| {
            let key = (layer.extent.offset, layer.extent.length, &layer.diff_id);
            *job_of.entry(key).or_insert_with(|| {
                jobs.push(layer);
                jobs.len() - 1
            })
        })
        .collect();
    let mut done = work(&jobs, folder)?;
    done.sort_by_key(|(job, _)| *job);
    let mut layers = Vec::with_capacity(jobs.len());
    for (_, layer) in done {
        layers.push(layer?);
    }
    Ok(positions.into_iter().filter_map(|job| layers.get(job).cloned()).collect())
}

/// A job by its number, and what came of it.
type Done = (usize, Result<Layer, SourceError>);

/// Works on all jobs, or on as many as there are before one fails.
fn work(jobs: &[&Wanted], folder: &TemporaryFolder) -> Result<Vec<Done>, SourceError> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = || -> Result<Vec<Done>, SourceError> {
        let mut worker = Worker { folder, file: None, length: 0, compressed: Vec::new(), kept: Vec::new() };
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { break };
            if let Err(error) = worker.layer(number, job) {
                failed.store(true, Ordering::Relaxed);
                worker.kept.push((number, Err(error)));
            }
        }
        worker.finish()
    };
    let threads =
        thread::available_parallelism().map_or(2, NonZero::get).clamp(2, MAX_THREADS).min(jobs.len());
    thread::scope(|scope| {
        // Where the system has no more threads, this one does the work.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, worker).ok()).collect();
        let mut done = worker()?;
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(done)
    })
}

/// What one thread has done.
struct Worker<'a> {
    folder: &'a TemporaryFolder,
    /// The compressed layers, one behind the other; made with the first.
    file: Option<File>,
    length: u64,
    /// Job, digest of the tar, digest, start and length of each layer in the file.
    compressed: Vec<(usize, Digest, Digest, u64, u64)>,
    kept: Vec<Done>,
}

impl Worker<'_> {
    fn layer(&mut self, number: usize, job: &Wanted) -> Result<(), SourceError> {
        let extent = &job.extent;
        if let Some(compression) = Compression::of(&extent.file, extent.offset, extent.length)? {
            let media_type = match compression {
                Compression::Gzip => OCI_LAYER_GZIP,
                Compression::Zstd => OCI_LAYER_ZSTD,
                Compression::Bzip2 | Compression::Xz => return Err(refused(job, compression)),
            };
            let digest = check(job, compression, EXPANSION)?;
            let descriptor = Descriptor::new(media_type, digest, extent.length);
            let layer = Layer { descriptor, extent: extent.clone(), kept: true };
            self.kept.push((number, Ok(layer)));
            return Ok(());
        }
        let remembered = COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner).get(&job.diff_id).cloned();
        if let Some(layer) = remembered {
            self.kept.push((number, Ok(layer)));
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.folder.file()?),
        };
        let mut output = Measured::new(file);
        let compressed = compress(job, &mut output, self.folder)?;
        let (digest, length) = (output.digester.finish(), output.length);
        self.compressed.push((number, compressed, digest, self.length, length));
        self.length = self.length.saturating_add(length);
        Ok(())
    }

    /// Hands out the layers, and remembers those that were compressed.
    fn finish(self) -> Result<Vec<Done>, SourceError> {
        let mut done = self.kept;
        let Some(file) = self.file else { return Ok(done) };
        let file = PositionedFile::of(file, PathBuf::from("a temporary file"))
            .map_err(|error| self.folder.failed(error))?;
        let file = Arc::new(file);
        let mut remembered = COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, diff_id, digest, offset, length) in self.compressed {
            let extent = Extent { file: Arc::clone(&file), offset, length };
            let descriptor = Descriptor::new(OCI_LAYER_GZIP, digest, length);
            let layer = Layer { descriptor, extent, kept: false };
            if remembered.len() >= MAX_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(diff_id, layer.clone());
            done.push((number, Ok(layer)));
        }
        Ok(done)
    }
}

/// Compresses a layer, and holds its tar to its digest.
fn compress(job: &Wanted, output: &mut impl Write, folder: &TemporaryFolder) -> Result<Digest, SourceError> {
    let failed = |error| folder.failed(error);
    // No name and no time in the header: the same bytes on every run.
    let mut gzip = flate2::GzBuilder::new().write(output, flate2::Compression::new(LEVEL));
    let found = digest_of(job, job.extent.reader(), u64::MAX, |piece| gzip.write_all(piece).map_err(failed))?;
    gzip.finish().map_err(failed)?;
    compare(job, found)
}

/// Holds the tar in a compressed layer to its digest; gives the digest of the compressed bytes.
fn check(job: &Wanted, compression: Compression, expansion: Expansion) -> Result<Digest, SourceError> {
    let io = |error| SourceError::io(job.place.clone(), error);
    let mut input = Measured::new(job.extent.reader());
    let Some(decoder) = compression.decoder(&mut input).map_err(io)? else {
        return Err(refused(job, compression));
    };
    let found = digest_of(job, decoder, expansion.limit(job.extent.length), |_| Ok(()))?;
    compare(job, found)?;
    // What a decoder leaves unread is part of the layer too.
    io::copy(&mut input, &mut io::sink()).map_err(io)?;
    Ok(input.digester.finish())
}

/// The digest of all that `input` yields, at most `limit` bytes; each piece is handed to `each`.
fn digest_of(
    job: &Wanted,
    mut input: impl Read,
    limit: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), SourceError>,
) -> Result<Digest, SourceError> {
    let mut digester = Digester::sha256();
    let mut buffer = vec![0; PIECE];
    let mut length = 0_u64;
    loop {
        let filled = fill(&mut input, &mut buffer).map_err(|error| match error.kind() {
            // What the decoders say of their input.
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => SourceError::malformed(job.place.clone(), error.to_string()),
            _ => SourceError::io(job.place.clone(), error),
        })?;
        let piece = buffer.get(..filled).unwrap_or_default();
        length = length.saturating_add(piece.len() as u64);
        if length > limit {
            return Err(SourceError::Unsupported {
                reason: format!(
                    "{} has {} bytes and expands to more than {limit}, which no layer does",
                    job.place, job.extent.length
                ),
                help: "if you trust it, write the image with layers that are not compressed (`docker save`, `podman save`)"
                    .to_owned(),
            });
        }
        digester.update(piece);
        each(piece)?;
        if filled < PIECE {
            return Ok(digester.finish());
        }
    }
}

/// Fills `buffer` as far as `input` goes; says how far.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn compare(job: &Wanted, found: Digest) -> Result<Digest, SourceError> {
    // A configuration may name layers by sha512, which no tool does and which is not computed here.
    if found == job.diff_id {
        return Ok(found);
    }
    let reason = format!("its tar is `{found}`, but the configuration of the image says otherwise");
    Err(SourceError::Digest { place: job.place.clone(), expected: job.diff_id.clone(), reason })
}

fn refused(job: &Wanted, compression: Compression) -> SourceError {
    SourceError::Unsupported {
        reason: format!("{} is compressed with {}, which is not supported for layers", job.place, compression.name()),
        help: "write the archive again with `docker save` or `podman save`".to_owned(),
    }
}

/// Measures what passes: digest and length.
struct Measured<T> {
    inner: T,
    digester: Digester,
    length: u64,
}

impl<T> Measured<T> {
    fn new(inner: T) -> Self {
        Self { inner, digester: Digester::sha256(), length: 0 }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.digester.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }
}

impl<T: Write> Write for Measured<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.pass(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Measured<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.pass(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
