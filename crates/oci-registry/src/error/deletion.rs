//! Reasons why content cannot be deleted.

use crate::digest::Digest;
use crate::tag::Tag;

/// The reason why a registry does not delete something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeletionObstacle {
    /// Docker Hub answers 405 to any DELETE.
    #[error("Docker Hub deletes nothing over the registry's API")]
    DockerHub,
    /// The registry refuses to delete tags and manifests.
    #[error("{host} deletes nothing over the registry's API")]
    Unsupported {
        /// The host of the registry.
        host: String,
    },
    /// GitHub's packages API deletes only whole manifests.
    #[error("GitHub's packages API deletes manifests with all their tags, not the tag `{0}` alone")]
    TagAlone(Tag),
    /// The name of a repository has no owner in front, so it is not a package of GitHub.
    #[error("`{0}` does not start with an owner, as GitHub's packages do")]
    NoOwner(String),
    /// GitHub's packages API has no such package.
    #[error("there is no such package")]
    NoPackage,
    /// GitHub's packages API does not list a manifest that its registry has.
    #[error("GitHub's packages API does not list `{0}`, which its container registry holds")]
    NotListed(Digest),
    /// The repository has no means of deleting.
    #[error("this repository deletes nothing")]
    NoDeleter,
}
