//! Tag rules from publications: the events, the condition, and whether the tag may move.

use super::condition::Condition;
use super::publication::{Origin, Publication};
use super::scope::RunKind;
use super::symbolic::{Part, Symbol, SymbolicText};
use super::tags::TagFacts;

/// Whether a tag may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleMutability {
    /// Written once.
    Immutable,
    /// Written once; a rebuilt commit keeps the first digest.
    Kept,
    /// Only forward.
    Forward,
    /// To anything.
    Mutable,
}

/// A rule of `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProposedRule {
    /// Its name.
    pub name: String,
    /// `on`.
    pub on: Vec<&'static str>,
    /// `match`.
    pub matches: Vec<String>,
    /// `when`.
    pub when: Option<String>,
    /// `template`.
    pub template: String,
    /// `mutability` and `on_conflict`.
    pub mutability: RuleMutability,
    /// The places that it was taken from, with the text there.
    pub origins: Vec<(Origin, String)>,
}

/// A rule of an image, and the text of its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleUse {
    /// The rule.
    pub rule: ProposedRule,
    /// The tag.
    pub tag: SymbolicText,
}

impl ProposedRule {
    /// Whether two rules do the same.
    pub fn means(&self, other: &Self) -> bool {
        (&self.on, &self.matches, &self.when, &self.template, self.mutability)
            == (&other.on, &other.matches, &other.when, &other.template, other.mutability)
    }
}

/// One tag with everything that is known about its events.
struct TagGroup<'p> {
    tag: &'p SymbolicText,
    template: String,
    events: Vec<(&'static str, Condition)>,
    origins: Vec<(Origin, String)>,
    moves: bool,
}

/// The order of events in `on`.
const EVENTS: [&str; 5] = ["tag", "branch", "pull_request", "schedule", "manual"];

/// The rules of the tags of one image in one repository.
pub(super) fn rules(
    publications: &[&Publication],
    tags: &TagFacts,
    left_out: &mut Vec<(Origin, String)>,
) -> Vec<RuleUse> {
    let mut groups: Vec<TagGroup<'_>> = Vec::new();
    for publication in publications {
        let Some(template) = publication.tag.template(tags) else {
            left_out.push((
                publication.origin.clone(),
                format!("the tag `{}` is not understood", publication.tag.shown()),
            ));
            continue;
        };
        if let Some(why) = unusable(&template, publication.kind) {
            left_out.push((publication.origin.clone(), format!("the tag `{template}`: {why}")));
            continue;
        }
        let event = publication.kind.event();
        let origin = (publication.origin.clone(), publication.source.clone());
        let group = match groups.iter_mut().position(|it| it.template == template) {
            Some(at) => at,
            None => {
                groups.push(TagGroup {
                    tag: &publication.tag,
                    template,
                    events: Vec::new(),
                    origins: Vec::new(),
                    moves: false,
                });
                groups.len() - 1
            }
        };
        let Some(group) = groups.get_mut(group) else { continue };
        group.moves |= publication.moves;
        if !group.origins.contains(&origin) {
            group.origins.push(origin);
        }
        match group.events.iter_mut().find(|(it, _)| *it == event) {
            Some((_, condition)) => *condition = condition.clone().or(publication.condition.clone()),
            None => group.events.push((event, publication.condition.clone())),
        }
    }
    let readable = tags.are_versions
        && groups.iter().any(|it| prints_version(it) && it.events.iter().any(|(event, _)| *event == "tag"));
    let mut made = Vec::new();
    for group in &groups {
        let mut by_keys: Vec<(Vec<String>, Option<String>, Vec<&'static str>)> = Vec::new();
        for event in EVENTS {
            let Some((_, condition)) = group.events.iter().find(|(it, _)| *it == event) else { continue };
            let (matches, mut when) = condition.keys(event != "tag");
            // A forward tag skips pre-releases by itself.
            if event == "tag"
                && readable
                && !prints_version(group)
                && when.as_deref() == Some("version.pre == ''")
            {
                when = None;
            }
            match by_keys.iter_mut().find(|(one, other, _)| (one, other) == (&matches, &when)) {
                Some((_, _, events)) => events.push(event),
                None => by_keys.push((matches, when, vec![event])),
            }
        }
        for (matches, when, on) in by_keys {
            let mutability =
                if group.moves { RuleMutability::Mutable } else { mutability(group, &on, readable) };
            let is_pre = when.as_deref() == Some("version.pre != ''");
            let name = rule_name(group.tag, &on) + if is_pre { "-pre" } else { "" };
            let rule = ProposedRule {
                name,
                on,
                matches,
                when,
                template: group.template.clone(),
                mutability,
                origins: group.origins.clone(),
            };
            made.push(RuleUse { rule, tag: group.tag.clone() });
        }
    }
    // A tag has one mutability in an image.
    for at in 0..made.len() {
        let Some(one) = made.get(at).cloned() else { continue };
        let clash = made
            .iter()
            .any(|it| it.rule.template == one.rule.template && it.rule.mutability != one.rule.mutability);
        if clash && one.rule.mutability == RuleMutability::Forward {
            for it in made.iter_mut().filter(|it| it.rule.template == one.rule.template) {
                it.rule.mutability = RuleMutability::Mutable;
            }
        }
    }
    made
}

/// Whether a tag is the full version, printed once.
fn prints_version(group: &TagGroup<'_>) -> bool {
    group.template.matches("{{ version }}").count() == 1
        && group.tag.parts().iter().filter(|part| matches!(part, Part::Symbol(_))).count() == 1
}

fn mutability(group: &TagGroup<'_>, on: &[&str], readable: bool) -> RuleMutability {
    let has = |wanted: &dyn Fn(&Symbol) -> bool| group.tag.has(wanted);
    let is_tag = on.contains(&"tag");
    if has(&|it| matches!(it, Symbol::Sha | Symbol::ShortSha(_))) {
        RuleMutability::Kept
    } else if has(&|it| matches!(it, Symbol::PullRequest)) || on.contains(&"pull_request") {
        RuleMutability::Mutable
    } else if has(&|it| matches!(it, Symbol::Version | Symbol::Tag)) {
        RuleMutability::Immutable
    } else if has(&|it| matches!(it, Symbol::Date(_) | Symbol::ZonedDate(..) | Symbol::Expression(_))) {
        RuleMutability::Mutable
    } else if has(&|it| matches!(it, Symbol::Patch)) && is_tag && !readable {
        RuleMutability::Immutable
    } else if is_tag && !readable {
        RuleMutability::Mutable
    } else {
        RuleMutability::Forward
    }
}

/// The reason why a template has no value in a run.
fn unusable(template: &str, kind: RunKind) -> Option<&'static str> {
    if kind.is_tag() && template.contains("git.branch") {
        return Some("a run on a git tag has no branch");
    }
    if !kind.is_tag() && (template.contains("git.tag") || template.contains("{{ version")) {
        return Some("only a run on a git tag has a version");
    }
    (template.starts_with(['.', '-'])).then_some("a tag does not begin with it")
}

/// The usual name of a rule.
fn rule_name(tag: &SymbolicText, on: &[&str]) -> String {
    let literal: String = tag
        .parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            _ => " ",
        })
        .collect();
    let symbols: Vec<&Symbol> = tag
        .parts()
        .iter()
        .filter_map(|part| match part {
            Part::Symbol(symbol) => Some(symbol),
            _ => None,
        })
        .collect();
    let base = match symbols.as_slice() {
        [] => None,
        [Symbol::Version | Symbol::Tag] => Some("version"),
        [Symbol::Major] => Some("major"),
        [Symbol::Major, Symbol::Minor] => Some("minor"),
        [Symbol::Major, Symbol::Minor, Symbol::Patch] => Some("patch"),
        [Symbol::Branch] => Some("branch"),
        [Symbol::PullRequest] => Some("pr"),
        [Symbol::Sha] => Some("commit"),
        [Symbol::ShortSha(_)] => Some("sha"),
        [Symbol::Date(_) | Symbol::ZonedDate(..)] => Some("date"),
        _ => Some("mixed"),
    };
    let words: Vec<String> = literal
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && !matches!(*word, "v" | "sha" | "pr" | "commit"))
        .map(str::to_ascii_lowercase)
        .collect();
    let name = base.map(str::to_owned).into_iter().chain(words).collect::<Vec<_>>().join("-");
    let name = if name.is_empty() { on.join("-") } else { name };
    name.chars().take(60).collect()
}
