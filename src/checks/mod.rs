//! The lockstep checks of `[[checks]]`: values of files that must agree with the release before anything is published.
//!
//! `document` reads one value of a TOML, JSON or YAML file; `check` compares such values with the expected ones. `desired`
//! decides which value a check expects in a context.

mod check;
mod document;
mod files;
mod quoted;

pub use check::{CheckPlaces, CheckReport, Expectation, LockstepCheck, run_checks};
pub use document::{DocumentError, DocumentText, TextDocument};
pub use quoted::quoted;
