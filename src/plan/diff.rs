//! The comparison of what is desired with what was observed of it: a pure function that cannot fail and does no I/O.

use std::collections::BTreeMap;

use super::decide::decide;
use super::sending::{self, Holdings};
use super::signatures;
use super::visibility::{refuse_contradictions, visibility};
use crate::desired::{Basis, DesiredTag};
use crate::model::credential_use::PlannedCredentials;
use crate::model::forward::{PlannedCommit, PlannedForward, PlannedLine};
use crate::model::gate::PlannedGate;
use crate::model::optional::OptionalRegistries;
use crate::model::plan::{
    Action, Change, FORMAT_VERSION, GENERATOR, GUARDED_FORMAT_VERSION, Plan, PlanKind, PlannedConfig,
    PlannedContent, PlannedRepository, Reason, SilentResource, TagTarget,
};
use crate::model::referrer::PlannedReferrer;
use crate::model::signing::{PlannedSigner, RequiredApproval};
use crate::model::standing::StandingVersion;
use crate::model::{Mutability, OnTagFailure, ResourceId};
use crate::observed::{Observed, ObservedRepository};
use oci_registry::{Digest, Tag};
use oci_signing::Verifier;

/// The origin of a plan, as the plan records it.
#[derive(Clone)]
pub struct PlanOrigin {
    /// The configuration.
    pub config: PlannedConfig,
    /// The folder of the configuration, relative to the working directory.
    pub folder: String,
    /// The context.
    pub context: serde_json::Map<String, serde_json::Value>,
    /// The context in one line.
    pub title: String,
    /// The behavior of an apply if a registry refuses a floating tag for good.
    pub on_tag_failure: OnTagFailure,
    /// The approvals that `apply` requires.
    pub approval: Option<RequiredApproval>,
    /// The gates.
    pub gates: BTreeMap<String, PlannedGate>,
    /// The signers, each with its public key.
    pub signers: BTreeMap<String, (PlannedSigner, Verifier)>,
}

/// Returns the plan of the changes that turn what was observed into what is desired.
pub fn diff(observed: &Observed, origin: PlanOrigin) -> Plan {
    let mut holdings = Holdings::default();
    for repository in observed.repositories.values() {
        holdings.note_present(repository);
    }
    let mut repositories: Vec<PlannedRepository> =
        observed.repositories.values().map(|it| repository(it, &mut holdings)).collect();
    refuse_division(&mut repositories);
    refuse_contradictions(observed, &mut repositories);
    let keys = origin.signers.iter().map(|(name, (_, key))| (name.clone(), key.clone())).collect();
    for (planned, observed) in repositories.iter_mut().zip(observed.repositories.values()) {
        planned.signatures = signatures::signatures(observed, &planned.changes, &keys);
    }
    let desired = observed.repositories.values().map(|it| &it.desired);
    let targets = desired.map(|it| (it.registry.clone(), it.endpoint.clone()));
    let registries: BTreeMap<_, _> = targets.chain(observed.read.clone()).collect();
    let silent = observed.silent.iter().map(|(resource, rules)| SilentResource {
        resource: resource.clone(),
        rules: rules.iter().cloned().collect(),
    });
    let is_guarded = !origin.signers.is_empty() || !origin.gates.is_empty() || origin.approval.is_some();
    Plan {
        format_version: if is_guarded { GUARDED_FORMAT_VERSION } else { FORMAT_VERSION }.to_owned(),
        generator: GENERATOR.to_owned(),
        kind: PlanKind::Publish,
        folder: origin.folder,
        config: origin.config,
        context: origin.context,
        title: origin.title,
        on_tag_failure: origin.on_tag_failure,
        registries,
        optional: OptionalRegistries {
            names: observed.optional.clone(),
            left_out: observed.left_out.clone(),
        },
        credentials: PlannedCredentials::default(),
        approval: origin.approval,
        gates: origin.gates,
        signers: origin.signers.into_iter().map(|(name, (signer, _))| (name, signer)).collect(),
        problems: signatures::problems(&repositories),
        repositories,
        secrets: None,
        not_searched: BTreeMap::new(),
        silent: silent.collect(),
        silent_retentions: BTreeMap::new(),
    }
}

/// Refuses to create a tag with another digest in one registry if another registry keeps the digest published first:
/// one tag would name two different images permanently.
fn refuse_division(repositories: &mut [PlannedRepository]) {
    let mut kept: BTreeMap<(ResourceId, Tag), (String, Digest)> = BTreeMap::new();
    for repository in repositories.iter() {
        for change in repository.changes.iter().filter(|change| change.reason.keeps_first()) {
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

fn repository(observed: &ObservedRepository, holdings: &mut Holdings) -> PlannedRepository {
    let desired = &observed.desired;
    let content = &desired.published.content;
    let kept = kept(observed);
    let changes: Vec<Change> = desired.tags.iter().map(|tag| change(tag, observed, kept.as_ref())).collect();
    let placed = |change: &Change| change.action.is_change() && change.wanted() == Some(observed.root());
    let places = changes.iter().any(placed);
    let mut sending = if places { holdings.plan(observed) } else { sending::nothing(observed) };
    // Referrers make no sense without the content that they refer to.
    let referrers = if places || observed.root_is_tagged() { referrers(observed) } else { Vec::new() };
    if !referrers.is_empty() {
        holdings.add_referrers(&mut sending, observed);
    }
    let planned = PlannedContent {
        source: desired.published.spec.clone(),
        values: desired.published.values.clone(),
        root: content.root.clone(),
        platforms: content.platforms.clone(),
        gates: desired.gates.clone(),
        evidence: Vec::new(),
        referrers,
        left_behind: desired.published.left_behind.clone(),
        sending,
    };
    PlannedRepository {
        address: observed.address(),
        resource: desired.resource.clone(),
        registry: desired.registry.clone(),
        repository: desired.name.clone(),
        name: desired.endpoint.url.full_name(&desired.name),
        content: Some(planned),
        visibility: visibility(observed),
        changes,
        orphans: Vec::new(),
        signatures: Vec::new(),
        untagged: None,
    }
}

/// The referrers of the content, with the action for each.
fn referrers(observed: &ObservedRepository) -> Vec<PlannedReferrer> {
    let actions = observed.referrers_and_actions();
    actions.map(|(it, action)| PlannedReferrer { referrer: it.referrer.clone(), action }).collect()
}

/// A digest that stays because it was published first.
struct KeptFirst {
    digest: Digest,
    /// The immutable tag that names it.
    tag: Tag,
}

/// The first published digest that an immutable tag of this run keeps. The other tags of the run follow it, so that all name the
/// same image.
fn kept(observed: &ObservedRepository) -> Option<KeptFirst> {
    observed.desired.tags.iter().find_map(|tag| {
        let (_, reason) = decide(tag, observed.root(), observed);
        let present = observed.tags.get(&tag.tag).filter(|_| reason.keeps_first())?;
        Some(KeptFirst { digest: present.digest.clone(), tag: tag.tag.clone() })
    })
}

fn change(tag: &DesiredTag, observed: &ObservedRepository, kept: Option<&KeptFirst>) -> Change {
    let kept = kept.filter(|_| tag.mutability != Mutability::Immutable);
    let wanted = kept.map_or(observed.root(), |kept| &kept.digest);
    let (action, mut reason) = decide(tag, wanted, observed);
    if let Some(kept) = kept.filter(|_| matches!(action, Action::Create | Action::Move)) {
        reason = Reason::FollowsKept { tag: kept.tag.clone() };
    }
    let before = observed.tags.get(&tag.tag).map(|present| {
        let shown = match observed.standing.get(&present.digest) {
            Some(StandingVersion::Shown(shown)) => Some(shown),
            Some(StandingVersion::Unknown(_)) | None => None,
        };
        TagTarget {
            digest: present.digest.clone(),
            version: shown.map(|shown| shown.version.to_string()),
            version_tag: shown.and_then(|shown| shown.by.tag()).cloned(),
            revision: present.revision.clone(),
        }
    });
    let (version, revision, forward) = match &tag.basis {
        Basis::Release(line) => {
            let highest = observed.line(&tag.tag).iter().rfind(|held| held.version != line.version);
            let highest = highest.map(|held| held.version.clone());
            let planned = || PlannedLine { highest, ..line.to_plan() };
            let forward = line.can_be_read().then(|| PlannedForward::Version(planned()));
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
        address: format!("{}:{}", observed.address(), tag.tag),
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
