//! Compressed streams: recognized by their first bytes, decompressed within a limit.

use std::io::{self, BufReader, Read};

use super::SourceError;
use super::positioned::PositionedFile;

/// The compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Not supported: no media type of layers allows it.
    Bzip2,
    /// Not supported: no media type of layers allows it.
    Xz,
}

/// The largest zstd window that is accepted, as a power of two: the default limit of the program `zstd`.
const ZSTD_WINDOW_LOG: u32 = 27;

impl Compression {
    /// The compression of the `length` bytes from `offset`; `None` if they are not compressed.
    pub(super) fn of(file: &PositionedFile, offset: u64, length: u64) -> Result<Option<Self>, SourceError> {
        const KNOWN: [(&[u8], Compression); 4] = [
            (&[0x1f, 0x8b], Compression::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
            (b"BZh", Compression::Bzip2),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
        ];
        let mut start = [0; 6];
        let wanted = start.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let filled = file
            .fill_at(start.get_mut(..wanted).unwrap_or_default(), offset)
            .map_err(|error| SourceError::io(format!("`{}`", file.path().display()), error))?;
        let start = start.get(..filled).unwrap_or_default();
        Ok(KNOWN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, compression)| *compression))
    }

    /// Its name, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// The program that decompresses it.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gunzip",
            Self::Zstd => "unzstd",
            Self::Bzip2 => "bunzip2",
            Self::Xz => "unxz",
        }
    }

    /// A reader of the decompressed bytes of `inner`, with all members and frames; `None` if the compression is not supported.
    pub(super) fn decoder<'a>(self, inner: impl Read + 'a) -> io::Result<Option<Box<dyn Read + 'a>>> {
        Ok(match self {
            // Every reader of layers treats several members as one stream (RFC 1952, 2.2).
            Self::Gzip => Some(Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(inner)))),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(inner)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Some(Box::new(decoder))
            }
            Self::Bzip2 | Self::Xz => None,
        })
    }
}

/// The limits on the expansion of a compressed stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expansion {
    /// The size that every stream may expand to, in bytes.
    pub(super) floor: u64,
    /// The multiple of its own size that a stream may expand to, above the floor.
    pub(super) ratio: u64,
    /// The size that no stream may exceed, in bytes.
    pub(super) ceiling: u64,
}

impl Expansion {
    /// The most bytes that a stream of `length` bytes may expand to.
    pub(super) fn limit(self, length: u64) -> u64 {
        length.saturating_mul(self.ratio).max(self.floor).min(self.ceiling)
    }
}
