//! The keys that images, charts and artifacts share: repositories, and the names of registries and tag rules.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::declared::DeclaredNames;
use crate::config::{DeclaredContent, Description, ImageSource, Resource, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ResourceId, ResourceKind, Visibility};
use oci_registry::RepositoryName;

/// The defaults that apply to every resource.
pub(super) struct Defaults<'a> {
    /// The names that are declared.
    pub declared: &'a DeclaredNames,
    /// Whether the project asks for the standard annotations.
    pub standard_annotations: bool,
    /// Whether the project asks for the standard labels.
    pub standard_labels: bool,
}

/// The keys that every resource has.
pub(super) struct CommonKeys {
    pub repository: Option<String>,
    pub registries: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub tag_prefix: Option<String>,
    pub visibility: Option<Visibility>,
    pub annotations: Option<raw::RawDescription>,
}

/// Checks the common keys. `content` is `None` if it is wrong, which has already been reported.
pub(super) fn check_resource(
    id: &ResourceId,
    common: CommonKeys,
    content: Option<DeclaredContent>,
    defaults: &Defaults<'_>,
    problems: &mut Problems<'_>,
) -> Option<Resource> {
    let declared = defaults.declared;
    if let (Some(names), Some(known)) = (&common.registries, &declared.registries) {
        problems.known_names(names, known, &id.key("registries"), Code::ConfigUnknownRegistry);
    }
    if let (Some(names), Some(known)) = (&common.tags, &declared.tags) {
        problems.known_names(names, known, &id.key("tags"), Code::ConfigUnknownTagRule);
    }
    let repository = repository(common.repository.as_deref(), id, problems);
    let annotations =
        description(common.annotations, defaults.standard_annotations, travels(content.as_ref()));
    let default_tags = || match id.kind {
        // The version of a chart is a tag without any rule.
        ResourceKind::Chart => Vec::new(),
        ResourceKind::Image | ResourceKind::Artifact => declared.tags.clone().unwrap_or_default(),
    };
    Some(Resource {
        content: content?,
        repository: repository?,
        registries: common.registries.or_else(|| declared.registries.clone()).unwrap_or_default(),
        tags: common.tags.unwrap_or_else(default_tags),
        tag_prefix: common.tag_prefix,
        visibility: common.visibility,
        annotations,
    })
}

/// Whether a resource is published unchanged by default: an image of a registry, or one whose signatures are published with it.
fn travels(content: Option<&DeclaredContent>) -> bool {
    let Some(DeclaredContent::Image(image)) = content else { return false };
    image_travels(&image.source, image.referrers)
}

/// Whether an image with this source is published unchanged by default.
pub(super) fn image_travels(source: &ImageSource, referrers: bool) -> bool {
    referrers || matches!(source, ImageSource::One(text) if text.starts_with("docker://"))
}

fn repository(written: Option<&str>, id: &ResourceId, problems: &mut Problems<'_>) -> Option<RepositoryName> {
    let default = match id.kind {
        // Helm finds a chart by the last part of the name, and images of the same name are common.
        ResourceKind::Chart => format!("charts/{}", id.name),
        ResourceKind::Image | ResourceKind::Artifact => id.name.clone(),
    };
    let error = match written.unwrap_or(&default).parse::<RepositoryName>() {
        Ok(repository) => return Some(repository),
        Err(error) => error,
    };
    let label = match &error.suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => "not the name of a repository".to_owned(),
    };
    let wanted = error.suggestion.as_deref().unwrap_or("colliery/broker");
    let (place, help) = match written {
        Some(_) => (
            problems.places.value(&id.key("repository")),
            format!("write a name such as `repository = \"{wanted}\"`"),
        ),
        None => (
            problems.places.key(&id.path()),
            format!(
                "the repository is named after the {} by default: set another name, `repository = \"{wanted}\"`",
                id.kind.noun()
            ),
        ),
    };
    problems.report(
        Diagnostic::error(Code::ConfigRepository, error.to_string()).at_maybe(place, label).help(help),
    );
    None
}

/// The annotations or labels to write. `standard` says whether the project asks for the standard ones. A resource that `travels` is
/// published unchanged, because it comes from a registry or because its signatures go with it. It gets them only if it declares
/// them itself, because they would change its digest.
pub(super) fn description(raw: Option<raw::RawDescription>, standard: bool, travels: bool) -> Description {
    let Some(raw) = raw else {
        return if travels {
            Description::default()
        } else {
            Description { standard, of_project: true, own: IndexMap::new() }
        };
    };
    match raw.into_parts() {
        (Some(raw::Word::None), own) => Description { own, ..Description::default() },
        (word, own) => Description { standard: standard || word.is_some(), of_project: true, own },
    }
}
