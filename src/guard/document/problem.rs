//! Why a document has no text at a key, whatever its format.

use std::ops::Range;

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The document is not of its format.
    Syntax {
        /// In the words of the parser.
        message: String,
        /// The bytes that are wrong.
        span: Option<Range<usize>>,
    },
    /// The first `found` keys lead somewhere, the one after them leads nowhere.
    NoKey {
        /// How many keys lead somewhere.
        found: usize,
        /// What is there.
        has: Holds,
    },
    /// There is a value, but no string.
    NotText {
        /// What it is.
        what: What,
        /// What is in it.
        has: Holds,
        /// The bytes of the value.
        span: Option<Range<usize>>,
    },
}

/// What a value is that is no string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A table, a mapping, an object.
    Table,
    /// A list.
    List,
    /// Something that would be a string if it stood in quotes: what it is called, and its text.
    Unquoted(&'static str, String),
    /// Nothing, as `null` says.
    Null,
    /// A string of another type, as a tag of YAML says.
    Tagged(String),
}

/// What is in a value, so that a message can say what there is to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// These keys, the first few of them.
    Keys(Vec<String>),
    /// This many items.
    Items(usize),
    /// Nothing that a key could lead to.
    Nothing,
}

/// How many keys are told.
pub(super) const TOLD: usize = 12;
