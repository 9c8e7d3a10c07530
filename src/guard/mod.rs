//! The checks that keep mistakes from being published: the lockstep checks of `[[checks]]`, and the search for secrets.
//!
//! `document` reads one value of a TOML, JSON or YAML file; `check` compares such values with the expected ones. Other modules
//! decide which value a check expects in a context. `secrets` searches bytes and names; it opens no file and no layer.
//! `content` passes it the files of layers and everything else that is sent.

mod check;
pub mod content;
mod document;
pub mod secrets;

pub use check::{Check, CheckPlaces, Expectation, core, run};
pub use document::{Document, DocumentError, Found};
