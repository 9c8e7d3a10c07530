//! A blob, whatever it is: a compressed or plain archive of files, or one file. Known by its bytes, not by its media type,
//! which anybody may write. One pass, nothing unpacked to disk.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::super::secrets::{Match, Rules, Search};
use super::echo::Echo;
use super::input::{Input, PIECE};
use super::{ContentError, Hit, Searched, hidden_path, tar, zip};
use crate::model::Severity;
use crate::model::tar_header::{BLOCK, Block, parse};

/// The largest window of zstd that memory is kept for, as a power of two: what the program `zstd` takes by itself.
const ZSTD_WINDOW_LOG: u32 = 27;
/// What a blob may expand to, in bytes. It is searched as it passes, in the same memory, and can be stopped: a bound of time.
const BLOB_CEILING: u64 = 1024 * 1024 * 1024 * 1024;
/// What an archive in it may expand to whatever its size, in bytes, how many times its size above that, and never more.
const INNER_FLOOR: u64 = 64 * 1024 * 1024;
const INNER_RATIO: u64 = 100;
const INNER_CEILING: u64 = 1024 * 1024 * 1024;
/// What all archives in a blob may expand to together, in bytes.
const INNER_TOTAL: u64 = 8 * 1024 * 1024 * 1024;
/// How much is read at once of an archive in a blob, in bytes.
const INNER_PIECE: usize = 64 * 1024;
/// How many findings of a blob are told.
const MAX_HITS: usize = 1_000;
/// How many files of a blob are named that could not be searched.
const MAX_UNSEARCHED: usize = 50;
/// How many names of files are searched at once, and how many bytes of them.
const NAMES_AT_ONCE: usize = 1_024;
const NAME_BYTES_AT_ONCE: usize = 256 * 1024;

/// What is known of a blob.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What it is called where it is one file: the title of a layer of an artifact.
    pub name: Option<&'a str>,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it should be an archive: a layer of an image.
    pub is_layer: bool,
}

/// Searches a blob. `progress` hears how many bytes of it were read, and says whether to go on.
///
/// # Errors
///
/// [`ContentError`] where it cannot be read to its end, or is an archive that is damaged. What in it cannot be searched, or is
/// too large, is told in [`Searched::unsearched`].
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

/// Why a search goes no further.
pub(super) enum Failure {
    /// Reading failed; what is read from knows more.
    Io(io::Error),
    /// An archive is damaged.
    Malformed(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Somebody wants to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

/// Counts what is read.
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

/// What bytes begin as.
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
        // A frame that is skipped may stand first (RFC 8878, 3.1.2): `pzstd` writes one.
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        if skippable || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Some(Self::Zstd);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Zip);
        }
        is_tar(head).then_some(Self::Tar)
    }

    /// What the bytes of `inner` say.
    fn decoder<'a>(self, inner: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            // Several members are one stream to every reader of layers (RFC 1952, 2.2).
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

/// Whether an archive begins here, an empty one included.
fn is_tar(head: &[u8]) -> bool {
    let block: Option<&Block> = head.get(..BLOCK).and_then(|block| block.try_into().ok());
    block.is_some_and(|block| block.iter().all(|byte| *byte == 0) || parse(block).is_ok())
}

/// Searches what it is led through, and collects what is found.
pub(super) struct Finder<'r> {
    pub(super) rules: &'r Rules,
    searched: Searched,
    /// Files with their names, or other texts about them, that are to be searched; and the bytes of these in all.
    names: (Vec<(String, Option<String>)>, usize),
    /// What archives in the blob may still expand to.
    left: u64,
    /// How many findings, and files that could not be searched, there is no room for.
    omitted: (usize, usize),
}

impl<'r> Finder<'r> {
    fn new(rules: &'r Rules) -> Self {
        let searched = Searched { complete: true, ..Searched::default() };
        Self { rules, searched, names: (Vec::new(), 0), left: INNER_TOTAL, omitted: (0, 0) }
    }

    fn blob(&mut self, raw: &mut Input<'_>, about: About<'_>) -> Result<(), Failure> {
        let kind = Kind::of(raw.peek(BLOCK)?);
        let Some(compression) = kind.filter(|kind| matches!(kind, Kind::Gzip | Kind::Zstd)) else {
            return self.content(raw, about);
        };
        let mut input = Input::new(compression.decoder(&mut *raw)?, BLOB_CEILING, PIECE);
        let result = self.content(&mut input, about);
        if input.too_large {
            let gib = BLOB_CEILING / 1024 / 1024 / 1024;
            self.searched.complete = false;
            let reason = format!("it expands to more than {gib} GiB, and was searched no further");
            self.searched.unreadable = Some(reason);
            return Ok(());
        }
        match input.failure.take() {
            Some(error) => Err(Failure::Io(error)),
            None => result,
        }
    }

    /// Searches what a blob says, to its end.
    fn content(&mut self, input: &mut Input<'_>, about: About<'_>) -> Result<(), Failure> {
        let head = input.peek(BLOCK)?;
        let (kind, is_empty) = (Kind::of(head), head.is_empty());
        let name = about.name.map(|name| name.trim_start_matches("./").to_owned());
        if let Some(name) = &name {
            self.name(name);
        }
        if about.is_layer && !is_empty && kind != Some(Kind::Tar) {
            let reason = "it is no tar archive, and was searched as one file".to_owned();
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

    /// Searches a file of `size` bytes of an archive. Where it is an archive itself, and is to be opened, its files.
    pub(super) fn file(
        &mut self,
        input: &mut Input<'_>,
        size: u64,
        path: &str,
        open: bool,
    ) -> Result<(), Failure> {
        let cut_off = || Failure::Malformed(format!("it ends in the middle of a file of {size} bytes"));
        let wanted = usize::try_from(size).unwrap_or(BLOCK).min(BLOCK);
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

    /// Searches the files of an archive of `size` bytes in an archive. What is wrong with it is told, and stops nothing.
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
        // What the archive does not account for may be anything.
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
            self.note(Some(path), format!("it expands to more than {mib} MiB, and was searched no further"));
        } else if let Err(failure) = result {
            let reason = match (cause, failure) {
                (Some(error), _) | (None, Failure::Io(error)) => error.to_string(),
                (None, Failure::Malformed(reason)) => reason,
            };
            self.note(Some(path), format!("it was searched as a file, and its files no further: {reason}"));
        }
        if seen < size {
            return Err(Failure::Malformed(format!("it ends in the middle of a file of {size} bytes")));
        }
        Ok(())
    }

    fn decompressed(&mut self, inner: &mut Input<'_>, path: &str) -> Result<(), Failure> {
        if is_tar(inner.peek(BLOCK)?) {
            return tar::walk(self, inner, Some(path), false);
        }
        // A single file that is compressed is known by the name without the ending.
        let plain = path.strip_suffix(".gz").or_else(|| path.strip_suffix(".zst")).unwrap_or(path);
        let mut search = self.rules.text(Some(plain));
        let found = self.drain(inner, &mut search);
        self.found(Some(path), search.finish());
        found
    }

    /// Searches all that is left, as a file.
    pub(super) fn rest(&mut self, input: &mut Input<'_>, path: Option<&str>) -> Result<(), Failure> {
        let mut search = self.rules.text(path);
        let drained = self.drain(input, &mut search);
        self.found(path, search.finish());
        drained
    }

    #[allow(clippy::unused_self)] // a step of the two before
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

    /// Tells of an archive that is the blob itself, and is damaged.
    fn damaged(&mut self, input: &Input<'_>, path: Option<&str>, failure: Failure) -> Result<(), Failure> {
        if input.failure.is_some() || input.too_large {
            return Err(failure);
        }
        let reason = match failure {
            Failure::Io(error) => error.to_string(),
            Failure::Malformed(reason) => reason,
        };
        self.note(path, format!("it was searched no further: {reason}"));
        Ok(())
    }

    /// Notes what was found in a file.
    pub(super) fn found(&mut self, path: Option<&str>, found: Vec<Match>) {
        let mut shown = None;
        let mut first = self.searched.hits.len();
        for found in found {
            let of_file = self.searched.hits.get(first..).unwrap_or_default();
            let same = |it: &Hit| it.found.rule == found.rule && it.found.fingerprint == found.fingerprint;
            if of_file.iter().any(same) {
                continue;
            }
            if self.searched.hits.len() >= MAX_HITS && !self.has_room(found.severity, &mut first) {
                continue;
            }
            let path = path.map(|path| shown.get_or_insert_with(|| hidden_path(self.rules, path)).clone());
            self.searched.hits.push(Hit { path, found });
        }
    }

    /// Makes room for a finding of `severity` where there is one that is less bad; of these the last goes. `first`: where the
    /// findings of the file begin.
    fn has_room(&mut self, severity: Severity, first: &mut usize) -> bool {
        let hits = &mut self.searched.hits;
        let least = hits.iter().map(|hit| hit.found.severity).min();
        self.omitted.0 += 1;
        if least.is_none_or(|least| least >= severity) {
            self.searched.high_left_out += usize::from(severity == Severity::High);
            return false;
        }
        if let Some(last) = hits.iter().rposition(|hit| Some(hit.found.severity) == least) {
            hits.remove(last);
            *first -= usize::from(last < *first);
        }
        true
    }

    /// Notes what was found in the bytes of an archive, but for what was found in its files, whose findings begin at `first`.
    fn found_beside(&mut self, first: usize, path: Option<&str>, found: Vec<Match>) {
        // Where room was made, they begin before: then something may be told twice.
        let known = self.searched.hits.get(first..).unwrap_or_default();
        let new = |found: &Match| !known.iter().any(|hit| hit.found.fingerprint == found.fingerprint);
        let found = found.into_iter().filter(new).collect();
        self.found(path, found);
    }

    /// Searches the name of a file.
    pub(super) fn name(&mut self, path: &str) {
        if let Some(mut found) = self.rules.path(path) {
            found.redacted = hidden_path(self.rules, &found.redacted);
            self.found(Some(path), vec![found]);
        }
        self.text_of(path, None);
    }

    /// Searches a short text about a file: an attribute, where it leads to.
    pub(super) fn text(&mut self, path: &str, text: &[u8]) {
        if !text.is_empty() {
            self.text_of(path, Some(String::from_utf8_lossy(text).into_owned()));
        }
    }

    fn text_of(&mut self, path: &str, text: Option<String>) {
        self.names.1 += path.len() + text.as_ref().map_or(0, String::len);
        self.names.0.push((path.to_owned(), text));
        if self.names.0.len() >= NAMES_AT_ONCE || self.names.1 >= NAME_BYTES_AT_ONCE {
            self.search_names();
        }
    }

    /// Searches names that were noted, all at once: a name is short, and a search has its costs.
    fn search_names(&mut self) {
        let (names, _) = std::mem::take(&mut self.names);
        let mut search = self.rules.text(None);
        for (name, text) in &names {
            search.push(text.as_ref().unwrap_or(name).replace('\n', " ").as_bytes());
            search.push(b"\n");
        }
        for mut found in search.finish() {
            let line = found.line.take().and_then(|line| usize::try_from(line).ok());
            let name = line.and_then(|line| names.get(line.checked_sub(1)?));
            self.found(name.map(|(name, _)| name.as_str()), vec![found]);
        }
    }

    /// Notes that a layer deletes something; folders end with a `/`.
    pub(super) fn deletes(&mut self, path: String) {
        const MOST: usize = 10_000;
        if self.searched.deleted.len() < MOST {
            // As findings name it.
            self.searched.deleted.push(hidden_path(self.rules, &path));
        }
    }

    /// What a file that is compressed in an archive may expand to, in bytes.
    pub(super) fn left_to_expand(&self) -> u64 {
        self.left.min(INNER_CEILING)
    }

    /// Notes what a file expanded to.
    pub(super) fn expanded(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Notes what could not be searched.
    pub(super) fn note(&mut self, path: Option<&str>, reason: String) {
        if self.searched.unsearched.len() < MAX_UNSEARCHED {
            let path = path.map(|path| hidden_path(self.rules, path));
            self.searched.unsearched.push((path, reason));
        } else {
            self.omitted.1 += 1;
        }
    }

    fn finish(mut self) -> Searched {
        let (hits, files) = self.omitted;
        if hits > 0 {
            self.searched
                .unsearched
                .push((None, format!("it has {hits} more findings, which are not listed")));
        }
        if files > 0 {
            let reason = format!("{files} more files of it were not searched to their end");
            self.searched.unsearched.push((None, reason));
        }
        self.searched
    }
}
