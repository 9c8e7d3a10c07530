//! One header block of a tar file, and the records of an extended header: pure functions of bytes.
//!
//! Formats: POSIX.1-2017 `pax`, "ustar Interchange Format" and "pax Interchange Format"; GNU tar's manual,
//! "Basic Tar Format" (long names, base-256 numbers). The readers of archives decide what follows from a header.

/// The size of a header, and the unit that contents are padded to.
pub const BLOCK: usize = 512;

/// A block of a tar file.
pub type TarBlock = [u8; BLOCK];

/// The kind of an entry, in the detail that matters if nothing is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, with contents.
    File,
    /// Another name of a file, without contents. Its target is a name in the archive.
    HardLink,
    /// A name that points to another. Its target is relative to its own folder.
    SymbolicLink,
    /// A file with holes that are left out of the contents.
    Sparse,
    /// A directory: no contents.
    Directory,
    /// A device or pipe: no contents.
    Device,
    /// GNU: the contents are the name of the next entry.
    LongName,
    /// GNU: the contents are the link target of the next entry.
    LongLink,
    /// pax: the contents are records about the next entry.
    Extended,
    /// pax: the contents are records about all entries that follow.
    Global,
}

/// The fields of a header.
#[derive(Debug, PartialEq, Eq)]
pub struct TarHeader {
    /// The name of the entry.
    pub name: Vec<u8>,
    /// The target of a link, cut to the length that fits into the header.
    pub link: Vec<u8>,
    /// The number of bytes of contents that follow.
    pub size: u64,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// Whether blocks that continue the list of extents come before the contents ([`EntryKind::Sparse`]).
    pub extended: bool,
}

/// Reads a header block.
pub fn parse(block: &TarBlock) -> Result<TarHeader, String> {
    if !checksum_matches(block) {
        return Err("the checksum of its header is wrong".to_owned());
    }
    let kind = match field(block, 156, 1).first() {
        Some(b'1') => EntryKind::HardLink,
        Some(b'2') => EntryKind::SymbolicLink,
        Some(b'5') => EntryKind::Directory,
        Some(b'3' | b'4' | b'6') => EntryKind::Device,
        Some(b'L') => EntryKind::LongName,
        Some(b'K') => EntryKind::LongLink,
        Some(b'x') => EntryKind::Extended,
        Some(b'g') => EntryKind::Global,
        Some(b'S') => EntryKind::Sparse,
        _ => EntryKind::File, // an unknown type is read as a file (POSIX, "typeflag")
    };
    let mut name = until_nul(field(block, 0, 100)).to_vec();
    // GNU's magic is `ustar  \0`, and its bytes from 345 are not a prefix.
    let prefix = if field(block, 257, 6) == b"ustar\0" { until_nul(field(block, 345, 155)) } else { b"" };
    if !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    // Before POSIX, which gave files a type, a directory was a file whose name ends in a slash. The name of a file may also end
    // in a slash if it is cut because it is too long for the header; then a record before the header has the whole name.
    let kind =
        if field(block, 156, 1) == [0] && name.last() == Some(&b'/') { EntryKind::Directory } else { kind };
    let size = match kind {
        EntryKind::HardLink | EntryKind::SymbolicLink | EntryKind::Directory | EntryKind::Device => 0, // the field may contain anything
        _ => number(field(block, 124, 12))?,
    };
    let extended = kind == EntryKind::Sparse && field(block, 482, 1) != [0];
    Ok(TarHeader { name, link: until_nul(field(block, 157, 100)).to_vec(), size, kind, extended })
}

/// Whether one more block of the list of extents follows this one (GNU, "Basic Tar Format", `struct sparse_header`).
pub fn list_goes_on(block: &TarBlock) -> bool {
    field(block, 504, 1) != [0]
}

/// Whether the checksum is the sum of all bytes, with those of the checksum itself counted as spaces. Some old tars summed signed
/// bytes.
fn checksum_matches(block: &TarBlock) -> bool {
    let Ok(declared) = number(field(block, 148, 8)) else { return false };
    let (mut unsigned, mut signed) = (0_u64, 0_i64);
    for (position, byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&position) { b' ' } else { *byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    declared == unsigned || i64::try_from(declared) == Ok(signed)
}

/// Reads a number field: octal digits, or base 256 if the first bit is set.
pub fn number(field: &[u8]) -> Result<u64, String> {
    if let Some((first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) {
        if first & 0x40 != 0 {
            return Err("a number in its header is negative".to_owned());
        }
        return rest.iter().try_fold(u64::from(first & 0x3f), |value, byte| {
            let value = value.checked_mul(256).ok_or("a number in its header is too large")?;
            Ok(value | u64::from(*byte))
        });
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    digits.iter().try_fold(0_u64, |value, byte| match byte {
        // Twelve octal digits cannot overflow.
        b'0'..=b'7' => Ok(value.saturating_mul(8).saturating_add(u64::from(byte - b'0'))),
        _ => Err("a number in its header is not octal".to_owned()),
    })
}

/// The pax records of an entry. `Some(None)` is an empty value, which cancels an earlier one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[allow(clippy::option_option)] // missing, canceled and set are three different things
pub struct PaxRecords {
    /// The name of the entry.
    pub path: Option<Option<Vec<u8>>>,
    /// The target of a link.
    pub link: Option<Option<Vec<u8>>>,
    /// The number of bytes of contents that follow.
    pub size: Option<Option<u64>>,
    /// Whether it is a file with holes.
    pub sparse: bool,
    /// The real name of a sparse file, whose entry has a name that is not used (GNU tar's manual, "Storing Sparse Files").
    pub sparse_name: Option<Vec<u8>>,
}

impl PaxRecords {
    /// Reads records: `LENGTH KEY=VALUE\n`. The length is that of the whole record.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, String> {
        const BROKEN: &str = "its extended header is broken";
        let mut records = Self::default();
        // Some writers pad with zeros.
        while bytes.first().is_some_and(|byte| *byte != 0) {
            let space = bytes.iter().take(20).position(|byte| *byte == b' ').ok_or(BROKEN)?;
            let length = decimal(bytes.get(..space).unwrap_or_default()).ok_or(BROKEN)?;
            let length = usize::try_from(length).map_err(|_| BROKEN)?;
            let record = bytes.get(space + 1..length).ok_or(BROKEN)?;
            bytes = bytes.get(length..).unwrap_or_default();
            let record = record.strip_suffix(b"\n").ok_or(BROKEN)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(BROKEN)?;
            let (key, value) = (record.get(..equals), record.get(equals + 1..).unwrap_or_default());
            let value = Some(value).filter(|value| !value.is_empty());
            match key.unwrap_or_default() {
                b"path" => records.path = Some(value.map(<[u8]>::to_vec)),
                b"linkpath" => records.link = Some(value.map(<[u8]>::to_vec)),
                b"size" => {
                    let size = value.map(|value| decimal(value).ok_or(BROKEN)).transpose()?;
                    records.size = Some(size);
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    records.sparse = true;
                    if key == b"GNU.sparse.name" {
                        records.sparse_name = value.map(<[u8]>::to_vec);
                    }
                }
                _ => {}
            }
        }
        Ok(records)
    }

    /// Returns these records combined with `earlier` ones; these take precedence.
    #[must_use]
    pub fn over(self, earlier: &Self) -> Self {
        Self {
            path: self.path.or_else(|| earlier.path.clone()),
            link: self.link.or_else(|| earlier.link.clone()),
            size: self.size.or(earlier.size),
            sparse: self.sparse || earlier.sparse,
            sparse_name: self.sparse_name.or_else(|| earlier.sparse_name.clone()),
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn field(block: &TarBlock, start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

/// The bytes before the first NUL.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(name: &[u8], size: &[u8], kind: u8, magic: &[u8], prefix: &[u8]) -> TarBlock {
        let mut block = [0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        block[257..257 + magic.len()].copy_from_slice(magic);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    #[test]
    fn numbers() {
        for (field, value) in [
            (&b"00000000017\0"[..], Ok(15)),
            (b"       17 \0\0", Ok(15)),
            (b"777777777777", Ok(0o777_777_777_777)),
            (b"", Ok(0)),
            (b"\0\0\0", Ok(0)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Ok(258)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Ok(1 << 63)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", Err("a number in its header is too large")),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Err("a number in its header is negative")),
            (b"00000000089\0", Err("a number in its header is not octal")),
            (b"-0000000017\0", Err("a number in its header is not octal")),
            (b"12 34\0", Err("a number in its header is not octal")),
        ] {
            assert_eq!(number(field), value.map_err(str::to_owned), "{field:?}");
        }
    }

    #[test]
    fn names_of_each_format() {
        let read = |block| parse(&block).expect("a header");
        let posix = read(header(b"c", b"5", b'0', b"ustar\x0000", b"a/b"));
        assert_eq!(
            posix,
            TarHeader {
                name: b"a/b/c".to_vec(),
                link: Vec::new(),
                size: 5,
                kind: EntryKind::File,
                extended: false
            }
        );
        let gnu = read(header(b"c", b"5", b'0', b"ustar  \0", b"0123"));
        assert_eq!(gnu.name, b"c");
        assert_eq!(read(header(b"d/", b"", 0, b"", b"")).kind, EntryKind::Directory);
        let cut_off = read(header(b"a/long/", b"5", b'0', b"ustar\x0000", b""));
        assert_eq!((cut_off.kind, cut_off.size), (EntryKind::File, 5));
        assert_eq!(read(header(b"l", b"junk", b'1', b"", b"")).size, 0);
        let mut broken = header(b"c", b"5", b'0', b"ustar\x0000", b"");
        broken[0] = b'd';
        assert_eq!(parse(&broken), Err("the checksum of its header is wrong".to_owned()));
    }

    #[test]
    fn records() {
        let read = |text: &str| PaxRecords::parse(text.as_bytes());
        let records = read("18 path=blobs/a/b\n11 size=42\n").expect("records");
        assert_eq!(records.path, Some(Some(b"blobs/a/b".to_vec())));
        assert_eq!(records.size, Some(Some(42)));
        assert_eq!(read("8 path=\n").expect("records").path, Some(None));
        assert!(read("22 GNU.sparse.major=1\n").expect("records").sparse);
        for text in ["x", "7 path=a\n", "999 path=a\n", "8 path\n\n", "0 a=b\n", "12 size=-42\n", "1 ", " "] {
            assert!(read(text).is_err(), "{text}");
        }
        let over = read("11 size=42\n").expect("records").over(&read("9 path=ab\n").unwrap_or_default());
        assert_eq!(over.size, Some(Some(42)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), BLOCK), text in "[0-9]{0,3} ?[a-z=\n]{0,20}") {
            let block: TarBlock = bytes.as_slice().try_into().expect("a block");
            let _ = parse(&block);
            let _ = PaxRecords::parse(&bytes);
            let _ = PaxRecords::parse(text.as_bytes());
            let fixed = header(&bytes[..100], &bytes[100..112], bytes[112], &bytes[113..121], &bytes[121..276]);
            let _ = parse(&fixed);
        }
    }
}
