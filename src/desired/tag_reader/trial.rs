//! The trial of a template: it is rendered with probes, and the values of the first one are looked up in the output.

use std::collections::BTreeSet;

use super::alternative::{Alternative, GitTagPattern};
use super::class::Shape;
use super::pieces::TagPiece;
use super::probes::{self, Trial, VariableForm};
use super::words::{Unreadable, is_constant};
use crate::config::NamedResource;
use crate::desired::rules;
use crate::desired::tag_template::TagTemplate;
use crate::desired::tags::Renderer;
use crate::desired::template::TemplateSyntax;
use crate::desired::values::Values;
use crate::model::EventName;

/// Whether the two variables are related, so that `when` or the version of a tag can depend on a variable that the tag
/// shows.
fn is_related(one: &str, other: &str) -> bool {
    let group = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    one == other || (group(one) == "version" && group(other) == "version")
}

/// Returns the pattern of the tags that `template` renders on `event`, or `None` if its `when` holds on no such event.
pub(super) fn alternative(
    renderer: &Renderer<'_>,
    template: TagTemplate<'_>,
    event: EventName,
    NamedResource { id, resource }: NamedResource<'_>,
    variables: &BTreeSet<String>,
) -> Result<Option<Alternative>, Unreadable> {
    let (config, templates) = (renderer.config, &renderer.templates);
    let probes = probes::probes(event, &resource.releases.scheme);
    let values: Vec<Values> = probes
        .iter()
        .map(|probe| {
            Values::new(&probe.context, &config.vars, Some(id)).with_version(Ok(probe.version.clone()))
        })
        .collect();
    let Some(first) = values.first() else { return Ok(None) };
    let conditions = template.when().map(|when| templates.variables(when, TemplateSyntax::Expression));
    let asked = |variables: &BTreeSet<String>| variables.iter().all(|variable| is_constant(variable));
    if let (Some(when), Some(true)) = (template.when(), conditions.as_ref().map(asked))
        && templates.test(when, first) == Ok(false)
    {
        return Ok(None);
    }
    let rendered: Result<Vec<String>, _> =
        values.iter().map(|values| rules::text(templates, template.text(), values)).collect();
    let rendered = rendered.map_err(|error| Unreadable::Template(error.message))?;
    let trial = Trial { templates, probes: &probes, values: &values };
    let forms: Vec<VariableForm> =
        variables.iter().flat_map(|variable| probes::forms(variable, template, event, &trial)).collect();
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
    let of_git_tag =
        event == EventName::Tag && !template.globs().is_empty() && config.project.version.is_none();
    Ok(Some(Alternative {
        pieces: pieces.into_iter().map(TrialPiece::into_piece).collect(),
        asks_when: conditions.is_some_and(|names| names.iter().any(shown)),
        git_tag: (of_git_tag && shows_version).then(|| GitTagPattern {
            prefixes: resource.releases.prefixes.clone(),
            globs: template.globs().iter().filter_map(|glob| Shape::new(glob)).collect(),
        }),
        scheme: resource.releases.scheme.clone(),
        values: first.clone(),
        probes: probes.get(1..).unwrap_or_default().to_vec(),
    }))
}

/// A possible piece, before the trial has confirmed it.
enum TrialPiece<'f> {
    Text(String),
    VariableForm(&'f VariableForm),
}

impl TrialPiece<'_> {
    fn text(&self, probe: usize) -> &str {
        match self {
            Self::Text(text) => text,
            Self::VariableForm(form) => form.texts.get(probe).map(String::as_str).unwrap_or_default(),
        }
    }

    fn is_of(&self, variable: &str) -> bool {
        matches!(self, Self::VariableForm(form) if form.variable == variable)
    }

    fn into_piece(self) -> TagPiece {
        match self {
            Self::Text(text) => TagPiece::Text(text),
            Self::VariableForm(form) => TagPiece::Part { variable: form.variable, class: form.class.clone() },
        }
    }
}

/// Cuts the output of the first probe: at each position, the longest form found there, or else fixed text.
fn split<'f>(rendered: &str, forms: &'f [VariableForm]) -> Vec<TrialPiece<'f>> {
    let (mut found, mut rest) = (Vec::new(), rendered);
    let first =
        |form: &'f VariableForm| form.texts.first().map(String::as_str).filter(|text| !text.is_empty());
    while let Some(character) = rest.chars().next() {
        let here = forms.iter().filter_map(|form| Some((form, first(form)?)));
        let longest = here.filter(|(_, text)| rest.starts_with(text)).max_by_key(|(_, text)| text.len());
        if let Some((form, text)) = longest {
            found.push(TrialPiece::VariableForm(form));
            rest = rest.get(text.len()..).unwrap_or_default();
            continue;
        }
        match found.last_mut() {
            Some(TrialPiece::Text(text)) => text.push(character),
            _ => found.push(TrialPiece::Text(character.to_string())),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    found
}
