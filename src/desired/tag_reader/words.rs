//! The words of a template: which variables it prints, and whether it does more than print them.

use std::collections::BTreeSet;

use crate::desired::template::{TemplateSyntax, Templates};
use crate::desired::template_syntax;
use crate::desired::values::VARIABLES;

/// The reason why the tags of a rule cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::desired) enum Unreadable {
    /// The template contains statements.
    #[error("its template has conditions or loops")]
    Statement,
    /// An expression contains a condition or computes something.
    #[error("its template computes with `{0}`")]
    Word(String),
    /// A filter gives the same text for different inputs.
    #[error("its template uses the filter `{0}`, which hides its input")]
    Filter(String),
    /// A function or method is called.
    #[error("its template calls a function")]
    Call,
    /// A variable is used but cannot be found in the tag.
    #[error("the value of `{0}` cannot be found in the tag")]
    NotFound(String),
    /// A variable appears twice, or two variables depend on each other.
    #[error("its template prints `{0}` and `{1}`, which depend on each other")]
    Dependent(String, String),
    /// The template behaves differently with other values.
    #[error("its template does not follow a single pattern")]
    Pattern,
    /// The template cannot be rendered.
    #[error("its template cannot be rendered: {0}")]
    Template(String),
}

/// Refuses templates that do more than print, because a trial cannot show everything that they do.
pub(super) fn check_words(template: &str) -> Result<(), Unreadable> {
    const FILTERS: [&str; 3] = ["slug", "short", "date"];
    const WORDS: [&str; 7] = ["if", "else", "and", "or", "not", "in", "is"];
    let code = template_syntax::without_strings(template);
    if code.contains("{%") {
        return Err(Unreadable::Statement);
    }
    let filters = template_syntax::filters(&code, TemplateSyntax::Text);
    if let Some(filter) = filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        return Err(Unreadable::Filter(filter.as_str().to_owned()));
    }
    for expression in expressions(&code) {
        let mut words = expression.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if let Some(word) = words.find(|word| WORDS.contains(word)) {
            return Err(Unreadable::Word(word.to_owned()));
        }
        let mut before = expression.split('(').rev().skip(1);
        let is_filter = |before: &str| {
            let before = before.trim_end();
            let name = FILTERS.into_iter().find_map(|filter| before.strip_suffix(filter));
            name.is_some_and(|rest| rest.trim_end().ends_with('|'))
        };
        if !before.all(is_filter) {
            return Err(Unreadable::Call);
        }
    }
    Ok(())
}

/// The expressions inside `{{ … }}`.
fn expressions(code: &str) -> impl Iterator<Item = &str> {
    code.split("{{").skip(1).filter_map(|part| part.split("}}").next())
}

/// Refuses two variables that depend on each other, because a tag would be accepted that no run renders.
pub(super) fn independent(variables: &BTreeSet<String>) -> Result<(), Unreadable> {
    let depends = |one: &str, other: &str| {
        matches!(
            (one, other),
            ("git.sha", "git.short_sha")
                | ("git.ref", _)
                | (_, "git.ref")
                | ("git.default_branch" | "pr.head", "git.branch")
                | ("pr.base", "pr.target" | "git.default_branch")
                | (
                    "git.describe",
                    "git.previous_tag" | "git.commits_since_tag" | "git.sha" | "git.short_sha" | "git.tag"
                )
        ) || (one == "version" && other.starts_with("version."))
            || (one == "git.tag" && other.starts_with("version"))
    };
    for one in variables {
        for other in variables.iter().filter(|other| *other != one) {
            if depends(one, other) {
                return Err(Unreadable::Dependent(one.clone(), other.clone()));
            }
        }
    }
    Ok(())
}

/// Whether a variable has the same value for a resource in every run.
pub(super) fn is_constant(variable: &str) -> bool {
    matches!(variable, "event" | "image.name" | "chart.name" | "artifact.name")
        || variable.starts_with("vars.")
}

/// The variables of `template` that differ from run to run.
pub(in crate::desired) fn variables(templates: &Templates, template: &str) -> BTreeSet<String> {
    let mut found = templates.variables(template, TemplateSyntax::Text);
    // minijinja does not look into slices such as `git.sha[:12]`.
    let code = template_syntax::without_strings(template);
    let paths = expressions(&code)
        .flat_map(|it| it.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))));
    found.extend(paths.filter(|path| VARIABLES.contains(path)).map(str::to_owned));
    found.retain(|variable| !is_constant(variable));
    found
}
