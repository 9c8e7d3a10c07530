//! Saved documents: versioned JSON files, which are written as a whole or not at all. The version is checked before anything
//! else is read.

use std::fs::{File, FileType, Metadata};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};
use oci_registry::Digest;

/// The largest document that is read, in bytes.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// A type of document.
pub trait SavedDocument: Serialize + DeserializeOwned + schemars::JsonSchema {
    /// Its name for people: `plan`.
    const NAME: &'static str;
    /// The versions of the format that are read, `MAJOR.MINOR`. A document with another major version is refused. A higher minor
    /// version only adds fields.
    const READABLE: &'static [&'static str];
    /// The command that writes one.
    const WRITTEN_BY: &'static str;
}

/// The reason why a document cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be written.
    #[error("the {name} cannot be written to `{}`: {cause}", .path.display())]
    Write {
        /// The name of the document.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// The file cannot be read.
    #[error("the {name} `{}` cannot be read: {cause}", .path.display())]
    Read {
        /// The name of the document.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: std::io::Error,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The file is not such a document.
    #[error("`{}` is not a saved {name}: {reason}", .path.display())]
    Malformed {
        /// The name of the document.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The document has changed since it was written.
    #[error("the {name} `{}` has changed since it was written: {reason}", .path.display())]
    Changed {
        /// The name of the document.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The sign of the change.
        reason: &'static str,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The document was made by another major version.
    #[error("the {name} `{}` has format version {found}, but this program reads {}", .path.display(), .readable.join(" and "))]
    Version {
        /// The name of the document.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The version of the document.
        found: String,
        /// The versions that can be read.
        readable: &'static [&'static str],
    },
}

impl SavedError {
    /// The error as a diagnostic.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::Write { .. } => "name a file in a folder that exists and is writable".to_owned(),
            Self::Read { written_by, name, .. } => format!("`{written_by}` writes a {name}"),
            Self::Malformed { written_by, .. } | Self::Changed { written_by, .. } => {
                format!("make it again with `{written_by}`")
            }
            Self::Version { .. } => {
                "use the version of `brokkr-publish` that made it, or make it again".to_owned()
            }
        };
        Diagnostic::error(Code::PlanFile, self.to_string()).help(help)
    }
}

/// The key of the checksum, which covers all other keys.
const CHECKSUM: &str = "checksum";

/// The text of `document` as it is saved, with its checksum and a final newline.
pub fn to_json<T: SavedDocument>(document: &T) -> String {
    // A document has no values that JSON cannot represent.
    let mut value = serde_json::to_value(document).unwrap_or_default();
    seal(&mut value);
    format!("{value:#}\n")
}

/// Sets the checksum of a document. It reveals accidental changes; it is not a signature.
pub fn seal(document: &mut Value) {
    if let Some(object) = document.as_object_mut() {
        object.shift_remove(CHECKSUM);
    }
    let checksum = Digest::of_json(document);
    if let Some(object) = document.as_object_mut() {
        object.insert(CHECKSUM.to_owned(), checksum.as_str().into());
    }
}

/// Returns the digest of the file that `document` would be saved as.
pub fn digest<T: SavedDocument>(document: &T) -> Digest {
    Digest::of(to_json(document).as_bytes())
}

/// Writes `document` to `path` through a temporary file, so that a reader never sees half of it. Returns the digest of the file.
pub fn save<T: SavedDocument>(document: &T, path: &Path) -> Result<Digest, SavedError> {
    let text = to_json(document);
    let write = || -> std::io::Result<Digest> {
        let mut file = beside(path)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(Digest::of(text.as_bytes()))
    };
    write().map_err(|cause| unwritable::<T>(path, cause))
}

/// Checks that a document can be written to `path`, by creating and removing a temporary file in the same folder, as [`save`]
/// does.
pub fn probe<T: SavedDocument>(path: &Path) -> Result<(), SavedError> {
    let refused = |why: &str| Err(unwritable::<T>(path, std::io::Error::other(why)));
    match path.metadata().as_ref().map(Metadata::file_type) {
        Ok(it) if it.is_dir() => return refused("it is a directory"),
        Ok(it) if !it.is_file() => return refused("it is not a regular file"),
        // A file that does not exist is created later.
        Ok(_) | Err(_) => {}
    }
    if path.file_name().is_none() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) {
        return refused("it does not name a file");
    }
    beside(path).and_then(tempfile::NamedTempFile::close).map_err(|cause| unwritable::<T>(path, cause))
}

/// Creates a temporary file in the folder of `path`.
fn beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

fn unwritable<T: SavedDocument>(path: &Path, cause: std::io::Error) -> SavedError {
    // Some causes contain the name of the temporary file.
    let own = cause.raw_os_error().is_some() || cause.get_ref().is_some_and(|it| it.source().is_none());
    let cause = if own { cause } else { cause.kind().into() };
    SavedError::Write { name: T::NAME, path: path.to_owned(), cause }
}

/// Reads a document.
pub fn load<T: SavedDocument>(path: &Path) -> Result<T, SavedError> {
    parse(path, &read::<T>(path)?)
}

/// Reads the bytes of a file or a pipe that may be a document, and refuses more bytes than any document has.
pub fn read<T: SavedDocument>(path: &Path) -> Result<Vec<u8>, SavedError> {
    let bounded = || -> std::io::Result<Vec<u8>> {
        let found = path.metadata()?;
        if found.is_dir() {
            return Err(std::io::Error::other("it is a directory"));
        }
        if !found.is_file() && !is_pipe(found.file_type()) {
            return Err(std::io::Error::other("it is neither a file nor a pipe"));
        }
        let mut bytes = Vec::new();
        if found.len() <= MAX_SIZE {
            File::open(path)?.take(MAX_SIZE.saturating_add(1)).read_to_end(&mut bytes)?;
        }
        if found.len() > MAX_SIZE || bytes.len() as u64 > MAX_SIZE {
            let message = format!("it has more than {MAX_SIZE} bytes, too many for a {}", T::NAME);
            return Err(std::io::Error::other(message));
        }
        Ok(bytes)
    };
    bounded().map_err(|cause| SavedError::Read {
        name: T::NAME,
        path: path.to_owned(),
        cause,
        written_by: T::WRITTEN_BY,
    })
}

#[cfg(unix)]
fn is_pipe(file_type: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&file_type)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

/// The message of a parse error, without the names of this program's types.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let name = |c: char| c.is_alphanumeric() || c == '_';
    for (kind, word) in
        [("internally tagged enum ", "an object"), ("struct ", "an object"), ("enum ", "a text")]
    {
        let Some((before, after)) = text.split_once(&format!("expected {kind}")) else { continue };
        let after = after.trim_start_matches(name);
        // ` with 1 element` is the number of fields of the type in this program.
        let after = match after.strip_prefix(" with ").and_then(|it| it.split_once(" element")) {
            Some((_, after)) => after.strip_prefix('s').unwrap_or(after),
            None => after,
        };
        return format!("{before}expected {word}{after}");
    }
    text
}

/// Returns the checksum that a document states. [`parse`] compares it with the rest.
pub fn checksum(bytes: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    document.get(CHECKSUM)?.as_str().map(str::to_owned)
}

/// Parses the bytes of a document that was read from `path`.
pub fn parse<T: SavedDocument>(path: &Path, bytes: &[u8]) -> Result<T, SavedError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: String,
    }
    let malformed = |error: serde_json::Error| SavedError::Malformed {
        name: T::NAME,
        path: path.to_owned(),
        reason: plain(&error),
        written_by: T::WRITTEN_BY,
    };
    // The version is checked first, because the rest of a newer format may not parse.
    let Versioned { format_version } = serde_json::from_slice(bytes).map_err(malformed)?;
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    if !T::READABLE.iter().any(|readable| major(readable) == major(&format_version)) {
        return Err(SavedError::Version {
            name: T::NAME,
            path: path.to_owned(),
            found: format_version.escape_debug().to_string(),
            readable: T::READABLE,
        });
    }
    let mut value: Value = serde_json::from_slice(bytes).map_err(malformed)?;
    let checksum = value.as_object_mut().and_then(|object| object.shift_remove(CHECKSUM));
    let changed = |reason| SavedError::Changed {
        name: T::NAME,
        path: path.to_owned(),
        reason,
        written_by: T::WRITTEN_BY,
    };
    let document = T::deserialize(&value).map_err(malformed)?;
    match checksum.as_ref().and_then(Value::as_str) {
        None => Err(changed("it has no `checksum`")),
        Some(checksum) if checksum != Digest::of_json(&value).as_str() => {
            Err(changed("its `checksum` does not match"))
        }
        Some(_) => Ok(document),
    }
}

/// The JSON Schema of a type of document.
pub fn json_schema<T: SavedDocument>() -> Value {
    let mut schema = titled_schema::<T>(T::NAME, format!("A saved {} of brokkr-publish", T::NAME));
    let checksum = serde_json::json!({
        "type": "string",
        "description": "The SHA-256 digest of the rest, as JSON without spaces and with the keys of every object sorted."
    });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(CHECKSUM.to_owned(), checksum);
    }
    schema
}

/// The JSON Schema of output called `name`, which is never read again and so has no checksum.
pub fn printed_schema<T: schemars::JsonSchema>(name: &str) -> Value {
    titled_schema::<T>(name, format!("A {name} of brokkr-publish"))
}

fn titled_schema<T: schemars::JsonSchema>(name: &str, title: String) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Some(object) = schema.as_object_mut() {
        let id = format!(
            "https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/{name}.schema.json"
        );
        object.insert("$id".to_owned(), id.into());
        object.insert("title".to_owned(), title.into());
    }
    schema
}
