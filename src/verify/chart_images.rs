//! The images that published charts name: whether they are still there.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::content::{ReadManifest, read_manifest};
use super::observe::{ComparedRepository, Comparison, RepositoryConnections};
use crate::config::{Config, DeclaredContent};
use crate::connections::Connections;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::drift::Finding;
use helm_package::IMAGES;
use oci_content::TransportSpec;
use oci_registry::{Digest, Tag, TagOrDigest};

/// Adds a finding for each image that a chart of `comparison` names and that its registry does not have. Only charts that name images in
/// `config` are asked, and only registries that it declares.
pub async fn observe_images(
    comparison: &mut Comparison,
    config: &Config,
    of_charts: &RepositoryConnections,
    connections: &Connections,
) -> Result<(), Vec<Diagnostic>> {
    for ComparedRepository { expected, observed } in &mut comparison.repositories {
        let declared = &expected.declared;
        let content = config.resources.get(&declared.resource).map(|resource| &resource.content);
        let Some(DeclaredContent::Chart(chart)) = content else { continue };
        let Some(connection) = of_charts.get(&declared.address).filter(|_| !chart.images.is_empty()) else {
            continue;
        };
        let mut charts: BTreeMap<&Digest, Vec<Tag>> = BTreeMap::new();
        for (tag, digest) in observed.tags.iter().filter(|(tag, _)| !observed.corrupt.contains_key(*tag)) {
            charts.entry(digest).or_default().push(tag.clone());
        }
        let repository = connection.repository.as_ref();
        let read = charts.into_iter().map(|(digest, tags)| async move {
            let read = read_manifest(repository, digest, &tags).await?;
            Ok::<_, oci_registry::RegistryError>((tags, read))
        });
        let read = try_join_all(read).await;
        let read = read.map_err(|error| vec![error.to_diagnostic().about(&declared.name)])?;
        let mut images: BTreeMap<String, Vec<Tag>> = BTreeMap::new();
        for (tags, manifest) in read {
            // Other findings about the manifest belong to `--deep`.
            let ReadManifest::Manifest(manifest) = manifest else { continue };
            let named = manifest.annotations().get(IMAGES).map(String::as_str).unwrap_or_default();
            for image in named.split(',').filter(|image| !image.is_empty()) {
                images.entry(image.to_owned()).or_default().extend(tags.iter().cloned());
            }
        }
        for (image, tags) in images {
            if holds(&image, config, connections).await.map_err(|it| vec![it])? == Some(false) {
                observed.content.push(Finding::MissingImage { image, tags });
            }
        }
    }
    Ok(())
}

/// Whether the registry has the image; `None` if no declared registry is the image's.
async fn holds(image: &str, config: &Config, connections: &Connections) -> Result<Option<bool>, Diagnostic> {
    let Ok(TransportSpec::Docker(reference)) = format!("docker://{image}").parse() else { return Ok(None) };
    let declared = config.registries.iter().map(|(name, registry)| (name, &registry.endpoint));
    let Some((_, endpoint)) = reference.declared(declared) else { return Ok(None) };
    let about = |error: oci_registry::RegistryError| error.to_diagnostic().about(image);
    let repository = connections.repository(endpoint, &reference.repository).map_err(about)?;
    let at = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => TagOrDigest::Digest(digest.clone()),
        (None, Some(tag)) => TagOrDigest::Tag(tag.clone()),
        (None, None) => return Ok(None),
    };
    repository.holds_manifest(&at).await.map(Some).map_err(about)
}
