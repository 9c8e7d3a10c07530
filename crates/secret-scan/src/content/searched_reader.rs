//! A reader that searches the raw bytes of an archive while its files are searched, because the files do not account for all bytes.

use std::io::{self, BufRead, Read};

use crate::text_search::TextSearch;

/// Passes bytes on, and searches them as they pass.
pub(super) struct SearchedReader<'r, R> {
    pub(super) reader: R,
    /// The number of bytes that passed.
    pub(super) seen: u64,
    pub(super) search: TextSearch<'r>,
}

impl<'r, R: BufRead> SearchedReader<'r, R> {
    pub(super) fn new(reader: R, search: TextSearch<'r>) -> Self {
        Self { reader, seen: 0, search }
    }

    /// Searches all remaining bytes.
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

impl<R: BufRead> Read for SearchedReader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.search.push(into.get(..count).unwrap_or_default());
        self.seen += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for SearchedReader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        // These bytes are already in the buffer, so nothing is read.
        if let Ok(there) = self.reader.fill_buf() {
            self.search.push(there.get(..count).unwrap_or_default());
        }
        self.seen += count as u64;
        self.reader.consume(count);
    }
}
