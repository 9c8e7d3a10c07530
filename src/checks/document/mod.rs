//! A TOML, JSON or YAML file, and the text at one of its keys, with its place if the format provides it.
//!
//! Each format has a file with one function `find`. A document is kept only as text: every lookup reads it from the start, so
//! aliases of YAML are never written out, and nesting costs no more than the file is long.

mod error;
mod json;
mod problem;
mod toml;
mod yaml;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Location, SourceText};
use crate::model::KeyPath;
use oci_registry::mask;

pub use error::DocumentError;
pub(super) use error::shortened;
use problem::LookupProblem;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DocumentFormat {
    Toml,
    Json,
    Yaml,
}

impl DocumentFormat {
    /// Returns the format that the extension of the file names.
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }
}

/// A file that was read. In a YAML stream, the first document counts.
pub struct TextDocument {
    /// The name as it is written in `publish.toml`.
    name: String,
    format: DocumentFormat,
    text: String,
    /// The text that labels point into, with credentials masked.
    source: Arc<SourceText>,
}

/// The text at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentText {
    /// The text.
    pub text: String,
    /// The place of the text.
    pub location: Option<Location>,
}

impl TextDocument {
    /// Reads the file `name`, which is relative to `folder`. `shown` is the file's name relative to the working directory.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the extension of the file names none of the three formats, or the file cannot be read as text of at
    /// most 4 MiB. Whether the text is valid in its format is reported by the first lookup.
    pub fn read(folder: &Path, name: &str, shown: &str) -> Result<Self, Box<DocumentError>> {
        let path = folder.join(name);
        let format =
            DocumentFormat::of(&path).ok_or_else(|| DocumentError::Format { name: name.to_owned() })?;
        let unreadable = |message: String| DocumentError::Unreadable { name: name.to_owned(), message };
        let bytes = bytes(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => DocumentError::Missing { name: name.to_owned() },
            _ => unreadable(error.to_string()),
        })?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(Box::new(DocumentError::TooLarge { name: name.to_owned() }));
        }
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self::of(name, shown, &path, format, text))
    }

    fn of(name: &str, shown: &str, path: &Path, format: DocumentFormat, text: String) -> Self {
        let source = SourceText {
            name: shown.to_owned(),
            file: Some(path.to_owned()),
            // A label shows the lines around it, whatever they contain.
            text: mask::mask_by_text(text.clone()),
        };
        Self { name: name.to_owned(), format, text, source: Arc::new(source) }
    }

    /// Returns the text at `key`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the document is not valid in its format, has no such key, or has no string there.
    pub fn text(&self, key: &KeyPath) -> Result<DocumentText, Box<DocumentError>> {
        let parts = key.parts();
        let found = match self.format {
            DocumentFormat::Toml => toml::find(&self.text, parts),
            DocumentFormat::Json => json::find(&self.text, parts),
            DocumentFormat::Yaml => yaml::find(&self.text, parts),
        };
        let (text, span) = found.map_err(|problem| Box::new(self.error(problem, key)))?;
        Ok(DocumentText { text, location: self.location(span) })
    }

    fn location(&self, span: Option<Range<usize>>) -> Option<Location> {
        let span = span.filter(|span| self.source.text.get(span.clone()).is_some())?;
        Some(Location { source: Arc::clone(&self.source), span })
    }

    fn error(&self, problem: LookupProblem, key: &KeyPath) -> DocumentError {
        let name = self.name.clone();
        match problem {
            LookupProblem::Syntax { message, span } => DocumentError::Syntax {
                name,
                format: self.format.name(),
                message: mask::mask_by_text(message),
                location: self.location(span),
            },
            LookupProblem::NoKey { found, has } => {
                DocumentError::NoKey { name, key: key.to_string(), at: key.first(found), has }
            }
            LookupProblem::NotText { kind, has, span } => DocumentError::NotText {
                name,
                key: key.to_string(),
                kind,
                has,
                location: self.location(span),
            },
        }
    }
}

/// Returns the bytes of a regular file. A pipe or a device might never end.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
