//! The comparison of desired and observed: a pure function that cannot fail and does no I/O.

use std::collections::BTreeMap;

use super::decide::decide;
use super::sending::Holdings;
use super::visibility::{refuse_contradictions, visibility};
use crate::desired::{Basis, Desired, DesiredRepository, DesiredTag};
use crate::model::forward::{PlannedCommit, PlannedForward};
use crate::model::plan::{
    Action, Change, FORMAT_VERSION, GENERATOR, Plan, PlanKind, PlannedConfig, PlannedContent,
    PlannedRepository, Reason, SilentResource, TagTarget,
};
use crate::model::referrer::PlannedReferrer;
use crate::model::{Mutability, ResourceId};
use crate::observed::{Observed, ObservedRepository};
use oci_registry::{Digest, Tag};

/// The origin of a plan, as the plan records it.
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

/// Returns the plan of the changes that turn `observed` into `desired`.
pub fn diff(desired: &Desired, observed: &Observed, origin: Origin) -> Plan {
    let pairs = || desired.repositories.iter().zip(&observed.repositories);
    let mut holdings = Holdings::default();
    for (wanted, present) in pairs() {
        holdings.note_present(&wanted.endpoint.url.host(), wanted, present);
    }
    let mut repositories: Vec<PlannedRepository> =
        pairs().map(|(wanted, present)| repository(wanted, present, &mut holdings)).collect();
    refuse_division(&mut repositories);
    refuse_contradictions(desired, observed, &mut repositories);
    let targets = desired.repositories.iter().map(|it| (it.registry.clone(), it.endpoint.clone()));
    let registries: BTreeMap<_, _> = targets.chain(desired.read.clone()).collect();
    let silent = desired.silent.iter().map(|(resource, rules)| SilentResource {
        resource: resource.clone(),
        rules: rules.iter().cloned().collect(),
    });
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        generator: GENERATOR.to_owned(),
        kind: PlanKind::Publish,
        folder: origin.folder,
        config: origin.config,
        context: origin.context,
        title: origin.title,
        registries,
        repositories,
        secrets: None,
        silent: silent.collect(),
        silent_retentions: BTreeMap::new(),
    }
}

/// Refuses to create a tag with another digest in one registry if another registry keeps the digest published first:
/// one tag would name two different images permanently.
fn refuse_division(repositories: &mut [PlannedRepository]) {
    let mut kept: BTreeMap<(ResourceId, Tag), (String, Digest)> = BTreeMap::new();
    for repository in repositories.iter() {
        for change in repository.changes.iter().filter(|change| change.reason == Reason::KeptFirst) {
            if let Some(digest) = change.present() {
                let place = (repository.name.clone(), digest.clone());
                kept.entry((repository.resource.clone(), change.tag.clone())).or_insert(place);
            }
        }
    }
    for repository in repositories {
        for change in repository.changes.iter_mut().filter(|change| change.action == Action::Create) {
            let Some((name, digest)) = kept.get(&(repository.resource.clone(), change.tag.clone())) else {
                continue;
            };
            if change.wanted() != Some(digest) {
                change.action = Action::Conflict;
                change.reason = Reason::KeptElsewhere { repository: name.clone(), digest: digest.clone() };
                change.forward = None;
            }
        }
    }
}

fn repository(
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    holdings: &mut Holdings,
) -> PlannedRepository {
    let content = &desired.published.content;
    let address = format!("{}@{}", desired.resource, desired.registry);
    let kept = kept(desired, observed);
    let changes: Vec<Change> =
        desired.tags.iter().map(|tag| change(&address, tag, desired, observed, kept.as_ref())).collect();
    let placed = |change: &Change| change.action.is_change() && change.wanted() == Some(&content.root.digest);
    let host = desired.endpoint.url.host();
    let places = changes.iter().any(placed);
    let mut sending =
        if places { holdings.plan(&host, desired, observed) } else { holdings.nothing(desired) };
    // Referrers make no sense without the content that they refer to.
    let stands = observed.tags.values().any(|present| present.digest == content.root.digest);
    let referrers = if places || stands { referrers(desired, observed) } else { Vec::new() };
    if !referrers.is_empty() {
        holdings.add_referrers(&mut sending, &host, desired, observed);
    }
    let source = desired.published.spec.clone();
    let planned = PlannedContent {
        source,
        root: content.root.clone(),
        platforms: content.platforms.clone(),
        referrers,
        sending,
    };
    PlannedRepository {
        resource: desired.resource.clone(),
        registry: desired.registry.clone(),
        repository: desired.name.clone(),
        name: desired.endpoint.url.full_name(&desired.name),
        content: Some(planned),
        visibility: visibility(desired, observed),
        address,
        changes,
        orphans: Vec::new(),
    }
}

/// The referrers of the content, with the action for each.
fn referrers(desired: &DesiredRepository, observed: &ObservedRepository) -> Vec<PlannedReferrer> {
    let referrers = desired.published.referrers.iter().zip(&observed.referrers.actions);
    referrers.map(|(it, action)| PlannedReferrer { referrer: it.referrer.clone(), action: *action }).collect()
}

/// The first published digest that an immutable tag of this run keeps, and that tag. The other tags of the run follow
/// it, so that all name the same image.
fn kept(desired: &DesiredRepository, observed: &ObservedRepository) -> Option<(Digest, Tag)> {
    let root = &desired.published.content.root.digest;
    desired.tags.iter().find_map(|tag| {
        let (_, reason) = decide(tag, root, observed);
        let present = observed.tags.get(&tag.tag).filter(|_| reason == Reason::KeptFirst)?;
        Some((present.digest.clone(), tag.tag.clone()))
    })
}

fn change(
    address: &str,
    tag: &DesiredTag,
    desired: &DesiredRepository,
    observed: &ObservedRepository,
    kept: Option<&(Digest, Tag)>,
) -> Change {
    let root = &desired.published.content.root.digest;
    let kept = kept.filter(|_| tag.mutability != Mutability::Immutable);
    let wanted = kept.map_or(root, |(digest, _)| digest);
    let (action, mut reason) = decide(tag, wanted, observed);
    if let Some((_, immutable)) = kept.filter(|_| matches!(action, Action::Create | Action::Move)) {
        reason = Reason::FollowsKept { tag: immutable.clone() };
    }
    let before = observed.tags.get(&tag.tag).map(|present| {
        let held = observed.versions.get(&present.digest);
        TagTarget {
            digest: present.digest.clone(),
            version: held.map(|held| held.version.to_string()),
            version_tag: held.map(|held| held.tag.clone()),
            revision: present.revision.clone(),
        }
    });
    let (version, revision, forward) = match &tag.basis {
        Basis::Release(line) => {
            let forward = line.can_be_read().then(|| PlannedForward::Version(line.to_plan()));
            (Some(line.version.to_string()), None, forward)
        }
        Basis::Commit(commit) => {
            let planned = PlannedCommit { revision: commit.clone(), on_unknown: tag.on_unknown };
            (None, commit.clone(), Some(PlannedForward::Commit(planned)))
        }
        Basis::None | Basis::Prerelease(_) => (None, None, None),
    };
    let after = TagTarget { digest: wanted.clone(), version, version_tag: None, revision };
    Change {
        address: format!("{address}:{}", tag.tag),
        tag: tag.tag.clone(),
        rule: tag.rule.clone(),
        mutability: tag.mutability,
        action,
        reason,
        before,
        after: Some(after),
        forward: forward.filter(|_| action.is_change()),
        removal: None,
    }
}
