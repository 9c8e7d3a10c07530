//! The standard annotations and labels, whose values come from the project and the context (image-spec, annotations.md,
//! "Pre-Defined Annotation Keys").

use std::collections::BTreeMap;

use crate::config::Config;
use crate::context::Context;
use crate::model::version::ReleaseVersion;
use crate::model::{ResourceId, ResourceKind};
use oci_registry::annotation;

/// Returns the standard annotations of a resource that have known values, which are also its standard labels. They are the same in
/// every run for one commit and ref.
///
/// Helm's own annotations of a chart repeat its `Chart.yaml`, so those keys are left to Helm.
pub(super) fn annotations(
    config: &Config,
    context: &Context,
    id: &ResourceId,
    version: Option<&ReleaseVersion>,
) -> BTreeMap<String, String> {
    let (project, repository) = (&config.project, &context.repository);
    let time = context.commit_time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let title = project.title.clone().or_else(|| id.name.rsplit('/').next().map(str::to_owned));
    let source =
        project.source.clone().or_else(|| context.remote.clone()).or_else(|| repository.address.clone());
    let address = source.clone().filter(|source| source.contains("://"));
    let of_content = [
        (annotation::TITLE, title),
        (annotation::DESCRIPTION, project.description.clone().or_else(|| repository.description.clone())),
        (annotation::VERSION, version.map(ToString::to_string)),
        (annotation::CREATED, time.map(|time| time.to_string())),
        (annotation::URL, project.url.clone().or_else(|| repository.homepage.clone()).or(address)),
        (annotation::REF_NAME, ref_name(context)),
    ];
    let of_project = [
        (annotation::SOURCE, source),
        (annotation::REVISION, context.sha.clone()),
        (annotation::LICENSES, project.licenses.clone().or_else(|| repository.license.clone())),
        (annotation::DOCUMENTATION, project.documentation.clone()),
    ];
    let of_content = of_content.into_iter().filter(|_| id.kind != ResourceKind::Chart);
    let known = of_content.chain(of_project).filter_map(|(key, value)| Some((key.to_owned(), value?)));
    known.collect()
}

/// The name of the git ref: the git tag, `pull/12`, or the branch. A character that the annotation does not allow becomes `-`
/// (image-spec, annotations.md: letters, digits, and `-._:@/+` between them).
fn ref_name(context: &Context) -> Option<String> {
    let name = match (context.tag_of_ref(), context.pull_request) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(number)) => format!("pull/{number}"),
        (None, None) => context.branch.clone()?,
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._:@/+".contains(c);
    let allowed: String = name.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
    let trimmed = allowed.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
