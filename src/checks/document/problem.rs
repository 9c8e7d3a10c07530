//! The reasons why a document of any format has no text at a key.

use std::ops::Range;

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LookupProblem {
    /// The document is not valid in its format.
    Syntax {
        /// The message of the parser.
        message: String,
        /// The range of the invalid bytes.
        span: Option<Range<usize>>,
    },
    /// The first `found` parts of the key exist, and the next one does not.
    NoKey {
        /// How many parts exist.
        found: usize,
        /// The contents at the last existing part.
        has: ValueContents,
    },
    /// There is a value, but it is not a string.
    NotText {
        /// The kind of the value.
        kind: ValueKind,
        /// The contents of the value.
        has: ValueContents,
        /// The bytes of the value.
        span: Option<Range<usize>>,
    },
}

/// The kind of a value that is not a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// A table, a mapping, an object.
    Table,
    /// A list.
    List,
    /// A value that would be a string in quotes: the name of its kind, and its text.
    Unquoted(&'static str, String),
    /// Null.
    Null,
    /// A value whose YAML tag gives it another type.
    Tagged(String),
}

/// The contents of a value, so that a message can list the choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueContents {
    /// A table with these keys, of which only the first few are kept.
    Keys(Vec<String>),
    /// A list with this many items.
    Items(usize),
    /// No table or list, so no key leads further.
    Nothing,
}

/// How many keys a message lists.
pub(super) const MAX_LISTED_KEYS: usize = 12;
