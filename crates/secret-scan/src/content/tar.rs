//! The files of a tar archive, searched as they pass: POSIX, pax and GNU's formats (`oci_content::tar_header`).

use std::io::{BufRead, Read};

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::BoundedReader;
use oci_content::tar_header::{BLOCK, Block, Header, Kind, Records, list_goes_on, parse, until_nul};

/// The longest name or extended header that is read: the same limit as in Go's archive/tar.
const MAX_METADATA: u64 = 1024 * 1024;
/// The prefix of a file's name that deletes another file (image-spec, layer.md, "Whiteouts").
const WHITEOUT: &str = ".wh.";
/// The name of a file that deletes all other files of its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// Searches every file of an archive, and the bytes after its end. `of` is the archive's name if it is inside another archive.
/// `open` says whether archives in it are opened.
pub(super) fn walk(
    finder: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
    open: bool,
) -> Result<(), WalkError> {
    let mut global = Records::default();
    let mut about = AboutNext::default();
    loop {
        let Some(header) = header(input)? else { return behind(finder, input, of) };
        match header.kind {
            Kind::LongName => {
                about.long_name = Some(until_nul(&metadata(input, &header)?).to_vec());
            }
            Kind::LongLink => {
                about.said.push(until_nul(&metadata(input, &header)?).to_vec());
            }
            Kind::Extended => {
                let bytes = metadata(input, &header)?;
                about.records = Records::parse(&bytes).map_err(malformed)?.over(&about.records);
                about.said.push(bytes);
            }
            Kind::Global => {
                let bytes = metadata(input, &header)?;
                global = Records::parse(&bytes).map_err(malformed)?.over(&global);
                let place = format!("{}!/(records about all files)", of.unwrap_or_default());
                finder.text(place.trim_start_matches("!/"), &bytes);
            }
            Kind::File | Kind::HardLink | Kind::SymbolicLink | Kind::Sparse | Kind::Other => {
                let about = std::mem::take(&mut about);
                entry(finder, input, &header, about.over(&global), (of, open))?;
            }
        }
    }
}

/// The metadata entries that precede an entry and describe it.
#[derive(Default)]
struct AboutNext {
    records: Records,
    long_name: Option<Vec<u8>>,
    /// Other texts in them: the records, which include attributes, and targets of links.
    said: Vec<Vec<u8>>,
}

impl AboutNext {
    fn over(self, global: &Records) -> Self {
        Self { records: self.records.over(global), ..self }
    }
}

fn malformed(reason: impl Into<String>) -> WalkError {
    WalkError::Malformed(reason.into())
}

/// Returns the next header, or `None` at the end.
fn header(input: &mut BoundedReader<'_>) -> Result<Option<Header>, WalkError> {
    let there = input.peek(BLOCK)?;
    if there.is_empty() {
        return Ok(None);
    }
    let block: Option<&Block> = there.get(..BLOCK).and_then(|block| block.try_into().ok());
    let block = block.ok_or_else(|| malformed("it ends in the middle of a header"))?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let header = parse(block).map_err(malformed)?;
    input.consume(BLOCK);
    Ok(Some(header))
}

fn metadata(input: &mut BoundedReader<'_>, header: &Header) -> Result<Vec<u8>, WalkError> {
    if header.size > MAX_METADATA {
        return Err(malformed(format!("it declares a name of {} bytes", header.size)));
    }
    let mut bytes = Vec::new();
    Read::take(&mut *input, header.size).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < header.size {
        return Err(malformed("it ends in the middle of a name"));
    }
    padding(input, header.size)?;
    Ok(bytes)
}

/// Skips the padding of the last block of contents. The padding of the last entry may be missing.
fn padding(input: &mut BoundedReader<'_>, size: u64) -> Result<(), WalkError> {
    let last = size % BLOCK as u64;
    if last > 0 {
        input.skip(BLOCK as u64 - last)?;
    }
    Ok(())
}

fn entry(
    finder: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    header: &Header,
    about: AboutNext,
    (of, open): (Option<&str>, bool),
) -> Result<(), WalkError> {
    let AboutNext { records, long_name, said } = about;
    let contents = matches!(header.kind, Kind::File | Kind::Sparse);
    let size = if contents { records.size.flatten().unwrap_or(header.size) } else { 0 };
    if header.extended {
        extents(input)?;
    }
    let name = records.sparse_name.or(records.path.flatten()).or(long_name);
    let name = normal(&String::from_utf8_lossy(name.as_deref().unwrap_or(&header.name)));
    let path = match of {
        Some(archive) => format!("{archive}!/{name}"),
        None => name,
    };
    if of.is_none() {
        whiteout(finder, &path);
    }
    for text in said.iter().chain([&header.link]) {
        finder.text(&path, text);
    }
    if header.kind == Kind::Other {
        finder.text(&path, path.as_bytes());
    } else {
        finder.name(&path);
    }
    if size > 0 {
        finder.file(input, size, &path, open)?;
        padding(input, size)?;
    }
    Ok(())
}

/// Skips the list of extents of a file with holes.
fn extents(input: &mut BoundedReader<'_>) -> Result<(), WalkError> {
    loop {
        let block: Option<&Block> = input.peek(BLOCK)?.get(..BLOCK).and_then(|block| block.try_into().ok());
        let goes_on =
            list_goes_on(block.ok_or_else(|| malformed("it ends in the middle of a list of extents"))?);
        input.consume(BLOCK);
        if !goes_on {
            return Ok(());
        }
    }
}

/// Notes the deletion, if `path` is a whiteout.
fn whiteout(finder: &mut BlobSearch<'_>, path: &str) {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if name == OPAQUE {
        finder.deletes(&below(""));
    } else if let Some(deleted) = name.strip_prefix(WHITEOUT).filter(|name| !name.starts_with(WHITEOUT)) {
        finder.deletes(&below(deleted));
    }
}

/// Returns `name` without parts that have no meaning: `./`, doubled and leading slashes.
fn normal(name: &str) -> String {
    if !name.starts_with(['/', '.']) && !name.contains("/.") && !name.contains("//") {
        return name.trim_end_matches('/').to_owned();
    }
    name.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// Searches the bytes after the end of an archive. No runtime unpacks them, but everybody can read them.
fn behind(
    finder: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
) -> Result<(), WalkError> {
    loop {
        let there = input.fill_buf()?;
        let (zeros, all) = (there.iter().take_while(|byte| **byte == 0).count(), there.len());
        input.consume(zeros);
        if all == 0 {
            return Ok(());
        }
        if zeros < all {
            let place = format!("{}!/(after the end of the archive)", of.unwrap_or_default());
            return finder.rest(input, Some(place.trim_start_matches("!/")));
        }
    }
}
