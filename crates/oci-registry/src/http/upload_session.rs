//! An upload session of a registry (distribution-spec 1.1, "Pushing blobs").

use url::Url;

/// An upload session.
#[derive(Debug, Clone)]
pub(super) struct UploadSession {
    /// The address for the next request.
    pub(super) url: Url,
    /// The smallest chunk that the registry accepts, in bytes (`OCI-Chunk-Min-Length`).
    pub(super) smallest_chunk: u64,
}
