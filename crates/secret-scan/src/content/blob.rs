//! The search of a blob of any form: a compressed or plain archive of files, or one file. The form is recognized by the bytes,
//! because anybody can write any media type. The search takes one pass and unpacks nothing to disk.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::echo::Echo;
use super::finder::Finder;
use super::input::{Input, PIECE};
use super::{ContentError, Searched, tar, zip};
use crate::{Rules, Search};
use oci_content::is_tar;

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
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The name, if the blob is one file: the title of an artifact's layer.
    pub name: Option<&'a str>,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it should be an archive, as an image's layer is.
    pub is_layer: bool,
}

/// Searches a blob. `progress` receives the number of bytes read so far and returns whether to go on.
///
/// # Errors
///
/// [`ContentError`] if the blob cannot be read to its end, or is a damaged archive. Parts that cannot be searched or are too
/// large are listed in [`Searched::unsearched`].
pub fn blob(
    rules: &Rules,
    reader: impl Read,
    about: About<'_>,
    progress: &dyn Fn(u64) -> bool,
) -> Result<Searched, ContentError> {
    let counted = Counted { reader, seen: 0, progress };
    let mut raw = Input::new(Box::new(counted), u64::MAX, PIECE);
    let mut finder = Finder::new(rules);
    let result = finder.blob(&mut raw, about);
    finder.search_names();
    if let Some(error) = raw.failure.take() {
        let stopped = error.get_ref().and_then(|inner| inner.downcast_ref::<Stopped>()).is_some();
        return Err(if stopped { ContentError::Stopped } else { ContentError::Read(error) });
    }
    match result {
        Ok(()) => Ok(finder.finish()),
        Err(Failure::Io(error)) => Err(ContentError::Read(error)),
        Err(Failure::Malformed(reason)) => Err(ContentError::Malformed(reason)),
    }
}

/// Why a search stops early.
pub(super) enum Failure {
    /// Reading failed; the reader knows the original error.
    Io(io::Error),
    /// An archive is damaged.
    Malformed(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The search was asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// Counts the bytes that are read.
struct Counted<'a, R> {
    reader: R,
    seen: u64,
    progress: &'a dyn Fn(u64) -> bool,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.seen = self.seen.saturating_add(count as u64);
        if (self.progress)(self.seen) { Ok(count) } else { Err(io::Error::other(Stopped)) }
    }
}

/// The format that some bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gzip,
    Zstd,
    Zip,
    Tar,
}

impl Kind {
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

impl Finder<'_> {
    fn blob(&mut self, raw: &mut Input<'_>, about: About<'_>) -> Result<(), Failure> {
        let kind = Kind::of(raw.peek(HEAD)?);
        let Some(compression) = kind.filter(|kind| matches!(kind, Kind::Gzip | Kind::Zstd)) else {
            return self.content(raw, about);
        };
        let mut input = Input::new(compression.decoder(&mut *raw)?, BLOB_CEILING, PIECE);
        let result = self.content(&mut input, about);
        if input.too_large {
            let gib = BLOB_CEILING / 1024 / 1024 / 1024;
            self.searched.complete = false;
            let reason = format!("it expands to more than {gib} GiB; the rest was not searched");
            self.searched.unreadable = Some(reason);
            return Ok(());
        }
        match input.failure.take() {
            Some(error) => Err(Failure::Io(error)),
            None => result,
        }
    }

    /// Searches the decompressed bytes of a blob, to their end.
    fn content(&mut self, input: &mut Input<'_>, about: About<'_>) -> Result<(), Failure> {
        let head = input.peek(HEAD)?;
        let (kind, is_empty) = (Kind::of(head), head.is_empty());
        let name = about.name.map(|name| name.trim_start_matches("./").to_owned());
        if let Some(name) = &name {
            self.name(name);
        }
        if about.is_layer && !is_empty && kind != Some(Kind::Tar) {
            let reason = "it is not a tar archive; it was searched as a single file".to_owned();
            self.searched.unreadable = Some(reason);
        }
        match kind {
            Some(Kind::Tar) => tar::walk(self, input, None, true)?,
            Some(Kind::Zip) => {
                let first = self.searched.hits.len();
                let mut bytes = Echo::new(&mut *input, self.rules.text(name.as_deref()));
                let mut inner = Input::new(Box::new(&mut bytes), u64::MAX, PIECE);
                let result = zip::walk(self, &mut inner, name.as_deref());
                drop(inner);
                bytes.search_rest()?;
                let found = bytes.search.finish();
                self.found_beside(first, name.as_deref(), found);
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
        input: &mut Input<'_>,
        size: u64,
        path: &str,
        open: bool,
    ) -> Result<(), Failure> {
        let cut_off = || Failure::Malformed(format!("it ends in the middle of a file of {size} bytes"));
        let wanted = usize::try_from(size).unwrap_or(HEAD).min(HEAD);
        let head = input.peek(wanted)?.get(..wanted).ok_or_else(cut_off)?;
        if let Some(kind) = Kind::of(head).filter(|_| open) {
            return self.archive(kind, input, size, path);
        }
        let mut search = self.rules.text(Some(path));
        let mut left = size;
        while left > 0 {
            let there = input.fill_buf()?;
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(there.len());
            let piece = there.get(..count).filter(|piece| !piece.is_empty()).ok_or_else(cut_off)?;
            search.push(piece);
            input.consume(count);
            left -= count as u64;
        }
        self.found(Some(path), search.finish());
        Ok(())
    }

    /// Searches the files of an archive of `size` bytes that is in an archive. Its defects are noted, and stop nothing.
    fn archive(&mut self, kind: Kind, input: &mut Input<'_>, size: u64, path: &str) -> Result<(), Failure> {
        let allowed = size.saturating_mul(INNER_RATIO).clamp(INNER_FLOOR, INNER_CEILING).min(self.left);
        let first = self.searched.hits.len();
        let taken = Read::take(&mut *input, size);
        let mut bytes = Echo::new(taken, self.rules.text(Some(path)));
        let mut inner = Input::new(kind.decoder(&mut bytes)?, allowed, INNER_PIECE);
        let result = match kind {
            Kind::Zip => zip::walk(self, &mut inner, Some(path)),
            Kind::Tar => tar::walk(self, &mut inner, Some(path), false),
            Kind::Gzip | Kind::Zstd => self.decompressed(&mut inner, path),
        };
        self.left = self.left.saturating_sub(inner.passed());
        let (too_large, cause) = (inner.too_large, inner.failure.take());
        drop(inner);
        // The bytes that the archive does not account for may be anything.
        let whole = result.is_ok() && !too_large && bytes.reader.limit() == 0 && kind != Kind::Zip;
        let drained = bytes.search_rest();
        let (seen, found) = (bytes.seen, bytes.search.finish());
        if input.failure.is_some() || input.too_large {
            return Err(Failure::Io(io::Error::other("it cannot be read")));
        }
        drained?;
        if !whole {
            self.found_beside(first, Some(path), found);
        }
        if too_large {
            let mib = allowed / 1024 / 1024;
            self.note(Some(path), format!("it expands to more than {mib} MiB; the rest was not searched"));
        } else if let Err(failure) = result {
            let reason = match (cause, failure) {
                (Some(error), _) | (None, Failure::Io(error)) => error.to_string(),
                (None, Failure::Malformed(reason)) => reason,
            };
            self.note(
                Some(path),
                format!("it was searched as a single file, and its files only in part: {reason}"),
            );
        }
        if seen < size {
            return Err(Failure::Malformed(format!("it ends in the middle of a file of {size} bytes")));
        }
        Ok(())
    }

    fn decompressed(&mut self, inner: &mut Input<'_>, path: &str) -> Result<(), Failure> {
        if is_tar(inner.peek(HEAD)?) {
            return tar::walk(self, inner, Some(path), false);
        }
        // A single compressed file goes by its name without the ending.
        let plain = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
        let mut search = self.rules.text(Some(plain));
        let found = self.drain(inner, &mut search);
        self.found(Some(path), search.finish());
        found
    }

    /// Searches all remaining bytes, as one file.
    pub(super) fn rest(&mut self, input: &mut Input<'_>, path: Option<&str>) -> Result<(), Failure> {
        let mut search = self.rules.text(path);
        let drained = self.drain(input, &mut search);
        self.found(path, search.finish());
        drained
    }

    #[allow(clippy::unused_self)] // a step of the two above
    fn drain(&self, input: &mut impl BufRead, search: &mut Search<'_>) -> Result<(), Failure> {
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
    fn damaged(&mut self, input: &Input<'_>, path: Option<&str>, failure: Failure) -> Result<(), Failure> {
        if input.failure.is_some() || input.too_large {
            return Err(failure);
        }
        let reason = match failure {
            Failure::Io(error) => error.to_string(),
            Failure::Malformed(reason) => reason,
        };
        self.note(path, format!("the rest was not searched: {reason}"));
        Ok(())
    }

    /// Returns how far a compressed file in an archive may expand, in bytes.
    pub(super) fn left_to_expand(&self) -> u64 {
        self.left.min(INNER_CEILING)
    }
}
