//! Where a search for secrets is made, and what a finding does there.

use crate::config::Secrets;
use crate::desired::DesiredRepository;
use crate::model::plan::ObservedVisibility;
use crate::model::secret_search::SecretPolicy;
use crate::model::{RegistryLocation, TagOrDigest, Visibility};
use crate::observed::ObservedRepository;
use crate::registry::ReadWriteRepository;
use crate::visibility;

/// Docker Hub, however it is called: [`RegistryLocation::host`].
const DOCKER_HUB: &str = "docker.io:443";

/// What a finding does in a repository; `None`: nothing is searched there. A declared policy acts everywhere; without one a
/// secret is denied where the repository is public, as far as that is declared or seen.
pub(super) async fn policy(
    declared: &Secrets,
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    (repository, anonymous): (&dyn ReadWriteRepository, &dyn ReadWriteRepository),
) -> Option<SecretPolicy> {
    match declared.policy {
        Some(SecretPolicy::Off) => return None,
        Some(policy) => return Some(policy),
        None => {}
    }
    let seen = match observed.visibility {
        _ if desired.visibility == Some(Visibility::Public) => return Some(SecretPolicy::Deny),
        _ if !matches!(desired.endpoint.url, RegistryLocation::Http { .. }) => return None,
        Some(seen) => seen,
        None => seen(desired, observed, repository, anonymous).await,
    };
    let is_public = is_public(seen, desired.visibility, &desired.endpoint.url.host());
    is_public.then_some(SecretPolicy::Deny)
}

/// Whether a repository at `host` counts as public, by what was seen of it and what is declared.
fn is_public(seen: ObservedVisibility, declared: Option<Visibility>, host: &str) -> bool {
    if seen == ObservedVisibility::Public || declared == Some(Visibility::Public) {
        return true;
    }
    match seen {
        _ if declared.is_some() => false,
        // What is pushed there first makes a repository, public unless the account says otherwise (docker/cli#4977).
        ObservedVisibility::Absent => host == DOCKER_HUB,
        // What may be public is searched.
        seen => seen == ObservedVisibility::Unknown,
    }
}

/// Who can pull from a repository of which that was not asked. A digest is asked for that somebody who may has seen.
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
        let Some(tag) = tags.into_iter().next_back() else { return ObservedVisibility::Absent };
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
        let hub = |name: &str| name.parse::<RegistryLocation>().expect("a location").host();
        let (docker, ghcr) = (hub("index.docker.io/acme"), hub("ghcr.io/acme"));
        for (seen, declared, host, expected) in [
            (Public, None, &ghcr, true),
            (Public, Some(Visibility::Private), &ghcr, true),
            (NotPublic, None, &ghcr, false),
            (NotPublic, Some(Visibility::Public), &ghcr, true),
            (Absent, None, &ghcr, false),
            (Absent, None, &docker, true),
            (Absent, Some(Visibility::Private), &docker, false),
            (Absent, Some(Visibility::Internal), &docker, false),
            (NotPublic, None, &docker, false),
            (Unknown, None, &ghcr, true),
            (Unknown, Some(Visibility::Private), &ghcr, false),
        ] {
            assert_eq!(is_public(seen, declared, host), expected, "{seen:?} {declared:?} {host}");
        }
    }
}
