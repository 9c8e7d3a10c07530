//! The files that a check names: one, or those that match a pattern.

use std::path::Path;

use globset::GlobBuilder;

use super::document::DocumentError;

/// The number of entries of folders that are looked at for one pattern. A pattern that needs more starts at the wrong folder.
const MAX_ENTRIES: usize = 100_000;

/// Returns the names of the files that `name` is or matches, relative to `folder`, in the order of their names. A name without
/// `*`, `?`, `[` and `{` is a file, whether it exists or not. In a pattern, `*` stays within a folder and `**` does not. Symbolic links
/// and `.git` are not followed.
///
/// # Errors
///
/// [`DocumentError::NoMatch`], [`DocumentError::Pattern`], and [`DocumentError::Unreadable`] for a folder that cannot be read.
pub(super) fn matching_files(folder: &Path, name: &str) -> Result<Vec<String>, Box<DocumentError>> {
    let Some(wild) = name.find(['*', '?', '[', '{']) else { return Ok(vec![name.to_owned()]) };
    let invalid = |message: String| DocumentError::Pattern { name: name.to_owned(), message };
    let glob = GlobBuilder::new(name).literal_separator(true).build();
    let glob = glob.map_err(|error| Box::new(invalid(error.kind().to_string())))?.compile_matcher();
    // Only folders below the part before the first wildcard can match.
    let start = name.get(..wild).and_then(|before| before.rfind('/')).map_or("", |end| &name[..end]);
    let (mut found, mut folders, mut entries) = (Vec::new(), vec![start.to_owned()], 0);
    while let Some(below) = folders.pop() {
        let listing = match std::fs::read_dir(folder.join(&below)) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(Box::new(DocumentError::Unreadable { name: below, message: error.to_string() }));
            }
        };
        for entry in listing.filter_map(Result::ok) {
            entries += 1;
            if entries > MAX_ENTRIES {
                let message = format!("it matches within more than {MAX_ENTRIES} files and folders");
                return Err(Box::new(invalid(message)));
            }
            let Ok(kind) = entry.file_type() else { continue };
            let Some(last) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = if below.is_empty() { last.clone() } else { format!("{below}/{last}") };
            if kind.is_dir() && last != ".git" {
                folders.push(path);
            } else if kind.is_file() && glob.is_match(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() { Err(Box::new(DocumentError::NoMatch { name: name.to_owned() })) } else { Ok(found) }
}
