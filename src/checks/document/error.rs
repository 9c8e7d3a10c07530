//! The errors of documents, with their messages and help.

use super::problem::{Holds, TOLD, What};
use crate::diagnostic::{Code, Diagnostic, Place};
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
        place: Option<Place>,
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
        has: Holds,
    },
    /// The value is not a string.
    #[error("`{key}` in `{name}` is {}, not a string", described(.what))]
    NotText {
        /// The file.
        name: String,
        /// The key.
        key: String,
        /// The kind of the value.
        what: What,
        /// The contents of the value.
        has: Holds,
        /// The place of the value.
        place: Option<Place>,
    },
}

impl DocumentError {
    /// Whether the file is valid, and only its key or the key's value is wrong.
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::NoKey { .. } | Self::NotText { .. })
    }

    /// Returns the diagnostic, which points into the file if the place is known.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let (place, label) = match self {
            Self::Syntax { place, .. } => (place.clone(), "here"),
            Self::NotText { place, .. } => (place.clone(), "not a string"),
            _ => (None, ""),
        };
        Diagnostic::error(Code::CheckFile, self.to_string()).at_maybe(place, label).help(self.way_out())
    }

    fn way_out(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "`file` is relative to the folder of `publish.toml`; correct the path, or run where the file exists"
                    .to_owned()
            }
            Self::Unreadable { .. } => "name a UTF-8 text file that this user may read".to_owned(),
            Self::TooLarge { .. } => "name the file that the version is maintained in".to_owned(),
            Self::Format { .. } => "name a file that ends in `.toml`, `.json`, `.yaml` or `.yml`".to_owned(),
            Self::Syntax { .. } => "correct the file".to_owned(),
            Self::NoKey { at, has, .. } => there(at, has),
            Self::NotText { key, what, has, .. } => match (what, has) {
                (What::Unquoted(_, text), _) => format!("put it in quotes: `\"{}\"`", shortened(text)),
                (What::Null, _) => "give it a value, in quotes".to_owned(),
                (What::Tagged(_), _) => "remove the tag and put the value in quotes".to_owned(),
                (What::Table, Holds::Keys(keys)) if keys == &["workspace"] => {
                    "it is inherited: check the file of the workspace, usually at `workspace.package.version`"
                        .to_owned()
                }
                (_, has) => there(key, has),
            },
        }
    }
}

fn described(what: &What) -> String {
    match what {
        What::Table => "a table".to_owned(),
        What::List => "a list".to_owned(),
        What::Unquoted(kind, text) => format!("{kind} `{}`", shortened(text)),
        What::Null => "empty (null)".to_owned(),
        What::Tagged(tag) => format!("of the type `{}`", shortened(tag)),
    }
}

/// Returns a text that lists what exists at the key `at`.
fn there(at: &str, has: &Holds) -> String {
    let subject = if at.is_empty() { "the file".to_owned() } else { format!("`{at}`") };
    match has {
        Holds::Keys(keys) if keys.is_empty() => format!("{subject} has no keys"),
        Holds::Keys(keys) => {
            let more = if keys.len() < TOLD { "" } else { ", …" };
            let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", shortened(key))).collect();
            format!("{subject} has {}{more}", keys.join(", "))
        }
        Holds::Items(0) => format!("{subject} is an empty list"),
        Holds::Items(count) => {
            let first = if at.is_empty() { "0".to_owned() } else { format!("{at}.0") };
            format!("{subject} is a list of {count}: `{first}` is its first item")
        }
        Holds::Nothing => format!("{subject} is not a table and has no keys"),
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
