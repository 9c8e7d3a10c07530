//! A run that publishes nothing. At a git tag that is an error, because a release that publishes nothing would look like a
//! success. On anything else it is a warning.

use indexmap::IndexMap;

use super::rendered::ResourceTags;
use super::rules::matches_one;
use super::selection::Selection;
use super::tag_template::TagTemplate;
use super::version::ResourceVersion;
use crate::config::Config;
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{EventName, ResourceId};

/// The number of reasons that a message names.
const NAMED: usize = 4;

/// Returns the diagnostic of a run in which no rule gives any selected resource a tag, although `rendered` are the tags of
/// `context`. `None` if `silent_tags` expects that.
pub fn nothing_published(
    config: &Config,
    context: &Context,
    rendered: &IndexMap<ResourceId, ResourceTags>,
    selection: &Selection,
) -> Option<Diagnostic> {
    let tag = context.tag_of_ref();
    if tag.is_some_and(|tag| matches_one(&config.project.silent_tags, tag)) {
        return None;
    }
    let selected: Vec<_> = rendered.iter().filter(|(id, _)| selection.selects_resource(id)).collect();
    let mut message = format!("nothing is published {}, because no rule fires", context.situation());
    let reasons = reasons(&selected);
    if !reasons.is_empty() {
        message.push_str(": ");
        message.push_str(&reasons);
    }
    if let Some(reason) = &context.idle {
        return Some(Diagnostic::warning(Code::PlanNothing, format!("{message}; {reason}")));
    }
    let Some(tag) = tag else {
        let help = match &context.release_here {
            Some(release) => format!(
                "the commit is tagged `{release}`: `--ref refs/tags/{release}` publishes that release"
            ),
            None => "`brokkr-publish tags -v` shows why each rule is silent".to_owned(),
        };
        return Some(Diagnostic::warning(Code::PlanNothing, message).help(help));
    };
    let mut helps = causes(config, context, tag, &selected);
    // A tag such as a moving `v1` is no release, and publishes nothing rightly.
    let unversioned = |(_, tags): &(&ResourceId, &ResourceTags)| {
        matches!(tags.version, ResourceVersion::Unversioned(_) | ResourceVersion::Other(_))
    };
    if selected.iter().all(unversioned)
        && selected.iter().any(|(_, tags)| matches!(tags.version, ResourceVersion::Unversioned(_)))
    {
        return Some(Diagnostic::warning(Code::PlanNothing, message).help(helps.join("; ")));
    }
    helps.push("if this git tag releases nothing here, name it in `silent_tags` of `[project]`".to_owned());
    Some(Diagnostic::error(Code::PlanNothing, message).help(helps.join("; ")))
}

/// Returns the warning about a git tag that starts like a release, but holds no version, such as a moving `v1`. The rules that need no
/// version fire, and nothing says so otherwise.
pub fn unversioned_tag(
    config: &Config,
    context: &Context,
    rendered: &IndexMap<ResourceId, ResourceTags>,
) -> Option<Diagnostic> {
    let tag = context.tag_of_ref()?;
    let reason = rendered.values().find_map(|tags| match &tags.version {
        ResourceVersion::Unversioned(reason) => Some(reason),
        _ => None,
    })?;
    let is_expected = matches_one(&config.project.silent_tags, tag);
    // A run that publishes nothing has a message of its own, which gives the reason.
    let publishes = rendered.values().any(|tags| tags.all().next().is_some());
    (publishes && !is_expected).then(|| {
        let message = format!("{reason}; only the rules that need no version fire");
        Diagnostic::warning(Code::ContextVersion, message).help(
            "if it is a release, set `tag_prefix` or `version_scheme`; if it is none, as a tag that moves, name it in `silent_tags` of `[project]`",
        )
    })
}

/// Returns each reason why rules are silent, once, with the rules.
fn reasons(selected: &[(&ResourceId, &ResourceTags)]) -> String {
    let mut reasons: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (rule, reason) in selected.iter().flat_map(|(_, tags)| &tags.silent) {
        let rules = reasons.entry(reason).or_default();
        if !rules.contains(&rule.as_str()) {
            rules.push(rule);
        }
    }
    let more = if reasons.len() > NAMED { "; …" } else { "" };
    let named = reasons.iter().take(NAMED).map(|(reason, rules)| {
        let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
        format!("{reason} ({})", rules.join(", "))
    });
    format!("{}{more}", named.collect::<Vec<_>>().join("; "))
}

/// Returns the settings to look at, for a run on the git tag `tag`.
fn causes(
    config: &Config,
    context: &Context,
    tag: &str,
    selected: &[(&ResourceId, &ResourceTags)],
) -> Vec<String> {
    let event = context.event;
    let named = selected.iter().filter_map(|(id, _)| config.named_resource(id));
    let templates: Vec<TagTemplate<'_>> =
        named.flat_map(|named| TagTemplate::of_resource(config, named)).collect();
    let of_event = || templates.iter().filter(|template| context.fires(template.events()));
    let mut causes = Vec::new();
    let is_of_others =
        |tags: &ResourceTags| matches!(tags.version, ResourceVersion::None(_) | ResourceVersion::Other(_));
    if event == EventName::Tag && selected.iter().any(|(_, tags)| is_of_others(tags)) {
        causes.push(
            "set `tag_prefix` of `[project]`, or of one image, to the prefix of your release tags".to_owned(),
        );
    }
    if of_event().next().is_none() {
        causes.push(match event {
            EventName::Tag => "name `tag` in `on` of a rule".to_owned(),
            _ => format!("name `{event}` in `on` of a rule, or give `--ref refs/tags/{tag}`"),
        });
    }
    if selected.iter().any(|(_, tags)| !tags.held_back.is_empty()) {
        causes.push(
            "give pre-releases a tag: set `prereleases = true` on a rule, or add an immutable rule"
                .to_owned(),
        );
    }
    if causes.is_empty() {
        let filtered = of_event().any(|it| it.when().is_some() || !it.globs().is_empty());
        if filtered {
            causes.push("check `match` and `when` of the rules".to_owned());
        }
    }
    causes
}
