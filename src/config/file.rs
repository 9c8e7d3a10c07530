//! Finds and reads `publish.toml`, with a diagnostic for each way in which that can fail.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask;

/// The largest file that is read, in bytes. A configuration of a thousand images takes a tenth of a megabyte.
const MAX_SIZE: u64 = 10 * 1024 * 1024;

/// The name of the configuration file.
const FILE_NAME: &str = "publish.toml";

/// Finds the `publish.toml` in `start` or in the nearest folder above it, up to and including the root of the git repository,
/// which is the first folder that holds `.git`. Outside any repository, all folders above are searched.
pub fn find_config_file(start: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    for folder in start.ancestors() {
        let file = folder.join(FILE_NAME);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Reads the text of the file, without a byte order mark.
pub(super) fn read_text(path: &Path, name: &str) -> Result<String, Diagnostic> {
    let error = |message: String, help: &str| Err(Diagnostic::error(Code::ConfigFile, message).help(help));
    let bytes = match read_bytes(path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return error(
                format!("there is no file `{name}`"),
                "name the file with `--config FILE`; relative paths start at the working directory",
            );
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::IsADirectory => {
            return error(
                format!("`{name}` is a directory"),
                "name the file in it: `--config FOLDER/publish.toml`",
            );
        }
        Err(cause) => {
            return error(
                format!("`{name}` cannot be read: {cause}"),
                "check that the file exists and that this user may read it",
            );
        }
    };
    if bytes.len() as u64 > MAX_SIZE {
        return error(
            format!("`{name}` is larger than 10 MiB"),
            "this does not look like a `publish.toml`: name the right file with `--config FILE`",
        );
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(cause) => return Err(not_utf_8(cause, path, name)),
    };
    if text.trim().is_empty() {
        return error(
            format!("`{name}` is empty"),
            "a configuration starts with `version = 1` and declares `[registries.NAME]`, `[tags.NAME]` and `[images.NAME]`",
        );
    }
    Ok(text)
}

/// Reads the text of the file, which messages call `name`, with its byte order mark.
///
/// # Errors
///
/// If there is no such file, or it cannot be a configuration.
pub fn read_whole(path: &Path, name: &str) -> Result<String, Diagnostic> {
    let text = read_text(path, name)?;
    let marked = read_bytes(path).is_ok_and(|bytes| bytes.starts_with(b"\xef\xbb\xbf"));
    Ok(if marked { format!("\u{feff}{text}") } else { text })
}

fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_utf_8(cause: std::string::FromUtf8Error, path: &Path, name: &str) -> Diagnostic {
    let offset = cause.utf8_error().valid_up_to();
    let bytes = cause.into_bytes();
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let utf_16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    // Up to `offset` the replaced text has the same bytes. At `offset`, U+FFFD replaces the bytes that are not UTF-8.
    let replaced = String::from_utf8_lossy(&bytes).into_owned();
    let source = Arc::new(SourceText {
        name: name.to_owned(),
        file: Some(path.to_owned()),
        text: mask::mask_by_text(replaced),
    });
    let place = Location { source, span: offset..offset + char::REPLACEMENT_CHARACTER.len_utf8() };
    let line = place.position().0;
    let message = format!("`{name}` is not UTF-8: byte 0x{byte:02x} at offset {offset}, in line {line}");
    let help = if utf_16 {
        "the file looks like UTF-16: save it as UTF-8"
    } else {
        "save the file as UTF-8, the only encoding of TOML"
    };
    Diagnostic::error(Code::ConfigFile, message).at(place, "not UTF-8 from here").help(help)
}
