//! The files of a tar archive, searched as they pass: POSIX, pax and GNU's formats.

use std::io::BufRead;

use oci_content::{EntryKind, TarEntry, TarError, TarItem, TarReader};

use super::blob::Failure;
use super::finder::Finder;
use super::input::Input;

/// The longest name or extended header that is read: the same limit as in Go's archive/tar.
const MAX_METADATA: u64 = 1024 * 1024;
/// The prefix of a file's name that deletes another file (image-spec, layer.md, "Whiteouts").
const WHITEOUT: &str = ".wh.";
/// The name of a file that deletes all other files of its folder.
const OPAQUE: &str = ".wh..wh..opq";

/// Searches every file of an archive, and the bytes after its end. `of` is the archive's name if it is inside another archive.
/// `open` says whether archives in it are opened.
pub(super) fn walk(
    finder: &mut Finder<'_>,
    input: &mut Input<'_>,
    of: Option<&str>,
    open: bool,
) -> Result<(), Failure> {
    let mut reader = TarReader::new(MAX_METADATA);
    while let Some(item) = reader.next_item(input)? {
        match item {
            TarItem::Entry(found) => entry(finder, input, &found, of, open)?,
            TarItem::Global(records) => {
                let place = format!("{}!/(records about all files)", of.unwrap_or_default());
                finder.text(place.trim_start_matches("!/"), &records);
            }
        }
    }
    behind(finder, input, of)
}

impl From<TarError> for Failure {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Io(error) => Self::Io(error),
            damaged => Self::Malformed(damaged.to_string()),
        }
    }
}

fn entry(
    finder: &mut Finder<'_>,
    input: &mut Input<'_>,
    entry: &TarEntry,
    of: Option<&str>,
    open: bool,
) -> Result<(), Failure> {
    let name = normal(&String::from_utf8_lossy(&entry.name));
    let path = match of {
        Some(archive) => format!("{archive}!/{name}"),
        None => name,
    };
    if of.is_none() {
        whiteout(finder, &path);
    }
    for text in &entry.texts {
        finder.text(&path, text);
    }
    if matches!(entry.kind, EntryKind::Directory | EntryKind::Device) {
        finder.text(&path, path.as_bytes());
    } else {
        finder.name(&path);
    }
    if entry.size > 0 {
        finder.file(input, entry.size, &path, open)?;
        // The padding of the last entry may be missing.
        input.skip(entry.padding())?;
    }
    Ok(())
}

/// Notes the deletion, if `path` is a whiteout.
fn whiteout(finder: &mut Finder<'_>, path: &str) {
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
fn behind(finder: &mut Finder<'_>, input: &mut Input<'_>, of: Option<&str>) -> Result<(), Failure> {
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
