//! The keys that images, charts and artifacts share: repositories, and the names of registries and tag rules.

use super::problems::Problems;
use super::releases::{self, DeclaredForm};
use super::signing;
use crate::config::declared::DeclaredNames;
use crate::config::{Annotations, DeclaredContent, ImageSource, Resource, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::version::ReleaseForm;
use crate::model::{OnSameImages, ResourceId, ResourceKind, Visibility};
use oci_registry::RepositoryName;

/// The defaults that apply to every resource.
pub(super) struct Defaults<'a> {
    /// The names that are declared.
    pub declared: &'a DeclaredNames,
    /// Whether the project asks for the standard annotations.
    pub standard: bool,
    /// The form of the project's release tags.
    pub releases: &'a ReleaseForm,
    /// The behavior if an immutable tag names an index of the same images.
    pub same_images: Option<OnSameImages>,
}

/// The keys that every resource has.
pub(super) struct CommonKeys {
    pub repository: Option<String>,
    pub registries: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub releases: DeclaredForm,
    pub visibility: Option<Visibility>,
    pub annotations: Option<raw::RawAnnotations>,
    pub sign: Option<Vec<String>>,
    pub attest: Option<raw::RawAttest>,
    pub gates: Option<Vec<String>>,
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
    if let (Some(names), Some(known)) = (&common.sign, &declared.signing) {
        problems.known_names(names, known, &id.key("sign"), Code::ConfigUnknownSigner);
    }
    let repository = repository(common.repository.as_deref(), id, problems);
    let path = id.path();
    let releases = releases::check_form(common.releases, Some(defaults.releases), &path, problems);
    let annotations = annotations(common.annotations, defaults.standard, travels(content.as_ref()));
    if let (Some(names), Some(known)) = (&common.gates, &declared.gates) {
        problems.known_names(names, known, &id.key("gates"), Code::ConfigUnknownSigner);
        if !is_remote(content.as_ref()) {
            let message = format!("{} has gates, but its source is not an image in a registry", id.title());
            let help = "only an image in a registry has signatures: `source = \"docker://…\"`";
            problems.wrong(Code::ConfigValue, message, &id.key("gates"), "nothing to check", help);
        }
    }
    let attest = signing::check_attest(id, common.attest, common.sign.as_deref(), problems);
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
        releases,
        visibility: common.visibility,
        annotations,
        sign: common.sign.unwrap_or_default(),
        attest,
        gates: common.gates.unwrap_or_default(),
    })
}

/// Whether a resource is published unchanged by default: an image of a registry, or one whose signatures are published with it.
fn travels(content: Option<&DeclaredContent>) -> bool {
    let Some(DeclaredContent::Image(image)) = content else { return false };
    image.referrers || is_remote(content)
}

/// Whether the source is an image in a registry. A source that is wrong has already been reported, and counts as one.
fn is_remote(content: Option<&DeclaredContent>) -> bool {
    match content {
        Some(DeclaredContent::Image(image)) => {
            matches!(&image.source, ImageSource::One(text) if text.starts_with("docker://"))
        }
        Some(DeclaredContent::Chart(_) | DeclaredContent::Artifact(_)) => false,
        None => true,
    }
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

/// The annotations to write. `standard` says whether the project asks for the standard ones. A resource that `travels` is
/// published unchanged, because it comes from a registry or because its signatures go with it. It gets annotations only if it
/// declares them itself, because they would change its digest.
fn annotations(raw: Option<raw::RawAnnotations>, standard: bool, travels: bool) -> Annotations {
    match raw {
        None if travels => Annotations::default(),
        None => Annotations { standard, source: true, ..Annotations::default() },
        Some(raw::RawAnnotations::Word(raw::Word::None)) => Annotations::default(),
        Some(raw::RawAnnotations::Word(raw::Word::Standard)) => {
            Annotations { standard: true, source: true, ..Annotations::default() }
        }
        Some(raw::RawAnnotations::Table(own)) => Annotations { standard, source: true, own },
    }
}
