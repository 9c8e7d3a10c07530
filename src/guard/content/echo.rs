//! The bytes of an archive, searched as they are while its files are: for what they do not account for.

use std::io::{self, BufRead, Read};

use super::super::secrets::Search;

/// Reads, and searches the bytes as they pass.
pub(super) struct Echo<'r, R> {
    pub(super) reader: R,
    /// How many bytes passed.
    pub(super) seen: u64,
    pub(super) search: Search<'r>,
}

impl<'r, R: BufRead> Echo<'r, R> {
    pub(super) fn new(reader: R, search: Search<'r>) -> Self {
        Self { reader, seen: 0, search }
    }

    /// Searches all that is left.
    pub(super) fn search_rest(&mut self) -> io::Result<()> {
        loop {
            let there = self.fill_buf()?.len();
            if there == 0 {
                return Ok(());
            }
            self.consume(there);
        }
    }
}

impl<R: BufRead> Read for Echo<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.search.push(into.get(..count).unwrap_or_default());
        self.seen += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Echo<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // What is there is read already.
        if let Ok(there) = self.reader.fill_buf() {
            self.search.push(there.get(..count).unwrap_or_default());
        }
        self.seen += count as u64;
        self.reader.consume(count);
    }
}
