//! The files of a zip archive (jar, whl), searched as they pass, by their local headers (PKWARE's APPNOTE.TXT, 4.3.7), so that files
//! that the directory at the end omits are searched too.

use std::io::{BufRead, Read};

use flate2::bufread::DeflateDecoder;

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::BoundedReader;
use super::zip_directory::{ZipFiles, number};

/// How many bytes are decompressed at once.
const PIECE: usize = 64 * 1024;

/// Searches every file of the archive named `of`. Archives in it are opened to `depth` levels.
pub(super) fn walk(
    blob_search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
    depth: u8,
) -> Result<(), WalkError> {
    let (mut any, mut files) = (false, ZipFiles::default());
    loop {
        let next: Option<[u8; 4]> = input.peek(4)?.get(..4).and_then(|it| it.try_into().ok());
        match next.as_ref() {
            Some(b"PK\x03\x04") => entry(blob_search, input, of, depth, &mut files)?,
            // Tools that align or sign files leave gaps between them, which only the directory at the end skips.
            Some(gap) if any && !gap.starts_with(b"PK") && skip_gap(input)? => {}
            // The directory, or the record that precedes it if there is more than 4 GiB.
            Some(b"PK\x01\x02") => {
                if let Some(name) = files.read_directory(input)? {
                    let path = of.map_or_else(|| name.clone(), |archive| format!("{archive}!/{name}"));
                    let reason = "the directory of the archive describes it otherwise than the header by which it was searched";
                    blob_search.note_unsearched(Some(&path), reason.to_owned());
                }
                return Ok(());
            }
            Some(b"PK\x05\x06" | b"PK\x06\x06" | b"PK\x06\x08") => return Ok(()),
            _ => return Err(malformed("the header of a file is missing")),
        }
        any = true;
    }
}

/// Skips bytes up to the next header of a file or of the directory. Returns whether there is one.
fn skip_gap(input: &mut BoundedReader<'_>) -> Result<bool, WalkError> {
    const LONGEST: usize = 16 * 1024 * 1024;
    let headers: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x01\x02"];
    let mut skipped = 0;
    while skipped < LONGEST {
        let there = input.peek(PIECE / 2)?;
        if there.len() < 4 {
            return Ok(false);
        }
        let found = there.windows(4).position(|it| headers.contains(&it));
        let count = found.unwrap_or(there.len() - 3);
        input.consume(count);
        skipped += count;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn malformed(reason: &str) -> WalkError {
    WalkError::Malformed(reason.to_owned())
}

/// A local header.
struct ZipHeader {
    flags: u64,
    method: u64,
    /// The size of the stored data. `None` if it follows the data.
    stored: Option<u64>,
    /// Whether sizes take 8 bytes.
    wide: bool,
    name: String,
}

fn header(input: &mut BoundedReader<'_>) -> Result<ZipHeader, WalkError> {
    const FIXED: usize = 30;
    let cut_off = || malformed("it ends in the middle of a header");
    let fixed = input.peek(FIXED)?.get(..FIXED).ok_or_else(cut_off)?;
    let field = |at, length| number(fixed, at, length);
    let (flags, method, stored) = (field(6, 2), field(8, 2), field(18, 4));
    let [of_name, of_extra] =
        [field(26, 2), field(28, 2)].map(|length| usize::try_from(length).unwrap_or_default());
    input.consume(FIXED);
    let mut rest = vec![0; of_name + of_extra];
    input.read_exact(&mut rest).map_err(|_| cut_off())?;
    let (name, extra) = rest.split_at_checked(of_name).ok_or_else(cut_off)?;
    let sizes = zip64(extra);
    let wide = sizes.is_some();
    let stored = sizes.filter(|_| stored == 0xffff_ffff).unwrap_or(stored);
    let said_behind = flags & 8 != 0 && stored == 0;
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(ZipHeader { flags, method, stored: (!said_behind).then_some(stored), wide, name })
}

/// Returns the size of the stored data from the extra field for large files (APPNOTE.TXT, 4.5.3).
fn zip64(mut extra: &[u8]) -> Option<u64> {
    while extra.len() >= 4 {
        let (id, length) = (number(extra, 0, 2), usize::try_from(number(extra, 2, 2)).ok()?);
        let field = extra.get(4..4 + length)?;
        if id == 1 {
            return Some(if length >= 16 { number(field, 8, 8) } else { 0 });
        }
        extra = extra.get(4 + length..)?;
    }
    None
}

fn entry(
    blob_search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
    depth: u8,
    files: &mut ZipFiles,
) -> Result<(), WalkError> {
    const ENCRYPTED: u64 = 1;
    let header = header(input)?;
    let path = match of {
        Some(archive) => format!("{archive}!/{}", header.name),
        None => header.name.clone(),
    };
    files.add(&header.name, header.method, header.stored);
    blob_search.name(&path);
    let readable = header.flags & ENCRYPTED == 0 && matches!(header.method, 0 | 8);
    match (header.stored, header.method) {
        (Some(stored), _) if !readable => {
            let why = if header.flags & ENCRYPTED == 0 {
                format!("it is compressed with method {}", header.method)
            } else {
                "it is encrypted".to_owned()
            };
            blob_search.note_unsearched(Some(&path), format!("it was not searched: {why}"));
            if input.skip(stored)? < stored {
                return Err(malformed("it ends in the middle of a file"));
            }
        }
        (Some(0), _) => {}
        (Some(stored), 0) => blob_search.file(input, stored, &path, depth)?,
        (Some(stored), _) => {
            let mut taken = Read::take(&mut *input, stored);
            inflate(blob_search, &mut taken, &path, depth)?;
            let left = taken.limit();
            input.skip(left)?;
        }
        (None, 8) if readable => inflate(blob_search, input, &path, depth)?,
        (None, 0) if readable => {
            let contents = until_descriptor(input)?;
            let size = contents.len() as u64;
            let mut inner = BoundedReader::new(Box::new(contents.as_slice()), u64::MAX, PIECE);
            blob_search.file(&mut inner, size, &path, depth)?;
        }
        (None, _) => return Err(malformed("a file in it does not state its size")),
    }
    if header.stored.is_none() {
        descriptor(input, header.wide)?;
    }
    Ok(())
}

/// Reads a stored file whose size follows it: up to the data descriptor that states the size that was read.
fn until_descriptor(input: &mut BoundedReader<'_>) -> Result<Vec<u8>, WalkError> {
    const SIGNATURE: &[u8] = b"PK\x07\x08";
    const DESCRIPTOR: usize = 24;
    const MOST: usize = 64 * 1024 * 1024;
    let mut contents = Vec::new();
    loop {
        let there = input.peek(DESCRIPTOR)?;
        if there.is_empty() || contents.len() > MOST {
            return Err(malformed("a file in it does not state its size"));
        }
        let begins = there.windows(SIGNATURE.len()).position(|it| it == SIGNATURE);
        let whole = there.len().saturating_sub(SIGNATURE.len() - 1).max(1);
        let taken = match begins {
            Some(0) => {
                let size = contents.len() as u64;
                if there.len() >= 16 && (number(there, 8, 4) == size || number(there, 8, 8) == size) {
                    return Ok(contents);
                }
                1
            }
            Some(at) => at,
            None => whole,
        };
        contents.extend_from_slice(there.get(..taken).unwrap_or_default());
        input.consume(taken);
    }
}

/// Searches the contents of a compressed file, which may be an archive itself.
fn inflate(
    blob_search: &mut BlobSearch<'_>,
    stored: &mut impl BufRead,
    path: &str,
    depth: u8,
) -> Result<(), WalkError> {
    let allowed = blob_search.left_to_expand();
    let mut inner = BoundedReader::new(Box::new(DeflateDecoder::new(stored)), allowed, PIECE);
    let result = blob_search.stream(&mut inner, None, path, depth);
    // The archive goes on behind the end of the compressed data.
    let rest = inner.skip(u64::MAX);
    blob_search.expanded(inner.passed());
    if inner.too_large {
        let reason = "it is too large when expanded; the rest was not searched".to_owned();
        blob_search.note_unsearched(Some(path), reason);
        return Err(malformed("a file in it is too large when expanded"));
    }
    match inner.failure.take() {
        Some(error) => Err(WalkError::Io(error)),
        None => result.and(rest.map(|_| ()).map_err(WalkError::Io)),
    }
}

/// Skips the data descriptor, which repeats the sizes after a file, with or without its signature (APPNOTE.TXT, 4.3.9).
fn descriptor(input: &mut BoundedReader<'_>, wide: bool) -> Result<(), WalkError> {
    let signed = input.peek(4)?.get(..4) == Some(b"PK\x07\x08".as_slice());
    let length = 4 + if wide { 16 } else { 8 } + if signed { 4 } else { 0 };
    input.skip(length)?;
    Ok(())
}
