//! Where content comes from: image layouts and archives of them, and indexes assembled from both.
//!
//! A [`Source`] has two methods; the rest derives from them. Everything here is synchronous, reads in
//! place, and verifies what it reads. [`publishable`] makes of a declared source exactly what is published.
//!
//! In reading order: `layout` (what a layout is, wherever its files lie), `directory` and `archive` (where
//! they lie; `tar_index` finds them in a tar file), `walk` (all that a root reaches), `assemble` (an index
//! of several sources), `annotate` and `publish` (what is published of it). What is sent where is not
//! decided here.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::model::{Descriptor, SourceSpec, TransportSpec};

mod annotate;
mod archive;
mod assemble;
mod directory;
mod error;
mod images;
mod layout;
mod positioned;
mod publish;
mod read;
mod reference;
mod tar_header;
mod tar_index;
mod verify;
mod walk;

pub use error::SourceError;
pub use publish::{Published, publishable};
pub use walk::{Content, walk};

#[cfg(test)]
#[path = "../../tests/support/image.rs"]
mod fixture;

/// Reads one blob. Returns an error instead of the end where digest or size are not those of the
/// descriptor it was opened with.
pub type BlobReader = Box<dyn Read + Send>;

/// Content that can be published: a root manifest and all that it reaches.
pub trait Source: Send + Sync {
    /// The manifest to publish.
    fn root(&self) -> Result<Descriptor, SourceError>;
    /// Opens a manifest or blob that the root reaches. Whether it is there, and of the right size, is known
    /// at once; its digest when it was read.
    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError>;
}

/// Opens what `spec` names; relative paths start at `folder`. A table of platforms is assembled into an
/// index.
///
/// # Errors
///
/// [`SourceError`] where it is not there, is no image layout, or does not say which image is meant.
pub fn open(spec: &SourceSpec, folder: &Path) -> Result<Arc<dyn Source>, SourceError> {
    match spec {
        SourceSpec::One(transport) => open_transport(transport, folder),
        SourceSpec::Platforms(table) => Ok(Arc::new(assemble::assemble(table, folder)?)),
    }
}

fn open_transport(spec: &TransportSpec, folder: &Path) -> Result<Arc<dyn Source>, SourceError> {
    match spec {
        TransportSpec::Oci { path, reference } => {
            let files = directory::Directory::open(folder.join(path))?;
            Ok(Arc::new(layout::Layout::open(files, reference.as_deref())?))
        }
        TransportSpec::OciArchive { path, reference } => {
            let files = archive::Archive::open(folder.join(path))?;
            Ok(Arc::new(layout::Layout::open(files, reference.as_deref())?))
        }
    }
}
