//! Collisions: one tag wanted by two images, by one image in two registries that are one place, or under two mutabilities or
//! answers to a conflict, in one repository.

use std::collections::{HashMap, HashSet};

use super::tags::RenderedTag;
use crate::config::Config;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::model::{Mutability, OnConflict, Tag};

/// One claim on a tag of a repository.
#[derive(Clone, Copy)]
struct Claim<'a> {
    image: &'a str,
    registry: &'a str,
    tag: &'a RenderedTag,
}

/// Finds every collision among the tags of images, each given with the name of the image. `situation` is for people:
/// `on a release`.
pub(super) fn find<'a>(
    config: &'a Config,
    images: impl IntoIterator<Item = (&'a str, &'a [RenderedTag])>,
    situation: &str,
) -> Vec<Diagnostic> {
    let (mut diagnostics, mut told) = (Vec::new(), HashSet::new());
    let mut claims: HashMap<(String, &Tag), Claim<'a>> = HashMap::new();
    for (name, tags) in images {
        let Some(image) = config.images.get(name) else { continue };
        let declared =
            image.registries.iter().filter_map(|registry| config.registries.get_key_value(registry));
        for (registry, declaration) in declared {
            let location = &declaration.endpoint.url;
            let full = location.repository(&image.repository);
            let (repository, identity) = (location.full_name(&full), location.identity(&full));
            for tag in tags {
                let claim = Claim { image: name, registry, tag };
                let Some(first) = claims.get(&(identity.clone(), &tag.tag)).copied() else {
                    claims.insert((identity.clone(), &tag.tag), claim);
                    continue;
                };
                if let Some(diagnostic) = collision(config, first, claim, &repository, situation)
                    && told.insert(diagnostic.message.clone())
                {
                    diagnostics.push(diagnostic);
                }
            }
        }
    }
    diagnostics
}

fn collision(
    config: &Config,
    first: Claim<'_>,
    second: Claim<'_>,
    repository: &str,
    situation: &str,
) -> Option<Diagnostic> {
    let tag = &second.tag.tag;
    let rule_place = |rule: &str| -> Option<Place> { config.places.value(&["tags", rule, "template"]) };
    if first.image != second.image {
        let (one, other) = (first.image, second.image);
        let place = |image: &str| {
            config
                .places
                .value(&["images", image, "repository"])
                .or_else(|| config.places.key(&["images", image]))
        };
        let message =
            format!("images `{one}` and `{other}` both want the tag `{tag}` of `{repository}` {situation}");
        return Some(
            Diagnostic::error(Code::TagCollision, message)
                .at_maybe(place(other), format!("rule `{}` renders `{tag}` here", second.tag.rule))
                .at_maybe(place(one), format!("and rule `{}` here", first.tag.rule))
                .help(
                    "give each image a `repository` of its own, or put `{{ image.name }}` into the template",
                ),
        );
    }
    if first.registry != second.registry {
        let (one, other) = (first.registry, second.registry);
        let place = |registry: &str| config.places.value(&["registries", registry, "url"]);
        let message = format!(
            "registries `{one}` and `{other}` are one place for image `{}`: `{repository}`",
            second.image
        );
        return Some(
            Diagnostic::error(Code::TagCollision, message)
                .at_maybe(place(other), "the same place")
                .at_maybe(place(one), "as this")
                .help(format!(
                    "remove one of them, or name one in `registries` of `[images.{}]`",
                    second.image
                )),
        );
    }
    if is_one_tag(config, first.tag, second.tag) {
        return None;
    }
    let (one, other) = (&first.tag.rule, &second.tag.rule);
    let (key, words) = if first.tag.mutability == second.tag.mutability {
        let words = |rule: &str| match on_conflict(config, rule) {
            OnConflict::Fail => "on_conflict = \"fail\"",
            OnConflict::Keep => "on_conflict = \"keep\"",
        };
        ("on_conflict", [words(one), words(other)])
    } else {
        ("mutability", [first.tag.mutability.as_str(), second.tag.mutability.as_str()])
    };
    let message = format!(
        "tag rules `{one}` ({}) and `{other}` ({}) both render `{tag}` {situation}",
        words[0], words[1],
    );
    Some(
        Diagnostic::error(Code::TagCollision, message)
            .at_maybe(rule_place(other), format!("renders `{tag}`"))
            .at_maybe(rule_place(one), "and so does this")
            .help(format!("change one template, give both the same `{key}`, or keep one from firing with `match` or `when`")),
    )
}

/// Whether two rules of one image that render the same tag mean the same by it.
pub(super) fn is_one_tag(config: &Config, one: &RenderedTag, other: &RenderedTag) -> bool {
    one.tag == other.tag
        && one.mutability == other.mutability
        // Only what is immutable has conflicts.
        && (one.mutability != Mutability::Immutable
            || on_conflict(config, &one.rule) == on_conflict(config, &other.rule))
}

fn on_conflict(config: &Config, rule: &str) -> OnConflict {
    config.tags.get(rule).map(|rule| rule.on_conflict).unwrap_or_default()
}
