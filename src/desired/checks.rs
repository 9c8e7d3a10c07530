//! The lockstep checks that apply in a context, their expected values, and the errors in their templates.
//!
//! A check applies if its `equals` can be rendered. It is silent if `equals` needs a value that the event does not
//! have: a version on a branch, a pull request's number on a tag. The files are not read here.

use super::samples::Sample;
use super::selection::Selection;
use super::tags::Renderer;
use super::template::{TemplateError, TemplateSyntax};
use super::values::NO_IMAGE;
use crate::checks;
use crate::checks::{CheckPlaces, Expectation};
use crate::config::{Config, DeclaredCheck};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;

/// Returns the selected checks that apply in `context`, and a diagnostic for each check whose template fails. A check
/// of the whole project applies whatever is selected.
pub fn checks(
    config: &Config,
    context: &Context,
    selection: &Selection,
) -> (Vec<checks::LockstepCheck>, Vec<Diagnostic>) {
    let (mut applying, mut diagnostics) = (Vec::new(), Vec::new());
    let selected: Vec<&DeclaredCheck> =
        config.checks.iter().filter(|check| selects(check, selection)).collect();
    if selected.is_empty() {
        return (applying, diagnostics);
    }
    let renderer = Renderer::new(config);
    for check in selected {
        match expected(&renderer, context, check) {
            Ok(None) => {}
            Ok(Some(expected)) => applying.push(checks::LockstepCheck {
                file: check.file.clone(),
                key: check.key.clone(),
                expected,
                places: places(config, check),
            }),
            Err(error) => diagnostics.push(diagnostic(config, check, error)),
        }
    }
    // A version file without a version is one mistake, however many checks need the version.
    diagnostics.dedup_by(|one, other| one.code == Code::ContextVersion && other.code == one.code);
    (applying, diagnostics)
}

/// Whether a check belongs to a selected resource. A check of the whole project always does.
fn selects(check: &DeclaredCheck, selection: &Selection) -> bool {
    check.image.as_ref().is_none_or(|image| selection.selects_resource(&ResourceId::image(image)))
}

/// The value that `check` expects in `context`, or `None` if the check does not apply.
fn expected(
    renderer: &Renderer<'_>,
    context: &Context,
    check: &DeclaredCheck,
) -> Result<Option<Expectation>, TemplateError> {
    let templates = &renderer.templates;
    let id = check.image.as_ref().map(ResourceId::image);
    let resource = id.as_ref().and_then(|id| renderer.config.resources.get_key_value(id));
    let values = match resource {
        Some((id, resource)) => renderer.values(context, id, resource).1,
        None => renderer.project_values(context),
    };
    let whole = |code, message: String, help: Option<&str>| TemplateError {
        code,
        message,
        range: 0..check.equals.len(),
        help: help.map(str::to_owned),
    };
    if let Some(reason) = renderer.file_problem()
        && templates.uses(&check.equals, TemplateSyntax::Text, "version")
    {
        let help = "correct the file that `version` of `[project]` names";
        return Err(whole(Code::ContextVersion, reason.to_owned(), Some(help)));
    }
    let text = match templates.render(&check.equals, &values) {
        Ok(text) => text,
        Err(error)
            if error.code == Code::ContextMissing
                && templates.lacks_what_events_have(&check.equals, &values) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let expectation = Expectation::new(text.clone(), check.compare).map_err(|error| {
        let message = format!(
            "it renders `{}`, but `compare = \"core\"` needs a version: {error}",
            text.escape_debug()
        );
        let help = "make it render only a version, such as `{{ version }}`, or leave out `compare`";
        whole(Code::ConfigValue, message, Some(help))
    })?;
    Ok(Some(expectation))
}

fn path(check: &DeclaredCheck, key: &'static str) -> [String; 3] {
    ["checks".to_owned(), check.index.to_string(), key.to_owned()]
}

fn places(config: &Config, check: &DeclaredCheck) -> CheckPlaces {
    let place = |key| {
        let path = path(check, key);
        config.places.value(&path.each_ref().map(String::as_str))
    };
    CheckPlaces { file: place("file"), key: place("key"), equals: place("equals") }
}

fn diagnostic(config: &Config, check: &DeclaredCheck, error: TemplateError) -> Diagnostic {
    let path = path(check, "equals");
    let path = path.each_ref().map(String::as_str);
    let place = config.places.inside(&path, error.range).or_else(|| config.places.value(&path));
    Diagnostic::error(error.code, format!("check of `{}`: {}", check.file, error.message))
        .at_maybe(place, "")
        .help_maybe(error.help)
}

/// The errors in the template of `check` that do not depend on the context.
pub(super) fn template(renderer: &Renderer<'_>, check: &DeclaredCheck) -> Vec<Diagnostic> {
    let (config, templates) = (renderer.config, &renderer.templates);
    let mut errors = templates.check(&check.equals, TemplateSyntax::Text);
    if errors.is_empty()
        && check.image.is_none()
        && templates.uses(&check.equals, TemplateSyntax::Text, "image.name")
    {
        errors.push(TemplateError {
            code: Code::TemplateUnknownVariable,
            message: format!("`image.name` has no value here: {NO_IMAGE}"),
            range: 0..check.equals.len(),
            help: Some("name the image that the check is about: `image = \"NAME\"`".to_owned()),
        });
    }
    errors.into_iter().map(|error| diagnostic(config, check, error)).collect()
}

/// The error of `check`, whose template is valid, in one sample.
pub(super) fn sample(
    renderer: &Renderer<'_>,
    check: &DeclaredCheck,
    sample: &Sample<'_>,
) -> Option<Diagnostic> {
    let config = renderer.config;
    let resource = check.image.as_ref().and_then(|name| config.resources.get(&ResourceId::image(name)));
    let form = resource.map_or(&config.project.releases, |resource| &resource.releases);
    if sample.form.is_some_and(|other| other != form) {
        return None;
    }
    let mut error = expected(renderer, &sample.context, check).err()?;
    error.message = format!("{}, {}", sample.situation, error.message);
    Some(diagnostic(config, check, error))
}
