//! The index of a tar file: the positions of the files of an image, found in one pass over the headers, without unpacking.
//!
//! For a layout, only the names that a layout can have are kept, so that memory does not grow with unrelated files in the
//! archive; for other archives, all names are kept, within a limit. No size that a header declares is used before it is
//! compared with the file's length.

use std::collections::HashMap;
use std::io::{self, Read};

use super::error::counted;
use super::positioned::PositionedFile;
use super::tar_header::EntryKind;
use super::tar_reader::{TarEntry, TarError, TarItem, TarReader};

/// The longest name or extended header that is read; Go's archive/tar has the same limit.
const MAX_METADATA: u64 = 1024 * 1024;
/// The most files of an image that an archive may hold.
const MAX_FILES: usize = 200_000;
/// The most bytes that all kept names and link targets may have together.
const MAX_NAME_BYTES: usize = 16 * 1024 * 1024;

/// The names that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexedNames {
    /// The names that a layout can have.
    Layout,
    /// All names in the archive, because tools name the files of a Docker archive as they like.
    All,
}

/// The entry that an archive has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IndexedEntry {
    /// A file: a range of the archive.
    File {
        /// The position of its contents.
        offset: u64,
        /// The length of its contents.
        length: u64,
    },
    /// A hard link to a name in the archive, as it is written there.
    HardLink(String),
    /// A symbolic link: its target, relative to the folder of the link, as it is written there.
    SymbolicLink(String),
    /// A sparse file: the bytes in the archive are not the contents of the file.
    Sparse,
    /// A directory, device or pipe.
    Special,
}

/// The files of an image in an archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TarIndex {
    /// The entries by their normalized names.
    pub(super) files: HashMap<String, IndexedEntry>,
    /// Whether the end marker was found. Some writers leave it out, but more often the file was cut off.
    pub(super) complete: bool,
}

/// The reason why an archive cannot be indexed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TarIndexError {
    /// It is not a tar file, or a damaged one.
    #[error("{0}")]
    Damaged(String),
    /// It could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<TarError> for TarIndexError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Io(error) => Self::Io(error),
            TarError::CutOff { position, .. } => damaged(position, &format!("{error}: the file is cut off")),
            TarError::Header { position, .. }
            | TarError::Records { position, .. }
            | TarError::Metadata { position, .. } => damaged(position, &error.to_string()),
        }
    }
}

/// Scans `file` from start to end, and returns its index.
pub(super) fn index(file: &PositionedFile, names: IndexedNames) -> Result<TarIndex, TarIndexError> {
    let mut reader = TarReader::new(MAX_METADATA);
    let mut headers = Headers { file, position: 0 };
    let mut scan = Scan { names, name_bytes: 0, index: TarIndex::default() };
    while let Some(item) = reader.next_item(&mut headers)? {
        if let TarItem::Entry(entry) = item {
            let offset = headers.skip(&entry)?;
            scan.keep(entry, offset)?;
        }
    }
    scan.index.complete = reader.is_complete();
    Ok(scan.index)
}

/// The file, read from header to header.
struct Headers<'a> {
    file: &'a PositionedFile,
    position: u64,
}

impl Read for Headers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Headers<'_> {
    /// Moves past the contents of `entry`, and returns the position of their first byte.
    fn skip(&mut self, entry: &TarEntry) -> Result<u64, TarIndexError> {
        let (offset, size, length) = (self.position, entry.size, self.file.length());
        let Some(end) = offset.checked_add(size).filter(|end| *end <= length) else {
            let left = length.saturating_sub(offset);
            let verb = if left == 1 { "is" } else { "are" };
            let declared = counted(size, "byte");
            let reason = format!("it declares {declared}, but {left} {verb} left: the file is cut off");
            return Err(damaged(entry.position, &reason));
        };
        // The padding of the last entry may be missing.
        self.position = end.saturating_add(entry.padding()).min(length);
        Ok(offset)
    }
}

struct Scan {
    names: IndexedNames,
    name_bytes: usize,
    index: TarIndex,
}

impl Scan {
    fn keep(&mut self, entry: TarEntry, offset: u64) -> Result<(), TarIndexError> {
        let TarEntry { position: start, kind, name, link, size: length, is_sparse, .. } = entry;
        if leads_out(&name) {
            let name = String::from_utf8_lossy(&name);
            return Err(damaged(start, &format!("its name `{name}` leads out of the archive")));
        }
        let kept = match self.names {
            IndexedNames::Layout => layout_name(&name),
            IndexedNames::All => inner_name(&name),
        };
        let Some(name) = kept else { return Ok(()) };
        let link = || String::from_utf8_lossy(&link).into_owned();
        let entry = match kind {
            EntryKind::Sparse => IndexedEntry::Sparse,
            EntryKind::File if is_sparse => IndexedEntry::Sparse,
            EntryKind::File => IndexedEntry::File { offset, length },
            EntryKind::HardLink => IndexedEntry::HardLink(link()),
            EntryKind::SymbolicLink => IndexedEntry::SymbolicLink(link()),
            // The name may already be in use for a file, which is then kept: a directory may have the same name.
            _ if self.names == IndexedNames::Layout && !self.index.files.contains_key(&name) => {
                IndexedEntry::Special
            }
            _ => return Ok(()),
        };
        if let IndexedEntry::HardLink(link) | IndexedEntry::SymbolicLink(link) = &entry {
            self.name_bytes = self.name_bytes.saturating_add(link.len());
        }
        self.name_bytes = self.name_bytes.saturating_add(name.len());
        refuse_twice(&name, self.index.files.get(&name), &entry)?;
        self.index.files.insert(name, entry); // the last entry wins, as it does when an archive is unpacked
        if self.index.files.len() > MAX_FILES || self.name_bytes > MAX_NAME_BYTES {
            return Err(TarIndexError::Damaged(format!(
                "it holds more than {MAX_FILES} files of an image, or more than {} MiB of names",
                MAX_NAME_BYTES / 1024 / 1024
            )));
        }
        Ok(())
    }
}

fn damaged(start: u64, reason: &str) -> TarIndexError {
    TarIndexError::Damaged(format!("at byte {start}: {reason}"))
}

/// Refuses an ambiguous second entry of a name. If two files of the same length have the name of a blob, its digest identifies
/// the right one, but nothing does so for the files that describe an image, and other programs might read the other one.
fn refuse_twice(
    name: &str,
    earlier: Option<&IndexedEntry>,
    entry: &IndexedEntry,
) -> Result<(), TarIndexError> {
    let reason = match (earlier, entry) {
        (None | Some(IndexedEntry::Special), _) => return Ok(()),
        (Some(IndexedEntry::File { length: earlier, .. }), IndexedEntry::File { length, .. })
            if earlier != length =>
        {
            format!("it holds `{name}` twice, once with {earlier} and once with {length} bytes")
        }
        _ if matches!(name, "oci-layout" | "index.json" | "manifest.json") => {
            format!("it holds `{name}` twice, and nothing says which one is meant")
        }
        _ => return Ok(()),
    };
    Err(TarIndexError::Damaged(reason))
}

/// Whether a file of this name would be outside of the folder that the archive is unpacked to.
fn leads_out(name: &[u8]) -> bool {
    name.first() == Some(&b'/') || name.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// The normalized name, if a layout can have a file of that name.
fn layout_name(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let mut parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
    let found = [parts.next(), parts.next(), parts.next(), parts.next()];
    match found {
        [Some(file @ ("oci-layout" | "index.json" | "manifest.json")), None, ..] => Some(file.to_owned()),
        [Some("blobs"), Some(algorithm @ ("sha256" | "sha512")), Some(hex), None]
            if hex.len() <= 128 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            Some(format!("blobs/{algorithm}/{hex}"))
        }
        _ => None,
    }
}

/// The normalized name of a file anywhere in the archive; `None` if it leads out of the archive.
fn inner_name(name: &[u8]) -> Option<String> {
    let parts = std::str::from_utf8(name).ok()?.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<&str> = parts.collect();
    if parts.is_empty() || parts.contains(&"..") { None } else { Some(parts.join("/")) }
}

#[cfg(test)]
#[path = "tar_index_tests.rs"]
mod tests;
