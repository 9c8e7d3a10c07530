//! One image in all registries: a registry that lacks a release gets the index that another one has first, if the images are the same.

use std::sync::Arc;

use super::{Result, Run};
use crate::connections::Connection;
use crate::content;
use crate::desired::{Desired, DesiredRepository};
use crate::model::{ContentSpec, Mutability};
use crate::observed::{self, Observed, ObservedRepository, SignerKeys};
use oci_content::{ImageSpec, SourceSpec, Surroundings, TransportSpec};
use oci_registry::remote::RemoteReference;
use oci_registry::{Digest, RegistryLocation, Tag};

impl Run {
    /// Replaces the content of each repository that lacks an immutable tag by that of another repository of the same resource which keeps
    /// another index of the same images. `connections` has one entry for each repository, and `signers` one for each signer.
    pub(super) async fn follow_first_published(
        &self,
        observed: &mut Observed,
        connections: &[Connection],
        signers: &SignerKeys,
        surroundings: &Surroundings,
    ) -> Result<()> {
        for position in 0..observed.repositories.len() {
            let Some((_, lacking)) = observed.repositories.get_index(position) else { continue };
            let Some(connection) = connections.get(position) else { continue };
            let others = observed.repositories.values();
            let Some(first) = others.filter(|other| is_first(other, lacking)).find_map(first_published)
            else {
                continue;
            };
            let spec = image_of(&lacking.desired.published.spec, first);
            let published = tokio::task::block_in_place(|| content::publishable(&spec, surroundings))
                .map_err(|error| error.to_diagnostics())?;
            let desired = DesiredRepository { published: Arc::new(published), ..lacking.desired.clone() };
            let again = Desired { repositories: vec![desired], ..Desired::default() };
            let again =
                observed::observe(again, std::slice::from_ref(connection), signers, &self.folder).await?;
            observed.repositories.extend(again.repositories);
        }
        Ok(())
    }
}

/// Whether `other` keeps an immutable tag that `lacking`, a repository of the same resource, does not have yet.
fn is_first(other: &ObservedRepository, lacking: &ObservedRepository) -> bool {
    let keeps = |tag: &Tag| other.tags.get(tag).is_some_and(|it| other.same_images.contains(&it.digest));
    let mut tags = lacking.desired.tags.iter().filter(|tag| tag.mutability == Mutability::Immutable);
    other.desired.resource == lacking.desired.resource
        && lacking.same_images.is_empty()
        && tags.any(|tag| !lacking.tags.contains_key(&tag.tag) && keeps(&tag.tag))
}

/// The image that a repository keeps, as a source.
fn first_published(kept: &ObservedRepository) -> Option<TransportSpec> {
    let named = |digest: &Digest| kept.tags.iter().find(|(_, tag)| tag.digest == *digest);
    let (tag, target) = kept.same_images.iter().find_map(named)?;
    let desired = &kept.desired;
    Some(match &desired.endpoint.url {
        RegistryLocation::Http { host, .. } => TransportSpec::Docker(RemoteReference {
            host: host.clone(),
            repository: desired.name.clone(),
            tag: None,
            digest: Some(target.digest.clone()),
        }),
        RegistryLocation::Directory { path } => TransportSpec::Oci {
            path: format!("{}/{}", path.trim_end_matches('/'), desired.name),
            reference: Some(tag.to_string()),
        },
    })
}

/// The image of `source`, with the referrers that `spec` asks for. Platforms, annotations and labels are those of the image already.
fn image_of(spec: &ContentSpec, source: TransportSpec) -> ContentSpec {
    let referrers = matches!(spec, ContentSpec::Image(image) if image.referrers);
    ContentSpec::Image(ImageSpec { referrers, ..ImageSpec::of(SourceSpec::One(source)) })
}
