//! Where content comes from: image layouts and archives of them, and indexes assembled from both.
//!
//! A [`Source`] has two methods; the rest derives from them. Everything here is synchronous, reads in
//! place, and verifies what it reads.

use std::io::Read;

use crate::model::Descriptor;

/// Reads one blob. Returns an error instead of the end where digest or size are not those of the
/// descriptor it was opened with.
pub type BlobReader = Box<dyn Read + Send>;

/// Content that can be published: a root manifest and all that it reaches.
pub trait Source: Send + Sync {
    /// The manifest to publish.
    fn root(&self) -> Result<Descriptor, SourceError>;
    /// Opens a manifest or blob that the root reaches.
    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError>;
}

mod error;
pub use error::SourceError;
