//! The anonymous probe: the only proof of visibility that every registry gives.

use crate::model::plan::ObservedVisibility;
use oci_registry::{Digest, TagOrDigest};
use oci_registry::{RegistryError, Repository};

/// Pulls `digest` from `anonymous`, a repository connected without credentials, and returns the visibility that this shows.
///
/// 200 means public. 401 and 403, from the token service or for the manifest, mean not public **or absent**: ask only about a
/// digest that an authenticated request has seen. 404 after a token means that the repository can be read. Everything else is
/// unknown, never "private".
pub async fn probe(anonymous: &dyn Repository, digest: &Digest) -> ObservedVisibility {
    match anonymous.head_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(Some(_)) => ObservedVisibility::Public,
        Err(RegistryError::Unauthorized(_) | RegistryError::Denied(_)) => ObservedVisibility::NotPublic,
        Ok(None) | Err(_) => ObservedVisibility::Unknown,
    }
}

/// Asks `anonymous` for `digest`, which does not exist, and returns the visibility that this shows. A registry that says
/// so instead of refusing will let anyone pull content that is pushed later: that is public. A refusal only shows that the repository is
/// absent for anonymous users.
pub async fn probe_absent(anonymous: &dyn Repository, digest: &Digest) -> ObservedVisibility {
    match anonymous.head_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(_) => ObservedVisibility::Public,
        Err(RegistryError::Unauthorized(_) | RegistryError::Denied(_)) => ObservedVisibility::Absent,
        Err(_) => ObservedVisibility::Unknown,
    }
}
