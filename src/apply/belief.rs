//! The source that an apply believes about the content of a repository, before it sends any.

use super::prepared::Prepared;
use oci_registry::{Descriptor, Digest, RegistryError};

/// The source that is believed about the content of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// The observations that this run made for the plan; the registry if there are none.
    Observed,
    /// The registry.
    Registry,
}

impl Belief {
    /// Whether the repository has `blob`.
    pub(super) async fn has_blob(self, it: &Prepared<'_>, blob: &Descriptor) -> Result<bool, RegistryError> {
        let observed = it.observed.and_then(|observed| observed.has_blob(&blob.digest));
        match (self, observed) {
            (Self::Observed, Some(has)) => Ok(has),
            _ => it.repository.has_blob(blob).await,
        }
    }

    /// Whether the repository has the manifest with this digest.
    pub(super) async fn has_manifest(
        self,
        it: &Prepared<'_>,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        match it.observed.filter(|_| self == Self::Observed).and_then(|it| it.has_manifest(digest)) {
            Some(has) => Ok(has),
            None => it.holds(digest).await,
        }
    }
}
