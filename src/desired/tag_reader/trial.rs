//! The trial of a template: the constructs that it may contain, and the places of the input values in its output.

use std::collections::BTreeSet;

use super::class::Shape;
use super::pieces::Piece;
use super::probes::{self, Form};
use super::{Alternative, Unreadable, is_constant};
use crate::config::{Resource, TagRule};
use crate::desired::rules;
use crate::desired::tags::Renderer;
use crate::desired::template::{Kind, Templates};
use crate::desired::values::Values;
use crate::desired::version;
use crate::model::{EventName, ResourceId};

/// Whether the two variables are related, so that `when` or the version of a tag can depend on a variable that the tag
/// shows.
fn is_related(one: &str, other: &str) -> bool {
    let group = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    one == other || (group(one) == "version" && group(other) == "version")
}

/// Returns the pattern of the rule on `event`, or `None` if its `when` holds on no such event.
pub(super) fn alternative(
    renderer: &Renderer<'_>,
    rule: &TagRule,
    event: EventName,
    (id, resource): (&ResourceId, &Resource),
    variables: &BTreeSet<String>,
) -> Result<Option<Alternative>, Unreadable> {
    let (config, templates) = (renderer.config, &renderer.templates);
    let probes = probes::all(event);
    let values: Vec<Values> = probes
        .iter()
        .map(|probe| {
            Values::new(&probe.context, &config.vars, Some(id)).with_version(Ok(probe.version.clone()))
        })
        .collect();
    let Some(first) = values.first() else { return Ok(None) };
    let conditions = rule.when.as_deref().map(|when| templates.variables(when, Kind::Expression));
    let asked = |variables: &BTreeSet<String>| variables.iter().all(|variable| is_constant(variable));
    if let (Some(when), Some(true)) = (&rule.when, conditions.as_ref().map(asked))
        && templates.test(when, first) == Ok(false)
    {
        return Ok(None);
    }
    let rendered: Result<Vec<String>, _> =
        values.iter().map(|values| rules::text(templates, &rule.template, values)).collect();
    let rendered = rendered.map_err(|error| Unreadable::Template(error.message))?;
    let forms: Vec<Form> = variables
        .iter()
        .flat_map(|variable| probes::forms(variable, rule, event, &probes, (templates, &values)))
        .collect();
    let pieces = split(rendered.first().map(String::as_str).unwrap_or_default(), &forms);
    for (index, rendered) in rendered.iter().enumerate() {
        let composed: String = pieces.iter().map(|piece| piece.text(index)).collect();
        if composed != *rendered {
            let missing = variables.iter().find(|variable| !pieces.iter().any(|piece| piece.is_of(variable)));
            return Err(missing.map_or(Unreadable::Pattern, |it| Unreadable::NotFound(it.clone())));
        }
    }
    for variable in variables {
        match pieces.iter().filter(|piece| piece.is_of(variable)).count() {
            0 => return Err(Unreadable::NotFound(variable.clone())),
            1 => {}
            _ => return Err(Unreadable::Dependent(variable.clone(), variable.clone())),
        }
    }
    let shown = |name: &String| variables.iter().any(|variable| is_related(variable, name));
    let shows_version = variables.iter().any(|variable| is_related(variable, "version"));
    let of_git_tag = event == EventName::Tag && !rule.matches.is_empty() && config.project.version.is_none();
    let globs = || rule.matches.iter().filter_map(|glob| Shape::new(glob)).collect();
    Ok(Some(Alternative {
        pieces: pieces.into_iter().map(Found::into_piece).collect(),
        asks_when: conditions.is_some_and(|names| names.iter().any(shown)),
        git_tag: (of_git_tag && shows_version)
            .then(|| (version::prefix(config, resource).to_owned(), globs())),
        values: first.clone(),
        probes: probes.get(1..).unwrap_or_default().to_vec(),
    }))
}

/// A possible piece, before the trial has confirmed it.
enum Found<'f> {
    Text(String),
    Form(&'f Form),
}

impl Found<'_> {
    fn text(&self, probe: usize) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Form(form) => form.texts.get(probe).map(String::as_str).unwrap_or_default(),
        }
    }

    fn is_of(&self, variable: &str) -> bool {
        matches!(self, Self::Form(form) if form.variable == variable)
    }

    fn into_piece(self) -> Piece {
        match self {
            Self::Text(text) => Piece::Text(text),
            Self::Form(form) => Piece::Part { variable: form.variable, class: form.class.clone() },
        }
    }
}

/// Cuts the output of the first probe: at each position, the longest form found there, or else fixed text.
fn split<'f>(rendered: &str, forms: &'f [Form]) -> Vec<Found<'f>> {
    let (mut found, mut rest) = (Vec::new(), rendered);
    let first = |form: &'f Form| form.texts.first().map(String::as_str).filter(|text| !text.is_empty());
    while let Some(character) = rest.chars().next() {
        let here = forms.iter().filter_map(|form| Some((form, first(form)?)));
        let longest = here.filter(|(_, text)| rest.starts_with(text)).max_by_key(|(_, text)| text.len());
        if let Some((form, text)) = longest {
            found.push(Found::Form(form));
            rest = rest.get(text.len()..).unwrap_or_default();
            continue;
        }
        match found.last_mut() {
            Some(Found::Text(text)) => text.push(character),
            _ => found.push(Found::Text(character.to_string())),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    found
}

/// Refuses templates that do more than print, because a trial cannot show everything that they do.
pub(super) fn check_words(templates: &Templates, template: &str) -> Result<(), Unreadable> {
    const FILTERS: [&str; 3] = ["slug", "short", "date"];
    const WORDS: [&str; 7] = ["if", "else", "and", "or", "not", "in", "is"];
    let code = templates.without_strings(template);
    if code.contains("{%") {
        return Err(Unreadable::Statement);
    }
    let filters = templates.filters(template);
    if let Some(filter) = filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        return Err(Unreadable::Filter(filter.clone()));
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
pub(super) fn expressions(code: &str) -> impl Iterator<Item = &str> {
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
                | ("git.default_branch", "git.branch")
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
