//! The files of a tar archive, searched as they pass: POSIX, pax and GNU's formats.

use std::io::BufRead;

use oci_content::{EntryKind, TarEntry, TarError, TarItem, TarReader};

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::BoundedReader;

/// The longest name or extended header that is read: the same limit as in Go's archive/tar.
const MAX_METADATA: u64 = 1024 * 1024;
/// The prefix of a file's name that deletes another file (image-spec, layer.md, "Whiteouts").
const WHITEOUT: &str = ".wh.";
/// The name of a file that deletes all other files of its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// Searches every file of an archive, and the bytes after its end. `of` is the archive's name if it is inside another archive.
/// Archives in it are opened to `depth` levels.
pub(super) fn walk(
    search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
    depth: u8,
) -> Result<(), WalkError> {
    let mut reader = TarReader::new(MAX_METADATA);
    while let Some(item) = reader.next_item(input)? {
        match item {
            TarItem::Entry(found) => entry(search, input, &found, of, depth)?,
            TarItem::Global(records) => {
                let place = format!("{}!/(records about all files)", of.unwrap_or_default());
                search.text(place.trim_start_matches("!/"), &records);
            }
        }
    }
    behind(search, input, of)
}

impl From<TarError> for WalkError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Io(error) => Self::Io(error),
            damaged => Self::Malformed(damaged.to_string()),
        }
    }
}

fn entry(
    search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    entry: &TarEntry,
    of: Option<&str>,
    depth: u8,
) -> Result<(), WalkError> {
    let name = normal(&String::from_utf8_lossy(&entry.name));
    let path = match of {
        Some(archive) => format!("{archive}!/{name}"),
        None => name,
    };
    if of.is_none() {
        whiteout(search, &path);
    }
    for text in &entry.texts {
        search.text(&path, text);
    }
    if matches!(entry.kind, EntryKind::Directory | EntryKind::Device) {
        search.text(&path, path.as_bytes());
    } else {
        search.name(&path);
    }
    if entry.size > 0 {
        search.file(input, entry.size, &path, depth)?;
        // The padding of the last entry may be missing.
        input.skip(entry.padding())?;
    }
    Ok(())
}

/// Notes the deletion, if `path` is a whiteout.
fn whiteout(search: &mut BlobSearch<'_>, path: &str) {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if name == OPAQUE {
        search.deletes(&below(""));
    } else if let Some(deleted) = name.strip_prefix(WHITEOUT).filter(|name| !name.starts_with(WHITEOUT)) {
        search.deletes(&below(deleted));
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
    search: &mut BlobSearch<'_>,
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
            return search.rest(input, Some(place.trim_start_matches("!/")));
        }
    }
}
