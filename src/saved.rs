//! Saved documents: versioned JSON files, written whole or not at all, and read with the version checked first.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::Digest;

/// The largest document that is read, in bytes.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// A kind of document.
pub trait Document: Serialize + DeserializeOwned + schemars::JsonSchema {
    /// What people call it: `plan`.
    const NAME: &'static str;
    /// The version of the format, `MAJOR.MINOR`. Another major version is refused, a higher minor one only adds fields.
    const FORMAT_VERSION: &'static str;
    /// The command that writes one.
    const WRITTEN_BY: &'static str;
}

/// Why a document cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be written.
    #[error("the {name} cannot be written to `{}`: {cause}", .path.display())]
    Write {
        /// What the document is called.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file cannot be read.
    #[error("the {name} `{}` cannot be read: {cause}", .path.display())]
    Read {
        /// What the document is called.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The file is no such document.
    #[error("`{}` is not a saved {name}: {reason}", .path.display())]
    Malformed {
        /// What the document is called.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The document is not as it was written.
    #[error("the {name} `{}` is not as it was written: {reason}", .path.display())]
    Changed {
        /// What the document is called.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: &'static str,
        /// The command that writes one.
        written_by: &'static str,
    },
    /// The document was made by another major version.
    #[error("the {name} `{}` has format version {found}, and this program reads {readable}", .path.display())]
    Version {
        /// What the document is called.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The version found.
        found: String,
        /// The version that can be read.
        readable: &'static str,
    },
}

impl SavedError {
    /// For people.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::Write { .. } => "name a file in a folder that exists and can be written to".to_owned(),
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

/// The key that holds the checksum of all others.
const CHECKSUM: &str = "checksum";

/// `document` as it is saved: with its checksum, and a newline at the end.
pub fn to_json<T: Document>(document: &T) -> String {
    // A document holds nothing that JSON cannot.
    let mut value = serde_json::to_value(document).unwrap_or_default();
    seal(&mut value);
    format!("{value:#}\n")
}

/// Sets the checksum of a document. It shows what was changed by mistake or in passing; it is no signature.
pub fn seal(document: &mut Value) {
    if let Some(object) = document.as_object_mut() {
        object.shift_remove(CHECKSUM);
    }
    let checksum = Digest::of_json(document);
    if let Some(object) = document.as_object_mut() {
        object.insert(CHECKSUM.to_owned(), checksum.as_str().into());
    }
}

/// Writes `document` to `path`: to a temporary file first, so that a reader never sees half of it.
pub fn save<T: Document>(document: &T, path: &Path) -> Result<(), SavedError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(to_json(document).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|cause| {
        // The words of some causes hold the name of the temporary file.
        let cause = if cause.raw_os_error().is_some() { cause } else { cause.kind().into() };
        SavedError::Write { name: T::NAME, path: path.to_owned(), cause }
    })
}

/// Reads a document.
pub fn load<T: Document>(path: &Path) -> Result<T, SavedError> {
    let unreadable =
        |cause| SavedError::Read { name: T::NAME, path: path.to_owned(), cause, written_by: T::WRITTEN_BY };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_SIZE {
        return Err(unreadable(std::io::Error::other(format!(
            "it has {size} bytes, more than any {}",
            T::NAME
        ))));
    }
    parse(path, &std::fs::read(path).map_err(unreadable)?)
}

fn parse<T: Document>(path: &Path, bytes: &[u8]) -> Result<T, SavedError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: String,
    }
    let malformed = |error: serde_json::Error| SavedError::Malformed {
        name: T::NAME,
        path: path.to_owned(),
        reason: error.to_string(),
        written_by: T::WRITTEN_BY,
    };
    // The version first: what else a newer format holds may not parse.
    let Versioned { format_version } = serde_json::from_slice(bytes).map_err(malformed)?;
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    if major(&format_version) != major(T::FORMAT_VERSION) {
        return Err(SavedError::Version {
            name: T::NAME,
            path: path.to_owned(),
            found: format_version.escape_debug().to_string(),
            readable: T::FORMAT_VERSION,
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
            Err(changed("its `checksum` is another's"))
        }
        Some(_) => Ok(document),
    }
}

/// The JSON Schema of a kind of document.
pub fn json_schema<T: Document>() -> Value {
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

/// The JSON Schema of what is printed and never read again, and so has no checksum. People call it `name`.
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
