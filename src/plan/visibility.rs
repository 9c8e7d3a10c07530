//! Decides about the visibility of repositories. Pure, like the rest of the plan.

use std::collections::BTreeMap;

use crate::model::Visibility;
use crate::model::plan::{PlannedRepository, VisibilityAction, VisibilityChange};
use crate::model::visibility::as_declared;
use crate::observed::{Observed, ObservedRepository};
use crate::visibility::{irreversible, is_of_project, settings_url, wide};

/// Returns the change of visibility of one repository, or nothing if none is declared or the registry was not asked.
pub(super) fn visibility(observed: &ObservedRepository) -> Option<VisibilityChange> {
    let desired = &observed.desired;
    let (declared, probe) = (desired.visibility?, observed.visibility.as_ref()?);
    let pulled = probe.observed;
    let reading = &observed.reading;
    let setting = reading.visibility();
    let action = match (setting, as_declared(declared, setting, pulled)) {
        (Some(setting), _) if setting != declared && reading.settable => VisibilityAction::Set,
        (_, Some(true)) => VisibilityAction::NoOp,
        (_, Some(false)) => VisibilityAction::ByHand,
        (_, None) => VisibilityAction::AfterApply,
    };
    let provider = desired.endpoint.provider();
    let project = reading.setting.as_ref().and_then(|setting| setting.project.as_deref());
    let differs = matches!(action, VisibilityAction::Set | VisibilityAction::ByHand);
    // The visibility of a whole project is never set later without being shown in the plan.
    let settable = reading.settable && (differs || !is_of_project(provider));
    let why = match action {
        VisibilityAction::ByHand if setting == Some(declared) => {
            Some(format!("the API already says {}", declared.as_str()))
        }
        VisibilityAction::ByHand => reading.why.clone(),
        VisibilityAction::AfterApply => probe.why.clone(),
        VisibilityAction::NoOp | VisibilityAction::Set => None,
    };
    Some(VisibilityChange {
        declared,
        observed: pulled,
        setting,
        action,
        settable: settable && action != VisibilityAction::NoOp,
        irreversible: action == VisibilityAction::ByHand && irreversible(provider, declared, setting, pulled),
        wide: wide(provider, project, declared).filter(|_| differs),
        why,
        settings_url: settings_url(&desired.endpoint, &desired.name, project),
    })
}

/// If two repositories of one project are declared differently, neither is set, because each apply would undo the
/// other's.
pub(super) fn refuse_contradictions(observed: &Observed, repositories: &mut [PlannedRepository]) {
    let project_of = |address: &str| -> Option<(String, String)> {
        let present = observed.repositories.get(address)?;
        let project = present.reading.setting.as_ref()?.project.clone()?;
        Some((present.desired.endpoint.url.host(), project))
    };
    let mut declared: BTreeMap<(String, String), Vec<(String, Visibility)>> = BTreeMap::new();
    for repository in repositories.iter() {
        if let (Some(change), Some(project)) = (&repository.visibility, project_of(&repository.address)) {
            declared.entry(project).or_default().push((repository.address.clone(), change.declared));
        }
    }
    for repository in repositories {
        let Some(change) = &mut repository.visibility else { continue };
        let others = project_of(&repository.address).and_then(|project| declared.get(&project));
        let other = others.into_iter().flatten().find(|(_, other)| *other != change.declared);
        if let (VisibilityAction::Set, Some((address, other))) = (change.action, other) {
            change.action = VisibilityAction::ByHand;
            let other = other.as_str();
            change.why = Some(format!("{address} is declared {other}, and is in the same project"));
        }
    }
}
