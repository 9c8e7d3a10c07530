//! What keeps a mistake from being published: the lockstep checks of `[[checks]]`.
//!
//! `document` reads one value of a TOML, JSON or YAML file; `check` holds such values against what they should be. What
//! a check expects in a context is decided elsewhere.

mod check;
mod document;

pub use check::{Check, CheckPlaces, Expectation, core, run};
pub use document::{Document, DocumentError, Found};
