//! Tag rules: which of them fire in a context, and which tags they render.

use globset::GlobBuilder;
use semver::Version;

use super::tag_template::TagTemplate;
use super::template::{TemplateError, TemplateSyntax, Templates};
use super::values::Values;
use super::version::ResourceVersion;
use crate::config::{DEFAULT_VERSION, DEFAULT_VERSION_WITHOUT_TIME};
use crate::context::{Context, Trigger};
use crate::diagnostic::Code;
use crate::model::version::ReleaseVersion;
use crate::model::{EventName, Mutability};
use oci_registry::{Tag, TagError};

/// The result of a rule in a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firing {
    /// The rule renders this tag.
    Tag(Tag),
    /// The rule does not fire, for this reason.
    Silent(String),
}

/// The part of a rule that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulePart {
    /// `template`.
    Template,
    /// `when`.
    When,
}

/// The reason why a rule cannot render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The part of the rule.
    pub part: RulePart,
    /// The error in that part.
    pub error: TemplateError,
}

/// Fires `template`. `version` is the version of its resource.
pub(super) fn fire(
    templates: &Templates,
    template: TagTemplate<'_>,
    context: &Context,
    values: &Values,
    version: &ResourceVersion,
) -> Result<Firing, RuleError> {
    let silent = |reason: String| Ok(Firing::Silent(reason));
    if !context.fires(template.events()) {
        return silent(not_named(template, context));
    }
    if context.is_of_pull_request() && context.pull.fork == Some(true) && !template.takes_forks() {
        return silent(
            "the pull request is from a fork, and the rule does not set `forks = true`".to_owned(),
        );
    }
    if let Some(reason) = unmatched(template.globs(), context) {
        return silent(reason);
    }
    // A run by hand on a git tag fires rules on `manual` too, and those that print the branch have nothing to print.
    if context.event == EventName::Tag
        && !template.events().contains(&EventName::Tag)
        && templates.uses(template.text(), TemplateSyntax::Text, "git.branch")
    {
        return silent("the run stands on a git tag, which has no branch".to_owned());
    }
    if template.is_of_default_branch()
        && let (Some(branch), Some(default)) = (&context.branch, &context.default_branch)
        && context.tag.is_none()
        && branch != default
    {
        return silent(format!(
            "the version in `Chart.yaml` is published from the default branch `{default}` alone; `on` and `match` choose others"
        ));
    }
    if context.event == EventName::Tag {
        match version {
            ResourceVersion::Other(reason) => return silent(reason.clone()),
            ResourceVersion::None(reason) | ResourceVersion::Unversioned(reason)
                if is_of_releases(templates, template) =>
            {
                return silent(reason.clone());
            }
            ResourceVersion::Invalid(reason) if is_of_releases(templates, template) => {
                return Err(not_a_version(reason.clone(), template));
            }
            _ => {}
        }
    }
    if let Some(when) = template.when() {
        let holds =
            templates.test(when, values).map_err(|error| RuleError { part: RulePart::When, error })?;
        if !holds {
            return silent(format!("`when = {when:?}` does not hold"));
        }
    }
    let rendered = match template {
        TagTemplate::Rule { rule, .. }
            if rule.skips_empty
                && text(templates, &rule.template, values).is_ok_and(|text| text.is_empty()) =>
        {
            return silent(
                "the template renders empty text, and the rule sets `when_empty = \"skip\"`".to_owned(),
            );
        }
        TagTemplate::Rule { rule, .. } => render(templates, &rule.template, values),
        TagTemplate::ChartVersion { declared, .. } => {
            render_chart_version(templates, &declared.version, values).map(|(_, tag)| tag)
        }
    };
    match (rendered, template) {
        (Ok(tag), _) => Ok(Firing::Tag(tag)),
        // A chart without `on` is published on the events that have the values its version needs.
        (Err(error), TagTemplate::ChartVersion { declared, .. })
            if declared.on.is_none()
                && error.code == Code::ContextMissing
                && templates.lacks_what_events_have(&declared.version, values) =>
        {
            silent(format!(
                "`version` of the chart needs a value that this event does not have: {}",
                error.message
            ))
        }
        (Err(error), _) => Err(RuleError { part: RulePart::Template, error }),
    }
}

/// The reason why a rule is silent whose `on` does not name the event.
fn not_named(template: TagTemplate<'_>, context: &Context) -> String {
    let more = match &context.unknown_event {
        Some(problem) => format!(", which is assumed because {problem}; set the event with `--ref`"),
        None if template.events().contains(&EventName::Branch) && !context.trigger.is_push() => {
            let by = if context.trigger == Trigger::Schedule { "a timer" } else { "hand" };
            format!(": a run that was started by {by} is not that of the branch; name both")
        }
        None => String::new(),
    };
    format!("`on` does not name `{}`{more}", context.event)
}

/// Whether the template is only for releases: it uses the version, or moves forward by it. Any other git tag must not take
/// `latest`.
fn is_of_releases(templates: &Templates, template: TagTemplate<'_>) -> bool {
    template.mutability() == Mutability::Forward
        || templates.uses(template.text(), TemplateSyntax::Text, "version")
        || template.when().is_some_and(|when| templates.uses(when, TemplateSyntax::Expression, "version"))
}

fn not_a_version(reason: String, template: TagTemplate<'_>) -> RuleError {
    let help = "correct the file that `version` of `[project]` names".to_owned();
    let error = TemplateError {
        code: Code::ContextVersion,
        message: reason,
        range: 0..template.text().len(),
        help: Some(help),
    };
    RuleError { part: RulePart::Template, error }
}

/// Renders the template of a tag. A version's `+` becomes `_`, as in Helm, because no tag may contain it.
pub(super) fn render(templates: &Templates, template: &str, values: &Values) -> Result<Tag, TemplateError> {
    tag(&text(templates, template, values)?, template)
}

/// Renders the version of a chart, and the tag under which Helm finds it: the version with `_` for `+`.
pub(super) fn render_chart_version(
    templates: &Templates,
    template: &str,
    values: &Values,
) -> Result<(Version, Tag), TemplateError> {
    let rendered = match templates.render(template, values) {
        Err(error) if error.code == Code::ContextMissing && template == DEFAULT_VERSION => {
            templates.render(DEFAULT_VERSION_WITHOUT_TIME, values)?
        }
        rendered => rendered?,
    };
    let rendered = rendered.trim();
    let version = Version::parse(rendered).map_err(|error| TemplateError {
        code: Code::TagInvalid,
        message: format!("it renders `{}`, which is not a semantic version: {error}", shortened(rendered)),
        range: 0..template.len(),
        help: Some(
            "Helm accepts only semantic versions, such as 1.2.3 or 0.0.0-main.9f3c2ab; the filter `identifier` turns any text into a part of one: `0.0.0-{{ git.branch | identifier }}`".to_owned(),
        ),
    })?;
    let tag = tag(&rendered.replace('+', "_"), template)?;
    Ok((version, tag))
}

fn tag(rendered: &str, template: &str) -> Result<Tag, TemplateError> {
    rendered.parse::<Tag>().map_err(|error| TemplateError {
        code: Code::TagInvalid,
        message: format!("the rule renders `{}`, which is not a tag: {error}", shortened(rendered)),
        range: 0..template.len(),
        help: Some(help(&error, template).to_owned()),
    })
}

/// A help for a template whose output is not a valid tag because of `error`.
fn help(error: &TagError, template: &str) -> &'static str {
    match error {
        TagError::Empty => {
            "use `when` to keep a rule from firing, or `when_empty = \"skip\"` to leave the tag out"
        }
        // The result is too long although its parts are slugs.
        TagError::TooLong(_) if template.contains("slug") => {
            "shorten a part with `short`: `{{ git.branch | slug | short(100) }}`, or apply `slug` to the whole, which keeps \
             shortened texts distinct: `{{ (\"b-\" ~ git.branch) | slug }}`"
        }
        _ => "the filter `slug` turns any text into a valid tag: `{{ git.branch | slug }}`",
    }
}

/// Renders the template of a tag, whether or not the result is a valid tag.
pub(super) fn text(templates: &Templates, template: &str, values: &Values) -> Result<String, TemplateError> {
    let rendered = templates.render(template, values)?;
    Ok(without_plus(rendered.trim(), values.version.as_ref()))
}

/// Returns `text` with `_` for the `+` of a version, as in a registry.
pub(super) fn without_plus(text: &str, version: Option<&ReleaseVersion>) -> String {
    let Some(version) = version else { return text.to_owned() };
    // A local version of PEP 440 is printed as it is written, which need not be the form in which it compares.
    let build = version.as_str().split_once('+').map(|(_, build)| build).filter(|build| !build.is_empty());
    let text = build
        .map_or_else(|| text.to_owned(), |build| text.replace(&format!("+{build}"), &format!("_{build}")));
    let epoch = version.as_str().split_once('!').map(|(epoch, _)| epoch);
    epoch.map_or_else(|| text.clone(), |epoch| text.replace(&format!("{epoch}!"), &format!("{epoch}__")))
}

fn shortened(text: &str) -> String {
    let escaped: String = text.escape_debug().collect();
    match escaped.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &escaped[..at]),
        None => escaped,
    }
}

/// The reason why the `globs` of a rule keep it silent, if they do. `*` matches within a part of a name and `**` crosses
/// `/`, as in GitHub's branch filters.
fn unmatched(globs: &[String], context: &Context) -> Option<String> {
    if globs.is_empty() {
        return None;
    }
    let (what, name) = match context.event {
        EventName::Tag => ("git tag", context.tag.as_deref()),
        _ => ("branch", context.branch.as_deref()),
    };
    let Some(name) = name else { return Some(format!("no {what} is known for `match`")) };
    let matched = matches_one(globs, name);
    (!matched).then(|| format!("the {what} `{name}` does not match"))
}

/// Whether one of the `globs` matches the name of a branch or git tag.
pub(super) fn matches_one(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| {
        GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .is_ok_and(|glob| glob.compile_matcher().is_match(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_is_too_long_despite_slug_gets_help_to_shorten_it() {
        let long = format!("b-{}", "x".repeat(Tag::MAX_LENGTH));
        for (rendered, template, expected) in [
            (long.as_str(), "b-{{ git.branch | slug }}", "short(100)"),
            (long.as_str(), "b-{{ git.branch }}", "the filter `slug`"),
            ("a/b", "{{ git.tag }}/{{ git.branch | slug }}", "the filter `slug`"),
            ("", "{{ git.tag }}", "`when`"),
        ] {
            let error = tag(rendered, template).expect_err("no tag");
            let help = error.help.expect("help");
            assert!(help.contains(expected), "{template}: {help}");
        }
        let error = tag(&long, "b-{{ git.branch | slug }}").expect_err("no tag");
        assert!(error.message.contains("at most 128 characters; this one has 130"), "{}", error.message);
    }
}
