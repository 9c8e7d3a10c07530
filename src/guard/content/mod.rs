//! The search for secrets in what is sent: layers, other blobs, configurations of images, annotations.
//!
//! In reading order: `input`, a stream that can be looked ahead in and is bounded; `blob`, what a blob is, and the files
//! of it; `finder`, what is collected of them; `tar` and `zip`, how files lie in archives; `echo`, the bytes of these as they are; `config`, what configurations and
//! annotations say; `hide` and `words`, how texts are shown that may hold a secret. What looks like a secret is decided by
//! `secrets`; which blobs are searched, and what happens with what is found, elsewhere.

mod blob;
mod config;
mod echo;
mod finder;
mod hide;
mod input;
mod tar;
mod words;
mod zip;

use std::io;

use super::secrets::Match;

pub use blob::{About, blob};
pub use config::{ConfigHit, Part, annotation, config, instructions};
pub use hide::{hidden_path, hide, shown, shown_path};

/// Something found in a blob.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The file in the blob, fit to be shown; none: the blob is the file, and has no name.
    pub path: Option<String>,
    /// What was found.
    pub found: Match,
}

/// What a search of a blob gave.
#[derive(Debug, Default)]
pub struct Searched {
    /// What was found, in the order of the blob.
    pub hits: Vec<Hit>,
    /// What a layer deletes of the layers below it; folders with a `/` at the end.
    pub deleted: Vec<String>,
    /// What could not be searched, or not to its end: the file, none for the blob itself, and why.
    pub unsearched: Vec<(Option<String>, String)>,
    /// Why the blob as a whole counts as not searched, though something in it may have been found.
    pub unreadable: Option<String>,
    /// How many findings of severity high there was no room for.
    pub high_left_out: usize,
    /// Whether the blob was read to its end, so that its digest held.
    pub complete: bool,
}

/// Why a blob cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It could not be read: its source failed, or it is damaged where it is compressed.
    #[error("{0}")]
    Read(io::Error),
    /// It is no archive that can be read.
    #[error("{0}")]
    Malformed(String),
    /// Somebody wants to stop.
    #[error("the search was stopped")]
    Stopped,
}

#[cfg(test)]
use testkit::raw_tar;

#[cfg(test)]
mod tests;
