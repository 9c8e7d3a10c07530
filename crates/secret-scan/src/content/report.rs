//! The result of searching a blob.

use std::io;

use serde::{Deserialize, Serialize};

use crate::matches::Match;

/// A match in a blob.
#[derive(Debug, Clone)]
pub struct FileMatch {
    /// The file in the blob, fit to be shown. `None` if the blob itself is the file, and has no name.
    pub path: Option<String>,
    /// The match.
    pub found: Match,
}

/// A part of a blob that could not be searched, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsearchedPart {
    /// The file, fit to be shown. `None` for the blob itself.
    pub path: Option<String>,
    /// The reason, for people.
    pub reason: String,
}

/// The result of searching a blob.
#[derive(Debug, Default)]
pub struct BlobReport {
    /// The matches, in the order of the blob.
    pub matches: Vec<FileMatch>,
    /// The paths that a layer deletes from the layers below it; folders end with a `/`.
    pub deleted: Vec<String>,
    /// The parts that could not be searched, or not to their end.
    pub unsearched: Vec<UnsearchedPart>,
    /// Why the blob as a whole counts as not searched, even if there are matches in it.
    pub unreadable: Option<String>,
    /// How many matches of severity high were left out for lack of room.
    pub high_left_out: usize,
    /// Whether the blob was read to its end, so that its reader could verify its digest.
    pub complete: bool,
}

/// Why a blob cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It could not be read: its reader failed, or its compressed data is damaged.
    #[error("the blob cannot be read")]
    Read(#[source] io::Error),
    /// It is an archive that cannot be read, for this reason.
    #[error("the archive is damaged: {0}")]
    Malformed(String),
    /// The search was asked to stop.
    #[error("the search was stopped")]
    Stopped,
}
