//! Layers as they are published: compressed the same way on every run, or unchanged if they are compressed already.
//!
//! Several threads process layers, and no layer is held in memory. Each thread writes its compressed layers to one temporary
//! file, so that an image of many layers needs few files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::super::SourceError;
use super::super::compression::{Compression, Expansion};
use super::super::opened_content::{OpenedContent, StoredBlob};
use super::super::positioned::{Extent, PositionedFile};
use super::super::temporary::TemporaryFolder;
use oci_registry::{Descriptor, Digest, Digester};

/// The compression level of layers: 1.00 × the size of level 6 at 1.2 × its speed, measured on programs and Python
/// files. Another level, or another version of the compressor, gives other digests; a test pins them.
const LEVEL: u32 = 5;
/// The number of bytes that are read at once. The compressor always gets pieces of this size, so that its output depends only
/// on its input.
const PIECE: usize = 128 * 1024;
/// The most threads that process layers.
const MAX_THREADS: usize = 8;
/// The limits on the expansion of a compressed layer. A gigabyte of zeros may be an image's real swap file; a layer beyond that
/// which expands to more than 200 times its size is a bomb.
const EXPANSION: Expansion = Expansion { floor: 1 << 30, ratio: 200, ceiling: u64::MAX };

/// The media type of zstd-compressed layers (image-spec, layer.md, "+zstd Media Types"). The library of media types has no name
/// for it.
const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The media type of gzip-compressed layers (image-spec, layer.md, "+gzip Media Types").
const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer that an image names.
pub(crate) struct LayerFile {
    /// Its file, for people.
    pub(crate) place: String,
    /// The extent of its bytes.
    pub(crate) extent: Extent,
    /// The digest that its tar must have.
    pub(crate) diff_id: Digest,
}

/// A layer as it is published.
#[derive(Clone)]
pub(super) struct PublishedLayer {
    /// Its descriptor in the manifest.
    pub(super) descriptor: Descriptor,
    /// The extent of its bytes.
    pub(super) extent: Extent,
    /// Whether these are the bytes in the archive, unchanged.
    pub(super) kept: bool,
}

/// Prepares the layers of `wanted`, and returns them in the same order. A layer that is listed twice is processed once, and a
/// layer that is in `opened` is not compressed again.
pub(super) fn prepare(
    wanted: &[LayerFile],
    folder: &TemporaryFolder,
    opened: &OpenedContent,
) -> Result<Vec<PublishedLayer>, SourceError> {
    let mut jobs: Vec<&LayerFile> = Vec::new();
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
    let mut done = work(&jobs, folder, opened)?;
    done.sort_by_key(|(job, _)| *job);
    let mut layers = Vec::with_capacity(jobs.len());
    for (_, layer) in done {
        layers.push(layer?);
    }
    Ok(positions.into_iter().filter_map(|job| layers.get(job).cloned()).collect())
}

/// The number of a job, and its result.
type LayerResult = (usize, Result<PublishedLayer, SourceError>);

/// Processes all jobs, or as many as it can before one fails.
fn work(
    jobs: &[&LayerFile],
    folder: &TemporaryFolder,
    opened: &OpenedContent,
) -> Result<Vec<LayerResult>, SourceError> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = || -> Result<Vec<LayerResult>, SourceError> {
        let mut worker =
            Worker { folder, opened, file: None, length: 0, compressed: Vec::new(), kept: Vec::new() };
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
        // If the system has no more threads, this one does the work.
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

/// One thread that processes layers, with its results.
struct Worker<'a> {
    folder: &'a TemporaryFolder,
    opened: &'a OpenedContent,
    /// The compressed layers, one after the other. The file is created with the first.
    file: Option<File>,
    length: u64,
    compressed: Vec<CompressedLayer>,
    kept: Vec<LayerResult>,
}

impl Worker<'_> {
    fn layer(&mut self, number: usize, job: &LayerFile) -> Result<(), SourceError> {
        let extent = &job.extent;
        if let Some(compression) = Compression::of(&extent.file, extent.offset, extent.length)? {
            let media_type = match compression {
                Compression::Gzip => OCI_LAYER_GZIP,
                Compression::Zstd => OCI_LAYER_ZSTD,
                Compression::Bzip2 | Compression::Xz => return Err(refused(job, compression)),
            };
            let digest = check(job, compression, EXPANSION)?;
            let descriptor = Descriptor::new(media_type, digest, extent.length);
            let layer = PublishedLayer { descriptor, extent: extent.clone(), kept: true };
            self.kept.push((number, Ok(layer)));
            return Ok(());
        }
        if let Some(StoredBlob { descriptor, extent }) = self.opened.compressed(&job.diff_id) {
            self.kept.push((number, Ok(PublishedLayer { descriptor, extent, kept: false })));
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.folder.file()?),
        };
        let mut output = Measured::new(file);
        let diff_id = compress(job, &mut output, self.folder)?;
        let (digest, length) = (output.digester.finish(), output.length);
        self.compressed.push(CompressedLayer { job: number, diff_id, digest, offset: self.length, length });
        self.length = self.length.saturating_add(length);
        Ok(())
    }

    /// Returns the layers, and keeps those that were compressed for later.
    fn finish(self) -> Result<Vec<LayerResult>, SourceError> {
        let mut done = self.kept;
        let Some(file) = self.file else { return Ok(done) };
        let file = PositionedFile::of(file, PathBuf::from("a temporary file"))
            .map_err(|error| self.folder.failed(error))?;
        let file = Arc::new(file);
        for CompressedLayer { job, diff_id, digest, offset, length } in self.compressed {
            let extent = Extent { file: Arc::clone(&file), offset, length };
            let descriptor = Descriptor::new(OCI_LAYER_GZIP, digest, length);
            let stored = StoredBlob { descriptor: descriptor.clone(), extent: extent.clone() };
            self.opened.keep_compressed(diff_id, stored);
            done.push((job, Ok(PublishedLayer { descriptor, extent, kept: false })));
        }
        Ok(done)
    }
}

/// A layer that a worker compressed into its file.
struct CompressedLayer {
    job: usize,
    /// The digest of the tar.
    diff_id: Digest,
    digest: Digest,
    offset: u64,
    length: u64,
}

/// Compresses a layer, checks the digest of its tar, and returns that digest.
fn compress(
    job: &LayerFile,
    output: &mut impl Write,
    folder: &TemporaryFolder,
) -> Result<Digest, SourceError> {
    let failed = |error| folder.failed(error);
    // The header has no name and no time, so that the bytes are the same on every run.
    let mut gzip = flate2::GzBuilder::new().write(output, flate2::Compression::new(LEVEL));
    let found = digest_of(job, job.extent.reader(), u64::MAX, |piece| gzip.write_all(piece).map_err(failed))?;
    gzip.finish().map_err(failed)?;
    compare(job, found)
}

/// Checks the digest of the tar in a compressed layer, and returns the digest of the compressed bytes.
fn check(job: &LayerFile, compression: Compression, expansion: Expansion) -> Result<Digest, SourceError> {
    let io = |error| SourceError::io(job.place.clone(), error);
    let mut input = Measured::new(job.extent.reader());
    let Some(decoder) = compression.decoder(&mut input).map_err(io)? else {
        return Err(refused(job, compression));
    };
    let found = digest_of(job, decoder, expansion.limit(job.extent.length), |_| Ok(()))?;
    compare(job, found)?;
    // Bytes that a decoder leaves unread are part of the layer too.
    io::copy(&mut input, &mut io::sink()).map_err(io)?;
    Ok(input.digester.finish())
}

/// The digest of all bytes of `input`, which may be at most `limit`. Each piece is passed to `each`.
fn digest_of(
    job: &LayerFile,
    mut input: impl Read,
    limit: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), SourceError>,
) -> Result<Digest, SourceError> {
    let mut digester = Digester::sha256();
    let mut buffer = vec![0; PIECE];
    let mut length = 0_u64;
    loop {
        let filled = fill(&mut input, &mut buffer).map_err(|error| match error.kind() {
            // The decoders report damaged input with these kinds.
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

/// Fills `buffer` until `input` ends, and returns the number of bytes.
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

fn compare(job: &LayerFile, found: Digest) -> Result<Digest, SourceError> {
    // A configuration may name layers by sha512, but no tool does that, and that digest is not computed here.
    if found == job.diff_id {
        return Ok(found);
    }
    let reason = format!("its tar is `{found}`, but the configuration of the image says otherwise");
    Err(SourceError::Digest { place: job.place.clone(), expected: job.diff_id.clone(), reason })
}

fn refused(job: &LayerFile, compression: Compression) -> SourceError {
    SourceError::Unsupported {
        reason: format!(
            "{} is compressed with {}, which is not supported for layers",
            job.place,
            compression.name()
        ),
        help: "write the archive again with `docker save` or `podman save`".to_owned(),
    }
}

/// A reader or writer that computes the digest and length of the bytes that pass through it.
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
