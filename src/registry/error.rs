//! What can go wrong with a registry.

/// What can go wrong with a registry.
#[derive(Debug, thiserror::Error)]
#[error("registry")]
pub struct RegistryError;
