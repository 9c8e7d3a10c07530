//! Charts that name images, once it is known what the registries hold.

use super::session::Result;
use crate::config::Config;
use crate::connections::Connections;
use crate::content::publishable;
use crate::desired::{Desired, DesiredRepository};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::ContentSpec;
use crate::model::plan::Plan;
use crate::observed::Observed;
use helm_package::{ChartImage, ChartSpec};
use oci_content::Surroundings;
use oci_registry::TagOrDigest;
use oci_registry::reference::RegistryEndpoint;
use std::sync::Arc;

/// Returns the charts that name a digest which `plan` does not publish, because a registry keeps the digest published first. They name
/// the kept digest instead.
pub(super) fn renamed(observed: &Observed, plan: &Plan, surroundings: &Surroundings) -> Result<Desired> {
    let mut desired = Desired::default();
    for repository in observed.repositories.values().map(|it| &it.desired) {
        let ContentSpec::Chart(spec) = &repository.published.spec else { continue };
        let mut images = spec.images.clone();
        for image in &mut images {
            let planned = plan.repositories.iter().find(|it| it.name == image.name());
            if let (Some(digest), Some(kept)) = (&mut image.digest, planned.and_then(|it| it.deployable())) {
                digest.clone_from(kept);
            }
        }
        if images != spec.images {
            let spec = ContentSpec::Chart(ChartSpec { images, ..spec.clone() });
            let published = publishable(&spec, surroundings).map_err(|error| error.to_diagnostics())?;
            desired
                .repositories
                .push(DesiredRepository { published: Arc::new(published), ..repository.clone() });
        }
    }
    Ok(desired)
}

/// Asks for the images that charts of `plan` name and that the plan itself does not publish. Returns an error for each that is missing.
pub(super) async fn missing(plan: &Plan, config: &Config, connections: &Connections) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for chart in plan.repositories.iter().filter(|it| it.has_changes()) {
        for image in chart.images() {
            let of_image = plan.repositories.iter().filter(|it| it.name == image.name());
            let mut tags = of_image.flat_map(|it| &it.changes);
            if tags.any(|change| change.tag == image.tag && change.after.is_some()) {
                continue;
            }
            match holds(image, config, connections).await {
                Ok(true) => {}
                Ok(false) => {
                    let message =
                        format!("the chart `{}` names `{image}`, which is not in the registry", chart.name);
                    let help = "publish the image in the same run, or before";
                    problems.push(Diagnostic::error(Code::SourceChartImage, message).help(help));
                }
                Err(diagnostic) => problems.push(diagnostic),
            }
        }
    }
    problems
}

/// Whether the registry has the image.
async fn holds(
    image: &ChartImage,
    config: &Config,
    connections: &Connections,
) -> std::result::Result<bool, Diagnostic> {
    let about = |error: oci_registry::RegistryError| error.to_diagnostic().about(image.name());
    let is_its = |endpoint: &&RegistryEndpoint| endpoint.url.full_name(&image.repository) == image.name();
    let mut endpoints = config.registries.values().map(|registry| &registry.endpoint);
    let Some(endpoint) = endpoints.find(is_its) else { return Ok(true) };
    let repository = connections.repository(endpoint, &image.repository).map_err(about)?;
    let at = match &image.digest {
        Some(digest) => TagOrDigest::Digest(digest.clone()),
        None => TagOrDigest::Tag(image.tag.clone()),
    };
    repository.holds_manifest(&at).await.map_err(about)
}
