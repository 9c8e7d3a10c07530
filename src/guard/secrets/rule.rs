//! What a rule says, as data. The rules themselves are in `rules`, how they are applied in [`super::Search`].

use crate::model::Severity;

/// One kind of secret, and how it is recognized.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name in findings and in `publish.toml`: `github-token`.
    pub id: &'static str,
    /// The name for people: `GitHub token`.
    pub title: &'static str,
    /// How bad a finding is where nothing speaks against it.
    pub severity: Severity,
    /// What is recognized, in a sentence.
    pub about: &'static str,
    /// How it is recognized.
    pub(super) find: Find,
}

/// Where a rule looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Find {
    /// At the bytes around a keyword, in any file or text.
    Near(Near),
    /// At each line of files of certain names.
    Lines(Lines),
    /// At the name of a file.
    Name(Name),
    /// At the name and the value of an environment variable, and at the lines of files that hold such.
    Variable,
}

/// A pattern that is tried where one of some keywords stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// At least three bytes each: the shorter they are, the slower is the pass over all bytes. None begins another.
    pub keywords: &'static [&'static str],
    /// Where the pattern is tried.
    pub start: Start,
    /// A pattern of bytes. The group `value` is what is secret; without one it is all.
    pub pattern: &'static str,
    /// The least Shannon entropy of the value, in bits a character.
    pub entropy: f64,
    /// What else must be true.
    pub check: Check,
}

/// Where a pattern is tried, seen from a keyword.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// At the keyword.
    Here,
    /// At the start of the run of letters, digits, `_` and `-` that the keyword stands in, at most 255 bytes before.
    Run,
    /// So many bytes before.
    Back(usize),
    /// At the last such text, at most 64 bytes before.
    Text(&'static str),
}

/// What must be true of a value beyond its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: the form is enough.
    Form,
    /// The last six characters are the CRC-32 of what follows the prefix, in base 62. Proof where it holds, and a lower
    /// severity where not.
    Crc32,
}

/// A pattern for each line of files of certain names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// The ends of paths, in lower case: `.netrc`.
    pub files: &'static [&'static str],
    /// A pattern of bytes with the group `value`.
    pub pattern: &'static str,
    /// What else must be true.
    pub check: Check,
}

/// Files that are secrets by their names, or hold such.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// Patterns of whole names of files, in lower case, `*` for any characters but `/`; or of the last parts of a path.
    pub files: &'static [&'static str],
}
