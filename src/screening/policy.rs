//! Decides which repositories are searched for secrets, and the effect of a finding there.

use super::own::OwnSearch;
use crate::config::Secrets;
use crate::connections::{Connection, Connections};
use crate::desired::DesiredRepository;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::Visibility;
use crate::model::plan::{Change, ObservedVisibility, PlannedRepository};
use crate::model::secret_search::{NotSearched, SecretPolicy};
use crate::observed::{Observed, ObservedRepository};
use crate::visibility::{self, Pullable};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, Provider, RegistryLocation};

/// A repository of a plan whose content may be searched.
pub(super) struct ScreenedRepository<'a> {
    /// The repository in the plan.
    pub planned: &'a PlannedRepository,
    /// The part of the desired content that the registry has.
    pub observed: &'a ObservedRepository,
}

impl<'a> ScreenedRepository<'a> {
    /// Returns the repository `planned`, or `None` if it was not observed.
    pub(super) fn new(planned: &'a PlannedRepository, observed: &'a Observed) -> Option<Self> {
        Some(Self { planned, observed: observed.repositories.get(&planned.address)? })
    }

    /// Returns the desired content and tags.
    pub(super) fn desired(&self) -> &'a DesiredRepository {
        &self.observed.desired
    }
}

/// The way in which the content of a repository is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RepositorySearch {
    /// The effect of a finding.
    pub policy: SecretPolicy,
    /// Whether all content is searched, including what the repository already holds. This is so if an anonymous pull was not
    /// seen to work, because everybody may be able to pull once this is applied.
    pub whole: bool,
}

/// Whether and how the content of a repository is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SearchDecision {
    /// Nothing is sent or becomes public.
    Nothing,
    /// It is not searched.
    Not(NotSearched),
    /// It is searched.
    Search(RepositorySearch),
}

impl SearchDecision {
    /// Searches with `policy`, or not at all if there is none, because the repository is not public.
    fn with(policy: Option<SecretPolicy>, whole: bool) -> Self {
        match policy {
            Some(policy) => Self::Search(RepositorySearch { policy, whole }),
            None => Self::Not(NotSearched::NotPublic),
        }
    }
}

/// The visibility of a repository of a saved plan, now and once it is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ShownVisibility {
    /// Whether it counts as public.
    pub is_public: bool,
    /// Whether everybody may be able to pull once the plan is applied, and cannot be shown to be able to now.
    pub is_whole: bool,
}

/// Returns who may pull from a repository of a saved plan: by the configuration of the apply, by an anonymous request, and by the plan only
/// if it says that everybody may. `root` is the digest of the content to send.
pub(super) async fn shown(
    planned: &PlannedRepository,
    endpoint: &RegistryEndpoint,
    connections: &Connections,
    root: &Digest,
    own: &OwnSearch,
) -> Result<ShownVisibility, Vec<Diagnostic>> {
    let known = own.visibility(planned, endpoint);
    let by_plan = planned.visibility.as_ref().map(|it| it.declared);
    let declared = by_plan.filter(|it| *it == Visibility::Public).or(known.unwrap_or_default());
    let goes_public = declared == Some(Visibility::Public);
    if !matches!(endpoint.url, RegistryLocation::Http { .. }) {
        return Ok(ShownVisibility { is_public: goes_public, is_whole: false });
    }
    let connection = connections.connection(endpoint, &planned.repository);
    let Connection { repository, anonymous, .. } = connection.map_err(|error| vec![error.to_diagnostic()])?;
    let seen = match planned.changes.iter().find_map(Change::present) {
        Some(known) => visibility::probe(anonymous.as_ref(), repository.as_ref(), known).await.observed,
        None => visibility::probe_absent(anonymous.as_ref(), root).await,
    };
    // The first push to Docker Hub creates a repository, which is public unless the account says otherwise (docker/cli#4977). A
    // repository that no configuration here declares may be created as anything.
    let made_public = known.is_err() || endpoint.provider() == Some(Provider::Dockerhub);
    Ok(ShownVisibility {
        is_public: is_public(seen, declared, made_public),
        is_whole: seen != ObservedVisibility::Public,
    })
}

/// Returns how the content of a repository is searched, or the reason if it is not. A declared policy applies everywhere. Without
/// one, a secret is denied if the repository is declared or seen to be public.
pub(super) async fn repository_search(
    declared: &Secrets,
    repository: &ScreenedRepository<'_>,
    connections: &Connections,
) -> Result<SearchDecision, Vec<Diagnostic>> {
    let ScreenedRepository { planned, observed } = repository;
    let desired = repository.desired();
    if !planned.places_content() && !planned.is_opened() {
        return Ok(SearchDecision::Nothing);
    }
    let goes_public = desired.visibility == Some(Visibility::Public);
    match declared.policy {
        Some(SecretPolicy::Off) => {
            return Ok(SearchDecision::Not(NotSearched::PolicyOff { from: declared.policy_from.clone() }));
        }
        Some(policy) if !goes_public => return Ok(SearchDecision::with(Some(policy), false)),
        _ => {}
    }
    if !matches!(desired.endpoint.url, RegistryLocation::Http { .. }) {
        let policy = declared.policy.or(goes_public.then_some(SecretPolicy::Deny));
        return Ok(SearchDecision::with(policy, false));
    }
    let seen = match observed.visibility.as_ref().map(|probe| probe.observed) {
        None | Some(ObservedVisibility::Absent | ObservedVisibility::Unknown) => {
            seen(repository, connections).await?
        }
        Some(seen) => seen,
    };
    // The first push to Docker Hub creates a repository, which is public unless the account says otherwise (docker/cli#4977).
    let is_hub = desired.endpoint.provider() == Some(Provider::Dockerhub);
    let made_public = is_hub && observed.reading.setting.is_none();
    let denied = is_public(seen, desired.visibility, made_public).then_some(SecretPolicy::Deny);
    let whole = seen != ObservedVisibility::Public;
    Ok(SearchDecision::with(declared.policy.or(denied), whole))
}

/// Whether a repository counts as public, from what was seen and what is declared. A repository that does not exist yet counts
/// as public if the registry creates it so.
fn is_public(seen: ObservedVisibility, declared: Option<Visibility>, made_public: bool) -> bool {
    match seen {
        _ if declared == Some(Visibility::Public) => true,
        ObservedVisibility::Public => true,
        ObservedVisibility::NotPublic => false,
        // The declared visibility is set once the repository exists. Until then it has the one that the registry gave it.
        ObservedVisibility::Absent => made_public,
        // A repository that may be public is searched.
        ObservedVisibility::Unknown => declared.is_none(),
    }
}

/// Returns the visibility of a repository that was not probed before. Probes with a digest that was seen with credentials. If
/// the repository has none, probes whether the registry reports to an anonymous client that it does not exist.
async fn seen(
    screened: &ScreenedRepository<'_>,
    connections: &Connections,
) -> Result<ObservedVisibility, Vec<Diagnostic>> {
    let (desired, observed) = (screened.desired(), screened.observed);
    let connection = connections.connection(&desired.endpoint, &desired.name);
    let Connection { repository, anonymous, .. } = connection.map_err(|error| vec![error.to_diagnostic()])?;
    let (anonymous, repository) = (anonymous.as_ref(), repository.as_ref());
    let absent = ObservedVisibility::Absent;
    let is_known_absent = observed.visibility.as_ref().is_some_and(|probe| probe.observed == absent);
    let known = observed.seen_manifest();
    let found = match known {
        None if is_known_absent => Pullable::NoTag,
        known => visibility::pullable(repository, known, observed.listing.as_ref()).await,
    };
    Ok(match found {
        // The registry answered without credentials that there is no such tag, as it would answer a stranger.
        Pullable::NoTag if repository.answers_strangers() => ObservedVisibility::Public,
        Pullable::Manifest(digest) => visibility::probe(anonymous, repository, &digest).await.observed,
        Pullable::NoTag | Pullable::Unread(_) => {
            visibility::probe_absent(anonymous, &desired.published.content.root.digest).await
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_that_is_or_may_be_public_is_searched() {
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
