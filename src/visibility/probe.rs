//! The anonymous probe: the only proof of visibility that every registry gives.

use crate::model::plan::ObservedVisibility;
use crate::model::{Digest, TagOrDigest};
use crate::registry::{RegistryError, Repository};

/// Pulls `digest` from `anonymous`, a repository that was connected without credentials.
///
/// 200 is public. 401 and 403, at the token or at the manifest, are not public **or absent**: ask only about a digest
/// that an authenticated request has seen. 404 after a token is a repository that can be read. Everything else is
/// unknown, never "private".
pub async fn probe(anonymous: &dyn Repository, digest: &Digest) -> ObservedVisibility {
    match anonymous.head_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(Some(_)) => ObservedVisibility::Public,
        Err(RegistryError::Unauthorized(_) | RegistryError::Denied(_)) => ObservedVisibility::NotPublic,
        Ok(None) | Err(_) => ObservedVisibility::Unknown,
    }
}

/// Asks `anonymous` for `digest`, which is not there. Whoever is told so, instead of being refused, can pull what is there later:
/// that is public. A refusal tells nothing but that the repository is absent for strangers.
pub async fn probe_absent(anonymous: &dyn Repository, digest: &Digest) -> ObservedVisibility {
    match anonymous.head_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(_) => ObservedVisibility::Public,
        Err(RegistryError::Unauthorized(_) | RegistryError::Denied(_)) => ObservedVisibility::Absent,
        Err(_) => ObservedVisibility::Unknown,
    }
}
