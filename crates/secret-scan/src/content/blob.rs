//! The search of a blob of any form: a compressed or plain archive of files, or one file. The form is recognized by the bytes,
//! because anybody can write any media type. The search takes one pass and unpacks nothing to disk.

use std::io::{self, BufRead, Read};

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::{BoundedReader, PIECE};
use super::file_search::FileSearch;
use super::format::{self, BlobFormat};
use super::report::{BlobError, BlobReport};
use super::searched_reader::SearchedReader;
use super::{ar, git, key_store, keys, tar, zip};
use crate::compiled::Rules;

/// How many bytes are looked at to recognize a format: a header of a tar file.
const HEAD: usize = 512;
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
/// How many levels of archives in a blob are opened: in the blob itself, in an archive in it, and in an archive in that one.
const LEVELS: u8 = 3;
/// How many first bytes of a file may precede a zip archive in it: the launch script of Spring Boot has 10 KiB.
const BEFORE_ZIP: usize = 48 * 1024;
/// How many first bytes of a key store are looked at.
const STORE: usize = 16 * 1024;

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

impl BlobSearch<'_> {
    fn search_blob(&mut self, raw: &mut BoundedReader<'_>, facts: BlobFacts<'_>) -> Result<(), WalkError> {
        let head = raw.peek(HEAD)?;
        let format = BlobFormat::of(head);
        let texts = (format == Some(BlobFormat::Gzip)).then(|| format::gzip_texts(head)).flatten();
        if let Some(texts) = texts.map(<[u8]>::to_vec) {
            self.text("(header of gzip)", &texts);
        }
        let Some(compression) = format.filter(|it| it.is_compression()) else {
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
            Some(BlobFormat::Tar) => tar::walk(self, input, None, LEVELS)?,
            Some(BlobFormat::Ar) => ar::walk(self, input, name.as_deref(), LEVELS)?,
            Some(BlobFormat::Zip) => {
                let first = self.report.matches.len();
                let mut bytes = SearchedReader::new(&mut *input, self.rules.text_search(name.as_deref()));
                let mut inner = BoundedReader::new(Box::new(&mut bytes), u64::MAX, PIECE);
                let result = zip::walk(self, &mut inner, name.as_deref(), LEVELS - 1);
                drop(inner);
                bytes.search_rest()?;
                let found = bytes.search.finish();
                self.add_matches_beside(first, name.as_deref(), found);
                if let Err(failure) = result {
                    self.damaged(input, name.as_deref(), failure)?;
                }
            }
            _ => match &name {
                Some(name) => self.stream(input, None, name, LEVELS)?,
                None => self.rest(input, None)?,
            },
        }
        input.skip(u64::MAX)?;
        Ok(())
    }

    /// Searches a file of `size` bytes in an archive. If the file is an archive itself, its files are searched, to `depth` levels.
    pub(super) fn file(
        &mut self,
        input: &mut BoundedReader<'_>,
        size: u64,
        path: &str,
        depth: u8,
    ) -> Result<(), WalkError> {
        let wanted = usize::try_from(size).unwrap_or(HEAD).min(HEAD);
        if input.peek(wanted)?.len() < wanted {
            return Err(WalkError::Malformed(format!("it ends in the middle of a file of {size} bytes")));
        }
        self.stream(input, Some(size), path, depth)
    }

    /// Searches the next `size` bytes, or all that remain, as the file `path`.
    pub(super) fn stream(
        &mut self,
        input: &mut BoundedReader<'_>,
        size: Option<u64>,
        path: &str,
        depth: u8,
    ) -> Result<(), WalkError> {
        let most = size.map_or(usize::MAX, |size| usize::try_from(size).unwrap_or(usize::MAX));
        let there = |input: &mut BoundedReader<'_>, wanted: usize| {
            let bytes = input.peek(wanted.min(most))?;
            Ok::<_, WalkError>(bytes.get(..bytes.len().min(wanted).min(most)).unwrap_or_default().to_vec())
        };
        let head = there(input, HEAD)?;
        if let Some(format) = BlobFormat::of_file(&head, path) {
            if depth > 0 {
                return self.archive(format, input, size, path, depth - 1);
            }
            let reason = "it is an archive in archives, and was searched as a single file: only three levels are opened";
            self.note_unsearched(Some(path), reason.to_owned());
        } else if let Some(name) = format::unread(&head) {
            let reason = format!("the format {name} is not read; it was searched as a single file");
            self.note_unsearched(Some(path), reason);
        } else if format::may_have_zip_behind(&head, path) && depth > 0 {
            let start = there(input, BEFORE_ZIP)?;
            if let Some(at) = format::zip_behind(&start) {
                return self.zip_behind(input, size, path, depth, at);
            }
        } else if head.first() == Some(&0x30) && head.get(1).is_some_and(|it| *it > 0x20) {
            let store = there(input, STORE)?;
            self.key_file(path, &store, size.unwrap_or(store.len() as u64));
        }
        self.plain(input, size, path, &head)
    }

    /// Searches a program with a zip archive behind its first `at` bytes.
    fn zip_behind(
        &mut self,
        input: &mut BoundedReader<'_>,
        size: Option<u64>,
        path: &str,
        depth: u8,
        at: usize,
    ) -> Result<(), WalkError> {
        self.plain(input, Some(at as u64), path, &[])?;
        self.archive(BlobFormat::Zip, input, size.map(|it| it - at as u64), path, depth - 1)
    }

    /// Adds a match if a file of `size` bytes that begins with `head` is a private key or a key store without a password.
    fn key_file(&mut self, path: &str, head: &[u8], size: u64) {
        let is_key = keys::is_der_key(head, size);
        let is_open = || keys::is_plain_store(head) || key_store::has_empty_password(head);
        if is_key || is_open() {
            let found =
                self.rules.search_key(if is_key { "der-private-key" } else { "plain-key-store" }, path, head);
            self.add_matches(Some(path), found.into_iter().collect());
        }
    }

    /// Searches the next `size` bytes, or all that remain, as one file that is no archive.
    fn plain(
        &mut self,
        input: &mut BoundedReader<'_>,
        size: Option<u64>,
        path: &str,
        head: &[u8],
    ) -> Result<(), WalkError> {
        let mut search = FileSearch::new(self.rules, Some(path), head);
        let mut left = size.unwrap_or(u64::MAX);
        while left > 0 {
            let there = input.fill_buf()?;
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(there.len());
            if count == 0 {
                break;
            }
            search.push(there.get(..count).unwrap_or_default());
            input.consume(count);
            left -= count as u64;
        }
        self.add_search(Some(path), search);
        match size {
            Some(size) if left > 0 => {
                Err(WalkError::Malformed(format!("it ends in the middle of a file of {size} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Searches the files of an archive of `size` bytes, or to the end of `input`, that is in an archive. Its defects are noted, and
    /// stop nothing.
    fn archive(
        &mut self,
        format: BlobFormat,
        input: &mut BoundedReader<'_>,
        size: Option<u64>,
        path: &str,
        depth: u8,
    ) -> Result<(), WalkError> {
        let ratio = size.map_or(INNER_CEILING, |size| size.saturating_mul(INNER_RATIO));
        let allowed = ratio.clamp(INNER_FLOOR, INNER_CEILING).min(self.left);
        let first = self.report.matches.len();
        if format == BlobFormat::Gzip {
            let texts = format::gzip_texts(input.peek(HEAD)?).map(<[u8]>::to_vec);
            self.text(path, &texts.unwrap_or_default());
        }
        let taken = Read::take(&mut *input, size.unwrap_or(u64::MAX));
        let mut bytes = SearchedReader::new(taken, self.rules.text_search(Some(path)));
        let mut inner = BoundedReader::new(format.decoder(&mut bytes)?, allowed, INNER_PIECE);
        let result = match format {
            BlobFormat::Zip => zip::walk(self, &mut inner, Some(path), depth),
            BlobFormat::Tar => tar::walk(self, &mut inner, Some(path), depth),
            BlobFormat::Ar => ar::walk(self, &mut inner, Some(path), depth),
            BlobFormat::GitPack => git::walk(self, &mut inner, path),
            _ => self.decompressed(&mut inner, path, depth),
        };
        self.left = self.left.saturating_sub(inner.passed());
        let (too_large, cause) = (inner.too_large, inner.failure.take());
        drop(inner);
        // The bytes that the archive does not account for may be anything.
        let ended =
            bytes.reader.limit() == 0 || size.is_none() && bytes.fill_buf().is_ok_and(<[u8]>::is_empty);
        let whole = result.is_ok() && !too_large && ended && format != BlobFormat::Zip;
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
            let reason = format!("it expands to more than {}; the rest was not searched", amount(allowed));
            self.note_unsearched(Some(path), reason);
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
        match size {
            Some(size) if seen < size => {
                Err(WalkError::Malformed(format!("it ends in the middle of a file of {size} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn decompressed(
        &mut self,
        inner: &mut BoundedReader<'_>,
        path: &str,
        depth: u8,
    ) -> Result<(), WalkError> {
        let head = inner.peek(HEAD)?.to_vec();
        match BlobFormat::of(&head) {
            Some(BlobFormat::Tar) => return tar::walk(self, inner, Some(path), depth),
            Some(_) => return self.stream(inner, None, path, depth),
            None => {}
        }
        // A single compressed file goes by its name without the ending.
        let plain =
            [".gz", ".zst", ".xz", ".bz2"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
        let mut search = FileSearch::new(self.rules, Some(plain), &head);
        let found = self.drain(inner, &mut search);
        self.add_search(Some(path), search);
        found
    }

    /// Searches all remaining bytes, as one file.
    pub(super) fn rest(
        &mut self,
        input: &mut BoundedReader<'_>,
        path: Option<&str>,
    ) -> Result<(), WalkError> {
        let head = input.peek(HEAD)?.to_vec();
        let mut search = FileSearch::new(self.rules, path, &head);
        let drained = self.drain(input, &mut search);
        self.add_search(path, search);
        drained
    }

    #[allow(clippy::unused_self)] // a step of the two above
    fn drain(&self, input: &mut impl BufRead, search: &mut FileSearch<'_>) -> Result<(), WalkError> {
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

/// Returns a size for people: `64 MiB`, `12 bytes`.
pub(super) fn amount(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}
