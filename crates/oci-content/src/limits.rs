//! The limits on the manifests of a source, which protect this program from content that was made to do harm.

use super::SourceError;

/// The greatest depth of indexes nested in indexes.
pub(super) const MAX_DEPTH: usize = 16;
/// The most manifests that a root may reach.
pub(super) const MAX_MANIFESTS: usize = 10_000;
/// The most bytes that all manifests may have together, because they are held in memory.
pub(super) const MAX_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// The error for content that exceeds the limits of this program.
pub(super) fn too_much(reason: String) -> SourceError {
    SourceError::Unsupported { reason, help: "publish a smaller index, or several".to_owned() }
}
