//! `[tags.*]`: globs, and keys without effect. Templates are checked when they are rendered.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::{TagRule, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{EventName, Mutability};

pub(super) fn check_tag_rules(
    raw: IndexMap<String, raw::RawTagRule>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, TagRule> {
    let entry = |(name, raw): (String, raw::RawTagRule)| {
        let matches = check_globs(raw.r#match, &["tags", &name, "match"], problems);
        let mutability = raw.mutability.unwrap_or_default();
        if raw.prereleases == Some(true) && mutability != Mutability::Forward {
            idle(
                &name,
                "prereleases",
                "only tags with `mutability = \"forward\"` hold pre-releases back",
                problems,
            );
        }
        if raw.on_conflict.is_some() && mutability != Mutability::Immutable {
            idle(&name, "on_conflict", "only immutable tags have conflicts: this one may move", problems);
        }
        if raw.on_unknown.is_some() && mutability != Mutability::Forward {
            let why = "only tags with `mutability = \"forward\"` look at the image that they name";
            idle(&name, "on_unknown", why, problems);
        }
        let on: Vec<EventName> = raw.on?.into_vec().into_iter().map(EventName::from).collect();
        if raw.forks == Some(true) && !on.contains(&EventName::PullRequest) {
            idle(
                &name,
                "forks",
                "only rules whose `on` names `pull_request` fire on pull requests",
                problems,
            );
        }
        let rule = TagRule {
            on,
            template: raw.template?,
            matches,
            when: raw.when,
            skips_empty: raw.when_empty == Some(raw::WhenEmpty::Skip),
            mutability,
            on_conflict: raw.on_conflict.unwrap_or_default(),
            prereleases: raw.prereleases.unwrap_or_default(),
            forks: raw.forks.unwrap_or_default(),
            on_unknown: raw.on_unknown,
        };
        Some((name, rule))
    };
    raw.into_iter().filter_map(entry).collect()
}

/// Returns the globs at `path`, and reports those that are none.
pub(super) fn check_globs(
    raw: Option<raw::OneOrMany<raw::NonEmptyText>>,
    path: &[&str],
    problems: &mut Problems<'_>,
) -> Vec<String> {
    let one = matches!(raw, Some(raw::OneOrMany::One(_)));
    let globs = raw.map(raw::OneOrMany::into_vec).unwrap_or_default();
    let globs: Vec<String> = globs.into_iter().map(|glob| glob.0).collect();
    problems.globs(&globs, one, path);
    globs
}

/// Warns that a key has no effect in combination with the others.
fn idle(name: &str, key: &str, why: &str, problems: &mut Problems<'_>) {
    let message = format!("`{key}` has no effect in `[tags.{name}]`");
    let place = problems.places.key(&["tags", name, key]);
    problems.report(Diagnostic::warning(Code::ConfigValue, message).at_maybe(place, "no effect").help(why));
}
