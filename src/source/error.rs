//! What can be wrong with a source.

/// What can be wrong with a source.
#[derive(Debug, thiserror::Error)]
#[error("source")]
pub struct SourceError;
