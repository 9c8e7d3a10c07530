//! The standard annotations, whose values come from the project and the context (image-spec, annotations.md,
//! "Pre-Defined Annotation Keys").

use std::collections::BTreeMap;

use crate::config::Config;
use crate::context::Context;
use crate::model::version::ReleaseVersion;
use crate::model::{ResourceId, ResourceKind};
use oci_registry::annotation;

/// Returns the standard annotations of a resource that have known values. They are the same in every run for one
/// commit.
///
/// Helm's own annotations of a chart repeat its `Chart.yaml`, so those keys are left to Helm.
pub(super) fn annotations(
    config: &Config,
    context: &Context,
    id: &ResourceId,
    version: Option<&ReleaseVersion>,
) -> BTreeMap<String, String> {
    let project = &config.project;
    let time = context.commit_time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let title = project.title.clone().or_else(|| id.name.rsplit('/').next().map(str::to_owned));
    let of_content = [
        (annotation::TITLE, title),
        (annotation::DESCRIPTION, project.description.clone()),
        (annotation::VERSION, version.map(ToString::to_string)),
        (annotation::CREATED, time.map(|time| time.to_string())),
        (annotation::URL, project.url.clone()),
    ];
    let of_project = [
        (annotation::SOURCE, project.source.clone().or_else(|| context.remote.clone())),
        (annotation::REVISION, context.sha.clone()),
        (annotation::LICENSES, project.licenses.clone()),
        (annotation::DOCUMENTATION, project.documentation.clone()),
    ];
    let of_content = of_content.into_iter().filter(|_| id.kind != ResourceKind::Chart);
    let known = of_content.chain(of_project).filter_map(|(key, value)| Some((key.to_owned(), value?)));
    known.collect()
}
