//! The objects in a pack of git (gitformat-pack): each is compressed by itself. The objects that are stored as differences hold
//! the bytes that are new, and only those are searched.

use std::io::{BufRead as _, Read as _};

use flate2::bufread::ZlibDecoder;

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::BoundedReader;
use super::file_search::FileSearch;

/// The length of the head of a pack, in bytes: `PACK`, the version and the number of objects.
const HEAD: usize = 12;
/// How many bytes are decompressed at once.
const PIECE: usize = 32 * 1024;
/// The longest head of an object: its size, and the object that it is a difference to.
const OBJECT_HEAD: usize = 64;

/// Searches every object of the pack named `of`.
pub(super) fn walk(
    search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: &str,
) -> Result<(), WalkError> {
    let malformed = |reason: &str| WalkError::Malformed(reason.to_owned());
    let head = input.peek(HEAD)?.get(..HEAD).ok_or_else(|| malformed("it ends in its head"))?;
    let count = head.last_chunk::<4>().map_or(0, |it| u32::from_be_bytes(*it));
    input.consume(HEAD);
    let mut buffer = vec![0; PIECE];
    for _ in 0..count {
        let head = input.peek(OBJECT_HEAD)?;
        let length = object_head(head).ok_or_else(|| malformed("the head of an object is damaged"))?;
        input.consume(length);
        let mut file = FileSearch::new(search.rules, None, &[]);
        let mut decoder = ZlibDecoder::new(&mut *input);
        let mut expanded = 0_u64;
        loop {
            let count = decoder.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            expanded += count as u64;
            if expanded > search.left_to_expand() {
                return Err(malformed("an object in it is too large when expanded"));
            }
            file.push(buffer.get(..count).unwrap_or_default());
        }
        search.expanded(expanded);
        let (found, _) = file.finish();
        let found = found.into_iter().map(|it| crate::matches::Match { line: None, ..it }).collect();
        search.add_matches(Some(of), found);
    }
    Ok(())
}

/// Returns the length of the head of an object.
fn object_head(head: &[u8]) -> Option<usize> {
    const OFFSET_DELTA: u8 = 6;
    const REFERENCE_DELTA: u8 = 7;
    let number = |from: usize| head.iter().skip(from).position(|it| it & 0x80 == 0).map(|at| from + at + 1);
    let kind = head.first()? >> 4 & 7;
    let size = number(0)?;
    match kind {
        1..=4 => Some(size),
        OFFSET_DELTA => number(size),
        REFERENCE_DELTA => Some(size + 20),
        _ => None,
    }
}
