//! The search for secrets in everything that is sent: layers, other blobs, configurations of images, annotations.
//!
//! In reading order: `input` is a bounded stream that can be peeked into; `blob` recognizes a blob and searches its files;
//! `finder` collects the results; `tar` and `zip` read the files of archives; `echo` searches the raw bytes of an archive;
//! `config` searches configurations and annotations; `hide` and `words` make texts that may hold a secret fit to be shown. The
//! module `secrets` decides what looks like a secret. Other modules decide which blobs are searched, and how to act on findings.

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

use crate::Match;

pub use blob::{About, blob};
pub use config::{ConfigHit, Part, annotation, config, instructions};
pub use hide::{hidden_path, hide, shown, shown_path};

/// A finding in a blob.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The file in the blob, fit to be shown. `None` if the blob itself is the file, and has no name.
    pub path: Option<String>,
    /// The finding.
    pub found: Match,
}

/// The result of searching a blob.
#[derive(Debug, Default)]
pub struct Searched {
    /// The findings, in the order of the blob.
    pub hits: Vec<Hit>,
    /// The paths that a layer deletes from the layers below it; folders end with a `/`.
    pub deleted: Vec<String>,
    /// The parts that could not be searched, or not to their end: the file (`None` for the blob itself), and the reason.
    pub unsearched: Vec<(Option<String>, String)>,
    /// Why the blob as a whole counts as not searched, even if findings in it exist.
    pub unreadable: Option<String>,
    /// How many findings of severity high were left out for lack of room.
    pub high_left_out: usize,
    /// Whether the blob was read to its end, so that its digest was verified.
    pub complete: bool,
}

/// Why a blob cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It could not be read: its source failed, or its compressed data is damaged.
    #[error("{0}")]
    Read(io::Error),
    /// It is an archive that cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The search was asked to stop.
    #[error("the search was stopped")]
    Stopped,
}

#[cfg(test)]
use testkit::raw_tar;

#[cfg(test)]
mod tests;
