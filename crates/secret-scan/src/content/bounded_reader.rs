//! A stream that can be peeked into and stops at a limit.

use std::io::{self, BufRead, Read};

/// How much is read at once, in bytes.
pub(super) const PIECE: usize = 128 * 1024;

/// A buffered stream. It keeps the error if reading fails, because decompressors and archives above it report only that they
/// failed.
pub(super) struct BoundedReader<'a> {
    reader: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    over: bool,
    left: u64,
    passed: u64,
    /// The error, after reading failed.
    pub(super) failure: Option<io::Error>,
    /// Whether reading stopped because the stream is larger than allowed.
    pub(super) too_large: bool,
}

impl<'a> BoundedReader<'a> {
    /// Wraps `reader`, of which at most `limit` bytes are read.
    pub(super) fn new(reader: Box<dyn Read + 'a>, limit: u64, piece: usize) -> Self {
        let buffer = vec![0; piece];
        Self {
            reader,
            buffer,
            start: 0,
            end: 0,
            over: false,
            left: limit,
            passed: 0,
            failure: None,
            too_large: false,
        }
    }

    /// Returns the next bytes, at least `wanted` of them unless the stream ends first. `wanted` must be less than a piece.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted && !self.over {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            self.more()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Reads more bytes to the end of the buffer.
    fn more(&mut self) -> io::Result<()> {
        if self.failure.is_some() || self.too_large {
            return Err(io::Error::other("it failed before"));
        }
        let Some(free) = self.buffer.get_mut(self.end..).filter(|free| !free.is_empty()) else {
            return Err(io::Error::other("a piece is larger than its buffer"));
        };
        let count = loop {
            match self.reader.read(free) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    return Err(io::Error::other("it cannot be read"));
                }
            }
        };
        self.over = count == 0;
        self.end += count;
        self.passed = self.passed.saturating_add(count as u64);
        let Some(left) = self.left.checked_sub(count as u64) else {
            self.too_large = true;
            return Err(io::Error::other("it is larger than allowed"));
        };
        self.left = left;
        Ok(())
    }

    /// Returns the number of bytes that were read.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Skips `count` bytes and returns how many there were.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let there = self.fill_buf()?.len() as u64;
            if there == 0 {
                break;
            }
            let passed = there.min(left);
            self.consume(usize::try_from(passed).unwrap_or_default());
            left -= passed;
        }
        Ok(count - left)
    }
}

impl Read for BoundedReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(into.len());
        if let (Some(into), Some(there)) = (into.get_mut(..count), there.get(..count)) {
            into.copy_from_slice(there);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for BoundedReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if !self.over {
                self.more()?;
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}
