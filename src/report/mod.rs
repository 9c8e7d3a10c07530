//! Output for people and machines. Nothing else in the crate prints.
//!
//! Data goes to standard output, and everything else to standard error. Reporters receive events as they happen. The other
//! modules return texts, which [`output`] writes.

pub mod access;
pub mod approval_page;
mod bars;
mod build_tools;
pub mod catalogue;
pub mod checked_values;
pub(crate) mod clean;
pub mod diagnostics;
mod difference;
mod fit;
mod fold;
mod json;
mod lines;
pub mod outcome;
pub mod output;
pub mod packaged;
pub mod page;
mod paint;
pub mod plan;
mod progress;
pub mod proposal;
pub mod references;
mod referrers;
mod rows;
pub mod secrets;
mod signatures;
mod size;
pub mod step_outputs;
pub mod tags;
mod untagged;
mod values;
pub mod verification;
mod verify_command;

pub use bars::Bars;
pub use difference::text_difference;
pub use json::{EventLine, JsonLines};
pub use lines::TextLines;
pub use paint::Style;

/// Returns a text from outside on one line, with characters that act on a terminal written as escapes.
pub fn one_line(text: &str) -> String {
    clean::line(text)
}

/// Returns a text from outside on any number of lines, with characters that act on a terminal written as escapes.
pub fn lines(text: &str) -> String {
    clean::message(text)
}

/// Returns the same JSON document in a form that may be printed: nothing in it acts on a terminal or a CI.
pub fn json_text(document: &str) -> String {
    clean::json(document)
}
