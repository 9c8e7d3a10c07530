//! Registries without an API for visibility: only an anonymous pull shows who may pull.

use super::{Capability, VisibilityError, VisibilityProvider, VisibilitySetting};
use crate::model::Visibility;
use oci_registry::RepositoryName;

/// A registry without such an API.
pub(super) struct Unmanaged;

#[async_trait::async_trait]
impl VisibilityProvider for Unmanaged {
    fn capability(&self) -> Capability {
        Capability::Unmanaged
    }

    async fn get(&self, _: &RepositoryName) -> Result<Option<VisibilitySetting>, VisibilityError> {
        Ok(None)
    }

    async fn set(&self, _: &RepositoryName, _: Visibility) -> Result<(), VisibilityError> {
        Err(VisibilityError::CannotSet {
            reason: "no known API sets who may pull".to_owned(),
            help: "change it where the registry lets you".to_owned(),
        })
    }
}
