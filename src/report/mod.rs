//! What people and machines read. Nothing else in the crate prints.
//!
//! Data goes to standard output, everything else to standard error. A reporter hears of events as they happen; the
//! rest gives texts, which [`output`] writes.

mod bars;
pub(crate) mod clean;
pub mod diagnostics;
mod json;
mod lines;
pub mod outcome;
pub mod output;
mod paint;
pub mod plan;
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
