//! Decides for a saved plan which content must be searched for secrets, from what the plan sends and what the registry shows. A plan
//! that says nothing about a repository does not spare it the search.

use std::collections::BTreeSet;

use super::gather::SentContent;
use super::{Screening, policy};
use crate::connections::Connections;
use crate::diagnostic::Diagnostic;
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::secret_search::{
    BlockingSeverity, NotSearched, PlannedSecrets, SearchedContent, SearchedRepository, SecretPolicy,
    UnsearchedPolicy,
};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RawManifest};

impl Screening {
    /// Returns the search that the saved `plan` needs: what it names, and each repository of `sent` that it does not name although its
    /// content is or becomes public.
    ///
    /// # Errors
    ///
    /// A repository cannot be asked.
    pub(crate) async fn required(
        &self,
        plan: &Plan,
        sent: &[(&PlannedRepository, &RegistryEndpoint, SentContent<'_>)],
        connections: &Connections,
    ) -> Result<Option<PlannedSecrets>, Vec<Diagnostic>> {
        let mut secrets = plan.secrets.clone().unwrap_or_else(|| PlannedSecrets {
            rules: self.rules.identity().clone(),
            allow: Vec::new(),
            block: BlockingSeverity::default(),
            unsearched_policy: UnsearchedPolicy::default(),
            repositories: std::collections::BTreeMap::default(),
            searched: SearchedContent::default(),
            findings: Vec::new(),
            unsearched: Vec::new(),
            unused: Vec::new(),
        });
        for (planned, endpoint, content) in sent {
            if let Some(known) = secrets.repositories.get_mut(&planned.address) {
                complete(known, content);
                continue;
            }
            let is_off =
                matches!(plan.not_searched.get(&planned.address), Some(NotSearched::PolicyOff { .. }));
            let is_sent = planned.places_content() || planned.is_opened();
            let root = &content.published.content.root.digest;
            if is_off || !is_sent || !policy::is_public_now(planned, endpoint, connections, root).await? {
                continue;
            }
            let mut whole = SearchedRepository {
                policy: SecretPolicy::Deny,
                manifests: Vec::new(),
                blobs: Vec::new(),
                left_out: None,
            };
            complete(&mut whole, content);
            secrets.repositories.insert(planned.address.clone(), whole);
        }
        Ok(Some(secrets).filter(|it| !it.repositories.is_empty()))
    }
}

/// Adds the content that the plan neither names nor counts as left out.
fn complete(searched: &mut SearchedRepository, sent: &SentContent<'_>) {
    let all: BTreeSet<&Digest> = sent.published.content.blobs.iter().map(|blob| &blob.digest).collect();
    let named: BTreeSet<&Digest> = searched.blobs.iter().collect();
    let missing = all.difference(&named).count();
    if missing <= searched.left_out.as_ref().map_or(0, |it| it.blobs) {
        return;
    }
    let manifests = sent.published.content.manifests.iter().map(RawManifest::digest);
    searched.manifests = manifests.cloned().collect();
    searched.blobs = all.into_iter().cloned().collect();
    let referrers = sent.published.referrers.iter().map(|it| &it.content);
    for content in referrers {
        searched.manifests.extend(content.manifests.iter().map(|it| it.digest().clone()));
        searched.blobs.extend(content.blobs.iter().map(|it| it.digest.clone()));
    }
    searched.left_out = None;
}
