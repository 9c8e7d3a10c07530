//! Setting the visibility if the registry has an API for it. This happens after all tags are in place, so that nothing is
//! public before it is complete. Only the approved change is made: if the API reports something else now, the plan is stale.

use std::collections::{BTreeMap, BTreeSet};

use super::options::ApplyOptions;
use super::prepared::Prepared;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Visibility;
use crate::model::plan::{ObservedVisibility, VisibilityAction, VisibilityChange};
use crate::visibility::{Capability, VisibilityError, VisibilityProvider, VisibilitySetting};
use oci_registry::READ_PAUSES;

/// The result of setting visibilities.
#[derive(Default)]
pub(super) struct Settled {
    /// The previous visibility of each repository in which it was set, by position.
    pub from: BTreeMap<usize, Visibility>,
    /// The positions of the repositories in which setting it failed.
    pub failed: BTreeSet<usize>,
    /// The reasons of these failures.
    pub problems: Vec<Diagnostic>,
    /// Whether the person wanted to stop before everything was set.
    pub interrupted: bool,
}

/// Returns the visibility to set in a repository: because the plan says so, or because it is published to for the first time.
fn to_set<'p>(it: &Prepared<'p>) -> Option<&'p VisibilityChange> {
    let planned = it.planned.visibility.as_ref()?;
    let first = planned.action == VisibilityAction::AfterApply
        && planned.observed == ObservedVisibility::Absent
        && planned.settable;
    (planned.action == VisibilityAction::Set || first).then_some(planned)
}

/// Whether a visibility may have to be set.
pub(super) fn is_due(prepared: &[Prepared<'_>], options: &ApplyOptions<'_>) -> bool {
    let mut due = prepared.iter().filter(|it| to_set(it).is_some());
    due.any(|it| options.connections.visibility(it.endpoint).capability() == Capability::ReadWrite)
}

/// Sets the visibilities, one repository after the other, because several may belong to one project. No request is cut off.
pub(super) async fn set(prepared: &[Prepared<'_>], options: &ApplyOptions<'_>) -> Settled {
    let mut settled = Settled::default();
    for it in prepared {
        let Some(planned) = to_set(it) else { continue };
        if *options.cancel.borrow() {
            settled.interrupted = true;
            break;
        }
        let provider = options.connections.visibility(it.endpoint);
        let done = match planned.action {
            VisibilityAction::Set => as_planned(it, planned, provider.as_ref()).await,
            _ => first(it, planned, provider.as_ref()).await,
        };
        match done {
            Ok(None) => {}
            Ok(Some(from)) => drop(settled.from.insert(it.position, from)),
            Err(diagnostic) => {
                settled.failed.insert(it.position);
                settled.problems.push(diagnostic);
            }
        }
    }
    settled
}

/// Refuses the plan before anything is sent, if an API reports neither the planned visibility nor the wanted one.
pub(super) async fn stale(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for it in prepared {
        let Some(planned) = to_set(it).filter(|planned| planned.action == VisibilityAction::Set) else {
            continue;
        };
        let read = options.connections.visibility(it.endpoint).get(&it.planned.repository).await;
        match read {
            Ok(found) => problems.extend(moved(it, planned, found.as_ref())),
            Err(error) => problems.push(error.to_diagnostic(&it.planned.name, "cannot read its visibility")),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns a diagnostic if the API reports neither the planned visibility nor the wanted one.
fn moved(
    it: &Prepared<'_>,
    planned: &VisibilityChange,
    found: Option<&VisibilitySetting>,
) -> Option<Diagnostic> {
    let found = found.map(|setting| setting.visibility);
    if found == Some(planned.declared) || (found.is_some() && found == planned.setting) {
        return None;
    }
    let word = |visibility: Option<Visibility>| visibility.map_or("unknown", Visibility::as_str);
    let message = format!(
        "{}: its visibility changed since the plan was made: it was {} and is now {}",
        it.planned.name,
        word(planned.setting),
        word(found)
    );
    let help = "make the plan again and approve the new one";
    Some(Diagnostic::error(Code::PlanStale, message).help(help))
}

/// Sets the planned visibility. Returns the previous one if it was set.
async fn as_planned(
    it: &Prepared<'_>,
    planned: &VisibilityChange,
    provider: &dyn VisibilityProvider,
) -> Result<Option<Visibility>, Diagnostic> {
    let found = provider.get(&it.planned.repository).await.map_err(|error| failed(it, planned, &error))?;
    if let Some(diagnostic) = moved(it, planned, found.as_ref()) {
        return Err(diagnostic);
    }
    match found {
        Some(setting) => change(it, planned, provider, setting.visibility).await,
        None => Ok(None),
    }
}

/// Sets the declared visibility of a repository that is published to for the first time, if the setting affects only this
/// repository. If the API cannot be asked, the anonymous pull shows whether that matters.
async fn first(
    it: &Prepared<'_>,
    planned: &VisibilityChange,
    provider: &dyn VisibilityProvider,
) -> Result<Option<Visibility>, Diagnostic> {
    if provider.capability() != Capability::ReadWrite {
        return Ok(None);
    }
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        match (provider.get(&it.planned.repository).await, pauses.next()) {
            // A whole project is set only if the plan said so. Reading back reports its visibility.
            (Ok(Some(setting)), _) if setting.project.is_some() => return Ok(None),
            (Ok(Some(setting)), _) => return change(it, planned, provider, setting.visibility).await,
            // The API does not know yet what was just pushed.
            (Ok(None), Some(pause)) => tokio::time::sleep(pause).await,
            (Ok(None) | Err(_), _) => return Ok(None),
        }
    }
}

/// Sets the declared visibility in place of `from`, and reads it back.
async fn change(
    it: &Prepared<'_>,
    planned: &VisibilityChange,
    provider: &dyn VisibilityProvider,
    from: Visibility,
) -> Result<Option<Visibility>, Diagnostic> {
    if from == planned.declared {
        return Ok(None);
    }
    let name = &it.planned.repository;
    provider.set(name, planned.declared).await.map_err(|error| failed(it, planned, &error))?;
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        let found = provider.get(name).await.map_err(|error| failed(it, planned, &error))?;
        let found = found.map(|setting| setting.visibility);
        if found == Some(planned.declared) {
            return Ok(Some(from));
        }
        match pauses.next() {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(not_taken(it, planned, found)),
        }
    }
}

fn failed(it: &Prepared<'_>, planned: &VisibilityChange, error: &VisibilityError) -> Diagnostic {
    let attempt = format!("it cannot be made {}", planned.declared.as_str());
    error.to_diagnostic(&it.planned.name, &attempt)
}

fn not_taken(it: &Prepared<'_>, planned: &VisibilityChange, found: Option<Visibility>) -> Diagnostic {
    let found = found.map_or("nothing", Visibility::as_str);
    let message = format!(
        "{}: it was set to {}, but the registry's API still says {found}",
        it.planned.name,
        planned.declared.as_str()
    );
    Diagnostic::error(Code::VisibilityApi, message)
        .help("the tags are in place; run the same command again, or change it on the registry's own page")
}
