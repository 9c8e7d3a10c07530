//! The interface to the API of a provider that reads and sets who may pull: [`VisibilityProvider`].

use oci_registry::RepositoryName;

use super::error::VisibilityError;
use crate::model::Visibility;

/// The abilities of a provider's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capability {
    /// It reads and sets who may pull.
    ReadWrite,
    /// It cannot set visibility, or not here. The text says why, for people.
    ReadOnly(String),
    /// There is no such API: only an anonymous pull shows who may pull.
    Unmanaged,
}

/// A visibility as an API reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilitySetting {
    /// The visibility.
    pub visibility: Visibility,
    /// The project that the visibility applies to, if the registry has no visibility for a single repository.
    pub project: Option<String>,
}

/// Reads and sets who may pull from the repositories of one registry, through the API of its provider.
#[async_trait::async_trait]
pub trait VisibilityProvider: Send + Sync {
    /// Returns the abilities of the API. Sends no request.
    fn capability(&self) -> Capability;
    /// Returns the visibility of `repository`; `None` if the API knows no such repository, or may not report it.
    async fn get(&self, repository: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError>;
    /// Sets the visibility of `repository`, or of its whole project if the registry only has that.
    async fn set(&self, repository: &RepositoryName, to: Visibility) -> Result<(), VisibilityError>;
}
