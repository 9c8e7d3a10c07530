//! Desired against observed: a pure function that cannot fail and does no I/O.

use std::collections::BTreeMap;

use super::decide::decide;
use super::sending::Holdings;
use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::model::Visibility;
use crate::model::plan::{
    Change, FORMAT_VERSION, ObservedVisibility, Plan, PlannedConfig, PlannedRepository, PlannedSource,
    SilentImage, TagTarget, VisibilityAction, VisibilityChange,
};
use crate::observed::{Observed, ObservedRepository};
use crate::visibility::settings_url;

/// What a plan says of where it comes from.
pub struct Origin {
    /// The configuration.
    pub config: PlannedConfig,
    /// The folder of the configuration, relative to the working directory.
    pub folder: String,
    /// The context.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// The context in one line.
    pub title: String,
}

/// What has to change for `observed` to become `desired`.
pub fn diff(desired: &Desired, observed: &Observed, origin: Origin) -> Plan {
    let pairs = || desired.repositories.iter().zip(&observed.repositories);
    let mut holdings = Holdings::default();
    for (wanted, present) in pairs() {
        holdings.note_present(&wanted.endpoint.url.host(), wanted, present);
    }
    let repositories = pairs().map(|(wanted, present)| repository(wanted, present, &mut holdings)).collect();
    let registries: BTreeMap<_, _> =
        desired.repositories.iter().map(|it| (it.registry.clone(), it.endpoint.clone())).collect();
    let silent = desired
        .silent
        .iter()
        .map(|(image, rules)| SilentImage { image: image.clone(), rules: rules.iter().cloned().collect() });
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        generator: concat!("brokkr-publish ", env!("CARGO_PKG_VERSION")).to_owned(),
        folder: origin.folder,
        config: origin.config,
        context: origin.context,
        title: origin.title,
        registries,
        repositories,
        silent: silent.collect(),
    }
}

fn repository(
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    holdings: &mut Holdings,
) -> PlannedRepository {
    let content = &desired.content.published.content;
    let address = format!("images.{}@{}", desired.image, desired.registry);
    let changes: Vec<Change> =
        desired.tags.iter().map(|tag| change(&address, tag, desired, observed)).collect();
    let content_plan = if changes.iter().any(|change| change.action.is_change()) {
        holdings.plan(&desired.endpoint.url.host(), desired, observed)
    } else {
        holdings.nothing(desired)
    };
    PlannedRepository {
        image: desired.image.clone(),
        registry: desired.registry.clone(),
        repository: desired.name.clone(),
        name: desired.endpoint.url.full_name(&desired.name),
        source: PlannedSource {
            spec: desired.content.spec.clone(),
            annotations: desired.content.annotations.clone(),
            platforms: desired.content.platforms.clone(),
        },
        root: content.root.clone(),
        platforms: content.platforms.clone(),
        content: content_plan,
        visibility: visibility(desired, observed, &changes),
        address,
        changes,
    }
}

fn change(
    address: &str,
    tag: &DesiredTag,
    desired: &DesiredRepository,
    observed: &ObservedRepository,
) -> Change {
    let root = &desired.content.published.content.root.digest;
    let (action, reason) = decide(tag, root, observed);
    let before = observed.tags.get(&tag.tag).map(|present| {
        let held = observed.versions.get(&present.digest);
        TagTarget {
            digest: present.digest.clone(),
            version: held.map(|held| held.version.to_string()),
            version_tag: held.map(|held| held.tag.clone()),
            revision: present.revision.clone(),
        }
    });
    let (version, revision) = match &tag.basis {
        Basis::Release(line) => (Some(line.version.to_string()), None),
        Basis::Commit(commit) => (None, commit.clone()),
        Basis::None | Basis::Prerelease(_) => (None, None),
    };
    Change {
        address: format!("{address}:{}", tag.tag),
        tag: tag.tag.clone(),
        rule: tag.rule.clone(),
        mutability: tag.mutability,
        action,
        reason,
        before,
        after: TagTarget { digest: root.clone(), version, version_tag: None, revision },
    }
}

fn visibility(
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    changes: &[Change],
) -> Option<VisibilityChange> {
    let (declared, observed) = (desired.visibility?, observed.visibility?);
    let action = match (declared, observed) {
        (Visibility::Public, ObservedVisibility::Public)
        | (Visibility::Private | Visibility::Internal, ObservedVisibility::NotPublic) => {
            VisibilityAction::NoOp
        }
        (_, ObservedVisibility::Absent) if changes.iter().any(|change| change.action.is_change()) => {
            VisibilityAction::AfterApply
        }
        (_, ObservedVisibility::Absent | ObservedVisibility::Unknown) => VisibilityAction::AfterApply,
        (_, ObservedVisibility::Public | ObservedVisibility::NotPublic) => VisibilityAction::ByHand,
    };
    let settings_url = settings_url(&desired.endpoint.url, &desired.name);
    Some(VisibilityChange { declared, observed, action, settings_url })
}
