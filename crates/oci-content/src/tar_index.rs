//! The index of a tar file: the positions of the files of an image, found in one pass over the headers, without unpacking.
//!
//! For a layout, only the names that a layout can have are kept, so that memory does not grow with unrelated files in the
//! archive; for other archives, all names are kept, within a limit. No size that a header declares is used before it is
//! compared with the file's length.

use std::collections::HashMap;
use std::io;

use super::positioned::PositionedFile;
use crate::tar_header::{BLOCK, Block, Header, Kind, Records, list_goes_on, parse, until_nul};

/// The longest name or extended header that is read; Go's archive/tar has the same limit.
const MAX_METADATA: u64 = 1024 * 1024;
/// The most files of an image that an archive may hold.
const MAX_FILES: usize = 200_000;
/// The most bytes that all kept names and link targets may have together.
const MAX_NAME_BYTES: usize = 16 * 1024 * 1024;

/// The names that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The names that a layout can have.
    Layout,
    /// All names in the archive, because tools name the files of a Docker archive as they like.
    All,
}

/// The entry that an archive has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
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
pub(super) struct Index {
    /// The entries by their normalized names.
    pub(super) files: HashMap<String, Entry>,
    /// Whether the end marker was found. Some writers leave it out, but more often the file was cut off.
    pub(super) complete: bool,
}

/// The reason why an archive cannot be indexed.
#[derive(Debug, thiserror::Error)]
pub(super) enum IndexError {
    /// It is not a tar file, or a damaged one.
    #[error("{0}")]
    Damaged(String),
    /// It could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Scans `file` from start to end, and returns its index.
pub(super) fn index(file: &PositionedFile, names: Names) -> Result<Index, IndexError> {
    let (global, index) = (Records::default(), Index::default());
    let mut scan = Scan { file, names, position: 0, global, name_bytes: 0, index };
    while scan.entry()? {}
    Ok(scan.index)
}

struct Scan<'a> {
    file: &'a PositionedFile,
    names: Names,
    position: u64,
    global: Records,
    name_bytes: usize,
    index: Index,
}

/// The values for an entry from the metadata entries before it.
#[derive(Default)]
struct About {
    records: Records,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl Scan<'_> {
    /// Reads one entry with the metadata before it. Returns false at the end.
    fn entry(&mut self) -> Result<bool, IndexError> {
        let mut about = About::default();
        loop {
            let Some((start, header)) = self.header()? else { return Ok(false) };
            match header.kind {
                Kind::LongName => {
                    about.long_name = Some(until_nul(&self.metadata(start, &header)?).to_vec());
                }
                Kind::LongLink => {
                    about.long_link = Some(until_nul(&self.metadata(start, &header)?).to_vec());
                }
                Kind::Extended => about.records = self.records(start, &header)?.over(&about.records),
                Kind::Global => self.global = self.records(start, &header)?.over(&self.global),
                Kind::File | Kind::HardLink | Kind::SymbolicLink | Kind::Sparse | Kind::Other => {
                    self.keep(start, header, about)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Reads the header at the position, and moves past it. Returns `None` at the end.
    fn header(&mut self) -> Result<Option<(u64, Header)>, IndexError> {
        let start = self.position;
        let mut block: Block = [0; BLOCK];
        match self.file.fill_at(&mut block, start)? {
            0 => return Ok(None),
            BLOCK => {}
            _ => return Err(damaged(start, "it ends in the middle of a header: the file is cut off")),
        }
        if block.iter().all(|byte| *byte == 0) {
            self.index.complete = true;
            return Ok(None);
        }
        let header = parse(&block).map_err(|reason| damaged(start, &reason))?;
        self.position = start.saturating_add(BLOCK as u64);
        Ok(Some((start, header)))
    }

    /// Moves past the contents of `size` bytes at the position, and returns the position of their first byte.
    fn skip(&mut self, start: u64, size: u64) -> Result<u64, IndexError> {
        let offset = self.position;
        let end = offset.checked_add(size).filter(|end| *end <= self.file.length());
        let Some(end) = end else {
            let left = self.file.length().saturating_sub(offset);
            let reason = format!("it declares {size} bytes, but {left} are left: the file is cut off");
            return Err(damaged(start, &reason));
        };
        // The padding of the last entry may be missing.
        self.position = end.next_multiple_of(BLOCK as u64).min(self.file.length());
        Ok(offset)
    }

    /// Moves past the blocks at the position that hold a sparse file's list of extents.
    fn skip_extents(&mut self, start: u64) -> Result<(), IndexError> {
        loop {
            let mut block: Block = [0; BLOCK];
            let at = self.skip(start, BLOCK as u64)?;
            self.file.fill_at(&mut block, at)?;
            if !list_goes_on(&block) {
                return Ok(());
            }
        }
    }

    fn metadata(&mut self, start: u64, header: &Header) -> Result<Vec<u8>, IndexError> {
        if header.size > MAX_METADATA {
            return Err(damaged(start, &format!("it declares a name of {} bytes", header.size)));
        }
        let offset = self.skip(start, header.size)?;
        let mut bytes = vec![0; usize::try_from(header.size).unwrap_or_default()];
        let filled = self.file.fill_at(&mut bytes, offset)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn records(&mut self, start: u64, header: &Header) -> Result<Records, IndexError> {
        let bytes = self.metadata(start, header)?;
        Records::parse(&bytes).map_err(|reason| damaged(start, &reason))
    }

    fn keep(&mut self, start: u64, header: Header, about: About) -> Result<(), IndexError> {
        let records = about.records.over(&self.global);
        let contents = matches!(header.kind, Kind::File | Kind::Sparse);
        let length = if contents { records.size.flatten().unwrap_or(header.size) } else { 0 };
        if header.extended {
            self.skip_extents(start)?;
        }
        let offset = self.skip(start, length)?;
        let name = records.path.flatten().or(about.long_name).unwrap_or(header.name);
        let name = records.sparse_name.unwrap_or(name);
        if leads_out(&name) {
            let name = String::from_utf8_lossy(&name);
            return Err(damaged(start, &format!("its name `{name}` leads out of the archive")));
        }
        let kept = match self.names {
            Names::Layout => layout_name(&name),
            Names::All => inner_name(&name),
        };
        let Some(name) = kept else { return Ok(()) };
        let link = || {
            let link = records.link.flatten().or(about.long_link).unwrap_or(header.link);
            String::from_utf8_lossy(&link).into_owned()
        };
        let entry = match header.kind {
            Kind::Sparse => Entry::Sparse,
            Kind::File if records.sparse => Entry::Sparse,
            Kind::File => Entry::File { offset, length },
            Kind::HardLink => Entry::HardLink(link()),
            Kind::SymbolicLink => Entry::SymbolicLink(link()),
            // The name may already be in use for a file, which is then kept: a directory may have the same name.
            _ if self.names == Names::Layout && !self.index.files.contains_key(&name) => Entry::Special,
            _ => return Ok(()),
        };
        if let Entry::HardLink(link) | Entry::SymbolicLink(link) = &entry {
            self.name_bytes = self.name_bytes.saturating_add(link.len());
        }
        self.name_bytes = self.name_bytes.saturating_add(name.len());
        refuse_twice(&name, self.index.files.get(&name), &entry)?;
        self.index.files.insert(name, entry); // the last entry wins, as it does when an archive is unpacked
        if self.index.files.len() > MAX_FILES || self.name_bytes > MAX_NAME_BYTES {
            return Err(IndexError::Damaged(format!(
                "it holds more than {MAX_FILES} files of an image, or more than {} MiB of names",
                MAX_NAME_BYTES / 1024 / 1024
            )));
        }
        Ok(())
    }
}

fn damaged(start: u64, reason: &str) -> IndexError {
    IndexError::Damaged(format!("at byte {start}: {reason}"))
}

/// Refuses an ambiguous second entry of a name. If two files of the same length have the name of a blob, its digest identifies
/// the right one, but nothing does so for the files that describe an image, and other programs might read the other one.
fn refuse_twice(name: &str, earlier: Option<&Entry>, entry: &Entry) -> Result<(), IndexError> {
    let reason = match (earlier, entry) {
        (None | Some(Entry::Special), _) => return Ok(()),
        (Some(Entry::File { length: earlier, .. }), Entry::File { length, .. }) if earlier != length => {
            format!("it holds `{name}` twice, once with {earlier} and once with {length} bytes")
        }
        _ if matches!(name, "oci-layout" | "index.json" | "manifest.json") => {
            format!("it holds `{name}` twice, and nothing says which one is meant")
        }
        _ => return Ok(()),
    };
    Err(IndexError::Damaged(reason))
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
