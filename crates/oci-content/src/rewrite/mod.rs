//! A source with some manifests rewritten: platforms are selected, annotations and labels are added. Only this module ever
//! changes a byte of a source.
//!
//! A changed manifest has another digest, which changes the entries of every index above it. `select` and `write` decide how each
//! manifest changes, `tree` reads and holds the manifests, `object` changes members of JSON and keeps everything else.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;

use super::verify::VerifyingReader;
use super::{BlobOrigin, BlobReader, Source, SourceError};
use crate::ImageSpec;
use oci_registry::{Descriptor, Digest, Referrer};

mod object;
mod select;
mod tree;
mod write;

use tree::ManifestTree;

/// A source with another root, and the content that the new root needs beside that of the original.
struct Rewritten {
    root: Descriptor,
    /// The rewritten manifests and configurations.
    written: HashMap<Digest, Bytes>,
    inner: Arc<dyn Source>,
}

/// Rewrites `source` as `spec` declares it: with the selected platforms, and with annotations and labels. Returns the same source
/// if that changes nothing.
///
/// # Errors
///
/// [`SourceError`] if a platform is missing, or an annotation or label cannot be written to its place.
pub(super) fn rewrite(source: Arc<dyn Source>, spec: &ImageSpec) -> Result<Arc<dyn Source>, SourceError> {
    if spec.platforms.is_empty() && spec.annotations.is_empty() && spec.labels.is_empty() {
        return Ok(source);
    }
    let old = source.root()?;
    let mut tree = ManifestTree::new(Arc::clone(&source));
    let selected = select::select(&mut tree, &old, spec)?;
    let root = write::write(&mut tree, &selected, spec)?;
    if root.digest == old.digest {
        return Ok(source);
    }
    Ok(Arc::new(Rewritten { root, written: tree.into_written(), inner: source }))
}

impl Source for Rewritten {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.clone())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        match self.written.get(&blob.digest) {
            Some(bytes) => {
                let place = format!("`{}`, written here,", blob.digest);
                Ok(VerifyingReader::boxed(Cursor::new(bytes.clone()), blob, place))
            }
            None => self.inner.open(blob),
        }
    }

    fn open_manifest(&self, manifest: &Descriptor) -> Result<BlobReader, SourceError> {
        if self.written.contains_key(&manifest.digest) {
            return self.open(manifest);
        }
        self.inner.open_manifest(manifest)
    }

    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        let inner: Vec<Descriptor> =
            blobs.iter().filter(|blob| !self.written.contains_key(&blob.digest)).cloned().collect();
        self.inner.check(&inner)
    }

    fn origin(&self, blob: &Digest) -> Option<BlobOrigin> {
        if self.written.contains_key(blob) { None } else { self.inner.origin(blob) }
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        self.inner.referrers(subject)
    }
}

#[cfg(test)]
#[path = "fixture_tests.rs"]
mod fixture;

#[cfg(test)]
#[path = "select_tests.rs"]
mod select_tests;

#[cfg(test)]
#[path = "annotate_tests.rs"]
mod annotate_tests;

#[cfg(test)]
#[path = "label_tests.rs"]
mod label_tests;

#[cfg(test)]
#[path = "property_tests.rs"]
mod property_tests;
