//! Decides for a saved plan which content must be searched for secrets, from the rules of the apply and from what the registry shows.
//! Nothing that the plan says or leaves out spares content the search.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::SentContent;
use super::own::OwnSearch;
use super::reachable::ReachableContent;
use super::{Screening, policy};
use crate::connections::Connections;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::secret_search::{PlannedSecrets, SearchedContent, SearchedRepository, SecretPolicy};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RawManifest};

/// A repository of a saved plan, and the content that is sent to it.
pub(crate) struct SentRepository<'a> {
    /// The repository in the plan.
    pub planned: &'a PlannedRepository,
    /// The way to reach its registry.
    pub endpoint: &'a RegistryEndpoint,
    /// The content.
    pub content: SentContent<'a>,
}

impl Screening {
    /// Returns the search that an apply of the saved `plan` makes, by its `own` rules: of all content that it sends to a repository
    /// which is or may become public, or for which a policy is declared. Content that the plan leaves out is searched, unless a tag of the
    /// repository is seen to reach it.
    ///
    /// # Errors
    ///
    /// A repository cannot be asked.
    pub(crate) async fn required(
        &self,
        plan: &Plan,
        own: &OwnSearch,
        sent: &[SentRepository<'_>],
        connections: &Connections,
    ) -> Result<Option<PlannedSecrets>, Vec<Diagnostic>> {
        let rules = own.secrets();
        let mut secrets = PlannedSecrets {
            rules: self.rules.identity().clone(),
            allow: rules.allow.clone(),
            block: rules.block,
            unsearched_policy: rules.unsearched,
            repositories: BTreeMap::default(),
            searched: SearchedContent::default(),
            findings: Vec::new(),
            unsearched: Vec::new(),
            unused: Vec::new(),
        };
        for repository in sent {
            let SentRepository { planned, endpoint, content } = repository;
            let is_sent = planned.places_content() || planned.is_opened();
            let named = plan.secrets.as_ref().and_then(|it| it.repositories.get(&planned.address));
            // A plan may ask for more than the apply would.
            let stricter = named.map(|it| it.policy).filter(|it| *it == SecretPolicy::Deny);
            let declared = own.policy(&planned.address).or(stricter);
            if !is_sent || declared == Some(SecretPolicy::Off) {
                continue;
            }
            let leaves_out = named.is_some_and(|it| it.left_out.is_some());
            // A declared policy applies everywhere, so that only content which is left out depends on who may pull.
            let is_asked = declared.is_none() || leaves_out;
            let mut shown = policy::ShownVisibility::default();
            if is_asked {
                let root = &content.published.content.root.digest;
                shown = policy::shown(planned, endpoint, connections, root, own).await?;
            }
            let Some(policy) = declared.or(shown.is_public.then_some(SecretPolicy::Deny)) else { continue };
            let mut searched = everything(policy, content);
            if leaves_out && !(shown.is_public && shown.is_whole) {
                let connected = connections.repository(endpoint, &planned.repository);
                let connected = connected.map_err(|error| vec![error.to_diagnostic()])?;
                let all: BTreeSet<Digest> =
                    searched.manifests.iter().chain(&searched.blobs).cloned().collect();
                let root = &content.published.content.root.digest;
                let reached = ReachableContent::of_plan(connected.as_ref(), planned, root, &all).await;
                searched.manifests.retain(|digest| reached.tag(digest).is_none());
                searched.blobs.retain(|digest| reached.tag(digest).is_none());
            }
            secrets.repositories.insert(planned.address.clone(), searched);
        }
        Ok(Some(secrets).filter(|it| !it.repositories.is_empty()))
    }
}

/// Returns all content that is sent, to be searched with `policy`.
fn everything(policy: SecretPolicy, sent: &SentContent<'_>) -> SearchedRepository {
    let referrers = sent.published.referrers.iter().map(|it| &it.content);
    let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    for content in std::iter::once(&sent.published.content).chain(referrers) {
        manifests.extend(content.manifests.iter().map(RawManifest::digest).cloned());
        blobs.extend(content.blobs.iter().map(|blob| blob.digest.clone()));
    }
    let (manifests, blobs) = (manifests.into_iter().collect(), blobs.into_iter().collect());
    SearchedRepository { policy, manifests, blobs, left_out: None }
}
