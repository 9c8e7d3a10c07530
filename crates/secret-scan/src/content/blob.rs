//! The search of a blob of any form: a compressed or plain archive of files, or one file. The form is recognized by the bytes,
//! because anybody can write any media type. The search takes one pass and unpacks nothing to disk.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use oci_content::is_tar;

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::{BoundedReader, PIECE};
use super::report::{BlobError, BlobReport};
use super::searched_reader::SearchedReader;
use super::{tar, zip};
use crate::compiled::Rules;
use crate::text_search::TextSearch;

/// How many bytes are looked at to recognize a format: a header of a tar file.
const HEAD: usize = 512;
/// The largest window of zstd that memory is reserved for, as a power of two: the limit of the program `zstd` itself.
const ZSTD_WINDOW_LOG: u32 = 27;
/// The size that a blob may expand to, in bytes. Its bytes are searched as they pass, in constant memory, and the search can be
/// stopped, so the bound limits only the time.
const BLOB_CEILING: u64 = 1024 * 1024 * 1024 * 1024;
/// The size that an archive in a blob may expand to: `INNER_RATIO` times its own size, but at least the floor and at most the ceiling,
/// which are in bytes.
const INNER_FLOOR: u64 = 64 * 1024 * 1024;
const INNER_RATIO: u64 = 100;
const INNER_CEILING: u64 = 1024 * 1024 * 1024;
/// How many bytes of an archive in a blob are read at once.
const INNER_PIECE: usize = 64 * 1024;

/// Facts about a blob that its bytes do not contain.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlobFacts<'a> {
    /// The name, if the blob is one file: the title of an artifact's layer.
    pub name: Option<&'a str>,
    /// Whether it should be a tar archive, as an image's layer is.
    pub is_layer: bool,
}

impl Rules {
    /// Searches a blob: an archive of files, compressed or not, or one file. `progress` receives the number of bytes read so far and
    /// returns whether to go on.
    ///
    /// # Errors
    ///
    /// [`BlobError`] if the blob cannot be read to its end, or is a damaged archive. Parts that cannot be searched or are too
    /// large are listed in [`BlobReport::unsearched`].
    pub fn search_blob(
        &self,
        reader: impl Read,
        facts: BlobFacts<'_>,
        progress: &dyn Fn(u64) -> bool,
    ) -> Result<BlobReport, BlobError> {
        let counted = ProgressReader { reader, seen: 0, progress };
        let mut raw = BoundedReader::new(Box::new(counted), u64::MAX, PIECE);
        let mut search = BlobSearch::new(self);
        let result = search.search_blob(&mut raw, facts);
        search.search_names();
        if let Some(error) = raw.failure.take() {
            let stopped = error.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()).is_some();
            return Err(if stopped { BlobError::Stopped } else { BlobError::Read(error) });
        }
        match result {
            Ok(()) => Ok(search.finish()),
            Err(WalkError::Io(error)) => Err(BlobError::Read(error)),
            Err(WalkError::Malformed(reason)) => Err(BlobError::Malformed(reason)),
        }
    }
}

/// The search was asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// Counts the bytes that are read.
struct ProgressReader<'a, R> {
    reader: R,
    seen: u64,
    progress: &'a dyn Fn(u64) -> bool,
}

impl<R: Read> Read for ProgressReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.seen = self.seen.saturating_add(count as u64);
        if (self.progress)(self.seen) { Ok(count) } else { Err(io::Error::other(Stopped)) }
    }
}

/// The format that some bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlobFormat {
    Gzip,
    Zstd,
    Zip,
    Tar,
}

impl BlobFormat {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b, 8]) {
            return Some(Self::Gzip);
        }
        // A skippable frame may come first (RFC 8878, 3.1.2): `pzstd` writes one.
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        if skippable || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Some(Self::Zstd);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Zip);
        }
        is_tar(head).then_some(Self::Tar)
    }

    /// Returns a reader of the decompressed bytes of `inner`.
    fn decoder<'a>(self, inner: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            // Every reader of layers treats several members as one stream (RFC 1952, 2.2).
            Self::Gzip => Box::new(MultiGzDecoder::new(inner)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(inner)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Zip | Self::Tar => Box::new(inner),
        })
    }
}

impl BlobSearch<'_> {
    fn search_blob(&mut self, raw: &mut BoundedReader<'_>, facts: BlobFacts<'_>) -> Result<(), WalkError> {
        let format = BlobFormat::of(raw.peek(HEAD)?);
        let compression = format.filter(|it| matches!(it, BlobFormat::Gzip | BlobFormat::Zstd));
        let Some(compression) = compression else {
            return self.search_content(raw, facts);
        };
        let mut input = BoundedReader::new(compression.decoder(&mut *raw)?, BLOB_CEILING, PIECE);
        let result = self.search_content(&mut input, facts);
        if input.too_large {
            let gib = BLOB_CEILING / 1024 / 1024 / 1024;
            self.report.complete = false;
            let reason = format!("it expands to more than {gib} GiB; the rest was not searched");
            self.report.unreadable = Some(reason);
            return Ok(());
        }
        match input.failure.take() {
            Some(error) => Err(WalkError::Io(error)),
            None => result,
        }
    }

    /// Searches the decompressed bytes of a blob, to their end.
    fn search_content(
        &mut self,
        input: &mut BoundedReader<'_>,
        facts: BlobFacts<'_>,
    ) -> Result<(), WalkError> {
        let head = input.peek(HEAD)?;
        let (format, is_empty) = (BlobFormat::of(head), head.is_empty());
        let name = facts.name.map(|name| name.trim_start_matches("./").to_owned());
        if let Some(name) = &name {
            self.name(name);
        }
        if facts.is_layer && !is_empty && format != Some(BlobFormat::Tar) {
            let reason = "it is not a tar archive; it was searched as a single file".to_owned();
            self.report.unreadable = Some(reason);
        }
        match format {
            Some(BlobFormat::Tar) => tar::walk(self, input, None, true)?,
            Some(BlobFormat::Zip) => {
                let first = self.report.matches.len();
                let mut bytes = SearchedReader::new(&mut *input, self.rules.text_search(name.as_deref()));
                let mut inner = BoundedReader::new(Box::new(&mut bytes), u64::MAX, PIECE);
                let result = zip::walk(self, &mut inner, name.as_deref());
                drop(inner);
                bytes.search_rest()?;
                let found = bytes.search.finish();
                self.add_matches_beside(first, name.as_deref(), found);
                if let Err(failure) = result {
                    self.damaged(input, name.as_deref(), failure)?;
                }
            }
            _ => self.rest(input, name.as_deref())?,
        }
        input.skip(u64::MAX)?;
        Ok(())
    }

    /// Searches a file of `size` bytes in an archive. If the file is an archive itself, and `open` is set, its files are searched.
    pub(super) fn file(
        &mut self,
        input: &mut BoundedReader<'_>,
        size: u64,
        path: &str,
        open: bool,
    ) -> Result<(), WalkError> {
        let cut_off = || WalkError::Malformed(format!("it ends in the middle of a file of {size} bytes"));
        let wanted = usize::try_from(size).unwrap_or(HEAD).min(HEAD);
        let head = input.peek(wanted)?.get(..wanted).ok_or_else(cut_off)?;
        if let Some(format) = BlobFormat::of(head).filter(|_| open) {
            return self.archive(format, input, size, path);
        }
        let mut search = self.rules.text_search(Some(path));
        let mut left = size;
        while left > 0 {
            let there = input.fill_buf()?;
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(there.len());
            let piece = there.get(..count).filter(|piece| !piece.is_empty()).ok_or_else(cut_off)?;
            search.push(piece);
            input.consume(count);
            left -= count as u64;
        }
        self.add_matches(Some(path), search.finish());
        Ok(())
    }

    /// Searches the files of an archive of `size` bytes that is in an archive. Its defects are noted, and stop nothing.
    fn archive(
        &mut self,
        format: BlobFormat,
        input: &mut BoundedReader<'_>,
        size: u64,
        path: &str,
    ) -> Result<(), WalkError> {
        let allowed = size.saturating_mul(INNER_RATIO).clamp(INNER_FLOOR, INNER_CEILING).min(self.left);
        let first = self.report.matches.len();
        let taken = Read::take(&mut *input, size);
        let mut bytes = SearchedReader::new(taken, self.rules.text_search(Some(path)));
        let mut inner = BoundedReader::new(format.decoder(&mut bytes)?, allowed, INNER_PIECE);
        let result = match format {
            BlobFormat::Zip => zip::walk(self, &mut inner, Some(path)),
            BlobFormat::Tar => tar::walk(self, &mut inner, Some(path), false),
            BlobFormat::Gzip | BlobFormat::Zstd => self.decompressed(&mut inner, path),
        };
        self.left = self.left.saturating_sub(inner.passed());
        let (too_large, cause) = (inner.too_large, inner.failure.take());
        drop(inner);
        // The bytes that the archive does not account for may be anything.
        let whole = result.is_ok() && !too_large && bytes.reader.limit() == 0 && format != BlobFormat::Zip;
        let drained = bytes.search_rest();
        let (seen, found) = (bytes.seen, bytes.search.finish());
        if input.failure.is_some() || input.too_large {
            return Err(WalkError::Io(io::Error::other("it cannot be read")));
        }
        drained?;
        if !whole {
            self.add_matches_beside(first, Some(path), found);
        }
        if too_large {
            let mib = allowed / 1024 / 1024;
            self.note_unsearched(
                Some(path),
                format!("it expands to more than {mib} MiB; the rest was not searched"),
            );
        } else if let Err(failure) = result {
            let reason = match (cause, failure) {
                (Some(error), _) | (None, WalkError::Io(error)) => error.to_string(),
                (None, WalkError::Malformed(reason)) => reason,
            };
            self.note_unsearched(
                Some(path),
                format!("it was searched as a single file, and its files only in part: {reason}"),
            );
        }
        if seen < size {
            return Err(WalkError::Malformed(format!("it ends in the middle of a file of {size} bytes")));
        }
        Ok(())
    }

    fn decompressed(&mut self, inner: &mut BoundedReader<'_>, path: &str) -> Result<(), WalkError> {
        if is_tar(inner.peek(HEAD)?) {
            return tar::walk(self, inner, Some(path), false);
        }
        // A single compressed file goes by its name without the ending.
        let plain = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
        let mut search = self.rules.text_search(Some(plain));
        let found = self.drain(inner, &mut search);
        self.add_matches(Some(path), search.finish());
        found
    }

    /// Searches all remaining bytes, as one file.
    pub(super) fn rest(
        &mut self,
        input: &mut BoundedReader<'_>,
        path: Option<&str>,
    ) -> Result<(), WalkError> {
        let mut search = self.rules.text_search(path);
        let drained = self.drain(input, &mut search);
        self.add_matches(path, search.finish());
        drained
    }

    #[allow(clippy::unused_self)] // a step of the two above
    fn drain(&self, input: &mut impl BufRead, search: &mut TextSearch<'_>) -> Result<(), WalkError> {
        loop {
            let there = input.fill_buf()?;
            if there.is_empty() {
                return Ok(());
            }
            let count = there.len();
            search.push(there);
            input.consume(count);
        }
    }

    /// Notes that the blob itself is a damaged archive.
    fn damaged(
        &mut self,
        input: &BoundedReader<'_>,
        path: Option<&str>,
        failure: WalkError,
    ) -> Result<(), WalkError> {
        if input.failure.is_some() || input.too_large {
            return Err(failure);
        }
        let reason = match failure {
            WalkError::Io(error) => error.to_string(),
            WalkError::Malformed(reason) => reason,
        };
        self.note_unsearched(path, format!("the rest was not searched: {reason}"));
        Ok(())
    }

    /// Returns how far a compressed file in an archive may expand, in bytes.
    pub(super) fn left_to_expand(&self) -> u64 {
        self.left.min(INNER_CEILING)
    }
}
