//! A repository of the plan while the plan is applied: its content, its connection, and the problems that it may have.

use std::sync::Arc;

use crate::connections::tag_digest;
use crate::content::Published;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::plan::{Change, PlannedRepository};
use crate::observed::ObservedRepository;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RawManifest, Tag, TagOrDigest};
use oci_registry::{RegistryError, Repository};

/// A repository of the plan, with its content and connection.
pub struct Prepared<'p> {
    /// The position of the repository in the plan.
    pub position: usize,
    /// The planned repository.
    pub planned: &'p PlannedRepository,
    /// The content, if any is published. Repositories that publish the same content share it.
    pub content: Option<Arc<Published>>,
    /// The connection.
    pub repository: Arc<dyn Repository>,
    /// The host, which identifies the registry: blobs are mounted between repositories of the same registry.
    pub host: String,
    /// The location of the registry, and how to reach it.
    pub endpoint: &'p RegistryEndpoint,
    /// The observations about the repository, if this run made the plan.
    pub observed: Option<&'p ObservedRepository>,
}

impl Prepared<'_> {
    /// Returns the digest that `tag` names, or `None` if there is no such tag.
    pub(super) async fn tag_digest(&self, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        tag_digest(self.repository.as_ref(), tag, None).await
    }

    /// Returns the digest that the tag of `change` names. If the plan says that there is no such tag, one request decides,
    /// although HEAD alone is no proof of an absence.
    pub(super) async fn present(&self, change: &Change) -> Result<Option<Digest>, RegistryError> {
        if change.before.is_some() {
            return self.tag_digest(&change.tag).await;
        }
        let found = self.repository.look_up_absent_tag(&change.tag, None).await?;
        Ok(found.found())
    }

    /// Whether the repository has the manifest `digest`.
    pub(super) async fn holds(&self, digest: &Digest) -> Result<bool, RegistryError> {
        self.repository.holds_manifest(&TagOrDigest::Digest(digest.clone())).await
    }

    /// Returns the manifest with this digest, from the content or from the repository.
    pub(super) async fn manifest(&self, digest: &Digest) -> Result<Option<RawManifest>, RegistryError> {
        let of_content = self.content.iter().flat_map(|published| &published.content.manifests);
        match of_content.into_iter().find(|manifest| manifest.digest() == digest) {
            Some(manifest) => Ok(Some(manifest.clone())),
            None => self.repository.get_manifest(&digest.clone().into()).await,
        }
    }

    /// The diagnostic for an error in the repository.
    pub(super) fn failed(&self, error: &RegistryError) -> Diagnostic {
        error.to_diagnostic().about(&self.planned.name)
    }

    /// The diagnostic for an error at one tag.
    pub(super) fn failed_at(&self, tag: &Tag, error: &RegistryError) -> Diagnostic {
        error.to_diagnostic().about(format_args!("{}:{tag}", self.planned.name))
    }

    /// The diagnostic for a tag whose wanted manifest is gone.
    pub(super) fn gone(&self, change: &Change) -> Diagnostic {
        let message = format!(
            "{}:{}: the plan wants {}, but neither its source nor the repository has it any more",
            self.planned.name,
            change.tag,
            short(change.wanted())
        );
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    }

    /// The diagnostic for a tag that no longer names what the plan says.
    pub(super) fn stale(&self, change: &Change, found: Option<&Digest>) -> Diagnostic {
        let (name, tag) = (&self.planned.name, &change.tag);
        let message = match (change.present(), found) {
            (Some(before), None) => {
                format!("{name}:{tag} was deleted since the plan was made: it named {}", before.short(12))
            }
            (None, Some(found)) => {
                format!("{name}:{tag} was created since the plan was made: it names {}", found.short(12))
            }
            (before, found) => format!(
                "{name}:{tag} was moved since the plan was made: it named {} and now names {}",
                short(before),
                short(found)
            ),
        };
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    }
}

/// Returns a digest as people read it.
pub(super) fn short(digest: Option<&Digest>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), |digest| digest.short(12))
}
