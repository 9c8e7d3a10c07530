//! The errors of documents, with their messages and help.

use super::problem::{MAX_LISTED_KEYS, ValueContents, ValueKind};
use crate::diagnostic::{Code, Diagnostic, Location, ToDiagnostic};
use oci_registry::mask;

/// Why a document has no text at a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is no such file.
    #[error("there is no file `{name}`")]
    Missing {
        /// The file.
        name: String,
    },
    /// No file matches a pattern.
    #[error("no file matches `{name}`")]
    NoMatch {
        /// The pattern.
        name: String,
    },
    /// The pattern cannot be used.
    #[error("the pattern `{name}` cannot be used: {message}")]
    Pattern {
        /// The pattern.
        name: String,
        /// Why.
        message: String,
    },
    /// The file cannot be read.
    #[error("`{name}` cannot be read: {message}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        message: String,
    },
    /// The file is too large to be one that people write.
    #[error("`{name}` is larger than 4 MiB")]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The extension of the file names no supported format.
    #[error("`{name}` is not a TOML, JSON or YAML file")]
    Format {
        /// The file.
        name: String,
    },
    /// The text is not valid in its format.
    #[error("`{name}` is not valid {format}: {message}")]
    Syntax {
        /// The file.
        name: String,
        /// The format.
        format: &'static str,
        /// The message of the parser, with credentials masked.
        message: String,
        /// The place of the error.
        location: Option<Location>,
    },
    /// There is no such key.
    #[error("`{name}` has no key `{key}`")]
    NoKey {
        /// The file.
        name: String,
        /// The key.
        key: String,
        /// The part of the key that exists; empty if no part does.
        at: String,
        /// The contents at that part.
        has: ValueContents,
    },
    /// The value is not a string.
    #[error("`{key}` in `{name}` is {}, not a string", kind_name(.kind))]
    NotText {
        /// The file.
        name: String,
        /// The key.
        key: String,
        /// The kind of the value.
        kind: ValueKind,
        /// The contents of the value.
        has: ValueContents,
        /// The place of the value.
        location: Option<Location>,
    },
}

impl DocumentError {
    /// Whether the file is valid, and only its key or the key's value is wrong.
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::NoKey { .. } | Self::NotText { .. })
    }

    fn help(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "`file` is relative to the folder of `publish.toml`; correct the path, or run where the file exists"
                    .to_owned()
            }
            Self::NoMatch { .. } => {
                "a pattern is relative to the folder of `publish.toml`; `*` stays within a folder, and `**` does not".to_owned()
            }
            Self::Pattern { .. } => "begin the pattern with the folder that holds the files".to_owned(),
            Self::Unreadable { .. } => "name a UTF-8 text file that this user may read".to_owned(),
            Self::TooLarge { .. } => "name the file that the version is maintained in".to_owned(),
            Self::Format { .. } => "name a file that ends in `.toml`, `.json`, `.yaml` or `.yml`".to_owned(),
            Self::Syntax { .. } => "correct the file".to_owned(),
            Self::NoKey { at, has, .. } => choices(at, has),
            Self::NotText { key, kind, has, .. } => match (kind, has) {
                (ValueKind::Unquoted(_, text), _) => format!("put it in quotes: `\"{}\"`", shortened(text)),
                (ValueKind::Null, _) => "give it a value, in quotes".to_owned(),
                (ValueKind::Tagged(_), _) => "remove the tag and put the value in quotes".to_owned(),
                (ValueKind::Table, ValueContents::Keys(keys)) if keys == &["workspace"] => {
                    "it is inherited: check the file of the workspace, usually at `workspace.package.version`"
                        .to_owned()
                }
                (_, has) => choices(key, has),
            },
        }
    }
}

impl ToDiagnostic for DocumentError {
    /// Returns the diagnostic, which points into the file if the place is known.
    fn to_diagnostic(&self) -> Diagnostic {
        let (location, label) = match self {
            Self::Syntax { location, .. } => (location.clone(), "here"),
            Self::NotText { location, .. } => (location.clone(), "not a string"),
            _ => (None, ""),
        };
        Diagnostic::error(Code::CheckFile, self.to_string()).at_maybe(location, label).help(self.help())
    }
}

fn kind_name(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Table => "a table".to_owned(),
        ValueKind::List => "a list".to_owned(),
        ValueKind::Unquoted(name, text) => format!("{name} `{}`", shortened(text)),
        ValueKind::Null => "empty (null)".to_owned(),
        ValueKind::Tagged(tag) => format!("of the type `{}`", shortened(tag)),
    }
}

/// Returns a text that lists what exists at the key `at`.
fn choices(at: &str, has: &ValueContents) -> String {
    let subject = if at.is_empty() { "the file".to_owned() } else { format!("`{at}`") };
    match has {
        ValueContents::Keys(keys) if keys.is_empty() => format!("{subject} has no keys"),
        ValueContents::Keys(keys) => {
            let more = if keys.len() < MAX_LISTED_KEYS { "" } else { ", …" };
            let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", shortened(key))).collect();
            format!("{subject} has {}{more}", keys.join(", "))
        }
        ValueContents::Items(0) => format!("{subject} is an empty list"),
        ValueContents::Items(count) => {
            let first = if at.is_empty() { "0".to_owned() } else { format!("{at}.0") };
            format!("{subject} is a list of {count}: `{first}` is its first item")
        }
        ValueContents::Nothing => format!("{subject} is not a table and has no keys"),
    }
}

/// Returns the beginning of a text, on one line, for messages.
pub(in crate::checks) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    let masked = mask::without_tokens(&short);
    // Quotes are harmless, and easier to read unescaped.
    let shown: String = masked
        .chars()
        .map(|it| if matches!(it, '\'' | '"') { it.to_string() } else { it.escape_debug().to_string() })
        .collect();
    format!("{shown}{more}")
}
