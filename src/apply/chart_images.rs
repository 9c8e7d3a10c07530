//! Charts that name images: when their tags are put, and that the images can be read by then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::options::ApplyOptions;
use super::patience::patiently;
use super::prepared::Prepared;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::Mutability;
use crate::model::plan::{Action, Plan};
use helm_package::ChartImage;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{READ_PAUSES, Repository, TagOrDigest};

/// When the tags of a repository are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagOrder {
    /// Its content names nothing else.
    Free,
    /// Its chart names images by immutable tags or digests.
    AfterImmutable,
    /// Its chart names an image by a floating tag.
    AfterFloating,
}

/// The charts of a plan that name images.
pub(super) struct ChartsWithImages<'a> {
    prepared: &'a [Prepared<'a>],
    registries: &'a BTreeMap<String, RegistryEndpoint>,
    /// The positions in the plan of the charts that name an image by a floating tag of the plan.
    floating: BTreeSet<usize>,
}

impl<'a> ChartsWithImages<'a> {
    pub fn new(plan: &'a Plan, prepared: &'a [Prepared<'a>]) -> Self {
        let floats = |image: &ChartImage| {
            let of_image = plan.repositories.iter().filter(|it| it.name == image.name());
            let mut tags = of_image.flat_map(|it| &it.changes);
            image.digest.is_none()
                && tags.any(|change| change.tag == image.tag && change.mutability != Mutability::Immutable)
        };
        let floating = prepared.iter().filter(|it| it.planned.images().iter().any(floats));
        Self { prepared, registries: &plan.registries, floating: floating.map(|it| it.position).collect() }
    }

    /// Returns when the tags of `it` are put.
    pub fn order(&self, it: &Prepared<'_>) -> TagOrder {
        if self.floating.contains(&it.position) {
            TagOrder::AfterFloating
        } else if it.planned.images().is_empty() {
            TagOrder::Free
        } else {
            TagOrder::AfterImmutable
        }
    }

    /// Asks for the images of the charts whose tags are put in this order, and returns a diagnostic for each that is missing.
    pub async fn check(&self, order: TagOrder, options: &ApplyOptions<'_>) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for it in self.prepared.iter().filter(|it| self.order(it) == order) {
            let puts = |action: Action| matches!(action, Action::Create | Action::Move);
            if !it.planned.changes.iter().any(|change| puts(change.action)) {
                continue;
            }
            for image in it.planned.images() {
                problems.extend(self.check_image(it, image, options).await.err());
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    async fn check_image(
        &self,
        chart: &Prepared<'_>,
        image: &ChartImage,
        options: &ApplyOptions<'_>,
    ) -> Result<(), Diagnostic> {
        let Some(repository) = self.repository(image, options)? else {
            let message =
                format!("the plan does not say how to reach `{}`, which its chart names", image.name());
            return Err(Diagnostic::error(Code::PlanFile, message).help("make the plan again"));
        };
        let at = match &image.digest {
            Some(digest) => TagOrDigest::Digest(digest.clone()),
            None => TagOrDigest::Tag(image.tag.clone()),
        };
        let mut pauses = READ_PAUSES.into_iter();
        loop {
            let found = patiently(options, || repository.holds_manifest(&at)).await;
            if found.map_err(|error| error.to_diagnostic().about(image.name()))? {
                return Ok(());
            }
            // A registry may not see yet what it has just accepted.
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(missing(&chart.planned.name, image)),
            }
        }
    }

    fn repository(
        &self,
        image: &ChartImage,
        options: &ApplyOptions<'_>,
    ) -> Result<Option<Arc<dyn Repository>>, Diagnostic> {
        if let Some(it) = self.prepared.iter().find(|it| it.planned.name == image.name()) {
            return Ok(Some(Arc::clone(&it.repository)));
        }
        let is_its = |endpoint: &&RegistryEndpoint| endpoint.url.full_name(&image.repository) == image.name();
        let Some(endpoint) = self.registries.values().find(is_its) else { return Ok(None) };
        let opened = options.connections.repository(endpoint, &image.repository);
        opened.map(Some).map_err(|error| error.to_diagnostic().about(image.name()))
    }
}

/// The diagnostic for an image that a chart names and that is not there.
fn missing(chart: &str, image: &ChartImage) -> Diagnostic {
    let message = format!("the chart `{chart}` names `{image}`, which is not in the registry");
    Diagnostic::error(Code::SourceChartImage, message)
        .help("publish the image in the same run, or before; the chart got no tag")
}
