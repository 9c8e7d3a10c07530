//! The formats of blobs and files, which their first bytes show, and the decoders of the compressed ones.

use std::io::{self, BufRead, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use lzma_rust2::XzReader;
use oci_content::is_tar;

/// The largest window of zstd that memory is reserved for, as a power of two: the limit of the program `zstd` itself.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The format that some bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobFormat {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Zip,
    Tar,
    /// An archive of `ar`: a package of Debian, a static library.
    Ar,
    /// A loose object of git.
    GitObject,
    /// A pack of git.
    GitPack,
}

impl BlobFormat {
    /// Returns the format of a blob or file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b, 8]) {
            return Some(Self::Gzip);
        }
        // A skippable frame may come first (RFC 8878, 3.1.2): `pzstd` writes one.
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        if skippable || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Some(Self::Zstd);
        }
        if head.starts_with(b"\xfd7zXZ\x00") {
            return Some(Self::Xz);
        }
        if matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]) {
            return Some(Self::Bzip2);
        }
        if head.starts_with(b"PK\x03\x04") {
            return Some(Self::Zip);
        }
        if head.starts_with(b"!<arch>\n") {
            return Some(Self::Ar);
        }
        is_tar(head).then_some(Self::Tar)
    }

    /// Returns the format of the file `path`, which begins with `head`.
    pub(super) fn of_file(head: &[u8], path: &str) -> Option<Self> {
        if path.contains(".git/") {
            if head.starts_with(b"PACK\x00\x00\x00") && path.strip_suffix(".pack").is_some() {
                return Some(Self::GitPack);
            }
            let is_zlib = matches!(head, [0x78, second, ..] if (0x7800 | u16::from(*second)) % 31 == 0);
            if is_zlib && path.contains(".git/objects/") {
                return Some(Self::GitObject);
            }
        }
        Self::of(head)
    }

    /// Whether the bytes are one compressed stream.
    pub(super) fn is_compression(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Xz | Self::Bzip2 | Self::GitObject)
    }

    /// Returns a reader of the decompressed bytes of `inner`.
    pub(super) fn decoder<'a>(self, inner: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            // Every reader of layers treats several members as one stream (RFC 1952, 2.2).
            Self::Gzip => Box::new(MultiGzDecoder::new(inner)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(inner)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Xz => Box::new(XzReader::new(inner, true)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(inner)),
            Self::GitObject => Box::new(ZlibDecoder::new(inner)),
            Self::Zip | Self::Tar | Self::Ar | Self::GitPack => Box::new(inner),
        })
    }
}

/// Returns the name of a format of archives that is not read, if `head` begins with one.
pub(super) fn unread(head: &[u8]) -> Option<&'static str> {
    const UNREAD: [(&[u8], &str); 9] = [
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"LZIP", "lzip"),
        (b"\xed\xab\xee\xdb", "RPM"),
        (b"hsqs", "SquashFS"),
        (b"070701", "cpio"),
        (b"MSCF\x00\x00\x00\x00", "Cabinet"),
        (b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff", "LZMA"),
    ];
    UNREAD.iter().find(|(start, _)| head.starts_with(start)).map(|(_, name)| *name)
}

/// Returns the texts in the header of a gzip stream (RFC 1952, 2.3): extra fields, the name and the comment.
pub(super) fn gzip_texts(head: &[u8]) -> Option<&[u8]> {
    const FIXED: usize = 10;
    let flags = *head.get(3)?;
    let rest = head.get(FIXED..)?;
    let mut end = 0;
    if flags & 4 != 0 {
        end += 2 + usize::from(u16::from_le_bytes(*rest.first_chunk::<2>()?));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let text = rest.get(end.min(rest.len())..).unwrap_or_default();
            end += text.iter().position(|it| *it == 0).unwrap_or(text.len());
        }
    }
    rest.get(..end.min(rest.len())).filter(|it| !it.is_empty())
}

/// Returns the offset at which a zip archive begins behind a program, as in an executable jar or a pex.
pub(super) fn zip_behind(head: &[u8]) -> Option<usize> {
    head.windows(8).position(|it| {
        // The version that is needed is at most 6.3, and the high bits of the flags are not used.
        matches!(it, [b'P', b'K', 3, 4, version, 0 | 3, _, flags] if *version <= 63 && *flags <= 8)
    })
}

/// Whether a zip archive may be behind the first bytes of the file `path`.
pub(super) fn may_have_zip_behind(head: &[u8], path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let named = [".jar", ".war", ".ear", ".pex", ".pyz", ".zip", ".whl", ".exe", ".run"];
    head.starts_with(b"#!") || named.iter().any(|end| lower.ends_with(end))
}
