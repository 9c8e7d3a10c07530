//! `--target`: the part of a configuration that a plan covers. Resources that are not selected are not opened, and
//! their registries are not asked.

use crate::config::registry_of_place;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;

/// Addresses: `images.NAME` or `images.NAME@REGISTRY`, either with `:TAG`; likewise for `charts` and `artifacts`. An
/// empty list selects everything.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    targets: Vec<String>,
}

/// One tag of one resource in one registry, with the parts that a selection looks at.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// The resource that is published.
    pub resource: &'a ResourceId,
    /// The registry's name.
    pub registry: &'a str,
    /// The tag.
    pub tag: &'a str,
}

impl Selection {
    /// Selects the addresses that `targets` name.
    pub fn new(targets: &[String]) -> Self {
        Self { targets: targets.to_vec() }
    }

    /// Whether everything is selected.
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty()
    }

    /// Whether a tag is selected.
    pub fn selects(&self, address: Address<'_>) -> bool {
        self.is_everything() || self.targets.iter().any(|target| names(target, address))
    }

    /// Whether anything of a resource is selected.
    pub(super) fn selects_resource(&self, resource: &ResourceId) -> bool {
        self.is_everything() || self.targets.iter().any(|target| is_of(target, resource))
    }

    /// Whether anything of a resource in a registry is selected.
    pub fn touches(&self, resource: &ResourceId, registry: &str) -> bool {
        let whole = |target: &String| {
            names(target.split(':').next().unwrap_or_default(), Address { resource, registry, tag: "" })
        };
        self.is_everything() || self.targets.iter().any(whole)
    }

    /// Returns a diagnostic for each target that names none of `addresses`, which are those of `whole`, for example
    /// "this plan". `silent` are resources for which no rule fires.
    pub fn unknown(&self, addresses: &[Address<'_>], silent: &[&ResourceId], whole: &str) -> Vec<Diagnostic> {
        let unknown = self.targets.iter().filter(|target| !addresses.iter().any(|it| names(target, *it)));
        unknown
            .map(|target| {
                if let Some(resource) = silent.iter().find(|resource| is_of(target, resource)) {
                    let message =
                        format!("`{target}` names nothing here: no rule of {} fires", resource.title());
                    return Diagnostic::error(Code::PlanTarget, message)
                        .help("`brokkr-publish tags` says why each rule is silent");
                }
                let mut known: Vec<String> =
                    addresses.iter().map(|it| format!("{}@{}", it.resource, it.registry)).collect();
                known.dedup();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let meant = likely_target(target, addresses).map(|it| format!("did you mean `{it}`? "));
                let meant = meant.unwrap_or_default();
                Diagnostic::error(Code::PlanTarget, format!("`{target}` is not an address of {whole}"))
                    .help(format!("{meant}the addresses are {known}, each with `:TAG` for one tag"))
            })
            .collect()
    }
}

/// Returns the address that `target` most likely means: the same name without its table, or one with a typo.
fn likely_target(target: &str, addresses: &[Address<'_>]) -> Option<String> {
    let end = target.find(['@', ':']).unwrap_or(target.len());
    let (name, rest) = target.split_at(end);
    let resources = addresses.iter().map(|it| it.resource);
    let nearest = resources.map(|resource| {
        let bare = strsim::damerau_levenshtein(name, resource.name.as_str());
        (bare.min(strsim::damerau_levenshtein(name, &resource.to_string())), resource)
    });
    let (distance, resource) = nearest.min_by_key(|(distance, _)| *distance)?;
    let limit = (resource.name.as_str().chars().count() / 3).max(1);
    // A name that is right, with a wrong registry or tag behind it, is no typo of the name.
    (distance <= limit && name != resource.to_string()).then(|| format!("{resource}{rest}"))
}

/// Whether `target` names `resource` or a part of it.
fn is_of(target: &str, resource: &ResourceId) -> bool {
    let rest = below(target, resource);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', ':']))
}

/// The rest of `target` after the resource, if `target` begins with the resource.
fn below<'t>(target: &'t str, resource: &ResourceId) -> Option<&'t str> {
    target.strip_prefix(resource.table())?.strip_prefix('.')?.strip_prefix(resource.name.as_str())
}

/// Whether `target` names `address` or something that contains it.
fn names(target: &str, address: Address<'_>) -> bool {
    let Address { resource, registry, tag } = address;
    let Some(rest) = below(target, resource) else {
        return false;
    };
    let rest = match rest.strip_prefix('@') {
        None => rest,
        // The name of a registry selects every repository in it.
        Some(rest) => {
            match rest.strip_prefix(registry).or_else(|| rest.strip_prefix(registry_of_place(registry))) {
                Some(rest) => rest,
                None => return false,
            }
        }
    };
    rest.is_empty() || rest.strip_prefix(':') == Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_an_image_a_repository_or_a_tag() {
        let resource = ResourceId::image("app");
        let address = Address { resource: &resource, registry: "ghcr", tag: "v1.2" };
        for (target, expected) in [
            ("images.app", true),
            ("images.app@ghcr", true),
            ("images.app:v1.2", true),
            ("images.app@ghcr:v1.2", true),
            ("images.app:v1", false),
            ("images.app@hub", false),
            ("images.app@ghcr.io", false),
            ("images.ap", false),
            ("images.application", false),
            ("charts.app", false),
            ("app", false),
            ("", false),
        ] {
            assert_eq!(Selection::new(&[target.to_owned()]).selects(address), expected, "{target}");
        }
        assert!(Selection::default().selects(address));
    }

    #[test]
    fn a_registry_selects_every_repository_in_it() {
        let resource = ResourceId::image("app");
        let address = Address { resource: &resource, registry: "ghcr/other/app", tag: "v1" };
        for (target, expected) in [
            ("images.app@ghcr", true),
            ("images.app@ghcr:v1", true),
            ("images.app@ghcr/other/app", true),
            ("images.app@ghcr/other/app:v1", true),
            ("images.app@ghcr/other/app:v2", false),
            ("images.app@ghcr/other", false),
            ("images.app@hub", false),
        ] {
            assert_eq!(Selection::new(&[target.to_owned()]).selects(address), expected, "{target}");
        }
    }

    #[test]
    fn a_tag_of_a_repository_touches_it() {
        for (target, expected) in [
            ("images.app:v1", true),
            ("images.app@ghcr:v1", true),
            ("images.app@hub:v1", false),
            ("images.ap:v1", false),
        ] {
            assert_eq!(
                Selection::new(&[target.to_owned()]).touches(&ResourceId::image("app"), "ghcr"),
                expected,
                "{target}"
            );
        }
    }

    #[test]
    fn a_target_that_names_nothing_is_reported_with_the_addresses() {
        let resource = ResourceId::image("app");
        let address = Address { resource: &resource, registry: "ghcr", tag: "v1.2" };
        let selection =
            Selection::new(&["images.app".to_owned(), "images.apq".to_owned(), "images.tool:x".to_owned()]);
        let unknown = selection.unknown(&[address], &[&ResourceId::image("tool")], "this plan");
        let messages: Vec<&str> = unknown.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`images.apq` is not an address of this plan",
                "`images.tool:x` names nothing here: no rule of image `tool` fires"
            ]
        );
    }
}
