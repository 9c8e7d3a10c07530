//! The directory at the end of a zip archive, compared with the headers before its files (PKWARE's APPNOTE.TXT, 4.3.12). The files are
//! searched by those headers; other programs read the directory. An archive in which the two differ can hide a file.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};

use super::blob_search::WalkError;
use super::bounded_reader::BoundedReader;

/// The files that were searched, by the facts that a directory repeats.
#[derive(Debug, Default)]
pub(super) struct ZipFiles {
    /// A hash of each name and method, with the size if the header states it.
    seen: HashSet<u64>,
}

impl ZipFiles {
    /// Adds a file that was searched by its header. `stored` is the size of the stored data, if the header states it.
    pub(super) fn add(&mut self, name: &str, method: u64, stored: Option<u64>) {
        self.seen.insert(key(name, method, stored));
    }

    /// Reads a directory to its end. Returns the name of the first file that it describes otherwise than any header.
    pub(super) fn read_directory(&self, input: &mut BoundedReader<'_>) -> Result<Option<String>, WalkError> {
        const FIXED: usize = 46;
        const LARGE: u64 = 0xffff_ffff;
        let mut other = None;
        loop {
            let there = input.peek(FIXED)?;
            let Some(fixed) = there.get(..FIXED).filter(|it| it.starts_with(b"PK\x01\x02")) else {
                return Ok(other);
            };
            let (method, stored) = (number(fixed, 10, 2), number(fixed, 20, 4));
            let [of_name, of_extra, of_comment] = [28, 30, 32].map(|at| number(fixed, at, 2));
            input.consume(FIXED);
            let mut name = vec![0; usize::try_from(of_name).unwrap_or_default()];
            if input.read_exact(&mut name).is_err() {
                return Ok(other);
            }
            input.skip(of_extra + of_comment)?;
            let name = String::from_utf8_lossy(&name).into_owned();
            let known = |stored| self.seen.contains(&key(&name, method, stored));
            if other.is_none() && stored != LARGE && !known(Some(stored)) && !known(None) {
                other = Some(name);
            }
        }
    }
}

fn key(name: &str, method: u64, stored: Option<u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, method, stored).hash(&mut hasher);
    hasher.finish()
}

/// Returns the number in `length` bytes at `at`, the least significant first.
pub(super) fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let digits = bytes.get(at..at + length).unwrap_or_default();
    digits.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
