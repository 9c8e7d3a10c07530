//! Reading a tar file as a stream: its entries, each with the metadata before it.
//!
//! The reader knows the formats of `tar_header`. It leaves the contents of files, and the decision about what to refuse, to its
//! caller.

use std::io::{self, Read};

use super::tar_header::{BLOCK, EntryKind, PaxRecords, TarBlock, TarHeader, list_goes_on, parse, until_nul};

/// The entries of a tar file, in order.
///
/// After an entry with [`TarEntry::size`], the caller reads that many bytes and then [`TarEntry::padding`] bytes from the input
/// before it asks for the next item. If the padding of the last entry is missing, the file can still be read.
///
/// ```
/// use std::io::Read;
///
/// use oci_content::{TarItem, TarReader};
///
/// fn names(mut input: impl Read) -> Result<Vec<String>, oci_content::TarError> {
///     let mut reader = TarReader::new(1024 * 1024);
///     let mut names = Vec::new();
///     while let Some(item) = reader.next_item(&mut input)? {
///         let TarItem::Entry(entry) = item else { continue };
///         std::io::copy(&mut input.by_ref().take(entry.size + entry.padding()), &mut std::io::sink())?;
///         names.push(String::from_utf8_lossy(&entry.name).into_owned());
///     }
///     Ok(names)
/// }
/// # assert!(names(&[0; 1024][..]).unwrap().is_empty());
/// ```
pub struct TarReader {
    max_metadata: u64,
    global: PaxRecords,
    position: u64,
    complete: bool,
}

/// An item of a tar file.
#[derive(Debug)]
pub enum TarItem {
    /// A file, link, directory or device.
    Entry(TarEntry),
    /// pax records about all entries that follow, unparsed. The reader applies them.
    Global(Vec<u8>),
}

/// An entry of a tar file.
#[derive(Debug)]
pub struct TarEntry {
    /// The position of its header in the file.
    pub position: u64,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// Its whole name, as it is written.
    pub name: Vec<u8>,
    /// The whole target of a link, as it is written.
    pub link: Vec<u8>,
    /// The number of bytes of contents that follow; 0 for all kinds but files.
    pub size: u64,
    /// Whether pax records say that it is a file with holes.
    pub is_sparse: bool,
    /// The texts beside the name: pax records, unparsed, long targets of links, and the target in the header.
    pub texts: Vec<Vec<u8>>,
}

impl TarEntry {
    /// Returns the number of bytes after the contents that fill the last block.
    pub fn padding(&self) -> u64 {
        padding(self.size)
    }
}

/// The reason why a tar file cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// A block is not a header.
    #[error("{reason}")]
    Header {
        /// The position of the block.
        position: u64,
        /// The problem.
        reason: String,
    },
    /// The records of an extended header are damaged.
    #[error("{reason}")]
    Records {
        /// The position of the header.
        position: u64,
        /// The problem.
        reason: String,
    },
    /// A name or extended header is larger than the limit.
    #[error("it declares a name or extended header of {size} bytes")]
    Metadata {
        /// The position of the header.
        position: u64,
        /// The declared size.
        size: u64,
    },
    /// The file ends too early.
    #[error("it ends in the middle of a {part}")]
    CutOff {
        /// The position of the header.
        position: u64,
        /// The part in which it ends: `header`, `name` or `list of extents`.
        part: &'static str,
    },
    /// The input cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Metadata entries about the next entry.
#[derive(Default)]
struct Preceding {
    records: PaxRecords,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    texts: Vec<Vec<u8>>,
}

impl TarReader {
    /// Returns a reader that refuses names and extended headers of more than `max_metadata` bytes. They are held in memory.
    pub fn new(max_metadata: u64) -> Self {
        Self { max_metadata, global: PaxRecords::default(), position: 0, complete: false }
    }

    /// Whether the end marker was found. Some writers leave it out, but more often the file was cut off.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Reads the next item from `input`. Returns `None` at the end.
    ///
    /// # Errors
    ///
    /// [`TarError`] if `input` cannot be read, or is damaged.
    pub fn next_item(&mut self, input: &mut (impl Read + ?Sized)) -> Result<Option<TarItem>, TarError> {
        let mut preceding = Preceding::default();
        loop {
            let position = self.position;
            let Some(header) = self.header(input)? else { return Ok(None) };
            match header.kind {
                EntryKind::LongName => {
                    let name = self.metadata(input, position, header.size)?;
                    preceding.long_name = Some(until_nul(&name).to_vec());
                }
                EntryKind::LongLink => {
                    let link = until_nul(&self.metadata(input, position, header.size)?).to_vec();
                    preceding.texts.push(link.clone());
                    preceding.long_link = Some(link);
                }
                EntryKind::Extended => {
                    let bytes = self.metadata(input, position, header.size)?;
                    preceding.records = records(&bytes, position)?.over(&preceding.records);
                    preceding.texts.push(bytes);
                }
                EntryKind::Global => {
                    let bytes = self.metadata(input, position, header.size)?;
                    self.global = records(&bytes, position)?.over(&self.global);
                    return Ok(Some(TarItem::Global(bytes)));
                }
                EntryKind::File
                | EntryKind::HardLink
                | EntryKind::SymbolicLink
                | EntryKind::Sparse
                | EntryKind::Directory
                | EntryKind::Device => {
                    return self.entry(input, position, header, preceding).map(TarItem::Entry).map(Some);
                }
            }
        }
    }

    /// The entry of `header`, which was read, with the metadata before it.
    fn entry(
        &mut self,
        input: &mut (impl Read + ?Sized),
        position: u64,
        header: TarHeader,
        preceding: Preceding,
    ) -> Result<TarEntry, TarError> {
        let mut goes_on = header.extended;
        while goes_on {
            let block = self.block(input)?;
            let cut_off = TarError::CutOff { position, part: "list of extents" };
            goes_on = list_goes_on(&block.ok_or(cut_off)?);
        }
        let Preceding { records, long_name, long_link, mut texts } = preceding;
        let records = records.over(&self.global);
        let size = match header.kind {
            EntryKind::File | EntryKind::Sparse => records.size.flatten().unwrap_or(header.size),
            _ => 0,
        };
        if !header.link.is_empty() {
            texts.push(header.link.clone());
        }
        let name = records.sparse_name.or(records.path.flatten()).or(long_name).unwrap_or(header.name);
        let link = records.link.flatten().or(long_link).unwrap_or(header.link);
        // The caller reads the contents.
        self.position = self.position.saturating_add(size).saturating_add(padding(size));
        Ok(TarEntry { position, kind: header.kind, name, link, size, is_sparse: records.sparse, texts })
    }

    /// Reads a header. Returns `None` at the end.
    fn header(&mut self, input: &mut (impl Read + ?Sized)) -> Result<Option<TarHeader>, TarError> {
        let position = self.position;
        let Some(block) = self.block(input)? else { return Ok(None) };
        if block.iter().all(|byte| *byte == 0) {
            self.complete = true;
            return Ok(None);
        }
        parse(&block).map(Some).map_err(|reason| TarError::Header { position, reason })
    }

    /// Reads a block. Returns `None` if the input ends before it.
    fn block(&mut self, input: &mut (impl Read + ?Sized)) -> Result<Option<TarBlock>, TarError> {
        let mut block: TarBlock = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match input.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(TarError::CutOff { position: self.position, part: "header" }),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.position = self.position.saturating_add(BLOCK as u64);
        Ok(Some(block))
    }

    /// Reads the contents of a metadata entry of `size` bytes, and skips their padding.
    fn metadata(
        &mut self,
        input: &mut (impl Read + ?Sized),
        position: u64,
        size: u64,
    ) -> Result<Vec<u8>, TarError> {
        if size > self.max_metadata {
            return Err(TarError::Metadata { position, size });
        }
        let whole = size.saturating_add(padding(size));
        let mut bytes = Vec::new();
        input.take(whole).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < whole {
            return Err(TarError::CutOff { position, part: "name" });
        }
        bytes.truncate(usize::try_from(size).unwrap_or(bytes.len()));
        self.position = self.position.saturating_add(whole);
        Ok(bytes)
    }
}

fn records(bytes: &[u8], position: u64) -> Result<PaxRecords, TarError> {
    PaxRecords::parse(bytes).map_err(|reason| TarError::Records { position, reason })
}

/// The number of bytes after contents of `size` bytes that fill the last block.
fn padding(size: u64) -> u64 {
    let last = size % BLOCK as u64;
    if last == 0 { 0 } else { BLOCK as u64 - last }
}

/// Whether a tar file begins with `bytes`, of which the first 512 count: a header, or the end marker of an empty file.
pub fn is_tar(bytes: &[u8]) -> bool {
    let block: Option<&TarBlock> = bytes.first_chunk();
    block.is_some_and(|block| block.iter().all(|byte| *byte == 0) || parse(block).is_ok())
}
