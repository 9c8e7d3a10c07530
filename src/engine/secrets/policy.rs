//! Where a search for secrets is made, and what a finding does there.

use crate::config::Secrets;
use crate::desired::DesiredRepository;
use crate::model::plan::ObservedVisibility;
use crate::model::secret_search::SecretPolicy;
use crate::model::{Provider, RegistryLocation, TagOrDigest, Visibility};
use crate::observed::ObservedRepository;
use crate::registry::ReadWriteRepository;
use crate::visibility;

/// How the content of a repository is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Search {
    /// What a finding does.
    pub policy: SecretPolicy,
    /// Whether all content is searched, what the repository holds already too: nobody was seen to pull that without credentials,
    /// and everybody may be able to once this is applied.
    pub whole: bool,
}

/// How the content of a repository is searched; `None`: it is not. A declared policy acts everywhere; without one a secret is
/// denied where the repository is public, as far as that is declared or seen.
pub(super) async fn policy(
    declared: &Secrets,
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    (repository, anonymous): (&dyn ReadWriteRepository, &dyn ReadWriteRepository),
) -> Option<Search> {
    let goes_public = desired.visibility == Some(Visibility::Public);
    match declared.policy {
        Some(SecretPolicy::Off) => return None,
        Some(policy) if !goes_public => return Some(Search { policy, whole: false }),
        _ => {}
    }
    if !matches!(desired.endpoint.url, RegistryLocation::Http { .. }) {
        let policy = declared.policy.or(goes_public.then_some(SecretPolicy::Deny))?;
        return Some(Search { policy, whole: false });
    }
    let seen = match observed.visibility {
        // None of what is published is there: something else may be.
        None | Some(ObservedVisibility::Absent) => seen(desired, observed, repository, anonymous).await,
        Some(seen) => seen,
    };
    // What is pushed to Docker Hub first makes a repository, public unless the account says otherwise (docker/cli#4977).
    let is_hub = desired.endpoint.provider() == Some(Provider::Dockerhub);
    let made_public = is_hub && observed.reading.setting.is_none();
    let denied = is_public(seen, desired.visibility, made_public).then_some(SecretPolicy::Deny);
    let policy = declared.policy.or(denied)?;
    Some(Search { policy, whole: seen != ObservedVisibility::Public })
}

/// Whether a repository counts as public, by what was seen of it and what is declared; one that is not there yet, where the
/// registry makes it public.
fn is_public(seen: ObservedVisibility, declared: Option<Visibility>, made_public: bool) -> bool {
    match seen {
        _ if declared == Some(Visibility::Public) => true,
        ObservedVisibility::Public => true,
        ObservedVisibility::NotPublic => false,
        // What is declared is set once it is there, and until then it is what the registry made it.
        ObservedVisibility::Absent => made_public,
        // What may be public is searched.
        ObservedVisibility::Unknown => declared.is_none(),
    }
}

/// Who can pull from a repository of which that was not asked. A digest is asked for that somebody who may has seen; where
/// nothing is there, whether strangers are told so.
async fn seen(
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    repository: &dyn ReadWriteRepository,
    anonymous: &dyn ReadWriteRepository,
) -> ObservedVisibility {
    let root = &desired.content.published.content.root.digest;
    let root_there = !observed.missing_manifests.contains(root);
    let known = observed.tags.values().next().map(|tag| tag.digest.clone());
    let known = known.or_else(|| root_there.then(|| root.clone()));
    let digest = if let Some(digest) = known {
        digest
    } else {
        let Ok(tags) = repository.list_tags().await else { return ObservedVisibility::Unknown };
        let Some(tag) = tags.into_iter().next_back() else {
            return visibility::probe_absent(anonymous, root).await;
        };
        match repository.head_manifest(&TagOrDigest::Tag(tag)).await {
            Ok(Some(head)) => head.digest,
            Ok(None) | Err(_) => return ObservedVisibility::Unknown,
        }
    };
    visibility::probe(anonymous, &digest).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_or_may_be_public_is_searched() {
        use ObservedVisibility::{Absent, NotPublic, Public, Unknown};
        for (seen, declared, made_public, expected) in [
            (Public, None, false, true),
            (Public, Some(Visibility::Private), false, true),
            (NotPublic, None, false, false),
            (NotPublic, Some(Visibility::Public), false, true),
            (Absent, None, false, false),
            (Absent, Some(Visibility::Public), false, true),
            (Absent, None, true, true),
            (Absent, Some(Visibility::Private), true, true),
            (Absent, Some(Visibility::Internal), true, true),
            (Absent, Some(Visibility::Private), false, false),
            (NotPublic, None, true, false),
            (Unknown, None, false, true),
            (Unknown, Some(Visibility::Private), false, false),
        ] {
            assert_eq!(
                is_public(seen, declared, made_public),
                expected,
                "{seen:?} {declared:?} {made_public}"
            );
        }
    }
}
