//! Tar files written byte by byte, for archives that no program writes.
//!

/// The size of a header; contents are padded to a multiple of it.
pub const BLOCK: usize = 512;

/// A header with a correct checksum. `size` is the bytes of the field.
pub fn header(name: &str, size: &[u8], kind: u8, link: &str) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    sum(&mut block);
    block
}

/// Writes the checksum of a header into it.
pub fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

/// An entry with contents.
pub fn entry(name: &str, contents: &[u8], kind: u8) -> Vec<u8> {
    let mut bytes = header(name, format!("{:011o}", contents.len()).as_bytes(), kind, "");
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// A regular file.
pub fn file(name: &str, contents: &[u8]) -> Vec<u8> {
    entry(name, contents, b'0')
}

/// A hard (`1`) or symbolic (`2`) link.
pub fn link(name: &str, to: &str, kind: u8) -> Vec<u8> {
    header(name, b"00000000000", kind, to)
}

/// pax records for the next entry (`x`) or for all later ones (`g`).
pub fn pax(records: &[(&str, &str)], kind: u8) -> Vec<u8> {
    let mut contents = String::new();
    for (key, value) in records {
        let body = format!(" {key}={value}\n");
        let length = (1..99_999).find(|length| format!("{length}{body}").len() == *length).expect("a length");
        contents = contents + &length.to_string() + &body;
    }
    entry("PaxHeader", contents.as_bytes(), kind)
}

/// The end of an archive.
pub fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}
