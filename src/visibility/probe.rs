//! The anonymous probe: the only proof of visibility that every registry gives.

use crate::model::plan::ObservedVisibility;
use oci_registry::{Digest, Presence, RegistryError, Repository, TagListing, TagOrDigest};

/// The visibility that an anonymous pull showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibilityProbe {
    /// The visibility.
    pub observed: ObservedVisibility,
    /// The reason, if it is unknown.
    pub why: Option<String>,
    /// Whether it is private only because strangers are answered that the content is not there. Just after a push, that may be a lag.
    pub hidden: bool,
}

impl VisibilityProbe {
    /// Returns a visibility that needs no reason.
    pub fn seen(observed: ObservedVisibility) -> Self {
        Self { observed, why: None, hidden: false }
    }

    /// Returns an unknown visibility.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { observed: ObservedVisibility::Unknown, why: Some(why.into()), hidden: false }
    }
}

/// Content of a repository that an anonymous pull can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pullable {
    /// A manifest that is there.
    Manifest(Digest),
    /// The repository has no tag.
    NoTag,
    /// The repository may have tags, but none that could be read, with the reason.
    Unread(String),
}

/// The most tags that are asked for the manifest that they name.
const TAGS_ASKED: usize = 3;

/// Finds a manifest that an anonymous pull can ask for. `known` is one that was seen, if there is any; `listing` are the tags of the
/// repository, if they were read.
pub async fn pullable(
    repository: &dyn Repository,
    known: Option<Digest>,
    listing: Option<&TagListing>,
) -> Pullable {
    if let Some(digest) = known {
        return Pullable::Manifest(digest);
    }
    let listed = match listing {
        Some(listing) => Ok(listing.clone()),
        None => repository.list_tags().await,
    };
    let listing = match listed {
        Ok(listing) => listing,
        Err(error) => return Pullable::Unread(format!("its tags cannot be listed: {error}")),
    };
    if listing.is_empty() {
        return match listing.refusal() {
            Some(error) => Pullable::Unread(format!("its tags cannot be listed: {error}")),
            None => Pullable::NoTag,
        };
    }
    let mut failure = None;
    for tag in listing.tags().iter().rev().take(TAGS_ASKED) {
        match repository.head_manifest(&TagOrDigest::Tag(tag.clone())).await {
            Ok(Some(head)) => return Pullable::Manifest(head.digest),
            Ok(None) => {}
            Err(error) => failure = Some(error.to_string()),
        }
    }
    Pullable::Unread(failure.unwrap_or_else(|| "the tags that it lists cannot be read".to_owned()))
}

/// Returns the visibility of a repository in which no tag and no manifest is known: absent if it is not there.
pub async fn probe_untagged(repository: &dyn Repository) -> VisibilityProbe {
    match repository.probe_read().await {
        Ok(Presence::There) => {
            VisibilityProbe::unknown("the repository is there, but has no tag that could be pulled")
        }
        // Some registries refuse whatever is not there. Its tags were just read as absent.
        Ok(Presence::NotYet) | Err(RegistryError::Unauthorized(_) | RegistryError::Denied(_)) => {
            VisibilityProbe::seen(ObservedVisibility::Absent)
        }
        Err(error) => VisibilityProbe::unknown(error.to_string()),
    }
}

/// Pulls `digest` from `anonymous`, a repository connected without credentials, and returns the visibility that this shows. The same
/// digest must have been seen in `repository`, which is connected with credentials.
///
/// 200 means public. 401 and 403, from the token service or for the manifest, mean not public. 404 means the same if `repository` still
/// shows the manifest: GHCR and GitLab hide what is private. Everything else is unknown, never "private".
pub async fn probe(
    anonymous: &dyn Repository,
    repository: &dyn Repository,
    digest: &Digest,
) -> VisibilityProbe {
    let at = TagOrDigest::Digest(digest.clone());
    match anonymous.head_manifest(&at).await {
        Ok(Some(_)) => VisibilityProbe::seen(ObservedVisibility::Public),
        Ok(None) => hidden(anonymous, repository, &at).await,
        Err(error) => of_error(&error),
    }
}

/// Distinguishes content that is hidden from strangers from content that is gone. A 404 to HEAD is no proof, so GET has the last word.
async fn hidden(
    anonymous: &dyn Repository,
    repository: &dyn Repository,
    at: &TagOrDigest,
) -> VisibilityProbe {
    match repository.get_manifest(at).await {
        Ok(Some(_)) => {}
        Ok(None) => return VisibilityProbe::unknown("the manifest that was asked for is not there any more"),
        Err(error) => return VisibilityProbe::unknown(error.to_string()),
    }
    match anonymous.get_manifest(at).await {
        Ok(Some(_)) => VisibilityProbe::seen(ObservedVisibility::Public),
        Ok(None) => VisibilityProbe { hidden: true, ..VisibilityProbe::seen(ObservedVisibility::NotPublic) },
        Err(error) => of_error(&error),
    }
}

fn of_error(error: &RegistryError) -> VisibilityProbe {
    match error {
        RegistryError::Unauthorized(_) | RegistryError::Denied(_) => {
            VisibilityProbe::seen(ObservedVisibility::NotPublic)
        }
        error => VisibilityProbe::unknown(format!("an anonymous pull got no answer: {error}")),
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
