//! What people and machines read. Nothing else in the crate prints.
//!
//! Data goes to standard output, everything else to standard error. A reporter hears of events as they happen; the
//! rest gives texts, which [`output`] writes.

pub mod access;
mod bars;
pub(crate) mod clean;
pub mod diagnostics;
mod json;
mod lines;
pub mod outcome;
pub mod output;
mod paint;
pub mod plan;
pub mod proposal;
pub mod references;
mod referrers;
mod rows;
pub mod secrets;
mod size;
pub mod tags;
pub mod verification;

pub use bars::Bars;
pub use diagnostics::Style;
pub use json::JsonLines;
pub use lines::Lines;

/// A text from outside on one line, with what acts on a terminal written as an escape.
pub fn one_line(text: &str) -> String {
    clean::line(text)
}

/// A text from outside on any number of lines, with what acts on a terminal written as an escape.
pub fn lines(text: &str) -> String {
    clean::message(text)
}

/// A JSON document as it may be printed: the same document, with nothing in it that acts on a terminal or a CI.
pub fn json_text(document: &str) -> String {
    clean::json(document)
}
