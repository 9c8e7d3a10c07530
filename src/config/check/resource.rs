//! The keys that images, charts and artifacts share: repositories, and the names of registries and tag rules.

use indexmap::IndexMap;

use super::problems::Problems;
use super::releases::{self, DeclaredForm};
use super::signing;
use crate::config::declared::DeclaredNames;
use crate::config::{
    DeclaredContent, Description, ImageSource, RepositoryTemplate, Resource, lowered, lowered_diagnostic, raw,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::version::ReleaseForm;
use crate::model::{OnSameImages, ResourceId, ResourceKind, Visibility};
use oci_registry::RepositoryName;

/// The defaults that apply to every resource.
pub(super) struct Defaults<'a> {
    /// The names that are declared.
    pub declared: &'a DeclaredNames,
    /// Whether the project asks for the standard annotations.
    pub standard_annotations: bool,
    /// Whether the project asks for the standard labels.
    pub standard_labels: bool,
    /// The form of the project's release tags.
    pub releases: &'a ReleaseForm,
    /// The behavior if an immutable tag names an index of the same images.
    pub same_images: Option<OnSameImages>,
}

/// The keys that every resource has.
pub(super) struct CommonKeys {
    pub repository: Option<raw::OneOrMany<raw::NonEmptyText>>,
    pub registries: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub releases: DeclaredForm,
    pub visibility: Option<Visibility>,
    pub annotations: Option<raw::RawDescription>,
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
    let registries = common.registries.or_else(|| declared.registries.clone()).unwrap_or_default();
    let declared_repositories = repositories(common.repository, id, declared, problems);
    let names: Option<Vec<RepositoryName>> = declared_repositories
        .iter()
        .enumerate()
        .map(|(index, it)| repository(index, it, id, problems))
        .collect();
    let path = id.path();
    let releases = releases::check_form(common.releases, Some(defaults.releases), &path, problems);
    let annotations =
        description(common.annotations, defaults.standard_annotations, travels(content.as_ref()));
    if let (Some(names), Some(known)) = (&common.gates, &declared.gates) {
        problems.known_names(names, known, &id.key("gates"), Code::ConfigUnknownSigner);
        if !is_remote(content.as_ref()) {
            let message = format!("{} has gates, but its source is not an image in a registry", id.title());
            let help = "only an image in a registry has signatures: `source = \"docker://…\"`";
            problems.wrong(Code::ConfigValue, message, &id.key("gates"), "nothing to check", help);
        }
    }
    let promotion = match (is_remote(content.as_ref()), &common.gates) {
        (false, _) => signing::PromotionUse::Impossible,
        (true, None) => signing::PromotionUse::Possible,
        (true, Some(_)) => signing::PromotionUse::Gated,
    };
    let attest = signing::check_attest(id, common.attest, common.sign.as_deref(), promotion, problems);
    let default_tags = || match id.kind {
        // The version of a chart is a tag without any rule.
        ResourceKind::Chart => Vec::new(),
        ResourceKind::Image | ResourceKind::Artifact => declared.tags.clone().unwrap_or_default(),
    };
    let names = names?;
    let mut resource = Resource {
        content: content?,
        repository: names.first()?.clone(),
        registries: Vec::new(),
        repositories: IndexMap::new(),
        declared_repositories,
        registries_of_all: registries,
        tags: common.tags.unwrap_or_else(default_tags),
        releases,
        visibility: common.visibility,
        annotations,
        sign: common.sign.unwrap_or_default(),
        attest,
        gates: common.gates.unwrap_or_default(),
    };
    resource.place_repositories(&names);
    Some(resource)
}

/// Whether a resource is published unchanged by default: an image of a registry, or one whose signatures are published with it.
fn travels(content: Option<&DeclaredContent>) -> bool {
    let Some(DeclaredContent::Image(image)) = content else { return false };
    image_travels(&image.source, image.referrers)
}

/// Whether the source is an image in a registry. A source that is wrong has already been reported, and counts as one.
fn is_remote(content: Option<&DeclaredContent>) -> bool {
    match content {
        Some(DeclaredContent::Image(image)) => {
            let is_docker = |text: &String| text.starts_with("docker://");
            match &image.source {
                ImageSource::One(text) => is_docker(text),
                ImageSource::Several(list) => list.iter().all(is_docker),
                ImageSource::Platforms(table) => table.values().all(is_docker),
                ImageSource::Digests { from, .. } => is_docker(from),
            }
        }
        Some(DeclaredContent::Chart(_) | DeclaredContent::Artifact(_)) => false,
        None => true,
    }
}

/// Whether an image with this source is published unchanged by default.
pub(super) fn image_travels(source: &ImageSource, referrers: bool) -> bool {
    referrers || matches!(source, ImageSource::One(text) if text.starts_with("docker://"))
}

/// The repositories of a resource as declared, or the default. Reports registries that are not declared.
fn repositories(
    written: Option<raw::OneOrMany<raw::NonEmptyText>>,
    id: &ResourceId,
    declared: &DeclaredNames,
    problems: &mut Problems<'_>,
) -> Vec<RepositoryTemplate> {
    let Some(written) = written else {
        let text = match id.kind {
            // Helm finds a chart by the last part of the name, and images of the same name are common.
            ResourceKind::Chart => format!("charts/{}", id.name),
            ResourceKind::Image | ResourceKind::Artifact => id.name.clone(),
        };
        return vec![RepositoryTemplate { registry: None, text, keys: Vec::new() }];
    };
    let is_list = matches!(written, raw::OneOrMany::Many(_));
    let mut found = Vec::new();
    for (index, raw::NonEmptyText(text)) in written.into_vec().into_iter().enumerate() {
        let mut keys = vec!["repository".to_owned()];
        keys.extend(is_list.then(|| index.to_string()));
        let is_name =
            |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        let template = match text.split_once(':').filter(|(name, _)| is_name(name)) {
            Some((registry, path)) => {
                RepositoryTemplate { registry: Some(registry.to_owned()), text: path.to_owned(), keys }
            }
            None => RepositoryTemplate { registry: None, text, keys },
        };
        if let (Some(registry), Some(known)) = (&template.registry, &declared.registries) {
            problems.known_name(registry, known, &place_of(&template, id), Code::ConfigUnknownRegistry);
        }
        found.push(template);
    }
    found
}

/// The path of a repository in the file.
fn place_of<'a>(template: &'a RepositoryTemplate, id: &'a ResourceId) -> Vec<&'a str> {
    id.path().into_iter().chain(template.keys.iter().map(String::as_str)).collect()
}

/// The name of a repository. That of a template is known only once it is rendered, so that another stands in for it.
fn repository(
    index: usize,
    template: &RepositoryTemplate,
    id: &ResourceId,
    problems: &mut Problems<'_>,
) -> Option<RepositoryName> {
    if template.is_template() {
        return format!("rendered/{}-{index}", id.kind.noun()).parse().ok();
    }
    let at = place_of(template, id);
    let written = !template.keys.is_empty();
    let place = |problems: &Problems<'_>| {
        if written { problems.places.value(&at) } else { problems.places.key(&id.path()) }
    };
    let error = match lowered(&template.text) {
        Ok((name, note)) => {
            if let Some(note) = note {
                let place = place(problems);
                problems.report(lowered_diagnostic(&note).at_maybe(place, "upper case"));
            }
            return Some(name);
        }
        Err(error) => error,
    };
    let help = if written {
        "write a name such as `repository = \"colliery/broker\"`".to_owned()
    } else {
        format!(
            "the repository is named after the {} by default: set another name, `repository = \"colliery/broker\"`",
            id.kind.noun()
        )
    };
    let diagnostic = Diagnostic::error(Code::ConfigRepository, error.to_string())
        .at_maybe(place(problems), "not the name of a repository")
        .help(help);
    problems.report(diagnostic);
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
